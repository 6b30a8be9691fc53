//! One piece of the arena with exactly one owner.

use std::fmt;
use std::ptr::NonNull;
use std::slice;
use std::sync::Arc;

use super::arena::Arena;
use super::canary;
use super::store::Place;

/// Bytes of the arena, zero when obtained, wiped and given back when dropped.
pub struct Slot {
    start: NonNull<u8>,
    len: usize,
    /// That of the canary.
    tag: u64,
    place: Place,
    arena: Arc<Arena>,
}

// SAFETY: a slot owns its bytes alone (the arena hands out disjoint places), and they are shared
// only through `&self`, which reads.
unsafe impl Send for Slot {}
// SAFETY: as above.
unsafe impl Sync for Slot {}

impl Slot {
    /// # Safety
    ///
    /// `start` points to `len` initialised bytes within `place`, behind the canary of its tenant, in
    /// memory that stays until the place is given back to `arena`; `place` was taken for this slot
    /// alone.
    pub(super) unsafe fn new(
        start: NonNull<u8>,
        len: usize,
        place: Place,
        arena: Arc<Arena>,
    ) -> Self {
        // SAFETY: the caller vouches for the canary.
        let tag = unsafe { canary::tag(start) };
        Self { start, len, tag, place, arena }
    }

    /// Where the bytes are; aligned to 16 at least. Ends the process when they are somebody else's
    /// by now: safe code cannot come to that, a defect in `unsafe` code can.
    pub fn as_ptr(&self) -> NonNull<u8> {
        // SAFETY: `new`'s caller vouches for the place. Memory that is no longer mapped ends the
        // process here already.
        if unsafe { canary::tag(self.start) } != self.tag {
            self.arena.alarm(&self.place);
        }
        self.start
    }

    /// The bytes that were asked for.
    pub fn bytes(&self) -> &[u8] {
        // SAFETY: `new`'s caller vouches for the range; nobody writes while `self` is shared.
        unsafe { slice::from_raw_parts(self.as_ptr().as_ptr(), self.len) }
    }

    /// The bytes that were asked for, to be filled.
    pub fn bytes_mut(&mut self) -> &mut [u8] {
        // SAFETY: as for `bytes`, and `self` is borrowed exclusively.
        unsafe { slice::from_raw_parts_mut(self.as_ptr().as_ptr(), self.len) }
    }
}

impl Drop for Slot {
    fn drop(&mut self) {
        // SAFETY: the place is this slot's own, which nobody can use any more.
        unsafe { self.arena.give_back(&self.place) };
    }
}

impl fmt::Debug for Slot {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Slot({} bytes)", self.len)
    }
}
