//! Clears the traces that computing with secrets leaves in vector registers.
//!
//! A copy or a hash uses vector registers, and they keep their contents until other code needs
//! them. In a thread that waits for its next job, that may never happen. The kernel writes the
//! registers of every thread into a core dump. The other registers need no clearing: all code
//! overwrites them all the time.

/// Clears the vector registers that this processor has. The assembly has no option `nomem`, so the
/// compiler completes earlier writes to memory first and cannot move a copy behind the clearing.
#[inline]
pub fn clear_vector_registers() {
    #[cfg(all(target_arch = "x86_64", not(miri)))]
    x86_64::clear();
    #[cfg(all(target_arch = "aarch64", not(miri)))]
    aarch64::clear();
}

#[cfg(all(target_arch = "x86_64", not(miri)))]
mod x86_64 {
    use std::arch::{asm, is_x86_feature_detected};

    /// Runs instructions that clear registers. Declares xmm0 to xmm15 as written, since the calling
    /// convention may require a function to preserve some of them.
    macro_rules! clearing {
        ($($instruction:literal),+) => {
            // SAFETY: the caller has checked that the processor has the instructions. They write to
            // vector registers only. The compiler saves the registers that it needs. It does not
            // use xmm16 to xmm31 itself unless AVX-512 is enabled, and then `clobber_abi` declares
            // them as written.
            unsafe {
                asm!(
                    $($instruction),+,
                    out("xmm0") _, out("xmm1") _, out("xmm2") _, out("xmm3") _,
                    out("xmm4") _, out("xmm5") _, out("xmm6") _, out("xmm7") _,
                    out("xmm8") _, out("xmm9") _, out("xmm10") _, out("xmm11") _,
                    out("xmm12") _, out("xmm13") _, out("xmm14") _, out("xmm15") _,
                    clobber_abi("C"),
                    options(nostack),
                );
            }
        };
    }

    #[inline]
    pub(super) fn clear() {
        if is_x86_feature_detected!("avx512vl") {
            // glibc copies through these registers. Writing the lowest part clears the rest of a
            // register.
            clearing!(
                "vpxord xmm16, xmm16, xmm16",
                "vpxord xmm17, xmm17, xmm17",
                "vpxord xmm18, xmm18, xmm18",
                "vpxord xmm19, xmm19, xmm19",
                "vpxord xmm20, xmm20, xmm20",
                "vpxord xmm21, xmm21, xmm21",
                "vpxord xmm22, xmm22, xmm22",
                "vpxord xmm23, xmm23, xmm23",
                "vpxord xmm24, xmm24, xmm24",
                "vpxord xmm25, xmm25, xmm25",
                "vpxord xmm26, xmm26, xmm26",
                "vpxord xmm27, xmm27, xmm27",
                "vpxord xmm28, xmm28, xmm28",
                "vpxord xmm29, xmm29, xmm29",
                "vpxord xmm30, xmm30, xmm30",
                "vpxord xmm31, xmm31, xmm31"
            );
        }
        if is_x86_feature_detected!("avx") {
            clearing!("vzeroall");
        } else {
            clearing!(
                "xorps xmm0, xmm0",
                "xorps xmm1, xmm1",
                "xorps xmm2, xmm2",
                "xorps xmm3, xmm3",
                "xorps xmm4, xmm4",
                "xorps xmm5, xmm5",
                "xorps xmm6, xmm6",
                "xorps xmm7, xmm7",
                "xorps xmm8, xmm8",
                "xorps xmm9, xmm9",
                "xorps xmm10, xmm10",
                "xorps xmm11, xmm11",
                "xorps xmm12, xmm12",
                "xorps xmm13, xmm13",
                "xorps xmm14, xmm14",
                "xorps xmm15, xmm15"
            );
        }
    }
}

#[cfg(all(target_arch = "aarch64", not(miri)))]
mod aarch64 {
    use std::arch::asm;

    macro_rules! clearing {
        ($($register:tt),+) => {
            // SAFETY: every AArch64 processor that we build for has these registers; the compiler
            // saves the registers that it needs. Writing a register also clears the part that SVE
            // adds to it.
            unsafe {
                asm!($(concat!("movi ", $register, ".2d, #0")),+, $(out($register) _),+,
                    options(nostack, preserves_flags));
            }
        };
    }

    #[inline]
    pub(super) fn clear() {
        clearing!(
            "v0", "v1", "v2", "v3", "v4", "v5", "v6", "v7", "v8", "v9", "v10", "v11", "v12", "v13",
            "v14", "v15", "v16", "v17", "v18", "v19", "v20", "v21", "v22", "v23", "v24", "v25",
            "v26", "v27", "v28", "v29", "v30", "v31"
        );
    }
}
