//! Operations on secret bytes in any memory.

use aws_lc_rs::constant_time;
use zeroize::Zeroize;

/// Overwrites bytes with zeros in a way that the compiler does not remove.
pub fn wipe(bytes: &mut [u8]) {
    bytes.zeroize();
}

/// Whether two byte strings are equal. The time depends only on the lengths; strings of different
/// lengths are unequal at once.
pub fn ct_eq(one: &[u8], other: &[u8]) -> bool {
    constant_time::verify_slices_are_equal(one, other).is_ok()
}
