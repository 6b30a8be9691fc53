//! Windows: committed memory in the middle of a reservation, locked into the working set and left
//! out of error reports. Windows has nothing like `memfd_secret`, and no fork.

mod environment;
mod error_reports;
mod storage;

use std::ffi::c_void;
use std::io;
use std::ops::Range;
use std::ptr::{self, NonNull};

use windows_sys::Win32::Foundation::ERROR_WORKING_SET_QUOTA;
use windows_sys::Win32::System::LibraryLoader::{
    GET_MODULE_HANDLE_EX_FLAG_FROM_ADDRESS, GET_MODULE_HANDLE_EX_FLAG_PIN, GetModuleHandleExW,
};
use windows_sys::Win32::System::Memory::{
    GetProcessWorkingSetSizeEx, MEM_COMMIT, MEM_RELEASE, MEM_RESERVE, PAGE_NOACCESS,
    PAGE_READWRITE, SetProcessWorkingSetSizeEx, VirtualAlloc, VirtualFree, VirtualLock,
};
use windows_sys::Win32::System::Performance::{QueryPerformanceCounter, QueryPerformanceFrequency};
use windows_sys::Win32::System::ProcessStatus::{
    K32QueryWorkingSetEx, PSAPI_WORKING_SET_EX_INFORMATION,
};
use windows_sys::Win32::System::SystemInformation::{
    GetTickCount64, GlobalMemoryStatusEx, MEMORYSTATUSEX,
};
use windows_sys::Win32::System::Threading::GetCurrentProcess;

use super::platform::Platform;
use super::protected_memory::{Backend, Mapping, Memlock, ProtectedMemory, Protection};

/// The running system.
#[derive(Clone, Copy, Debug)]
pub struct Windows;

/// Bytes of a page, on x64 and on ARM64.
const PAGE: usize = 4096;

/// Bytes of the guard on each side, which is reserved and never committed.
const GUARD: usize = 64 * 1024;

/// The `Locked` bit of `PSAPI_WORKING_SET_EX_BLOCK`.
const LOCKED: usize = 1 << 22;

impl ProtectedMemory for Windows {
    fn page_size(&self) -> usize {
        PAGE
    }

    fn map(&self, backend: Backend, len: usize) -> Result<Mapping, String> {
        let name = backend.as_str();
        if backend == Backend::MemfdSecret {
            return Err(format!("{name}: not on Windows"));
        }
        let mut mapping = commit(len).map_err(|refused| format!("{name}: {refused}"))?;
        let base = mapping.base.as_ptr();
        let done = if backend == Backend::Mlock { lock(base, len) } else { Ok(()) };
        let excluded = match backend {
            Backend::Mlock | Backend::DontDump => error_reports::exclude(&mapping.range()),
            Backend::MemfdSecret | Backend::Plain => Ok(()),
        };
        let done = match (done, excluded) {
            (Ok(()), Err(refused)) if backend == Backend::Mlock => {
                mapping.shortfalls.push(format!("{name}: {refused}"));
                Ok(())
            }
            // Without the exclusion `dontdump` would protect nothing, so it fails.
            (Ok(()), excluded) => excluded,
            (refused, _) => refused,
        };
        match done {
            Ok(()) => Ok(mapping),
            Err(refused) => {
                // SAFETY: the mapping was made above, and nobody else knows it.
                unsafe { self.unmap(mapping) };
                Err(format!("{name}: {refused}"))
            }
        }
    }

    unsafe fn unmap(&self, mapping: Mapping) {
        error_reports::include(&mapping.range());
        let reserved = mapping.base.as_ptr().wrapping_sub(mapping.guard);
        // SAFETY: `reserved` is the start of the reservation, and the caller vouches that nothing
        // refers to it. Releasing memory also unlocks it.
        unsafe { VirtualFree(reserved.cast(), 0, MEM_RELEASE) };
    }

    fn read_back(&self, ranges: &[Range<usize>]) -> Result<Protection, String> {
        let mut locked = !ranges.is_empty();
        for range in ranges {
            locked &= is_locked(range)?;
        }
        let dump_excluded = error_reports::are_excluded(ranges);
        Ok(Protection { locked, dump_excluded, note: None })
    }

    fn memlock(&self) -> Memlock {
        // The size of the working set limits locked memory, and `lock` raises it.
        Memlock { soft: None, hard: None }
    }

    fn hibernation_configured(&self) -> bool {
        // Hibernation writes locked memory to disk without asking. No backend here prevents it.
        false
    }
}

impl Platform for Windows {
    const REMEDY: &'static str = "give its user the right \"Increase a process working set\"";

    fn with_variable<T>(name: &str, body: impl FnOnce(&[u8]) -> T) -> Option<T> {
        environment::with_value(name, body)
    }

    fn wipe_variable(name: &str) {
        environment::remove(name);
    }

    fn memory_capacity() -> Option<u64> {
        let mut status = MEMORYSTATUSEX {
            dwLength: u32::try_from(size_of::<MEMORYSTATUSEX>()).ok()?,
            ..MEMORYSTATUSEX::default()
        };
        // SAFETY: the call writes to one structure, whose length `dwLength` states.
        let succeeded = unsafe { GlobalMemoryStatusEx(&raw mut status) } != 0;
        succeeded.then_some(status.ullTotalPhys)
    }

    fn boot_nanos() -> Option<u64> {
        let (mut ticks, mut frequency) = (0, 0);
        // SAFETY: each call writes one number.
        let succeeded = unsafe {
            QueryPerformanceCounter(&raw mut ticks) != 0
                && QueryPerformanceFrequency(&raw mut frequency) != 0
        };
        let (ticks, frequency) = (u128::try_from(ticks).ok()?, u128::try_from(frequency).ok()?);
        let nanos = (ticks * 1_000_000_000).checked_div(frequency)?;
        u64::try_from(nanos).ok().filter(|_| succeeded)
    }

    fn boot_millis() -> Option<u64> {
        // SAFETY: takes nothing and cannot fail.
        Some(unsafe { GetTickCount64() })
    }

    /// Takes a reference to the module that is never given back.
    fn stay_loaded() {
        let here: fn() = Self::stay_loaded;
        let mut module = ptr::null_mut();
        let how = GET_MODULE_HANDLE_EX_FLAG_FROM_ADDRESS | GET_MODULE_HANDLE_EX_FLAG_PIN;
        // SAFETY: with this flag the call takes an address inside the module instead of its name,
        // and it writes one handle.
        unsafe { GetModuleHandleExW(how, (here as *const ()).cast(), &raw mut module) };
    }
}

/// Commits zeroed memory between two guards.
fn commit(len: usize) -> Result<Mapping, String> {
    let reserved = len.saturating_add(2 * GUARD);
    // SAFETY: reserving and committing at an address of the system's choice touches no existing
    // memory.
    unsafe {
        let outer = VirtualAlloc(ptr::null(), reserved, MEM_RESERVE, PAGE_NOACCESS);
        if outer.is_null() {
            return Err(last_error("VirtualAlloc"));
        }
        let inside = outer.byte_add(GUARD);
        let base = VirtualAlloc(inside, len, MEM_COMMIT, PAGE_READWRITE);
        let Some(base) = NonNull::new(base.cast()) else {
            let refused = last_error("VirtualAlloc");
            VirtualFree(outer, 0, MEM_RELEASE);
            return Err(refused);
        };
        Ok(Mapping { base, len, guard: GUARD, shortfalls: Vec::new() })
    }
}

/// Locks memory. If the working set is too small, raises it once and tries again.
fn lock(base: *mut u8, len: usize) -> Result<(), String> {
    // SAFETY: the range was committed just above; locking does not touch the contents.
    let attempt = || unsafe { VirtualLock(base.cast(), len) } != 0;
    if attempt() {
        return Ok(());
    }
    let quota = i32::try_from(ERROR_WORKING_SET_QUOTA).ok();
    if io::Error::last_os_error().raw_os_error() == quota {
        raise_working_set(len)?;
        if attempt() {
            return Ok(());
        }
    }
    Err(last_error("VirtualLock"))
}

/// Raises the working set by `len` bytes, and by the few pages that the system keeps for itself.
fn raise_working_set(len: usize) -> Result<(), String> {
    let more = len.saturating_add(16 * PAGE);
    let (mut least, mut most, mut flags) = (0_usize, 0_usize, 0);
    // SAFETY: the first call writes one value to each place, the second takes values. The handle of
    // the own process need not be closed.
    unsafe {
        let own = GetCurrentProcess();
        if GetProcessWorkingSetSizeEx(own, &raw mut least, &raw mut most, &raw mut flags) == 0 {
            return Err(last_error("GetProcessWorkingSetSizeEx"));
        }
        let (least, most) = (least.saturating_add(more), most.saturating_add(more));
        if SetProcessWorkingSetSizeEx(own, least, most, flags) == 0 {
            return Err(last_error("SetProcessWorkingSetSizeEx"));
        }
    }
    Ok(())
}

/// Whether the system reports every page of a range as locked.
fn is_locked(range: &Range<usize>) -> Result<bool, String> {
    let mut pages: Vec<_> = range
        .clone()
        .step_by(PAGE)
        .map(|address| PSAPI_WORKING_SET_EX_INFORMATION {
            VirtualAddress: ptr::without_provenance_mut::<c_void>(address),
            ..Default::default()
        })
        .collect();
    let size = u32::try_from(size_of_val(pages.as_slice()))
        .map_err(|_| "QueryWorkingSetEx: too many pages".to_owned())?;
    // SAFETY: the call fills in as many entries as their size says, and reads no memory behind
    // their addresses.
    let answered =
        unsafe { K32QueryWorkingSetEx(GetCurrentProcess(), pages.as_mut_ptr().cast(), size) };
    if answered == 0 {
        return Err(last_error("QueryWorkingSetEx"));
    }
    // SAFETY: any bits are a valid word, and each word was filled in or is zero.
    Ok(pages.iter().all(|page| unsafe { page.VirtualAttributes.Flags } & LOCKED != 0))
}

/// A text such as `VirtualLock error 1453`. The number is explained under "System Error Codes".
fn last_error(call: &str) -> String {
    let error = io::Error::last_os_error();
    format!("{call} error {}", error.raw_os_error().unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use windows_sys::Win32::System::Memory::{MEMORY_BASIC_INFORMATION, VirtualQuery};

    use super::*;

    /// The state and the protection of the page at an address.
    fn page(address: usize) -> (u32, u32) {
        let mut found = MEMORY_BASIC_INFORMATION::default();
        // SAFETY: the call writes one description to a place of its size.
        let written = unsafe {
            VirtualQuery(
                ptr::without_provenance(address),
                &raw mut found,
                size_of::<MEMORY_BASIC_INFORMATION>(),
            )
        };
        assert_ne!(written, 0);
        (found.State, found.Protect)
    }

    #[test]
    fn guards_are_reserved_and_what_is_between_them_is_not_executable() {
        for backend in [Backend::Mlock, Backend::Plain] {
            let mapping = Windows.map(backend, 3 * PAGE).unwrap();
            let range = mapping.range();
            let inside = (MEM_COMMIT, PAGE_READWRITE);
            for address in [range.start, range.start + PAGE, range.end - 1] {
                assert_eq!(page(address), inside);
            }
            for address in [range.start - GUARD, range.start - 1, range.end, range.end + GUARD - 1]
            {
                assert_eq!(page(address).0, MEM_RESERVE, "{backend:?}");
            }
            // SAFETY: nothing refers to it.
            unsafe { Windows.unmap(mapping) };
            assert_ne!(page(range.start).0, MEM_COMMIT);
        }
    }

    #[test]
    fn a_short_working_set_is_raised() {
        // SAFETY: the call takes values only.
        let shrunk =
            unsafe { SetProcessWorkingSetSizeEx(GetCurrentProcess(), 20 * PAGE, 64 * PAGE, 0) };
        assert_ne!(shrunk, 0);
        raise_working_set(256 * PAGE).unwrap();
        let (mut least, mut most, mut flags) = (0, 0, 0);
        // SAFETY: the call writes one value to each place.
        let asked = unsafe {
            GetProcessWorkingSetSizeEx(
                GetCurrentProcess(),
                &raw mut least,
                &raw mut most,
                &raw mut flags,
            )
        };
        assert_ne!(asked, 0);
        assert!(least >= 276 * PAGE && most >= 320 * PAGE, "{least} {most}");
    }

    #[test]
    fn what_is_not_to_be_had_is_said() {
        assert_eq!(
            Windows.map(Backend::MemfdSecret, PAGE).unwrap_err(),
            "memfd_secret: not on Windows"
        );
        let refused = Windows.map(Backend::Plain, usize::MAX / 4096 * 4096).unwrap_err();
        assert!(refused.starts_with("plain: VirtualAlloc error "), "{refused}");
    }

    #[test]
    fn left_out_of_error_reports_is_what_the_system_accepted() {
        match Windows.map(Backend::DontDump, PAGE) {
            Ok(mapping) => {
                let ranges = [mapping.range()];
                assert!(Windows.read_back(&ranges).unwrap().dump_excluded);
                // SAFETY: nothing refers to it.
                unsafe { Windows.unmap(mapping) };
                assert!(!Windows.read_back(&ranges).unwrap().dump_excluded);
            }
            // Before Windows 10 1703, and under wine.
            Err(refused) => {
                assert_eq!(refused, "dontdump: no WerRegisterExcludedMemoryBlock");
                let mapping = Windows.map(Backend::Mlock, PAGE).unwrap();
                assert_eq!(mapping.shortfalls, ["mlock: no WerRegisterExcludedMemoryBlock"]);
                assert!(!Windows.read_back(&[mapping.range()]).unwrap().dump_excluded);
                // SAFETY: nothing refers to it.
                unsafe { Windows.unmap(mapping) };
            }
        }
    }
}
