//! What a process can be told to keep to itself beyond the secure heap: core dumps of all its
//! memory, and its files in `/proc`. Never done unless it is asked for: it is the whole process's
//! affair, and debuggers and profilers notice.

#[cfg(not(unix))]
mod portable;
#[cfg(unix)]
mod unix;

#[cfg(not(unix))]
use self::portable as os;
#[cfg(unix)]
use self::unix as os;

/// What is asked for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Hardening {
    /// No core dumps at all, and no ptrace and no `/proc/PID/mem` by other processes of the same
    /// user (`PR_SET_DUMPABLE`, Linux). Not inherited by programs that are started.
    pub undumpable: bool,
    /// The most bytes of a core dump: the soft `RLIMIT_CORE`. A lower limit stays, and so does the
    /// hard limit: an operator can allow dumps again. Inherited by programs that are started.
    pub core: Option<u64>,
}

/// What is true afterwards, read back from the system.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Hardened {
    /// `None` where there is no such thing.
    pub dumpable: Option<bool>,
    /// The soft limit in bytes, `u64::MAX` for none; `None` where there is no such thing.
    pub core: Option<u64>,
    /// What could not be done and what does not help, such as `dumpable: not on this system`.
    pub reasons: Vec<String>,
}

/// Does what is asked for as far as the system has it, and says what came of it.
pub fn harden(hardening: Hardening) -> Hardened {
    let mut reasons = Vec::new();
    if hardening.undumpable
        && let Err(why) = os::forbid_dumps()
    {
        reasons.push(format!("dumpable: {why}"));
    }
    if let Some(core) = hardening.core {
        if let Err(why) = os::limit_core(core) {
            reasons.push(format!("core: {why}"));
        }
        if os::dumps_are_piped() {
            reasons.push("core: the system pipes dumps to a program, whatever the limit".into());
        }
    }
    Hardened { dumpable: os::is_dumpable(), core: os::core_limit(), reasons }
}

#[cfg(test)]
mod tests {
    use super::*;

    // What changes the process is tested in children, from JavaScript.
    #[test]
    fn asking_for_nothing_changes_nothing() {
        let found = harden(Hardening::default());
        assert_eq!(found, harden(Hardening::default()));
        assert!(found.reasons.is_empty());
        assert_eq!(found.dumpable.is_some(), cfg!(target_os = "linux"));
        assert_eq!(found.core.is_some(), cfg!(unix));
    }
}
