//! How much memory this process can have: that of the machine, or of the control group it is in.

#[cfg(target_os = "linux")]
mod cgroup;
mod machine;

/// Bytes of memory that the process can have at most; `None` where the system does not say.
pub fn capacity() -> Option<u64> {
    #[cfg(target_os = "linux")]
    let limit = cgroup::limit();
    #[cfg(not(target_os = "linux"))]
    let limit = None;
    machine::memory().into_iter().chain(limit).min()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn this_machine_has_memory() {
        assert!(capacity().unwrap() > 64 << 20);
    }
}
