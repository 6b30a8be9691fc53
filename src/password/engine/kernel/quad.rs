//! The kernel for registers of four words, generic over the kind of register.

use crate::password::engine::block::Block;
use crate::password::engine::fill::Kernel;

/// The number of registers for a row of 16 words.
const ROW: usize = 4;
/// Two consecutive rows.
type Rows<Q> = [Q; 2 * ROW];

/// Four 64-bit words.
///
/// # Safety
/// A value is 32 plain bytes at an alignment of at most 64, and any content of them is valid.
pub(super) unsafe trait Quad: Copy {
    /// `x + y + 2 · low(x) · low(y)` modulo 2^64, where `low` is the lower 32 bits.
    fn add(self, other: Self) -> Self;

    /// Exclusive or.
    fn xor(self, other: Self) -> Self;

    /// Each word rotated to the right by 16, 24, 32 or 63 bits.
    fn rotate<const BITS: u32>(self) -> Self;

    /// Words 3, 0, 1, 2.
    fn turn_right(self) -> Self;

    /// Words 1, 2, 3, 0.
    fn turn_left(self) -> Self;

    /// Words 2, 3, 0, 1.
    fn swap(self) -> Self;

    /// Words 1 and 3 of `self`, followed by word 0 and word 2 of `other` respectively.
    fn join(self, other: Self) -> Self;

    /// Word 0.
    fn first(self) -> u64;
}

impl<Q: Quad> Kernel for Q {
    #[inline(always)]
    fn compress<const XOR: bool>(
        previous: &Block,
        reference: &Block,
        next: &mut Block,
        first_word: impl FnOnce(u64),
    ) {
        compress::<Q, XOR>(previous, reference, next, first_word);
    }

    /// Prefetches all cache lines of a block where the baseline has an instruction for it.
    #[inline(always)]
    fn prefetch(block: *const Block) {
        #[cfg(target_arch = "x86_64")]
        {
            use std::arch::x86_64::{_MM_HINT_T0, _mm_prefetch};

            for at in (0..size_of::<Block>()).step_by(64) {
                // SAFETY: a hint that faults for no address.
                unsafe { _mm_prefetch::<_MM_HINT_T0>(block.cast::<i8>().wrapping_add(at)) };
            }
        }
        #[cfg(not(target_arch = "x86_64"))]
        let _ = block;
    }
}

/// As [`Kernel::compress`].
///
/// The first step goes row by row: the sum of both inputs is written into `next` and mixed into a
/// buffer. The second goes column by column: the buffer is mixed again and combined with `next` by
/// exclusive or.
#[inline(always)]
fn compress<Q: Quad, const XOR: bool>(
    previous: &Block,
    reference: &Block,
    next: &mut Block,
    first_word: impl FnOnce(u64),
) {
    let (previous, reference, next) = (view::<Q>(previous), view::<Q>(reference), view_mut(next));
    let rows = [
        mix_rows::<Q, XOR>(&previous[0], &reference[0], &mut next[0]),
        mix_rows::<Q, XOR>(&previous[1], &reference[1], &mut next[1]),
        mix_rows::<Q, XOR>(&previous[2], &reference[2], &mut next[2]),
        mix_rows::<Q, XOR>(&previous[3], &reference[3], &mut next[3]),
    ];
    mix_columns(&rows, 0, next);
    first_word(next[0][0].first());
    for pair in 1..ROW {
        mix_columns(&rows, pair, next);
    }
}

/// The permutation `P` on two rows of the sum.
#[inline(always)]
fn mix_rows<Q: Quad, const XOR: bool>(
    previous: &Rows<Q>,
    reference: &Rows<Q>,
    next: &mut Rows<Q>,
) -> Rows<Q> {
    let mut rows = *previous;
    for i in 0..rows.len() {
        rows[i] = rows[i].xor(reference[i]);
        next[i] = if XOR { rows[i].xor(next[i]) } else { rows[i] };
    }
    let [a0, b0, c0, d0, a1, b1, c1, d1] = rows;
    let [a, b, c, d] = mix([a0, a1], [b0, b1], [c0, c1], [d0, d1]);
    // The diagonals become columns. `b`, which is ready last, is not moved.
    let [a, b, c, d] = mix(
        [a[0].turn_right(), a[1].turn_right()],
        b,
        [c[0].turn_left(), c[1].turn_left()],
        [d[0].swap(), d[1].swap()],
    );
    let (a, c) = ([a[0].turn_left(), a[1].turn_left()], [c[0].turn_right(), c[1].turn_right()]);
    [a[0], b[0], c[0], d[0].swap(), a[1], b[1], c[1], d[1].swap()]
}

/// `P` on the columns `2 * pair` and `2 * pair + 1`, which are the lower and the upper halves of
/// a register in each of the eight rows.
#[inline(always)]
fn mix_columns<Q: Quad>(rows: &[Rows<Q>; 4], pair: usize, next: &mut [Rows<Q>; 4]) {
    let (upper, lower) = (pair, ROW + pair);
    let [a, b, c, d] = mix(
        [rows[0][upper], rows[0][lower]],
        [rows[1][upper], rows[1][lower]],
        [rows[2][upper], rows[2][lower]],
        [rows[3][upper], rows[3][lower]],
    );
    // As in `mix_rows`, `b` is not moved.
    let [a, b, c, d] = mix(
        [a[1].join(a[0]), a[0].join(a[1])],
        b,
        [c[0].join(c[1]), c[1].join(c[0])],
        [d[1], d[0]],
    );
    let mixed =
        [[a[0].join(a[1]), a[1].join(a[0])], b, [c[1].join(c[0]), c[0].join(c[1])], [d[1], d[0]]];
    for (next, mixed) in next.iter_mut().zip(mixed) {
        next[upper] = next[upper].xor(mixed[0]);
        next[lower] = next[lower].xor(mixed[1]);
    }
}

/// `GB` of RFC 9106 section 3.6, four at once, on two sets of registers.
#[inline(always)]
fn mix<Q: Quad>(mut a: [Q; 2], mut b: [Q; 2], mut c: [Q; 2], mut d: [Q; 2]) -> [[Q; 2]; 4] {
    for i in 0..2 {
        a[i] = a[i].add(b[i]);
        d[i] = d[i].xor(a[i]).rotate::<32>();
        c[i] = c[i].add(d[i]);
        b[i] = b[i].xor(c[i]).rotate::<24>();
        a[i] = a[i].add(b[i]);
        d[i] = d[i].xor(a[i]).rotate::<16>();
        c[i] = c[i].add(d[i]);
        b[i] = b[i].xor(c[i]).rotate::<63>();
    }
    [a, b, c, d]
}

#[inline(always)]
const fn view<Q: Quad>(block: &Block) -> &[Rows<Q>; 4] {
    const { assert!(size_of::<[Rows<Q>; 4]>() == size_of::<Block>()) };
    const { assert!(align_of::<Q>() <= align_of::<Block>()) };
    // SAFETY: both types have the same size, the target has no stricter alignment (asserted above),
    // and any bytes are a valid value of either (`Quad`). The borrow keeps its lifetime.
    unsafe { &*(&raw const *block).cast() }
}

#[inline(always)]
const fn view_mut<Q: Quad>(block: &mut Block) -> &mut [Rows<Q>; 4] {
    const { assert!(size_of::<[Rows<Q>; 4]>() == size_of::<Block>()) };
    const { assert!(align_of::<Q>() <= align_of::<Block>()) };
    // SAFETY: as in `view`.
    unsafe { &mut *(&raw mut *block).cast() }
}
