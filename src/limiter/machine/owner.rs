//! How a slot belongs to a key.
//!
//! A slot is a fingerprint and a word for each limit, of which the first is its *control word*. Of
//! the fingerprint the slot has the low 48 bits, the *tag*; the bucket says most of the others.
//! Above the tag is a number that differs each time the slot is given to a key. So a slot whose
//! *owner word* (number and tag) has not changed has belonged to the same key meanwhile.
//!
//! To give a slot to a key, a process
//!
//! 1. swaps the control word for a *claim*: bit 63, and the owner word to come. From here the slot
//!    belongs to nobody, and every change of the former key that is under way fails;
//! 2. swaps the owner word, and writes the words of the other limits;
//! 3. looks for another slot of the same key, and gives up its claim if there is one; it takes away
//!    other claims for the key;
//! 4. swaps the claim for the key's first state.
//!
//! Of two processes that claim slots for one key, the later sees the claim of the earlier in step
//! 3, so at most one gets to step 4. A claim can be taken away by anyone at any time: step 4 then
//! fails, and its process starts again. So a process that is killed or stopped leaves a slot that
//! others use.
//!
//! A key's state changes from the last limit to the first. The control word is the last to change,
//! which also makes a claim fail that has found the slot expired.

use crate::limiter::view::BLOCK;

/// The mark of a claim. No state has this bit: its clock would have run for 69 years.
pub(super) const CLAIM: u64 = 1 << 63;

/// The length of a tag.
pub(super) const TAG_BITS: u32 = 48;
/// The bits of the tag, in an owner word and in a claim.
pub(super) const TAG: u64 = (1 << TAG_BITS) - 1;

/// The tag of a fingerprint, which is never 0: that is nobody's.
pub(super) fn tag(fingerprint: u64) -> u64 {
    let tag = fingerprint & TAG;
    if tag & !BLOCK == 0 { tag | 2 } else { tag }
}

/// The owner word of a tag.
pub(super) fn owner(tag: u64, number: u64) -> u64 {
    number << TAG_BITS | tag
}
