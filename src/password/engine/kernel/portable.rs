//! Portable code, which the compiler turns into the vector instructions of the baseline.

use super::quad::Quad;

/// Four words of memory.
#[derive(Clone, Copy)]
#[repr(C, align(32))]
pub(super) struct Words([u64; 4]);

impl Words {
    #[inline(always)]
    fn zip(self, other: Self, f: impl Fn(u64, u64) -> u64) -> Self {
        let mut words = self.0;
        for (word, other) in words.iter_mut().zip(other.0) {
            *word = f(*word, other);
        }
        Self(words)
    }
}

// SAFETY: four words, 32 bytes at an alignment of 32, so there is no padding.
unsafe impl Quad for Words {
    #[inline(always)]
    fn add(self, other: Self) -> Self {
        self.zip(other, |x, y| {
            // A product of 32-bit numbers does not overflow.
            let product = (x & 0xffff_ffff) * (y & 0xffff_ffff);
            x.wrapping_add(y).wrapping_add(product.wrapping_add(product))
        })
    }

    #[inline(always)]
    fn xor(self, other: Self) -> Self {
        self.zip(other, |x, y| x ^ y)
    }

    #[inline(always)]
    fn rotate<const BITS: u32>(self) -> Self {
        let mut words = self.0;
        for word in &mut words {
            *word = word.rotate_right(BITS);
        }
        Self(words)
    }

    #[inline(always)]
    fn turn_right(self) -> Self {
        let [a, b, c, d] = self.0;
        Self([d, a, b, c])
    }

    #[inline(always)]
    fn turn_left(self) -> Self {
        let [a, b, c, d] = self.0;
        Self([b, c, d, a])
    }

    #[inline(always)]
    fn swap(self) -> Self {
        let [a, b, c, d] = self.0;
        Self([c, d, a, b])
    }

    #[inline(always)]
    fn join(self, other: Self) -> Self {
        Self([self.0[1], other.0[0], self.0[3], other.0[2]])
    }

    #[inline(always)]
    fn first(self) -> u64 {
        self.0[0]
    }
}
