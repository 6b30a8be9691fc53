//! The guard of every path that computes with a secret: when it ends, nothing of the secret is left
//! on the stack or in the vector registers.
//!
//! The bytes of a secret ([`Secret`](super::Secret), [`SecretInput`](super::SecretInput),
//! [`Locked`](super::Locked)) are exposed only for the life of a [`TraceGuard`], and a `TraceGuard`
//! exists only within [`TraceGuard::run`]. Code that reads a secret without one does not compile.

use std::marker::PhantomData;

use zeroize::zeroize_stack;

use crate::os::clear_vector_registers;

/// How much of the stack is overwritten after a path. It must cover the deepest call with the
/// secret; `npm run prove` looks for gaps. Each KiB costs about 10 ns.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Depth {
    /// No stack: for copies and comparisons, which use only registers.
    Registers,
    /// 2 KiB, for HMAC with SHA-2: `ring` needs about half of it.
    Hmac,
    /// 8 KiB, for the part of Argon2 that one thread computes: BLAKE2b's rounds keep copies of the
    /// message on the stack, and the walk over the blocks keeps a few blocks there.
    Argon2Part,
    /// 16 KiB, for HKDF and AES-GCM of `ring`: more than enough.
    Cipher,
    /// 32 KiB, for Argon2, bcrypt, scrypt, PBKDF2, and AES of encrypted keys: more than enough.
    Derivation,
}

/// The proof that the running code is within a guarded path. It stays on its thread, because the
/// stack of another thread is not cleared.
#[derive(Debug)]
pub struct TraceGuard {
    depth: Depth,
    not_send: PhantomData<*const ()>,
}

impl TraceGuard {
    /// Runs `work`, then overwrites the vector registers and the stack below the caller to the
    /// given depth. This stack holds buffers, moved values and spilled registers of the functions
    /// that `work` called, which not all libraries wipe. Both are also cleared if `work` fails or
    /// panics. The result is not overwritten, so it should not be secret.
    ///
    /// `run` takes a closure instead of returning a value to drop, because the frame of the work
    /// must lie below the frame of the guard: nothing of it may be inlined into a frame that is not
    /// overwritten.
    #[inline(never)]
    pub fn run<T>(depth: Depth, work: impl FnOnce(&Self) -> T) -> T {
        let guard = Self { depth, not_send: PhantomData };
        below(&guard, work)
    }
}

impl Drop for TraceGuard {
    #[inline(always)]
    #[allow(clippy::inline_always, reason = "the stack is overwritten from the frame of `run` on")]
    fn drop(&mut self) {
        match self.depth {
            Depth::Registers => {}
            Depth::Hmac => zeroize_stack::<{ 2 * 1024 }>(),
            Depth::Argon2Part => zeroize_stack::<{ 8 * 1024 }>(),
            Depth::Cipher => zeroize_stack::<{ 16 * 1024 }>(),
            Depth::Derivation => zeroize_stack::<{ 32 * 1024 }>(),
        }
        clear_vector_registers();
        #[cfg(any(test, feature = "count-guards"))]
        ENDED.set(ENDED.get() + 1);
    }
}

/// A separate frame, which begins where the frame of `zeroize_stack` will begin.
#[inline(never)]
fn below<T>(guard: &TraceGuard, work: impl FnOnce(&TraceGuard) -> T) -> T {
    work(guard)
}

#[cfg(any(test, feature = "count-guards"))]
thread_local! {
    static ENDED: std::cell::Cell<u32> = const { std::cell::Cell::new(0) };
}

/// The number of guards that have ended on this thread, for tests of paths that must have one.
#[cfg(any(test, feature = "count-guards"))]
pub fn ended_guards() -> u32 {
    ENDED.get()
}

#[cfg(test)]
mod tests {
    use std::panic::catch_unwind;

    use super::*;

    #[test]
    fn a_guard_ends_after_success_failure_and_panic() {
        let before = ended_guards();
        assert_eq!(TraceGuard::run(Depth::Hmac, |_| 7), 7);
        assert_eq!(TraceGuard::run(Depth::Cipher, |_| "x".parse::<u8>().ok()), None);
        assert!(
            catch_unwind(|| TraceGuard::run(Depth::Derivation, |_| panic!("in work"))).is_err()
        );
        assert_eq!(ended_guards(), before + 3);
    }
}
