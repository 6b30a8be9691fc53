//! Reading a token: its segments, its header, its claims, and why it is refused.

pub mod base64url;
pub(super) mod claims;
pub(super) mod compact;
pub(super) mod header;
pub mod json;
pub(super) mod kind;
pub(super) mod rejection;
