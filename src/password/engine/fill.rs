//! The walk through a segment: which block is computed from which (RFC 9106 section 3.4).
//!
//! Memory is slower than the arithmetic, so every reference block is asked for as early as its
//! address is known, and two lanes that fall to one thread take turns, block by block: while one
//! is computed, the other one's reference is on its way.

use std::ops::Range;

use super::block::Block;
use super::layout::Slice;
use super::memory::Memory;

/// The compression function `G` (RFC 9106 section 3.5) on one kind of processor. The walk calls it
/// from a [`Fill`] that is compiled for that kind.
pub(super) trait Kernel {
    /// `next` becomes `G(previous, reference)`, with `XOR` combined with its old content. Calls
    /// `first_word` with the first word of the new block as soon as that is known: the next
    /// reference may depend on it, and the sooner it is fetched the better.
    fn compress<const XOR: bool>(
        previous: &Block,
        reference: &Block,
        next: &mut Block,
        first_word: impl FnOnce(u64),
    );

    /// Asks for a block ahead of its use, if that pays.
    fn prefetch(block: *const Block);
}

/// Computes a task's blocks: [`walk`], compiled for the instructions of one kernel.
///
/// # Safety
/// The processor has the instructions of this kernel; and as [`walk`].
pub(super) type Fill = unsafe fn(&Task<'_>);

/// The most lanes that one thread works on by turns.
pub(super) const MAX_LANES: u32 = 2;

/// How many blocks ahead a reference is asked for where addresses are known in advance.
const AHEAD: u32 = 2;

/// Blocks whose addresses one generated block holds.
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
/// The caller has a thread of its own for each task, no two tasks have a segment in common, and
/// all blocks of earlier slices are finished and seen by this thread.
#[inline(always)]
pub(super) unsafe fn walk<K: Kernel>(task: &Task<'_>) {
    let layout = task.memory.layout();
    // SAFETY: passed on to the caller.
    unsafe {
        match (layout.is_independent(&task.slice), layout.keeps_old_blocks(&task.slice)) {
            (false, false) => dependent::<K, false>(task),
            (false, true) => dependent::<K, true>(task),
            (true, false) => independent::<K, false>(task),
            (true, true) => independent::<K, true>(task),
        }
    }
}

/// Addresses from the first word of the previous block (section 3.4.1.1).
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
        // SAFETY: the previous block is finished: of an earlier slice, or made from `H0`.
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
            // SAFETY: passed on to the caller.
            unsafe { compute::<K, XOR>(task, lane, index, current, fetch_next) };
        }
    }
}

/// Addresses from a generator that only knows where it is (section 3.4.1.2).
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
            // SAFETY: passed on to the caller.
            unsafe { compute::<K, XOR>(task, lane, index, locate(index), |_| {}) };
        }
    }
}

/// The pseudo-random words for the [`ADDRESSES`] blocks of a segment around `index`.
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
    // SAFETY: `next` is in a segment of this task, so nobody else uses it. The other two are
    // finished and not written now: `previous` is of this lane, and `reference` either of this
    // lane or of another slice (section 3.4.2). Neither of them is `next`: references are never
    // to the block that is being made, and a lane has eight blocks or more.
    unsafe { K::compress::<XOR>(&*previous, &*reference, &mut *next, first_word) };
}
