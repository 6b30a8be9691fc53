//! macOS: anonymous memory that is locked, zeroed when it is given back, and not inherited by
//! children. There is nothing like `memfd_secret`, and no memory can be left out of a core file.
//! Secrets stay out of core files only as long as `RLIMIT_CORE` is 0, so that none is written.

mod storage;

use std::fs::{File, Metadata};
use std::io;
use std::mem::MaybeUninit;
use std::ops::Range;
use std::path::Path;

use mach2::kern_return::KERN_SUCCESS;
use mach2::port::MACH_PORT_NULL;
use mach2::traps::mach_task_self;
use mach2::vm::mach_vm_region;
use mach2::vm_region::{VM_REGION_BASIC_INFO_64, vm_region_basic_info_64};

use super::platform::{FileExposure, Platform};
use super::protected_memory::{Backend, Mapping, Memlock, ProtectedMemory, Protection};
use super::unix::mapping::{self, Refused, check};
use super::unix::{self, environment};

/// The running kernel.
#[derive(Clone, Copy, Debug)]
pub struct MacOs;

impl ProtectedMemory for MacOs {
    fn page_size(&self) -> usize {
        mapping::page_size()
    }

    fn map(&self, backend: Backend, len: usize) -> Result<Mapping, String> {
        if matches!(backend, Backend::MemfdSecret | Backend::DontDump) {
            return Err(format!("{}: not on macOS", backend.as_str()));
        }
        mapping::map_between_guards(backend, len, |base| fill(backend, base, len))
    }

    unsafe fn unmap(&self, mapping: Mapping) {
        // SAFETY: passed on to the caller.
        unsafe { mapping::unmap(&mapping) };
    }

    fn read_back(&self, ranges: &[Range<usize>]) -> Result<Protection, String> {
        let mut locked = !ranges.is_empty();
        for range in ranges {
            locked &= is_wired(range)?;
        }
        // The kernel checks the soft limit when it is about to write a core file.
        let core = unix::resource_limit(libc::RLIMIT_CORE);
        let dump_excluded = core.is_some_and(|limit| limit.rlim_cur == 0);
        let note = (!dump_excluded).then_some("core dumps: RLIMIT_CORE is not 0");
        Ok(Protection { locked, dump_excluded, note })
    }

    fn memlock(&self) -> Memlock {
        mapping::memlock()
    }

    fn hibernation_configured(&self) -> bool {
        // Hibernation writes locked memory to disk without asking. No backend here prevents it.
        false
    }
}

impl Platform for MacOs {
    const REMEDY: &'static str =
        "raise the limit on locked memory (ulimit -l) and forbid core files (ulimit -c 0)";

    fn with_variable<T>(name: &str, body: impl FnOnce(&[u8]) -> T) -> Option<T> {
        environment::with_value(name, body)
    }

    fn wipe_variable(name: &str) {
        environment::wipe(name);
    }

    fn memory_capacity() -> Option<u64> {
        unix::physical_memory()
    }

    fn open_without_waiting(path: &Path) -> io::Result<File> {
        unix::open_without_waiting(path)
    }

    fn file_exposure(metadata: &Metadata) -> Option<FileExposure> {
        unix::file_exposure(metadata)
    }

    /// Takes a reference to the module that is never given back.
    fn stay_loaded() {
        let here: fn() = Self::stay_loaded;
        let mut found = MaybeUninit::<libc::Dl_info>::zeroed();
        // SAFETY: dladdr fills in its second argument if it does not return 0; the name that it
        // then points to belongs to the loader. The module is already loaded, so dlopen runs no
        // initializer.
        unsafe {
            if libc::dladdr(here as *const libc::c_void, found.as_mut_ptr()) != 0 {
                let name = found.assume_init().dli_fname;
                libc::dlopen(name, libc::RTLD_LAZY | libc::RTLD_NOLOAD | libc::RTLD_NODELETE);
            }
        }
    }

    /// The clock of `mach_continuous_time`.
    fn boot_nanos() -> Option<u64> {
        unix::clock_nanos(libc::CLOCK_MONOTONIC_RAW)
    }

    fn limit_core(bytes: u64) -> Result<(), String> {
        unix::limit_core(bytes)
    }

    fn core_limit() -> Option<u64> {
        unix::core_limit()
    }
}

/// Maps memory at `base`, inside a reservation. Returns the protections on top that were refused.
fn fill(backend: Backend, base: *mut u8, len: usize) -> Result<Vec<String>, Refused> {
    mapping::map_anonymous(base, len)?;
    let mut shortfalls = Vec::new();
    if backend == Backend::Mlock {
        // SAFETY: the range was mapped just above and is ours alone. The second call only keeps the
        // range from children, and the third only has the pages zeroed when they are given back.
        let [locked, inherited, zeroed] = unsafe {
            [
                check("mlock", libc::mlock(base.cast_const().cast(), len)),
                check("minherit", libc::minherit(base.cast(), len, libc::VM_INHERIT_NONE)),
                check(
                    "MADV_ZERO_WIRED_PAGES",
                    libc::madvise(base.cast(), len, libc::MADV_ZERO_WIRED_PAGES),
                ),
            ]
        };
        locked?;
        let refused = [inherited, zeroed].into_iter().filter_map(Result::err);
        shortfalls.extend(refused.map(|refused| refused.describe(backend)));
    }
    Ok(shortfalls)
}

/// Whether the kernel counts every part of a range as locked by the process.
fn is_wired(range: &Range<usize>) -> Result<bool, String> {
    let mut next = range.start as u64;
    while next < range.end as u64 {
        let (mut address, mut size) = (next, 0);
        let mut info = vm_region_basic_info_64::default();
        let mut count = vm_region_basic_info_64::count();
        let mut object = MACH_PORT_NULL;
        // SAFETY: the call writes one value to each of these places; `info` holds `count` words.
        let answer = unsafe {
            mach_vm_region(
                mach_task_self(),
                &raw mut address,
                &raw mut size,
                VM_REGION_BASIC_INFO_64,
                (&raw mut info).cast(),
                &raw mut count,
                &raw mut object,
            )
        };
        if answer != KERN_SUCCESS {
            return Err(format!("mach_vm_region: error {answer}"));
        }
        // If there is no area at the address, the call answers with the next area above it.
        if address > next || info.user_wired_count == 0 {
            return Ok(false);
        }
        next = address.saturating_add(size);
    }
    Ok(true)
}
