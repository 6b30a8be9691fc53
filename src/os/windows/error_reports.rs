//! Keeps memory out of the dumps of Windows Error Reporting. The system can do that since Windows
//! 10 1703, for up to 512 ranges. It does not report the excluded ranges, so this module keeps a
//! list of them.

use std::ffi::{CStr, c_void};
use std::mem;
use std::ops::Range;
use std::ptr;
use std::sync::{Mutex, MutexGuard, PoisonError};

use windows_sys::Win32::System::LibraryLoader::{GetModuleHandleW, GetProcAddress};
use windows_sys::core::{HRESULT, w};

/// `WerRegisterExcludedMemoryBlock`.
type Register = unsafe extern "system" fn(*const c_void, u32) -> HRESULT;

/// `WerUnregisterExcludedMemoryBlock`.
type Unregister = unsafe extern "system" fn(*const c_void) -> HRESULT;

static EXCLUDED: Mutex<Vec<Range<usize>>> = Mutex::new(Vec::new());

/// Leaves a range out of every report from now on. The error names the call that failed.
pub(super) fn exclude(range: &Range<usize>) -> Result<(), String> {
    const CALL: &str = "WerRegisterExcludedMemoryBlock";
    let Some(found) = function(c"WerRegisterExcludedMemoryBlock") else {
        return Err(format!("no {CALL}"));
    };
    // SAFETY: this is the signature that the system documents for the name.
    let register = unsafe { mem::transmute::<Function, Register>(found) };
    let len = u32::try_from(range.len()).map_err(|_| format!("{CALL}: too large"))?;
    // SAFETY: the call notes the range and reads nothing in it.
    let answer = unsafe { register(ptr::without_provenance(range.start), len) };
    if answer < 0 {
        return Err(format!("{CALL} {answer:#010x}"));
    }
    excluded().push(range.clone());
    Ok(())
}

/// Undoes `exclude` for a range, if the range was excluded.
pub(super) fn include(range: &Range<usize>) {
    let mut excluded = excluded();
    let Some(index) = excluded.iter().position(|other| other == range) else { return };
    excluded.swap_remove(index);
    if let Some(found) = function(c"WerUnregisterExcludedMemoryBlock") {
        // SAFETY: as for `exclude`. A failure is ignored: an entry that stays concerns memory that
        // is gone.
        unsafe {
            let unregister = mem::transmute::<Function, Unregister>(found);
            unregister(ptr::without_provenance(range.start));
        }
    }
}

/// Whether the system has accepted the exclusion of each of these ranges; `false` if there are
/// none.
pub(super) fn are_excluded(ranges: &[Range<usize>]) -> bool {
    let excluded = excluded();
    !ranges.is_empty() && ranges.iter().all(|range| excluded.contains(range))
}

fn excluded() -> MutexGuard<'static, Vec<Range<usize>>> {
    EXCLUDED.lock().unwrap_or_else(PoisonError::into_inner)
}

type Function = unsafe extern "system" fn() -> isize;

/// Looks up a function of the system that older versions do not have.
fn function(name: &CStr) -> Option<Function> {
    // SAFETY: kernel32 is loaded in every process and stays loaded; both names end in NUL.
    unsafe { GetProcAddress(GetModuleHandleW(w!("kernel32.dll")), name.as_ptr().cast()) }
}
