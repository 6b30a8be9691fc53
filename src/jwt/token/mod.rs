//! Reading a token: its segments, its header, its claims, and why it is refused.

pub mod base64url;
pub mod claims;
pub mod compact;
pub mod header;
pub mod json;
pub mod kind;
pub mod rejection;
