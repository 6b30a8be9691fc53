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

/// Bytes of physical memory; `None` where the system does not say.
#[cfg(windows)]
pub(super) fn memory() -> Option<u64> {
    use windows_sys::Win32::System::SystemInformation::{GlobalMemoryStatusEx, MEMORYSTATUSEX};

    let mut status = MEMORYSTATUSEX {
        dwLength: u32::try_from(size_of::<MEMORYSTATUSEX>()).ok()?,
        ..MEMORYSTATUSEX::default()
    };
    // SAFETY: the call writes to one structure, whose length it is told.
    let succeeded = unsafe { GlobalMemoryStatusEx(&raw mut status) } != 0;
    succeeded.then_some(status.ullTotalPhys)
}
