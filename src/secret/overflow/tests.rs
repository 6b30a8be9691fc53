//! A full heap, and the secrets that are sealed for lack of room in it.

use std::{ptr, slice, thread};

use secrecy::ExposeSecret;

use super::*;
use crate::heap::OnDegraded;
use crate::os::{Backend, Native, Portable};
use crate::secret::scratch_lock::{storing, with_scratch_lock};
use crate::secret::secure_heap::{OnFull, SecureHeap, Settings};
use crate::secret::{Secret, StoredSecret};

fn heap_of(config: Config) -> SecureHeap {
    SecureHeap::new(config, || ())
}

/// A heap of 16 KiB in addition to the scratch memory.
fn small_heap() -> SecureHeap {
    let heap = heap_of(Config { backend: Some(Backend::DontDump), ..Config::default() });
    heap.configure(Settings {
        max_bytes: Some(32 * 1024),
        on_degraded: Some(OnDegraded::Ignore),
        on_full: Some(OnFull::Seal),
        ..Settings::default()
    })
    .unwrap();
    heap
}

fn stored(heap: &SecureHeap, len: usize, byte: u8) -> Result<StoredSecret> {
    storing(|| {
        StoredSecret::new(Secret::filled_in(heap, len, |slot| {
            slot.fill(byte);
            Ok(())
        })?)
    })
}

fn holds(stored: &StoredSecret, len: usize, byte: u8) -> bool {
    stored.len() == len && stored.with(|secret| secret.ct_eq(&vec![byte; len])).unwrap()
}

#[test]
fn what_has_no_room_is_sealed_and_works() {
    let heap = small_heap();
    let in_slots: Vec<_> = (0..4).map(|_| stored(&heap, 4064, 1).unwrap()).collect();
    assert_eq!((heap.status().heap.live_secrets, heap.status().sealed_secrets), (4, 0));
    for len in [1, 32, 1000, MAX_OVERFLOW_LEN] {
        let sealed = stored(&heap, len, 7).unwrap();
        assert_eq!(format!("{sealed:?}"), format!("Secret({len} bytes, sealed)"));
        let status = heap.status();
        assert_eq!((status.heap.live_secrets, status.sealed_secrets), (4, 1));
        let other = sealed.clone();
        assert!(holds(&sealed, len, 7) && holds(&other, len, 7));
        // One secret is opened while another is open, as in a comparison.
        let same = |one: &Secret| other.with(|other| other.ct_eq(one.expose_secret()));
        assert!(sealed.with(same).unwrap().unwrap());
        drop(sealed);
        assert_eq!(heap.status().sealed_secrets, 1);
        drop(other);
        assert_eq!(heap.status().sealed_secrets, 0);
    }
    drop(in_slots);
    assert_eq!(format!("{:?}", stored(&heap, 32, 7).unwrap()), "Secret(32 bytes)");
}

#[test]
fn what_cannot_be_sealed_is_refused() {
    let heap = small_heap();
    let _in_slots: Vec<_> = (0..4).map(|_| stored(&heap, 4064, 1).unwrap()).collect();
    let refused = stored(&heap, MAX_OVERFLOW_LEN + 1, 1).unwrap_err();
    assert_eq!(refused.code, Code::SecretExhausted);
    assert!(refused.message.contains("4064"), "{refused}");
    // Only a call that creates a secret may use the scratch memory, because other slots could stay
    // forever.
    let lasting = Secret::filled_in(&heap, 32, |_| Ok(()));
    assert_eq!(lasting.unwrap_err().code, Code::SecretExhausted);
    assert_eq!(
        SlotValue::new([0; 4], |len| heap.slot(len)).err().unwrap().code,
        Code::SecretExhausted
    );
    assert_eq!(heap.status().sealed_secrets, 0);
}

#[test]
fn nothing_is_left_in_the_scratch_memory_but_the_key() {
    let heap = small_heap();
    let _in_slots: Vec<_> = (0..4).map(|_| stored(&heap, 4064, 1).unwrap()).collect();
    let scratch = Arc::clone(heap.overflow().unwrap().scratch());
    let idle = scratch.status();
    assert_eq!(idle.live_secrets, 1);
    let sealed = stored(&heap, 100, 7).unwrap();
    assert_eq!(scratch.status(), idle);
    sealed.with(|_| assert_eq!(scratch.status().live_secrets, 2)).unwrap();
    assert_eq!(scratch.status(), idle);
    let failed = storing(|| Secret::filled_in(&heap, 100, |_| Err(Error::new(Code::Random, "no"))));
    assert_eq!(failed.unwrap_err().code, Code::Random);
    assert_eq!(scratch.status(), idle);
}

#[test]
fn a_ciphertext_opens_as_itself_only() {
    let overflow = small_heap().overflow().unwrap();
    with_scratch_lock(|lock| {
        let [mut one, mut other] = [7, 8].map(|byte| {
            let seal = |trace: &TraceGuard| overflow.seal(&[byte; 32], lock, trace);
            TraceGuard::run(Depth::Cipher, seal).unwrap()
        });
        assert_ne!(one.ciphertext, other.ciphertext);
        assert!(one.ciphertext.windows(4).all(|window| window != [7; 4]));
        std::mem::swap(&mut one.ciphertext, &mut other.ciphertext);
        assert_eq!(one.open(lock).unwrap_err().code, Code::Internal);
        std::mem::swap(&mut one.ciphertext, &mut other.ciphertext);
        assert_eq!(one.open(lock).unwrap().bytes(), [7; 32]);
        for bit in 0..one.ciphertext.len() * 8 {
            one.ciphertext[bit / 8] ^= 1 << (bit % 8);
            assert_eq!(one.open(lock).unwrap_err().code, Code::Internal);
            one.ciphertext[bit / 8] ^= 1 << (bit % 8);
        }
    });
}

#[test]
fn threads_use_sealed_secrets_at_the_same_time() {
    let heap = small_heap();
    let _in_slots: Vec<_> = (0..4).map(|_| stored(&heap, 4064, 1).unwrap()).collect();
    let shared = stored(&heap, MAX_OVERFLOW_LEN, 9).unwrap();
    thread::scope(|scope| {
        for byte in 1..5 {
            let (heap, shared) = (&heap, &shared);
            scope.spawn(move || {
                let own = stored(heap, MAX_OVERFLOW_LEN, byte).unwrap();
                for _ in 0..200 {
                    let differ = |own: &Secret| {
                        shared.with(|shared| !shared.ct_eq(own.expose_secret())).unwrap()
                    };
                    assert!(own.with(differ).unwrap());
                    assert!(holds(&own, MAX_OVERFLOW_LEN, byte));
                    assert!(holds(&stored(heap, 10, byte).unwrap(), 10, byte));
                }
            });
        }
    });
    assert_eq!(heap.status().sealed_secrets, 1);
}

#[test]
fn the_whole_still_fits_where_it_did() {
    let backend = Some(Backend::Plain);
    let heap = heap_of(Config { memory: &Portable, backend, ..Config::default() });
    let seal = Settings { on_full: Some(OnFull::Seal), ..Settings::default() };
    let max = |bytes| Settings { max_bytes: Some(bytes), ..seal.clone() };
    heap.configure(seal.clone()).unwrap();
    let status = heap.status();
    assert_eq!((status.heap.capacity_bytes, status.heap.live_secrets), (48 * 1024, 0));
    assert_eq!(status.heap.max_bytes, 16 * 1024 * 1024);
    heap.configure(max(20480)).unwrap();
    assert_eq!(heap.status().heap.capacity_bytes, 20480);
    assert_eq!(heap.configure(max(20479)).unwrap_err().code, Code::OutOfRange);
    assert_eq!(heap.status().heap.max_bytes, 20480);
}

#[test]
fn the_end_takes_the_key_with_it() {
    let heap = small_heap();
    let _in_slots: Vec<_> = (0..4).map(|_| stored(&heap, 4064, 1).unwrap()).collect();
    let sealed = stored(&heap, 32, 7).unwrap();
    let overflow = heap.overflow().unwrap();
    heap.end();
    assert_eq!(sealed.with(|_| ()).unwrap_err().code, Code::SecretDisposed);
    let key = TraceGuard::run(Depth::Registers, |_| {
        ptr::from_ref::<LessSafeKey>(&overflow.cipher).cast::<u8>()
    });
    // SAFETY: the heap still exists, and wiped memory is initialised, including padding.
    let left = unsafe { slice::from_raw_parts(key, size_of::<LessSafeKey>()) };
    assert!(left.iter().all(|byte| *byte == 0));
}

#[test]
fn memory_and_scratch_memory_end_together_at_the_last_whole_page_of_max_bytes() {
    let page = Native.page_size();
    for max_bytes in [1, page, page + 1, 2 * page - 1, 3 * page + 5, 49151, 100_000] {
        for on_full in [OnFull::Error, OnFull::Seal] {
            let heap = heap_of(Config { backend: Some(Backend::DontDump), ..Config::default() });
            let settings = Settings {
                max_bytes: Some(max_bytes),
                on_full: Some(on_full),
                ..Settings::default()
            };
            if heap.configure(settings).is_err() {
                assert!(on_full == OnFull::Seal && max_bytes < 16 * 1024 + 4 * page);
                continue;
            }
            let held: Vec<_> =
                (0..).map_while(|_| Secret::filled_in(&heap, 32, |_| Ok(())).ok()).collect();
            let bytes = heap.status().heap.capacity_bytes;
            assert_eq!(bytes, (max_bytes / page * page).max(page), "{max_bytes} {on_full:?}");
            assert!(!held.is_empty());
        }
    }
}
