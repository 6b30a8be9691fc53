//! The lengths of salts and tags that more than one scheme has.

use std::ops::RangeInclusive;

/// The lengths of a salt, in bytes. passlib documents an empty one.
pub(super) const SALT_LEN: RangeInclusive<usize> = 0..=1024;

/// The lengths of a tag, in bytes: those of the PHC string format for scrypt and PBKDF2, up to
/// twice the longest for callers that derived more.
pub(super) const TAG_LEN: RangeInclusive<usize> = 10..=128;
