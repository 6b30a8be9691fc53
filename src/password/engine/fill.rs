//! Walks through a segment and computes each block from the previous block and a reference block
//! (RFC 9106 section 3.4).
//!
//! Memory is slower than the arithmetic. So the walk prefetches each reference block as soon as its
//! address is known. A thread with two lanes alternates between them block by block: while it
//! computes one, the reference of the other is being loaded.

use std::ops::Range;

use super::block::Block;
use super::layout::Slice;
use super::memory::Memory;

/// The compression function `G` (RFC 9106 section 3.5) for one kind of processor. The walk calls it
/// from a [`Fill`] compiled for that kind.
pub(super) trait Kernel {
    /// Sets `next` to `G(previous, reference)`, combined with its old content by exclusive or if
    /// `XOR`. Calls `first_word` with the first word of the new block as soon as it is known,
    /// because the next reference may depend on it and should be fetched early.
    fn compress<const XOR: bool>(
        previous: &Block,
        reference: &Block,
        next: &mut Block,
        first_word: impl FnOnce(u64),
    );

    /// Prefetches a block, where that is worthwhile.
    fn prefetch(block: *const Block);
}

/// Computes a task's blocks: [`walk`], compiled for the instructions of one kernel.
///
/// # Safety
/// The processor has the instructions of this kernel. The contract of [`walk`] also applies.
pub(super) type Fill = unsafe fn(&Task<'_>);

/// The most lanes between which one thread alternates.
pub(super) const MAX_LANES: u32 = 2;

/// How many blocks ahead a reference is prefetched if addresses are known in advance.
const AHEAD: u32 = 2;

/// The number of blocks whose addresses one generated block holds.
const ADDRESSES: u32 = 128;

/// The segments of neighbouring lanes in one slice.
pub(super) struct Task<'a> {
    /// The blocks.
    pub memory: &'a Memory<'a>,
    /// The slice.
    pub slice: Slice,
    /// The first lane.
    pub lane: u32,
    /// How many lanes, from 1 to [`MAX_LANES`].
    pub lanes: u32,
}

impl Task<'_> {
    fn lanes(&self) -> Range<u32> {
        self.lane..self.lane + self.lanes
    }
}

/// Computes the blocks of a task.
///
/// # Safety
/// Each task runs on one thread only, no two tasks share a segment, and all blocks of earlier
/// slices are finished and visible to this thread.
#[inline(always)]
pub(super) unsafe fn walk<K: Kernel>(task: &Task<'_>) {
    let layout = task.memory.layout();
    // SAFETY: the caller upholds the contract of `walk`.
    unsafe {
        match (layout.is_independent(&task.slice), layout.keeps_old_blocks(&task.slice)) {
            (false, false) => dependent::<K, false>(task),
            (false, true) => dependent::<K, true>(task),
            (true, false) => independent::<K, false>(task),
            (true, true) => independent::<K, true>(task),
        }
    }
}

/// Data-dependent addresses, from the first word of the previous block (section 3.4.1.1).
#[inline(always)]
unsafe fn dependent<K: Kernel, const XOR: bool>(task: &Task<'_>) {
    let (memory, slice) = (task.memory, &task.slice);
    let len = memory.layout().segment_len;
    let locate = |lane, index, random| {
        let (lane, place) = slice.reference(lane, index, random);
        memory.block(lane, place).cast_const()
    };
    let first = slice.first_index();
    let mut references = [std::ptr::null(); MAX_LANES as usize];
    for (lane, reference) in task.lanes().zip(&mut references) {
        // SAFETY: the previous block is finished: it belongs to an earlier slice or was made from
        // `H0`.
        let random = unsafe { (*memory.block(lane, slice.previous(first))).words()[0] };
        *reference = locate(lane, first, random);
        K::prefetch(*reference);
    }
    for index in first..len {
        for (lane, reference) in task.lanes().zip(&mut references) {
            let current = *reference;
            let fetch_next = |random| {
                if index + 1 < len {
                    *reference = locate(lane, index + 1, random);
                    K::prefetch(*reference);
                }
            };
            // SAFETY: the caller upholds the contract of `walk`.
            unsafe { compute::<K, XOR>(task, lane, index, current, fetch_next) };
        }
    }
}

/// Data-independent addresses, from a generator that knows only its position (section 3.4.1.2).
#[inline(always)]
unsafe fn independent<K: Kernel, const XOR: bool>(task: &Task<'_>) {
    let (memory, slice) = (task.memory, &task.slice);
    let len = memory.layout().segment_len;
    let mut addresses = [Block::ZERO; MAX_LANES as usize];
    for index in slice.first_index()..len {
        for (lane, addresses) in task.lanes().zip(&mut addresses) {
            if index == slice.first_index() || index % ADDRESSES == 0 {
                generate::<K>(task, lane, index, addresses);
            }
            let locate = |index: u32| {
                let random = addresses.words()[(index % ADDRESSES) as usize];
                let (lane, place) = slice.reference(lane, index, random);
                memory.block(lane, place).cast_const()
            };
            if index % ADDRESSES + AHEAD < ADDRESSES {
                K::prefetch(locate(index + AHEAD));
            }
            // SAFETY: the caller upholds the contract of `walk`.
            unsafe { compute::<K, XOR>(task, lane, index, locate(index), |_| {}) };
        }
    }
}

/// Generates the pseudo-random words for the group of [`ADDRESSES`] blocks that contains `index`.
#[inline(always)]
fn generate<K: Kernel>(task: &Task<'_>, lane: u32, index: u32, addresses: &mut Block) {
    let layout = task.memory.layout();
    let mut input = Block::ZERO;
    let place = [
        task.slice.pass.into(),
        lane.into(),
        task.slice.number.into(),
        layout.blocks(),
        layout.params.time_cost().into(),
        layout.params.algorithm().number().into(),
        u64::from(index / ADDRESSES) + 1,
    ];
    input.words_mut()[..place.len()].copy_from_slice(&place);
    let mut inner = Block::ZERO;
    K::compress::<false>(&Block::ZERO, &input, &mut inner, |_| {});
    K::compress::<false>(&Block::ZERO, &inner, addresses, |_| {});
}

/// Computes one block.
#[inline(always)]
unsafe fn compute<K: Kernel, const XOR: bool>(
    task: &Task<'_>,
    lane: u32,
    index: u32,
    reference: *const Block,
    first_word: impl FnOnce(u64),
) {
    let (memory, slice) = (task.memory, &task.slice);
    let previous = memory.block(lane, slice.previous(index));
    let next = memory.block(lane, slice.start + index);
    // SAFETY: `next` is in a segment of this task, so no other thread uses it. The other two blocks
    // are finished and not being written: `previous` is of this lane, and `reference` is of this
    // lane or of another slice (section 3.4.2). Neither of them is `next`: a reference is never the
    // block being made, and a lane has at least eight blocks.
    unsafe { K::compress::<XOR>(&*previous, &*reference, &mut *next, first_word) };
}
