//! SIGXFSZ, which Linux sends to a thread that writes beyond `RLIMIT_FSIZE`. Node ignores it. Deno
//! does not, so it would end the process. While a thread blocks it, the write fails with EFBIG, and
//! the process goes on.

use std::marker::PhantomData;
use std::mem::MaybeUninit;
use std::ptr;

/// Blocks the signal for this thread until it is dropped.
pub(super) struct Blocked {
    /// The signals that the thread blocked before; `None` if this one was among them.
    before: Option<libc::sigset_t>,
    /// Stays on its thread.
    thread: PhantomData<*const ()>,
}

impl Blocked {
    pub(super) fn new() -> Self {
        let mut before = MaybeUninit::<libc::sigset_t>::zeroed();
        // SAFETY: a set of signals is valid with zeros. The call reads one set and writes another.
        let (before, is_blocked) = unsafe {
            let blocked = only_this();
            libc::pthread_sigmask(libc::SIG_BLOCK, &raw const blocked, before.as_mut_ptr());
            let before = before.assume_init();
            (before, libc::sigismember(&raw const before, libc::SIGXFSZ) == 1)
        };
        Self { before: (!is_blocked).then_some(before), thread: PhantomData }
    }
}

impl Drop for Blocked {
    fn drop(&mut self) {
        let Some(before) = self.before else { return };
        let at_once = libc::timespec { tv_sec: 0, tv_nsec: 0 };
        // SAFETY: the calls read sets and a time. The first one takes a signal that a write has
        // sent, which would otherwise arrive when it is no longer blocked.
        unsafe {
            let blocked = only_this();
            libc::sigtimedwait(&raw const blocked, ptr::null_mut(), &raw const at_once);
            libc::pthread_sigmask(libc::SIG_SETMASK, &raw const before, ptr::null_mut());
        }
    }
}

fn only_this() -> libc::sigset_t {
    let mut set = MaybeUninit::<libc::sigset_t>::zeroed();
    // SAFETY: the calls write to one set, for which zeros are valid.
    unsafe {
        libc::sigemptyset(set.as_mut_ptr());
        libc::sigaddset(set.as_mut_ptr(), libc::SIGXFSZ);
        set.assume_init()
    }
}

#[cfg(test)]
mod tests {
    use std::thread;

    use super::*;

    fn is_blocked() -> bool {
        let mut now = MaybeUninit::<libc::sigset_t>::zeroed();
        // SAFETY: without a set to read, the call only writes one.
        unsafe {
            libc::pthread_sigmask(libc::SIG_BLOCK, ptr::null(), now.as_mut_ptr());
            libc::sigismember(now.as_ptr(), libc::SIGXFSZ) == 1
        }
    }

    #[test]
    fn the_signal_of_a_write_never_arrives() {
        let thread = thread::spawn(|| {
            let outer = Blocked::new();
            let inner = Blocked::new();
            // SAFETY: a signal for this thread, as a write beyond the limit sends it. It would end
            // the process.
            assert_eq!(unsafe { libc::pthread_kill(libc::pthread_self(), libc::SIGXFSZ) }, 0);
            drop(inner);
            assert!(is_blocked());
            drop(outer);
            assert!(!is_blocked());
        });
        thread.join().unwrap();
    }
}
