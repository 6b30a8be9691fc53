//! Runs a program under a seccomp filter that answers some system calls with an error, as gVisor
//! and strict containers do. It needs no privileges, because the filter is for the program itself.
//!
//!     refuse <ENOSYS|EPERM> <call>[,<call>…] <program> [argument…]
//!
//! A call is `fsync`, `fdatasync`, `memfd_secret`, `mlock` (which includes `mlock2`), or `madvise`,
//! which means only the advice that protects memory.

#![cfg_attr(target_os = "linux", allow(unsafe_code, reason = "prctl(2) with a filter program"))]

#[cfg(target_os = "linux")]
fn main() -> std::process::ExitCode {
    use std::os::unix::process::CommandExt;

    let mut args = std::env::args().skip(1);
    let (Some(errno), Some(calls), Some(program)) = (args.next(), args.next(), args.next()) else {
        eprintln!("usage: refuse <ENOSYS|EPERM> <call>[,<call>…] <program> [argument…]");
        return std::process::ExitCode::from(2);
    };
    let error = match linux::program(&errno, &calls).map(|program| linux::install(&program)) {
        Some(Ok(())) => std::process::Command::new(program).args(args).exec(),
        Some(Err(error)) => error,
        None => std::io::Error::other("unknown error or system call"),
    };
    eprintln!("refuse: {error}");
    std::process::ExitCode::from(2)
}

#[cfg(not(target_os = "linux"))]
fn main() {}

#[cfg(target_os = "linux")]
mod linux {
    use std::io;
    use std::mem::offset_of;

    use libc::{
        BPF_ABS, BPF_JEQ, BPF_JGE, BPF_JMP, BPF_K, BPF_LD, BPF_RET, BPF_W, seccomp_data,
        sock_filter,
    };

    /// The filter refuses `madvise` from this advice on; the advice that protects memory has these
    /// higher numbers. Lower numbers pass, because V8 ends the process when it cannot give memory
    /// back with `MADV_DONTNEED` or `MADV_FREE`.
    const FIRST_REFUSED_ADVICE: u32 = 9;

    /// Builds the filter. Returns `None` for an unknown error or call.
    pub(crate) fn program(errno: &str, calls: &str) -> Option<Vec<sock_filter>> {
        let errno = match errno {
            "ENOSYS" => libc::ENOSYS,
            "EPERM" => libc::EPERM,
            _ => return None,
        };
        // Each test skips its answer unless the call matches. The last answer lets the call pass.
        let refuse = answer(libc::SECCOMP_RET_ERRNO | u32::try_from(errno).ok()?)?;
        let number = load(offset_of!(seccomp_data, nr))?;
        let mut program = Vec::new();
        for call in calls.split(',') {
            match call {
                "fsync" => program.extend([number, is(libc::SYS_fsync, 1)?, refuse]),
                "fdatasync" => program.extend([number, is(libc::SYS_fdatasync, 1)?, refuse]),
                "memfd_secret" => {
                    program.extend([number, is(libc::SYS_memfd_secret, 1)?, refuse]);
                }
                "mlock" => {
                    program.extend([number, is(libc::SYS_mlock, 1)?, refuse]);
                    program.extend([number, is(libc::SYS_mlock2, 1)?, refuse]);
                }
                "madvise" => {
                    // Load the lower half of the third argument.
                    let half = if cfg!(target_endian = "little") { 0 } else { 4 };
                    let advice =
                        load(offset_of!(seccomp_data, args) + 2 * size_of::<u64>() + half)?;
                    let is_refused = instruction(BPF_JMP | BPF_JGE, FIRST_REFUSED_ADVICE, 1)?;
                    program.extend([number, is(libc::SYS_madvise, 3)?, advice, is_refused, refuse]);
                }
                _ => return None,
            }
        }
        program.push(answer(libc::SECCOMP_RET_ALLOW)?);
        Some(program)
    }

    fn load(offset: usize) -> Option<sock_filter> {
        instruction(BPF_LD | BPF_W | BPF_ABS, u32::try_from(offset).ok()?, 0)
    }

    /// Skips the next `skipped` instructions unless the call is `number`.
    fn is(number: libc::c_long, skipped: u8) -> Option<sock_filter> {
        instruction(BPF_JMP | BPF_JEQ, u32::try_from(number).ok()?, skipped)
    }

    fn answer(action: u32) -> Option<sock_filter> {
        instruction(BPF_RET, action, 0)
    }

    fn instruction(code: u32, k: u32, jf: u8) -> Option<sock_filter> {
        Some(sock_filter { code: u16::try_from(code | BPF_K).ok()?, jt: 0, jf, k })
    }

    /// Puts the process under the filter. From then on it cannot gain privileges (seccomp(2)).
    pub(crate) fn install(program: &[sock_filter]) -> io::Result<()> {
        let len = u16::try_from(program.len()).map_err(io::Error::other)?;
        let program = libc::sock_fprog { len, filter: program.as_ptr().cast_mut() };
        // SAFETY: prctl takes numbers, and one pointer to a program that outlives the call and is
        // only read.
        let done = unsafe {
            libc::prctl(libc::PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0
                && libc::prctl(
                    libc::PR_SET_SECCOMP,
                    libc::SECCOMP_MODE_FILTER,
                    &raw const program,
                    0,
                    0,
                ) == 0
        };
        if done { Ok(()) } else { Err(io::Error::last_os_error()) }
    }
}
