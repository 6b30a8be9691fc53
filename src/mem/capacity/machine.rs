//! The machine's memory.

/// Bytes of physical memory; `None` where the system does not say.
#[cfg(unix)]
pub(super) fn memory() -> Option<u64> {
    // SAFETY: `sysconf` takes a number and gives one; it touches no memory of ours.
    let (pages, page_len) =
        unsafe { (libc::sysconf(libc::_SC_PHYS_PAGES), libc::sysconf(libc::_SC_PAGESIZE)) };
    let bytes = u64::try_from(pages).ok()?.checked_mul(u64::try_from(page_len).ok()?)?;
    (bytes > 0).then_some(bytes)
}

/// Not asked: the caller assumes a machine of a usual size.
#[cfg(not(unix))]
pub(super) fn memory() -> Option<u64> {
    None
}
