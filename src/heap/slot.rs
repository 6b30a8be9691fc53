//! One piece of the arena with exactly one owner.

use std::fmt;
use std::ptr::NonNull;
use std::slice;
use std::sync::Arc;

use super::arena::Arena;
use super::canary;
use super::store::Place;
use crate::error::Result;

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
    /// A zeroed slot of `len` bytes (`len` > 0), or `ERR_SECRET_EXHAUSTED`, `ERR_SECRET_DEGRADED`,
    /// `ERR_RANDOM`, and `ERR_SECRET_DISPOSED` once the end of the process has wiped the arena.
    pub fn take(arena: &Arc<Arena>, len: usize) -> Result<Self> {
        let (start, place) = arena.lend(len)?;
        // SAFETY: `lend` wrote the canary, and the memory stays until the place is given back.
        let tag = unsafe { canary::tag(start) };
        Ok(Self { start, len, tag, place, arena: Arc::clone(arena) })
    }

    /// The address of the bytes; aligned to 16 at least. Ends the process if the slot has another
    /// tenant by now: safe code cannot cause that, a defect in `unsafe` code can.
    pub fn as_ptr(&self) -> NonNull<u8> {
        // SAFETY: `lend` gave the place to this slot alone. Memory that is no longer mapped ends
        // the process here already.
        if unsafe { canary::tag(self.start) } != self.tag {
            self.arena.check(&self.place);
        }
        self.start
    }

    /// The bytes that were asked for.
    pub fn bytes(&self) -> &[u8] {
        // SAFETY: `lend` gave these `len` initialised bytes to this slot alone; nobody writes while
        // `self` is shared.
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
