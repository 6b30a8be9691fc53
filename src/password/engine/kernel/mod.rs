//! The kernels, one file each, and those that this processor can run.
//!
//! A kernel computes on registers of four words, of which its file gives the operations
//! ([`quad::Quad`]), or implements [`Kernel`](super::fill::Kernel) itself. A kernel whose
//! instructions are not of the baseline has a [`Fill`] that is compiled for them, the walk
//! included, so that nothing is called from block to block.

#[cfg(target_arch = "x86_64")]
mod avx2;
mod portable;
mod quad;
#[cfg(target_arch = "x86_64")]
mod sse2;

use super::fill::{Fill, walk};

/// A kernel that this processor can run: a value exists only where its instructions do.
#[derive(Clone, Copy, Debug)]
pub(super) struct AvailableKernel {
    name: &'static str,
    fill: Fill,
}

impl AvailableKernel {
    /// The name in `NODESEC_ARGON2`.
    pub(super) const fn name(&self) -> &'static str {
        self.name
    }

    /// Its code.
    pub(super) const fn fill(&self) -> Fill {
        self.fill
    }
}

/// The kernels that this processor can run, the fastest first.
pub(super) fn available() -> impl Iterator<Item = AvailableKernel> {
    #[cfg(target_arch = "x86_64")]
    let special = {
        let avx2 = AvailableKernel { name: "avx2", fill: avx2::fill };
        let sse2 = AvailableKernel { name: "sse2", fill: walk::<sse2::Registers> };
        [is_x86_feature_detected!("avx2").then_some(avx2), Some(sse2)]
    };
    #[cfg(not(target_arch = "x86_64"))]
    let special = [None];
    special.into_iter().flatten().chain([PORTABLE])
}

/// The first of [`available`].
pub(super) fn fastest() -> AvailableKernel {
    available().next().unwrap_or(PORTABLE)
}

const PORTABLE: AvailableKernel =
    AvailableKernel { name: "portable", fill: walk::<portable::Words> };
