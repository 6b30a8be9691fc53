//! Tests of whole arenas: backends, growth, limits, forks.

use std::ops::Range;
use std::sync::Arc;

use super::*;
use crate::error::{Code, Result as CodedResult};
use crate::os::{
    Backend, Mapping, Memlock, Native, Platform, Portable, ProtectedMemory, Protection,
};
use crate::testing::allocations::out_of_memory;

fn arena(config: Config) -> Arc<Arena> {
    Arc::new(Arena::new(config))
}

/// A configuration whose growth is not stopped by the machine's limit on locked memory.
fn unlocked() -> Config {
    Config { backend: Some(Backend::DontDump), ..Config::default() }
}

fn filled(arena: &Arc<Arena>, len: usize, byte: u8) -> CodedResult<Slot> {
    let mut slot = Slot::take(arena, len)?;
    assert!(slot.bytes().iter().all(|byte| *byte == 0), "a slot was not zero");
    slot.bytes_mut().fill(byte);
    Ok(slot)
}

/// A system that locks at most `largest` bytes per mapping, has no `memfd_secret`, and may
/// hibernate.
struct Strict {
    largest: usize,
    hibernates: bool,
}

impl ProtectedMemory for Strict {
    fn page_size(&self) -> usize {
        4096
    }

    fn map(&self, backend: Backend, len: usize) -> Result<Mapping, String> {
        match backend {
            Backend::MemfdSecret => Err("memfd_secret: ENOSYS".into()),
            Backend::Mlock if len > self.largest => Err("mlock: ENOMEM".into()),
            _ => Portable.map(Backend::Plain, len),
        }
    }

    unsafe fn unmap(&self, mapping: Mapping) {
        // SAFETY: `map` got the mapping from `Portable`; the caller guarantees the rest.
        unsafe { Portable.unmap(mapping) };
    }

    fn read_back(&self, _: &[Range<usize>]) -> Result<Protection, String> {
        Err("/proc/self/smaps: EACCES".into())
    }

    fn memlock(&self) -> Memlock {
        Memlock { soft: Some(65536), hard: Some(65536) }
    }

    fn hibernation_configured(&self) -> bool {
        self.hibernates
    }
}

#[cfg(target_os = "linux")]
#[test]
fn each_backend_is_what_it_says() {
    for backend in Backend::LADDER {
        let arena = arena(Config { backend: Some(backend), ..Config::default() });
        let secret = filled(&arena, 100, 7).unwrap();
        let status = arena.status();
        // A weaker backend than requested is acceptable if the machine refuses and the reasons say
        // why.
        assert!(status.backend >= backend);
        assert!(status.backend == backend || !status.reasons.is_empty(), "{status:?}");
        assert!(status.guard_pages, "{status:?}");
        assert_eq!(
            (status.capacity_bytes, status.used_bytes, status.live_secrets),
            (49152, 256, 1)
        );
        let expected = match status.backend {
            Backend::MemfdSecret | Backend::Mlock => (true, true),
            Backend::DontDump => (false, true),
            Backend::Plain => (false, false),
        };
        assert_eq!((status.locked, status.dump_excluded), expected, "{status:?}");
        assert_eq!(secret.bytes(), [7; 100]);
    }
}

#[test]
fn memory_ends_at_the_last_whole_page_of_max_bytes() {
    let page = Native.page_size();
    for max_bytes in [1, page, page + 1, 2 * page - 1, 3 * page + 5, 49151, 100_000] {
        let arena = arena(unlocked());
        arena
            .configure(ArenaSettings { max_bytes: Some(max_bytes), ..ArenaSettings::default() })
            .unwrap();
        let held: Vec<_> = (0..).map_while(|_| filled(&arena, 32, 1).ok()).collect();
        let bytes = arena.status().capacity_bytes;
        assert_eq!(bytes, (max_bytes / page * page).max(page), "{max_bytes}");
        assert!(!held.is_empty());
    }
}

#[test]
fn a_limit_on_locked_memory_ends_growth_rather_than_protection() {
    static OS: Strict = Strict { largest: 48 * 1024, hibernates: false };
    let arena = arena(Config { memory: &OS, max_bytes: 128 * 1024, ..Config::default() });
    let held: Vec<_> = (0..).map_while(|_| filled(&arena, 4096 - 32, 1).ok()).collect();
    assert_eq!(held.len(), 32);
    let error = filled(&arena, 1, 1).unwrap_err();
    assert_eq!(error.code, Code::SecretExhausted);
    for part in ["131072 of 131072 bytes", "not grow beyond 131072 bytes", "dispose"] {
        assert!(error.message.contains(part), "{error}");
    }
    let status = arena.status();
    assert_eq!(status.backend, Backend::Mlock);
    // smaps cannot be read, so no protection is claimed.
    assert!(!status.locked && !status.dump_excluded && status.degraded);
    assert_eq!(status.reasons, ["memfd_secret: ENOSYS", "/proc/self/smaps: EACCES"]);
    assert_eq!(status.memlock_hard, Some(65536));

    // Memory obtained for slots stays with the slots: a run would need an additional mapping.
    drop(held);
    assert_eq!(filled(&arena, 4096 - 31, 1).unwrap_err().code, Code::SecretExhausted);
    assert!(filled(&arena, 4096 - 32, 1).is_ok());
}

#[cfg(target_os = "linux")]
#[test]
fn large_secrets_leave_the_process_address_space() {
    let arena = arena(Config { max_bytes: 1 << 30, ..unlocked() });
    let large = || filled(&arena, 4065, 1);
    let mut held: Vec<_> = (0..).map_while(|_| large().ok()).collect();
    assert_eq!(held.len(), 8192);
    let error = large().unwrap_err();
    assert_eq!(error.code, Code::SecretExhausted);
    assert!(
        error.message.contains("at most 8192 secrets longer than 4064 bytes"),
        "{}",
        error.message
    );
    // Smaller secrets are not affected, and a dropped large secret makes room.
    assert!(filled(&arena, 4064, 1).is_ok());
    held.pop();
    assert!(large().is_ok());
}

#[test]
fn a_large_first_secret_does_not_cost_the_others_their_protection() {
    static OS: Strict = Strict { largest: 64 * 1024, hibernates: false };
    let arena = arena(Config { memory: &OS, ..Config::default() });
    let error = filled(&arena, 1 << 20, 1).unwrap_err();
    assert_eq!(error.code, Code::SecretExhausted);
    for part in ["0 of 49152 bytes", "locked memory: 65536 bytes", Native::REMEDY] {
        assert!(error.message.contains(part), "{error}");
    }
    let largest = filled(&arena, 64 * 1024 - 32, 1).unwrap();
    let status = arena.status();
    assert_eq!((status.backend, status.capacity_bytes), (Backend::Mlock, 49152 + 65536));
    drop(largest);
    let status = arena.status();
    assert_eq!((status.capacity_bytes, status.used_bytes), (49152, 0));
}

#[test]
fn the_ladder_is_walked_to_its_end() {
    static OS: Strict = Strict { largest: 0, hibernates: true };
    let status = arena(Config { memory: &OS, ..Config::default() }).status();
    assert_eq!(status.backend, Backend::DontDump);
    let why = ["memfd_secret: hibernation configured", "mlock: ENOMEM"];
    assert_eq!(status.reasons[..2], why);
    assert!(!status.hibernation_blocked);

    let asked = Config { memory: &OS, backend: Some(Backend::MemfdSecret), ..Config::default() };
    assert_eq!(arena(asked).status().reasons[0], "memfd_secret: ENOSYS");
}

#[test]
fn a_heap_is_configured_before_its_first_use() {
    let arena = arena(unlocked());
    arena.status();
    let plain = ArenaSettings { backend: Some(Some(Backend::Plain)), ..ArenaSettings::default() };
    arena.configure(plain.clone()).unwrap();
    let status = arena.status();
    assert_eq!((status.backend, status.capacity_bytes), (Backend::Plain, 49152));
    assert_eq!(status.reasons, ["configured: start at plain"]);

    let secret = filled(&arena, 32, 1).unwrap();
    drop(secret);
    let raised =
        |max_bytes| ArenaSettings { max_bytes: Some(max_bytes), ..ArenaSettings::default() };
    for refused in [plain, raised(1 << 20)] {
        assert_eq!(arena.configure(refused).unwrap_err().code, Code::SecretConfigured);
    }
    arena.configure(raised(32 << 20)).unwrap();
    arena.configure(ArenaSettings::default()).unwrap();
    assert_eq!(arena.status().max_bytes, 32 << 20);
}

#[test]
fn what_is_required_and_missing_leaves_no_heap() {
    static OS: Strict = Strict { largest: 0, hibernates: false };
    let arena = arena(Config { memory: &OS, ..Config::default() });
    let demand = |settings| arena.configure(settings).and_then(|_| arena.admit());
    let require = |require: &[Requirement]| {
        demand(ArenaSettings { require: Some(require.to_vec()), ..ArenaSettings::default() })
    };
    let error = require(&[Requirement::DumpExcluded, Requirement::KernelUnmapped]).unwrap_err();
    assert_eq!(error.code, Code::SecretDegraded);
    for part in
        ["not excluded from core dumps and not kernel-unmapped", "dontdump", "mlock: ENOMEM"]
    {
        assert!(error.message.contains(part), "{error}");
    }
    // A caller that catches the error gets no secret in worse memory either.
    assert_eq!(filled(&arena, 32, 1).unwrap_err().code, Code::SecretDegraded);
    require(&[]).unwrap();
    let on_degraded = Some(OnDegraded::Error);
    let strict = ArenaSettings { on_degraded, ..ArenaSettings::default() };
    assert_eq!(demand(strict).unwrap_err().code, Code::SecretDegraded);
    let ignored =
        ArenaSettings { on_degraded: Some(OnDegraded::Ignore), ..ArenaSettings::default() };
    demand(ignored).unwrap();
    assert!(filled(&arena, 32, 1).is_ok());
}

#[test]
fn the_operator_has_the_last_word() {
    let operator = Some(Backend::DontDump);
    let config = Config { operator, backend: Some(Backend::Plain), ..Config::default() };
    let status = arena(config).status();
    assert_eq!(status.reasons[0], "NODESEC_SECMEM: start at dontdump");
}

#[test]
fn ten_thousand_small_secrets_stay_under_a_mebibyte() {
    let arena = arena(unlocked());
    let secrets: Vec<_> = (0..10_000).map(|_| filled(&arena, 32, 3).unwrap()).collect();
    let status = arena.status();
    assert!(status.capacity_bytes < 1 << 20, "{status:?}");
    assert_eq!((status.used_bytes, status.live_secrets), (640_000, 10_000));
    drop(secrets);
    let again: Vec<_> = (0..10_000).map(|_| filled(&arena, 32, 4).unwrap()).collect();
    assert_eq!(arena.status().capacity_bytes, status.capacity_bytes);
    drop(again);
    assert_eq!(arena.status().used_bytes, 0);
}

/// The bytes of a secret that `write(2)` in a forked child can read; empty if it is refused.
#[cfg(target_os = "linux")]
fn seen_by_child(secret: &Slot) -> Vec<u8> {
    use std::fs::File;
    use std::io::Read;
    use std::os::fd::{AsRawFd, FromRawFd};

    let mut ends = [0; 2];
    // SAFETY: pipe writes two descriptors that no other code owns. The child makes only calls that
    // are allowed after fork in a process with threads.
    let (mut from, child) = unsafe {
        assert_eq!(libc::pipe2(ends.as_mut_ptr(), libc::O_CLOEXEC), 0);
        let (from, to) = (File::from_raw_fd(ends[0]), File::from_raw_fd(ends[1]));
        let (start, len) = (secret.bytes().as_ptr(), secret.bytes().len());
        let child = libc::fork();
        if child == 0 {
            libc::write(to.as_raw_fd(), start.cast(), len);
            libc::_exit(0);
        }
        (from, child)
    };
    let mut seen = Vec::new();
    from.read_to_end(&mut seen).unwrap();
    // SAFETY: our own child, without asking for its status.
    assert_eq!(unsafe { libc::waitpid(child, std::ptr::null_mut(), 0) }, child);
    seen
}

#[cfg(target_os = "linux")]
#[test]
fn a_forked_child_reads_nothing() {
    for backend in Backend::LADDER {
        let arena = arena(Config { backend: Some(backend), ..Config::default() });
        let secret = filled(&arena, 32, 0xa5).unwrap();
        let expected: &[u8] = match arena.status().backend {
            Backend::MemfdSecret => &[],
            Backend::Mlock | Backend::DontDump => &[0; 32],
            // The control: the test can read memory that is not protected.
            Backend::Plain => &[0xa5; 32],
        };
        assert_eq!(seen_by_child(&secret), expected, "{backend:?}");
    }
}

#[test]
fn an_arena_without_memory_for_its_records_is_exhausted_until_there_is_some() {
    let arena = arena(Config { max_bytes: 8 << 20, ..unlocked() });
    let (mut slots, mut refused) = (Vec::with_capacity(1000), 0);
    while slots.len() < 1000 {
        match out_of_memory(4096, 0, || filled(&arena, 4000, 7)) {
            Ok(slot) => slots.push(slot),
            Err(error) => {
                assert_eq!(error.code, Code::SecretExhausted);
                slots.push(filled(&arena, 4000, 7).unwrap());
                refused += 1;
            }
        }
    }
    assert!(refused > 2, "{refused}");
    assert_eq!(arena.status().live_secrets, 1000);
    arena.verify();
}
