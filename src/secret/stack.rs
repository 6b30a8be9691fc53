//! What computing with secrets leaves on the stack.

use zeroize::zeroize_stack;

use crate::os::clear_vector_registers;

/// For HMAC with SHA-256, in bytes: what `ring` needs is about half of it.
pub const HMAC_DEPTH: usize = 2 * 1024;

/// For AES-256-GCM and the derivation of its key, in bytes: more than `ring` needs.
pub const AEAD_DEPTH: usize = 16 * 1024;

/// Runs `body`, and overwrites the vector registers and `DEPTH` bytes of the stack below the
/// caller: the buffers, moved values and spilled registers of whatever `body` called, which
/// libraries do not all wipe. What
/// it returns is not overwritten, so it should be no secret.
///
/// `DEPTH` must cover what `body` calls; `npm run prove` looks for what was missed. A KiB costs
/// about 10 ns.
#[inline(never)]
pub fn leaving_no_trace<const DEPTH: usize, T>(body: impl FnOnce() -> T) -> T {
    let result = apart(body);
    zeroize_stack::<DEPTH>();
    clear_vector_registers();
    result
}

/// In a frame of its own, which begins where that of `zeroize_stack` will.
#[inline(never)]
fn apart<T>(body: impl FnOnce() -> T) -> T {
    body()
}
