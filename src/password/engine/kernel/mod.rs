//! The compression function `G` (RFC 9106 section 3.5), for each kind of processor.
//!
//! A kernel is one file: it implements [`Kernel`] and gives a [`Fill`], which is the walk through
//! a segment compiled for its instructions, so that nothing is called from block to block.

#[cfg(target_arch = "x86_64")]
mod avx2;
mod portable;
mod quad;
#[cfg(target_arch = "x86_64")]
mod sse2;

use super::block::Block;
use super::fill::Task;

/// `G` on one kind of processor. To be called from a [`Fill`] that says which.
pub trait Kernel {
    /// `next` becomes `G(previous, reference)`, with `XOR` combined with what it holds. Calls
    /// `first_word` with the first word of the new block as soon as that is known: the next
    /// reference may depend on it, and the sooner it is fetched the better.
    fn compress<const XOR: bool>(
        previous: &Block,
        reference: &Block,
        next: &mut Block,
        first_word: impl FnOnce(u64),
    );

    /// Brings a block near, if that is worth it.
    fn prefetch(block: *const Block);
}

/// Computes a task's blocks.
///
/// # Safety
/// The processor has the instructions of this kernel; and as [`super::fill::walk`].
pub type Fill = unsafe fn(&Task<'_>);

/// A kernel that this processor can run.
#[derive(Clone, Copy, Debug)]
pub struct Available {
    /// The name in `NODESEC_ARGON2`.
    pub name: &'static str,
    /// Its code.
    pub fill: Fill,
}

/// The kernels that this processor can run, the fastest first.
pub fn available() -> impl Iterator<Item = Available> {
    #[cfg(target_arch = "x86_64")]
    let special = {
        let avx2 = Available { name: "avx2", fill: avx2::fill };
        let sse2 = Available { name: "sse2", fill: sse2::fill };
        [is_x86_feature_detected!("avx2").then_some(avx2), Some(sse2)]
    };
    #[cfg(not(target_arch = "x86_64"))]
    let special = [None];
    special.into_iter().flatten().chain([PORTABLE])
}

/// The first of [`available`].
pub fn fastest() -> Available {
    available().next().unwrap_or(PORTABLE)
}

const PORTABLE: Available = Available { name: "portable", fill: portable::fill };

/// Asks for all lines of a block where the baseline has an instruction for it.
#[inline(always)]
fn prefetch_lines(block: *const Block) {
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
