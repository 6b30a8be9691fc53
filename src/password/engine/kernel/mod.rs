//! The kernels, one file each, and the selection of those that this processor can run.
//!
//! The file of a kernel defines operations on registers of four words ([`quad::Quad`]) or
//! implements [`Kernel`](super::fill::Kernel) itself. If a kernel needs instructions beyond the
//! baseline, its whole [`Fill`], including the walk, is compiled for them, so that no function is
//! called per block.

#[cfg(target_arch = "x86_64")]
mod avx2;
mod portable;
mod quad;
#[cfg(target_arch = "x86_64")]
mod sse2;

use super::fill::{Fill, walk};

/// A kernel that this processor can run. A value exists only if the processor has its instructions.
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

    /// The kernel's code.
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
