//! `G` on registers of four words, whatever they are made of.

use super::Block;

/// Registers of a row of 16 words.
const ROW: usize = 4;
/// Registers of a block.
const REGISTERS: usize = 8 * ROW;

/// Four 64-bit words.
///
/// # Safety
/// A value is 32 plain bytes, any of which are valid, at an alignment of at most 64.
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

    /// Words 1 and 3 of this, each followed by word 0 or 2 of the other.
    fn join(self, other: Self) -> Self;

    /// Word 0.
    fn first(self) -> u64;
}

/// As [`super::Kernel::compress`].
///
/// Row by row, the sum of both inputs goes into `next` and is mixed into a buffer; column by
/// column, that is mixed again and goes into `next` as well.
#[inline(always)]
pub(super) fn compress<Q: Quad, const XOR: bool>(
    previous: &Block,
    reference: &Block,
    next: &mut Block,
    first_word: impl FnOnce(u64),
) {
    let (previous, reference, next) = (view::<Q>(previous), view::<Q>(reference), view_mut(next));
    let mut rows = [previous[0]; REGISTERS];
    for at in (0..REGISTERS).step_by(2 * ROW) {
        let mut state = [previous[0]; 2 * ROW];
        for (i, word) in state.iter_mut().enumerate() {
            *word = previous[at + i].xor(reference[at + i]);
            next[at + i] = if XOR { word.xor(next[at + i]) } else { *word };
        }
        let [a0, b0, c0, d0, a1, b1, c1, d1] = state;
        let mixed = mix_rows([a0, a1], [b0, b1], [c0, c1], [d0, d1]);
        rows[at..at + 2 * ROW].copy_from_slice(&mixed);
    }
    mix_columns(&rows, 0, next);
    first_word(next[0].first());
    for pair in 1..ROW {
        mix_columns(&rows, pair, next);
    }
}

/// The permutation `P` on two rows at once.
#[inline(always)]
fn mix_rows<Q: Quad>(mut a: [Q; 2], mut b: [Q; 2], mut c: [Q; 2], mut d: [Q; 2]) -> [Q; 2 * ROW] {
    mix(&mut a, &mut b, &mut c, &mut d);
    // The diagonals become columns. `b`, which is ready last, stays where it is.
    (a, c, d) = (a.map(Q::turn_right), c.map(Q::turn_left), d.map(Q::swap));
    mix(&mut a, &mut b, &mut c, &mut d);
    (a, c, d) = (a.map(Q::turn_left), c.map(Q::turn_right), d.map(Q::swap));
    [a[0], b[0], c[0], d[0], a[1], b[1], c[1], d[1]]
}

/// `P` on the columns `2 * pair` and `2 * pair + 1`, which are the lower and the upper halves of
/// a register in each of the eight rows.
#[inline(always)]
fn mix_columns<Q: Quad>(rows: &[Q; REGISTERS], pair: usize, next: &mut [Q; REGISTERS]) {
    let [mut a, mut b, mut c, mut d] =
        [0, 2, 4, 6].map(|row| [rows[row * ROW + pair], rows[(row + 1) * ROW + pair]]);
    mix(&mut a, &mut b, &mut c, &mut d);
    // As above: `b` stays.
    let mut a = [a[1].join(a[0]), a[0].join(a[1])];
    let mut c = [c[0].join(c[1]), c[1].join(c[0])];
    let mut d = [d[1], d[0]];
    mix(&mut a, &mut b, &mut c, &mut d);
    let a = [a[0].join(a[1]), a[1].join(a[0])];
    let c = [c[1].join(c[0]), c[0].join(c[1])];
    let mixed = [a[0], a[1], b[0], b[1], c[0], c[1], d[1], d[0]];
    for (row, mixed) in mixed.into_iter().enumerate() {
        next[row * ROW + pair] = next[row * ROW + pair].xor(mixed);
    }
}

/// `GB` of RFC 9106 section 3.6, four at once, on two sets of registers.
#[inline(always)]
fn mix<Q: Quad>(a: &mut [Q; 2], b: &mut [Q; 2], c: &mut [Q; 2], d: &mut [Q; 2]) {
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
}

#[inline(always)]
const fn view<Q: Quad>(block: &Block) -> &[Q; REGISTERS] {
    const { assert!(size_of::<[Q; REGISTERS]>() == size_of::<Block>()) };
    const { assert!(align_of::<Q>() <= align_of::<Block>()) };
    // SAFETY: of the same size and no stricter alignment (above), and any bytes are a valid value
    // of either (`Quad`); the borrow is passed on.
    unsafe { &*(&raw const *block).cast() }
}

#[inline(always)]
const fn view_mut<Q: Quad>(block: &mut Block) -> &mut [Q; REGISTERS] {
    const { assert!(size_of::<[Q; REGISTERS]>() == size_of::<Block>()) };
    const { assert!(align_of::<Q>() <= align_of::<Block>()) };
    // SAFETY: as in `view`.
    unsafe { &mut *(&raw mut *block).cast() }
}
