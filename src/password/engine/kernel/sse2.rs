//! SSE2, which every x86-64 processor has: two words per register. The compiler does not vectorise
//! the portable kernel here, and that takes nearly twice as long.

use std::arch::x86_64::{
    __m128i, _mm_add_epi64, _mm_castpd_si128, _mm_castsi128_pd, _mm_cvtsi128_si64, _mm_mul_epu32,
    _mm_or_si128, _mm_shuffle_epi32, _mm_shuffle_pd, _mm_shufflehi_epi16, _mm_shufflelo_epi16,
    _mm_slli_epi64, _mm_srli_epi64, _mm_xor_si128,
};

use super::quad::Quad;

/// Words 0 and 1, and words 2 and 3.
#[derive(Clone, Copy)]
#[repr(C)]
pub(super) struct Registers(__m128i, __m128i);

impl Registers {
    #[inline(always)]
    fn zip(self, other: Self, f: impl Fn(__m128i, __m128i) -> __m128i) -> Self {
        Self(f(self.0, other.0), f(self.1, other.1))
    }
}

// SAFETY: two registers of 16 plain bytes, aligned to 16, so there is no padding.
unsafe impl Quad for Registers {
    #[inline(always)]
    fn add(self, other: Self) -> Self {
        self.zip(other, |x, y| {
            // SAFETY: SSE2 is part of the baseline.
            unsafe {
                let product = _mm_mul_epu32(x, y);
                _mm_add_epi64(_mm_add_epi64(x, y), _mm_add_epi64(product, product))
            }
        })
    }

    #[inline(always)]
    fn xor(self, other: Self) -> Self {
        // SAFETY: SSE2 is part of the baseline.
        self.zip(other, |x, y| unsafe { _mm_xor_si128(x, y) })
    }

    #[inline(always)]
    fn rotate<const BITS: u32>(self) -> Self {
        Self(rotate::<BITS>(self.0), rotate::<BITS>(self.1))
    }

    #[inline(always)]
    fn turn_right(self) -> Self {
        Self(upper_lower(self.1, self.0), upper_lower(self.0, self.1))
    }

    #[inline(always)]
    fn turn_left(self) -> Self {
        Self(upper_lower(self.0, self.1), upper_lower(self.1, self.0))
    }

    #[inline(always)]
    fn swap(self) -> Self {
        Self(self.1, self.0)
    }

    #[inline(always)]
    fn join(self, other: Self) -> Self {
        self.zip(other, upper_lower)
    }

    #[inline(always)]
    fn first(self) -> u64 {
        // SAFETY: SSE2 is part of the baseline.
        unsafe { _mm_cvtsi128_si64(self.0) }.cast_unsigned()
    }
}

#[inline(always)]
fn rotate<const BITS: u32>(x: __m128i) -> __m128i {
    // SAFETY: SSE2 is part of the baseline.
    unsafe {
        match BITS {
            16 => _mm_shufflehi_epi16::<0b00_11_10_01>(_mm_shufflelo_epi16::<0b00_11_10_01>(x)),
            24 => _mm_or_si128(_mm_srli_epi64::<24>(x), _mm_slli_epi64::<40>(x)),
            32 => _mm_shuffle_epi32::<0b10_11_00_01>(x),
            _ => {
                const { assert!(matches!(BITS, 16 | 24 | 32 | 63)) };
                _mm_or_si128(_mm_srli_epi64::<63>(x), _mm_add_epi64(x, x))
            }
        }
    }
}

/// The upper word of `x` and the lower word of `y`.
#[inline(always)]
fn upper_lower(x: __m128i, y: __m128i) -> __m128i {
    // SAFETY: SSE2 is part of the baseline.
    unsafe { _mm_castpd_si128(_mm_shuffle_pd::<0b01>(_mm_castsi128_pd(x), _mm_castsi128_pd(y))) }
}
