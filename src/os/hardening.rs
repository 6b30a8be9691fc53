//! Protections that cover the whole process: no core dumps of its memory, and no access to its
//! files in `/proc`. They are applied only on request, because debuggers and profilers stop
//! working.

use super::Native;
use super::platform::Platform;

/// The protections to apply.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Hardening {
    /// No core dumps at all, and no ptrace and no `/proc/PID/mem` by other processes of the same
    /// user (`PR_SET_DUMPABLE`, Linux). Not inherited by programs that are started.
    pub undumpable: bool,
    /// The most bytes of a core dump: the soft `RLIMIT_CORE`. A lower limit stays. The hard limit
    /// stays, too, so that an operator can allow dumps again. Inherited by programs that are
    /// started.
    pub core: Option<u64>,
}

/// The state afterwards, read back from the system.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Hardened {
    /// Whether core dumps are allowed; `None` on systems without `PR_SET_DUMPABLE`.
    pub dumpable: Option<bool>,
    /// The soft limit in bytes, `u64::MAX` for none; `None` on systems without `RLIMIT_CORE`.
    pub core: Option<u64>,
    /// The protections that failed or do not help, such as `dumpable: not on this system`.
    pub reasons: Vec<String>,
}

/// Applies the protections that the system has, and reports the result.
pub fn harden(hardening: Hardening) -> Hardened {
    let mut reasons = Vec::new();
    if hardening.undumpable
        && let Err(why) = Native::forbid_dumps()
    {
        reasons.push(format!("dumpable: {why}"));
    }
    if let Some(core) = hardening.core {
        if let Err(why) = Native::limit_core(core) {
            reasons.push(format!("core: {why}"));
        }
        if Native::dumps_are_piped() {
            reasons.push("core: the system pipes dumps to a program, whatever the limit".into());
        }
    }
    Hardened { dumpable: Native::is_dumpable(), core: Native::core_limit(), reasons }
}

#[cfg(test)]
mod tests {
    use super::*;

    // Protections change the process, so tests in JavaScript apply them in child processes.
    #[test]
    fn asking_for_nothing_changes_nothing() {
        let found = harden(Hardening::default());
        assert_eq!(found, harden(Hardening::default()));
        assert!(found.reasons.is_empty());
        assert_eq!(found.dumpable.is_some(), cfg!(target_os = "linux"));
        assert_eq!(found.core.is_some(), cfg!(unix));
    }
}
