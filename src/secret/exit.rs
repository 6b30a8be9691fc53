//! The last thing the process does with its secrets when it ends in an orderly way.
//!
//! `process.exit()` and the end of `main` run no destructors of what JavaScript still holds, but
//! they run these. Signals and crashes run nothing; then it is the kernel that clears the memory
//! before somebody else gets it, as it always does that of `memfd_secret`.

use std::process;
use std::sync::OnceLock;

use crate::heap::arena;

static OWNER: OnceLock<u32> = OnceLock::new();

/// Sees to it that the arena of this process is wiped when the process ends.
pub fn wipe_at_exit() {
    OWNER.get_or_init(|| {
        // SAFETY: the function is never unloaded: `resident` sees to that for the addon, and a test
        // binary stays. When it cannot be registered there is no wipe, as with a signal.
        unsafe { libc::atexit(wipe) };
        process::id()
    });
}

extern "C" fn wipe() {
    // A forked child has none of the memory, or its own copy of zeros: touching it could only
    // end in a crash.
    if OWNER.get() == Some(&process::id()) {
        arena::global().end();
    }
}
