//! The memory of one hash, shared by the threads that fill its lanes.

use std::marker::PhantomData;

use super::block::Block;
use super::layout::Layout;
use crate::password::memory::PlainBlock;

/// The blocks of a [`Layout`], shared by several threads. The contract of [`Memory::block`] says
/// which thread may access a block at which time.
pub(super) struct Memory<'a> {
    start: *mut Block,
    layout: Layout,
    borrow: PhantomData<&'a mut [Block]>,
}

// SAFETY: a `Block` is one array of 1024 bytes, and its alignment divides 1024, so it has no
// padding. Any bits are valid words. It is `Copy` and has no interior mutability.
unsafe impl PlainBlock for Block {}

// SAFETY: a `Memory` represents an exclusive borrow of blocks, which may move to another thread.
// All access through a shared `Memory` follows the contract of `block`.
unsafe impl Send for Memory<'_> {}
// SAFETY: as for `Send`.
unsafe impl Sync for Memory<'_> {}

impl<'a> Memory<'a> {
    /// Returns `None` if there are fewer blocks than the layout has.
    pub(super) fn new(layout: Layout, blocks: &'a mut [Block]) -> Option<Self> {
        let enough = usize::try_from(layout.blocks()).is_ok_and(|len| len <= blocks.len());
        enough.then_some(Self { start: blocks.as_mut_ptr(), layout, borrow: PhantomData })
    }

    /// The positions of the blocks.
    pub(super) const fn layout(&self) -> &Layout {
        &self.layout
    }

    /// The block at a place of a lane. The pointer may always be used for prefetch hints. To read
    /// through it, the caller must ensure that no thread writes the block meanwhile; to write, that
    /// no other thread uses it.
    #[inline(always)]
    pub(super) const fn block(&self, lane: u32, place: u32) -> *mut Block {
        self.start.wrapping_add(self.layout.at(lane, place))
    }
}
