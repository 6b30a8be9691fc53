//! What ends the process, seen from outside: each test runs itself once more as a child, which
//! does the deed.

#![cfg(all(target_os = "linux", not(miri)))]

use std::env;
use std::os::unix::process::ExitStatusExt;
use std::process::{Command, Output};
use std::ptr::NonNull;
use std::sync::Arc;

use super::arena::{Arena, Config};
use super::os::Backend;
use super::secret::Secret;

const DEED: &str = "NODESEC_TEST_DEED";
const BACKEND: &str = "NODESEC_TEST_BACKEND";
const MARKER: u8 = 0xa7;

/// The test of this name as a child process, which then finds itself in `is_child`.
fn command(test: &str) -> Command {
    let name = format!("mem::deaths::{test}");
    let mut command = Command::new(env::current_exe().unwrap());
    command.args(["--exact", &name, "--nocapture", "--test-threads=1"]).env(DEED, test);
    command
}

fn child(test: &str) -> Output {
    command(test).output().unwrap()
}

fn is_child(test: &str) -> bool {
    env::var_os(DEED).is_some_and(|deed| deed == test)
}

fn arena(backend: Backend) -> Arc<Arena> {
    Arc::new(Arena::new(Config { backend: Some(backend), ..Config::default() }))
}

fn secret(arena: &Arc<Arena>, len: usize) -> (Secret, NonNull<u8>) {
    let mut start = NonNull::dangling();
    let secret = Secret::filled_in(arena, len, |bytes| {
        bytes.fill(MARKER);
        start = NonNull::from(bytes).cast();
        Ok(())
    });
    (secret.unwrap(), start)
}

/// Writes where nothing of ours is to be written, as a defect elsewhere in the process would.
fn overwrite(at: NonNull<u8>, offset: isize) {
    // SAFETY: none. The address is mapped, except where the test is that it is not; the process
    // ends before anything comes of it.
    unsafe { at.offset(offset).write_volatile(1) };
}

fn assert_aborted(output: &Output, with: &str) {
    let printed = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.signal(), Some(libc::SIGABRT), "{printed}");
    assert!(printed.contains(with) && printed.contains("every secret is wiped"), "{printed}");
    assert!(!output.stderr.contains(&MARKER), "bytes of a secret were printed");
}

#[test]
fn a_guard_page() {
    const NAME: &str = "a_guard_page";
    if is_child(NAME) {
        let asked = env::var(BACKEND).unwrap();
        let backend = Backend::LADDER.into_iter().find(|backend| backend.as_str() == asked);
        // All of the first region, to the end.
        let (_secret, start) = secret(&arena(backend.unwrap()), 49152 - 32);
        overwrite(start, 49152 - 32 + 16);
        return;
    }
    for backend in Backend::LADDER {
        let output = command(NAME).env(BACKEND, backend.as_str()).output().unwrap();
        assert_eq!(output.status.signal(), Some(libc::SIGSEGV), "{backend:?}");
    }
}

#[test]
fn a_byte_too_many_found_on_release() {
    const NAME: &str = "a_byte_too_many_found_on_release";
    if is_child(NAME) {
        let arena = arena(Backend::MemfdSecret);
        let (secret, start) = secret(&arena, 33);
        overwrite(start, 33);
        drop(secret);
        return;
    }
    assert_aborted(&child(NAME), "memory beside a secret was overwritten");
}

#[test]
fn a_byte_before_found_by_verify() {
    const NAME: &str = "a_byte_before_found_by_verify";
    if is_child(NAME) {
        let arena = arena(Backend::Mlock);
        let (_one, start) = secret(&arena, 5000);
        let (_other, _) = secret(&arena, 32);
        arena.verify();
        eprintln!("verified before");
        overwrite(start, -1);
        arena.verify();
        return;
    }
    let output = child(NAME);
    assert_aborted(&output, "memory beside a secret was overwritten");
    assert!(output.stderr.starts_with(b"verified before"));
}

#[test]
fn a_write_to_what_was_freed_found_on_reuse() {
    const NAME: &str = "a_write_to_what_was_freed_found_on_reuse";
    if is_child(NAME) {
        let arena = arena(Backend::DontDump);
        let (first, start) = secret(&arena, 32);
        drop(first);
        overwrite(start, 3);
        drop(secret(&arena, 20));
        return;
    }
    assert_aborted(&child(NAME), "free memory of the secure heap was written to");
}
