//! Keeping the module's code in the process.
//!
//! Node unmaps an addon when the last environment that loaded it ends, which may be a worker
//! thread's. The hashing threads belong to no environment and would run unmapped code; so would
//! the wipe at exit. On Linux a flag of the linker sees to it (`build.rs`).

/// Takes a reference to the module that is never given back.
pub fn stay_loaded() {
    #[cfg(target_os = "macos")]
    macos();
    #[cfg(windows)]
    windows();
}

#[cfg(target_os = "macos")]
fn macos() {
    use std::mem::MaybeUninit;

    let mut found = MaybeUninit::<libc::Dl_info>::zeroed();
    // SAFETY: dladdr fills in what it is given, when it answers other than 0; the name that it
    // then points to belongs to the loader. The module is loaded, so that nothing runs for it.
    unsafe {
        if libc::dladdr(stay_loaded as *const libc::c_void, found.as_mut_ptr()) != 0 {
            let name = found.assume_init().dli_fname;
            libc::dlopen(name, libc::RTLD_LAZY | libc::RTLD_NOLOAD | libc::RTLD_NODELETE);
        }
    }
}

#[cfg(windows)]
fn windows() {
    use windows_sys::Win32::System::LibraryLoader::{
        GET_MODULE_HANDLE_EX_FLAG_FROM_ADDRESS, GET_MODULE_HANDLE_EX_FLAG_PIN, GetModuleHandleExW,
    };

    let mut module = std::ptr::null_mut();
    let how = GET_MODULE_HANDLE_EX_FLAG_FROM_ADDRESS | GET_MODULE_HANDLE_EX_FLAG_PIN;
    // SAFETY: with this flag the name is an address in the module that is meant, and one handle is
    // written.
    unsafe { GetModuleHandleExW(how, (stay_loaded as *const ()).cast(), &raw mut module) };
}
