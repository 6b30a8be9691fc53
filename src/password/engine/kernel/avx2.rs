//! AVX2: four words per register.

use std::arch::asm;
use std::arch::x86_64::{
    __m256i, _mm_cvtsi128_si64, _mm256_add_epi64, _mm256_alignr_epi8, _mm256_castsi256_si128,
    _mm256_mul_epu32, _mm256_permute4x64_epi64, _mm256_setr_epi8, _mm256_shuffle_epi32,
    _mm256_srli_epi64, _mm256_xor_si256,
};

use super::quad::Quad;
use crate::password::engine::fill::{Task, walk};

/// # Safety
/// The processor has AVX2. The contract of [`walk`] also applies.
#[target_feature(enable = "avx2")]
pub(super) unsafe fn fill(task: &Task<'_>) {
    // SAFETY: the caller upholds both conditions.
    unsafe { walk::<Register>(task) }
}

/// Private, and created only by `fill`, from blocks: where a value exists, the processor has AVX2.
#[derive(Clone, Copy)]
#[repr(transparent)]
struct Register(__m256i);

// SAFETY: `__m256i` is 32 plain bytes, aligned to 32. All functions may use AVX2 instructions,
// because a `Register` exists only where the processor has them.
unsafe impl Quad for Register {
    #[inline(always)]
    fn add(self, other: Self) -> Self {
        // SAFETY: see above.
        unsafe {
            let product = _mm256_mul_epu32(self.0, other.0);
            let sum = _mm256_add_epi64(self.0, other.0);
            Self(_mm256_add_epi64(sum, _mm256_add_epi64(product, product)))
        }
    }

    #[inline(always)]
    fn xor(self, other: Self) -> Self {
        // SAFETY: see above.
        Self(unsafe { _mm256_xor_si256(self.0, other.0) })
    }

    #[inline(always)]
    fn rotate<const BITS: u32>(self) -> Self {
        // SAFETY: see above.
        Self(unsafe {
            match BITS {
                16 => shuffle(
                    self.0,
                    _mm256_setr_epi8(
                        2, 3, 4, 5, 6, 7, 0, 1, 10, 11, 12, 13, 14, 15, 8, 9, //
                        2, 3, 4, 5, 6, 7, 0, 1, 10, 11, 12, 13, 14, 15, 8, 9,
                    ),
                ),
                24 => shuffle(
                    self.0,
                    _mm256_setr_epi8(
                        3, 4, 5, 6, 7, 0, 1, 2, 11, 12, 13, 14, 15, 8, 9, 10, //
                        3, 4, 5, 6, 7, 0, 1, 2, 11, 12, 13, 14, 15, 8, 9, 10,
                    ),
                ),
                32 => _mm256_shuffle_epi32::<0b10_11_00_01>(self.0),
                _ => {
                    const { assert!(matches!(BITS, 16 | 24 | 32 | 63)) };
                    let double = _mm256_add_epi64(self.0, self.0);
                    _mm256_xor_si256(double, _mm256_srli_epi64::<63>(self.0))
                }
            }
        })
    }

    #[inline(always)]
    fn turn_right(self) -> Self {
        // SAFETY: see above.
        Self(unsafe { _mm256_permute4x64_epi64::<0b10_01_00_11>(self.0) })
    }

    #[inline(always)]
    fn turn_left(self) -> Self {
        // SAFETY: see above.
        Self(unsafe { _mm256_permute4x64_epi64::<0b00_11_10_01>(self.0) })
    }

    #[inline(always)]
    fn swap(self) -> Self {
        // SAFETY: see above.
        Self(unsafe { _mm256_permute4x64_epi64::<0b01_00_11_10>(self.0) })
    }

    #[inline(always)]
    fn join(self, other: Self) -> Self {
        // SAFETY: see above.
        Self(unsafe { _mm256_alignr_epi8::<8>(other.0, self.0) })
    }

    #[inline(always)]
    fn first(self) -> u64 {
        // SAFETY: see above.
        unsafe { _mm_cvtsi128_si64(_mm256_castsi256_si128(self.0)) }.cast_unsigned()
    }
}

/// `vpshufb`. The compiler would merge an intrinsic with the preceding shuffle and turn both into
/// four instructions.
#[target_feature(enable = "avx2")]
#[inline]
fn shuffle(bytes: __m256i, order: __m256i) -> __m256i {
    let shuffled;
    // SAFETY: computes a register from two others; the processor has the instruction.
    unsafe {
        asm!(
            "vpshufb {shuffled}, {bytes}, {order}",
            shuffled = lateout(ymm_reg) shuffled,
            bytes = in(ymm_reg) bytes,
            order = in(ymm_reg) order,
            options(pure, nomem, nostack, preserves_flags),
        );
    }
    shuffled
}
