//! A piece of the arena with exactly one owner.

use std::fmt;
use std::ptr::NonNull;
use std::slice;
use std::sync::Arc;

use super::arena::Arena;
use super::canary;
use super::store::Place;
use crate::error::Result;

/// Bytes of the arena: zero when obtained, wiped and given back when dropped.
pub struct Slot {
    start: NonNull<u8>,
    len: usize,
    /// The tag of the slot's canary.
    tag: u64,
    place: Place,
    arena: Arc<Arena>,
}

// SAFETY: a slot exclusively owns its bytes (the arena hands out disjoint places), and they are
// shared only through `&self`, which only reads.
unsafe impl Send for Slot {}
// SAFETY: as for `Send`.
unsafe impl Sync for Slot {}

impl Slot {
    /// A zeroed slot of `len` bytes (`len` > 0). Fails with `ERR_SECRET_EXHAUSTED`,
    /// `ERR_SECRET_DEGRADED`, `ERR_RANDOM`, or `ERR_SECRET_DISPOSED` once the end of the process
    /// has wiped the arena.
    pub fn take(arena: &Arc<Arena>, len: usize) -> Result<Self> {
        let (start, place) = arena.lend(len)?;
        // SAFETY: `lend` wrote the canary, and the memory stays until the place is given back.
        let tag = unsafe { canary::tag(start) };
        Ok(Self { start, len, tag, place, arena: Arc::clone(arena) })
    }

    /// The address of the bytes, aligned to at least 16. Ends the process if the slot now has
    /// another tenant: safe code cannot cause that, but a defect in `unsafe` code can.
    pub fn as_ptr(&self) -> NonNull<u8> {
        // SAFETY: `lend` gave the place to this slot alone. If the memory is no longer mapped, this
        // read ends the process.
        if unsafe { canary::tag(self.start) } != self.tag {
            self.arena.check(&self.place);
        }
        self.start
    }

    /// The requested bytes.
    pub fn bytes(&self) -> &[u8] {
        // SAFETY: `lend` gave these `len` initialised bytes to this slot alone, and no code writes
        // them while `self` is shared.
        unsafe { slice::from_raw_parts(self.as_ptr().as_ptr(), self.len) }
    }

    /// The requested bytes, mutable.
    pub fn bytes_mut(&mut self) -> &mut [u8] {
        // SAFETY: as for `bytes`, and `self` is borrowed exclusively.
        unsafe { slice::from_raw_parts_mut(self.as_ptr().as_ptr(), self.len) }
    }
}

impl Drop for Slot {
    fn drop(&mut self) {
        // SAFETY: the place belongs to this slot, which no code can use any more.
        unsafe { self.arena.give_back(&self.place) };
    }
}

impl fmt::Debug for Slot {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Slot({} bytes)", self.len)
    }
}
