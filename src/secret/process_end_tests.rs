//! Tests the end of the process from outside: each test runs itself again as a child process, in
//! which it causes the defect.

#![cfg(not(miri))]

use std::env;
use std::process::{Command, ExitStatus, Output};
use std::ptr::{self, NonNull};
use std::sync::Arc;
use std::sync::atomic::{AtomicPtr, Ordering};

use secrecy::ExposeSecret;

use super::process_heap::{self, end_process, process_heap};
use super::secure_heap::{OnFull, SecureHeap, Settings};
use super::{Secret, StoredSecret, storing};
use crate::error::Code;
use crate::heap::{Arena, Config, Slot};
use crate::os::{Backend, Native, ProtectedMemory};

const CASE: &str = "NODESEC_TEST_CASE";
const BACKEND: &str = "NODESEC_TEST_BACKEND";
const END: &str = "NODESEC_TEST_END";
#[cfg(unix)]
const FORKED: &str = "NODESEC_TEST_FORKED";
const MARKER: u8 = 0xa7;

/// A child process that runs the test of this name, in which `is_child` returns true.
fn command(test: &str) -> Command {
    let name = format!("secret::process_end_tests::{test}");
    let mut command = Command::new(env::current_exe().unwrap());
    command.args(["--exact", &name, "--nocapture", "--test-threads=1"]).env(CASE, test);
    command
}

fn child(test: &str) -> Output {
    command(test).output().unwrap()
}

fn is_child(test: &str) -> bool {
    env::var_os(CASE).is_some_and(|case| case == test)
}

/// The signals for a child that accesses forbidden memory and for a child that aborts.
#[cfg(unix)]
const FAULT: i32 = libc::SIGSEGV;
#[cfg(unix)]
const ABORT: i32 = libc::SIGABRT;
/// `STATUS_ACCESS_VIOLATION`, and `STATUS_STACK_BUFFER_OVERRUN`, which Windows reports for every
/// kind of fast failure.
#[cfg(windows)]
const FAULT: i32 = 0xc000_0005_u32.cast_signed();
#[cfg(windows)]
const ABORT: i32 = 0xc000_0409_u32.cast_signed();

/// The signal or status that ended a child.
fn end_of(status: ExitStatus) -> Option<i32> {
    #[cfg(unix)]
    return std::os::unix::process::ExitStatusExt::signal(&status);
    #[cfg(windows)]
    return status.code();
}

fn config(backend: Backend) -> Config {
    Config { backend: Some(backend), ..Config::new(end_process) }
}

fn heap(backend: Backend) -> SecureHeap {
    SecureHeap::new(config(backend), || ())
}

fn secret(heap: &SecureHeap, len: usize) -> (Secret, NonNull<u8>) {
    let mut start = NonNull::dangling();
    let secret = Secret::filled_in(heap, len, |bytes| {
        bytes.fill(MARKER);
        start = NonNull::from(bytes).cast();
        Ok(())
    });
    (secret.unwrap(), start)
}

/// Writes where this library must not write, as a defect elsewhere in the process would.
fn overwrite(at: NonNull<u8>, offset: isize) {
    // SAFETY: none. The address is mapped, except where the test is that it is not; the process
    // ends before the write has any effect.
    unsafe {
        let at = at.offset(offset);
        // Canaries are random, so invert the byte to change it in any case.
        at.write_volatile(!at.read_volatile());
    }
}

fn assert_aborted(output: &Output, with: &str) {
    let printed = String::from_utf8_lossy(&output.stderr);
    assert_eq!(end_of(output.status), Some(ABORT), "{printed}");
    assert!(printed.contains(with) && printed.contains("every secret is wiped"), "{printed}");
    assert!(!output.stderr.contains(&MARKER), "bytes of a secret were printed");
}

#[test]
fn a_write_into_a_guard_page_ends_the_process() {
    const NAME: &str = "a_write_into_a_guard_page_ends_the_process";
    if is_child(NAME) {
        let asked = env::var(BACKEND).unwrap();
        let backend = Backend::LADDER.into_iter().find(|backend| backend.as_str() == asked);
        let heap = heap(backend.unwrap());
        let end = env::var(END).unwrap();
        if end == "of all" {
            // The last slot of the first region.
            let secrets: Vec<_> = (0..12).map(|_| secret(&heap, 4064)).collect();
            let last = secrets.iter().map(|(_, start)| *start).max().unwrap();
            overwrite(last, 4064 + 16);
            return;
        }
        let (_one, _) = secret(&heap, 16384);
        let (_secret, start) = secret(&heap, 16384);
        let (_other, _) = secret(&heap, 16384);
        if end == "behind" {
            overwrite(start, 16384 + 16);
        } else {
            let page = Native.page_size().max(4096);
            let before = (16384 + 32_usize).next_multiple_of(page) - 16384 - 16;
            overwrite(start, -before.cast_signed() - 1);
        }
        return;
    }
    for backend in Backend::LADDER {
        for end in ["of all", "behind", "before"] {
            let output =
                command(NAME).env(BACKEND, backend.as_str()).env(END, end).output().unwrap();
            assert_eq!(end_of(output.status), Some(FAULT), "{backend:?} {end}");
        }
    }
}

#[test]
fn a_slot_given_back_twice_ends_the_process() {
    const NAME: &str = "a_slot_given_back_twice_ends_the_process";
    if is_child(NAME) {
        let arena = Arc::new(Arena::new(config(Backend::DontDump)));
        let forged = forged_slot(&arena);
        // A new tenant makes no difference.
        let _tenant = Slot::take(&arena, 32);
        drop(forged);
        return;
    }
    assert_aborted(&child(NAME), "a secret was used after it had been freed");
}

#[test]
fn a_slot_read_under_another_tenant_ends_the_process() {
    const NAME: &str = "a_slot_read_under_another_tenant_ends_the_process";
    if is_child(NAME) {
        let arena = Arc::new(Arena::new(config(Backend::Mlock)));
        let forged = forged_slot(&arena);
        let _tenant = Slot::take(&arena, 32);
        let read = std::hint::black_box(forged.bytes());
        eprintln!("read {read:?}");
        return;
    }
    let output = child(NAME);
    assert_aborted(&output, "a secret was used after it had been freed");
    assert!(!output.stderr.starts_with(b"read"));
}

/// A second handle of a 32-byte slot that has been given back, as only a defect could create it.
fn forged_slot(arena: &Arc<Arena>) -> Slot {
    let slot = Slot::take(arena, 32).unwrap();
    // SAFETY: none; the process ends because of it.
    let forged = unsafe { ptr::read(&raw const slot) };
    drop(slot);
    forged
}

#[test]
fn a_byte_too_many_is_found_on_release() {
    const NAME: &str = "a_byte_too_many_is_found_on_release";
    if is_child(NAME) {
        let heap = heap(Backend::MemfdSecret);
        let (secret, start) = secret(&heap, 33);
        overwrite(start, 33);
        drop(secret);
        return;
    }
    assert_aborted(&child(NAME), "memory beside a secret was overwritten");
}

#[test]
fn a_byte_before_is_found_by_verify() {
    const NAME: &str = "a_byte_before_is_found_by_verify";
    if is_child(NAME) {
        let heap = heap(Backend::Mlock);
        let (_one, start) = secret(&heap, 5000);
        let (_other, _) = secret(&heap, 32);
        heap.verify();
        eprintln!("verified before");
        overwrite(start, -1);
        heap.verify();
        return;
    }
    let output = child(NAME);
    assert_aborted(&output, "memory beside a secret was overwritten");
    assert!(output.stderr.starts_with(b"verified before"));
}

#[test]
fn a_byte_too_many_in_an_open_sealed_secret_is_found() {
    const NAME: &str = "a_byte_too_many_in_an_open_sealed_secret_is_found";
    if is_child(NAME) {
        let settings =
            Settings { max_bytes: Some(32768), on_full: Some(OnFull::Seal), ..Settings::default() };
        process_heap::configure(settings).unwrap();
        let _in_slots: Vec<_> = (0..4).map(|_| secret(process_heap().unwrap(), 4064)).collect();
        let sealed = storing(|| StoredSecret::new(Secret::copy_from(&[MARKER; 40]).unwrap()));
        let overrun = |secret: &Secret| {
            overwrite(NonNull::from(secret.expose_secret()).cast(), 40);
        };
        sealed.unwrap().with(overrun).unwrap();
        return;
    }
    let output = child(NAME);
    assert_aborted(&output, "memory beside a secret was overwritten");
}

#[test]
fn a_write_to_freed_memory_is_found_on_reuse() {
    const NAME: &str = "a_write_to_freed_memory_is_found_on_reuse";
    if is_child(NAME) {
        let heap = heap(Backend::DontDump);
        let (first, start) = secret(&heap, 32);
        drop(first);
        overwrite(start, 3);
        drop(secret(&heap, 20));
        return;
    }
    assert_aborted(&child(NAME), "free memory of the secure heap was written to");
}

#[test]
fn the_end_of_the_process_wipes_secrets() {
    const NAME: &str = "the_end_of_the_process_wipes_secrets";
    static START: AtomicPtr<u8> = AtomicPtr::new(ptr::null_mut());

    extern "C" fn look() {
        // SAFETY: the arena of the process is never unmapped.
        let byte = unsafe { START.load(Ordering::Relaxed).read_volatile() };
        eprintln!("found {byte:#x}");
    }

    if is_child(NAME) {
        // The function registered first runs last, so it sees the memory after the wipe.
        // SAFETY: `look` is never unloaded, and runs on this thread.
        unsafe { libc::atexit(look) };
        let (secret, start) = secret(process_heap().unwrap(), 32);
        let in_use = secret.expose_secret();
        assert_eq!(in_use, [MARKER; 32]);
        START.store(start.as_ptr(), Ordering::Relaxed);
        #[cfg(unix)]
        if env::var_os(FORKED).is_some() {
            // SAFETY: the child runs only the functions that exit() runs.
            unsafe {
                let child = libc::fork();
                if child == 0 {
                    libc::exit(0);
                }
                libc::waitpid(child, ptr::null_mut(), 0);
            }
        }
        // Not the exit function of the standard library, which on Windows ends the process without
        // informing the C library. An addon is informed in any case, like every DLL.
        // SAFETY: it runs `look` and the wipe.
        unsafe { libc::exit(0) };
    }
    for backend in ["mlock", "dontdump", "plain"] {
        let output = command(NAME).env("NODESEC_SECMEM", backend).output().unwrap();
        assert_eq!(output.stderr, b"found 0x0\n", "{backend}");
        assert!(output.status.success());
    }
    // The child has a copy of plain memory and does not touch it, because it is not the owner.
    #[cfg(unix)]
    {
        let forked = command(NAME).env("NODESEC_SECMEM", "plain").env(FORKED, "1").output();
        assert_eq!(forked.unwrap().stderr, b"found 0xa7\nfound 0x0\n");
    }
}

#[test]
fn the_end_is_no_alarm_and_no_deadlock() {
    let heap = heap(Backend::DontDump);
    let (first, start) = secret(&heap, 32);
    heap.end();
    // SAFETY: the arena still exists, so the address is mapped.
    assert_eq!(unsafe { start.read_volatile() }, 0);
    heap.verify();
    drop(first);
    assert_eq!(heap.slot(32).unwrap_err().code, Code::SecretDisposed);
}
