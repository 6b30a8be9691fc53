//! The end of a process in which something writes or reads where it should not: nothing that it holds
//! is to be trusted or left behind, neither to a core dump nor to whoever wrote.

use std::io::{self, Write};
use std::process;

use crate::heap::arena;

/// What was found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Defect {
    /// A canary is not as it was laid.
    Overwritten,
    /// A slot without a tenant is not zero.
    WrittenWhenFree,
    /// A handle is used whose slot was given back.
    Stale,
}

/// Ends the process with a message. Whoever calls has wiped what is his and may hold its lock; the
/// arena of the process, which may be another, is wiped here.
pub fn raise(defect: Defect) -> ! {
    arena::global().end();
    let found = match defect {
        Defect::Overwritten => "memory beside a secret was overwritten by this process",
        Defect::WrittenWhenFree => "free memory of the secure heap was written to by this process",
        Defect::Stale => "a secret was used after it had been given back",
    };
    // Nothing more can be done when there is no stderr.
    let _ = writeln!(io::stderr(), "nodesec: {found}; every secret is wiped, and the process ends");
    process::abort()
}
