//! `setrlimit(2)`, and on Linux `prctl(2)`.

use std::io;

/// `prctl` takes its arguments as they come, so they must be of the width it reads.
#[cfg(target_os = "linux")]
const NONE: libc::c_ulong = 0;

pub fn limit_core(bytes: u64) -> Result<(), String> {
    let mut limit = limits()?;
    limit.rlim_cur = limit.rlim_cur.min(bytes);
    // SAFETY: setrlimit reads one rlimit.
    done(unsafe { libc::setrlimit(libc::RLIMIT_CORE, &raw const limit) })
}

pub fn core_limit() -> Option<u64> {
    let soft = limits().ok()?.rlim_cur;
    Some(if soft == libc::RLIM_INFINITY { u64::MAX } else { soft })
}

#[cfg(target_os = "linux")]
pub fn forbid_dumps() -> Result<(), String> {
    // SAFETY: takes one number and no pointer.
    done(unsafe { libc::prctl(libc::PR_SET_DUMPABLE, NONE, NONE, NONE, NONE) })
}

#[cfg(target_os = "linux")]
pub fn is_dumpable() -> Option<bool> {
    // SAFETY: takes no pointer. 1 is "by the user"; 2 is "by root only".
    let state = unsafe { libc::prctl(libc::PR_GET_DUMPABLE, NONE, NONE, NONE, NONE) };
    (state >= 0).then_some(state != 0)
}

#[cfg(not(target_os = "linux"))]
pub fn forbid_dumps() -> Result<(), String> {
    Err("not on this system".into())
}

#[cfg(not(target_os = "linux"))]
pub fn is_dumpable() -> Option<bool> {
    None
}

/// `core(5)`: the limit is for files.
pub fn dumps_are_piped() -> bool {
    std::fs::read("/proc/sys/kernel/core_pattern").is_ok_and(|pattern| pattern.starts_with(b"|"))
}

fn limits() -> Result<libc::rlimit, String> {
    let mut limit = libc::rlimit { rlim_cur: 0, rlim_max: 0 };
    // SAFETY: getrlimit writes one rlimit to a place that holds one.
    done(unsafe { libc::getrlimit(libc::RLIMIT_CORE, &raw mut limit) })?;
    Ok(limit)
}

fn done(returned: libc::c_int) -> Result<(), String> {
    if returned == 0 { Ok(()) } else { Err(io::Error::last_os_error().to_string()) }
}
