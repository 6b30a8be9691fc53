//! The lengths of salts and tags that several schemes share.

use std::ops::RangeInclusive;

/// The lengths of a salt, in bytes. passlib documents an empty salt.
pub(super) const SALT_LEN: RangeInclusive<usize> = 0..=1024;

/// The lengths of a tag, in bytes: from the PHC string format for scrypt and PBKDF2, but up to
/// twice its longest, for callers that derived more.
pub(super) const TAG_LEN: RangeInclusive<usize> = 10..=128;
