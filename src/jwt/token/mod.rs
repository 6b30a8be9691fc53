//! Reads a token: its segments, its header and its claims. Also defines the reasons for a refusal.

pub mod base64url;
mod claim;
pub(super) mod claims;
pub(super) mod compact;
pub(super) mod header;
pub mod json;
pub(super) mod kind;
pub(super) mod malformation;
pub(super) mod rejection;
pub(super) mod unverified;
