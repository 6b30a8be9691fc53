//! The memory of one hash, shared by the threads that fill its lanes.

use std::marker::PhantomData;

use super::block::Block;
use super::layout::Layout;
use crate::password::memory::PlainBlock;

/// The blocks of a [`Layout`], for several threads at once. Who may touch which block when is the
/// contract of [`Memory::block`].
pub(super) struct Memory<'a> {
    start: *mut Block,
    layout: Layout,
    borrow: PhantomData<&'a mut [Block]>,
}

// SAFETY: a `Block` is one array of 1024 bytes at an alignment that divides them, so no padding;
// any bits are valid words; `Copy`, and no interior mutability.
unsafe impl PlainBlock for Block {}

// SAFETY: a `Memory` stands for an exclusive borrow of blocks, which may go to another thread, and
// all access through a shared one is under the contracts of `block` and `block_mut`.
unsafe impl Send for Memory<'_> {}
// SAFETY: as above.
unsafe impl Sync for Memory<'_> {}

impl<'a> Memory<'a> {
    /// `None` if there are fewer blocks than the layout has.
    pub(super) fn new(layout: Layout, blocks: &'a mut [Block]) -> Option<Self> {
        let enough = usize::try_from(layout.blocks()).is_ok_and(|len| len <= blocks.len());
        enough.then_some(Self { start: blocks.as_mut_ptr(), layout, borrow: PhantomData })
    }

    /// Where the blocks lie.
    pub(super) const fn layout(&self) -> &Layout {
        &self.layout
    }

    /// The block at a place of a lane. The pointer is always good for hints; to read through it,
    /// the caller sees to it that nobody writes the block meanwhile; to write, that nobody else
    /// uses it at all.
    #[inline(always)]
    pub(super) const fn block(&self, lane: u32, place: u32) -> *mut Block {
        self.start.wrapping_add(self.layout.at(lane, place))
    }
}
