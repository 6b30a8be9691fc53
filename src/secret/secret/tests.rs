//! The bytes of a secret are kept, compared, copied and wiped.

use std::panic::{AssertUnwindSafe, catch_unwind};

use secrecy::ExposeSecret;

use super::*;
use crate::heap::Config;
use crate::os::Backend;

fn heap(config: Config) -> SecureHeap {
    SecureHeap::new(config, || ())
}

fn small() -> SecureHeap {
    heap(Config { max_bytes: 8192, ..Config::default() })
}

/// A heap whose growth is not stopped by the machine's limit on locked memory.
fn unlocked() -> SecureHeap {
    heap(Config { backend: Some(Backend::DontDump), ..Config::default() })
}

/// The bytes at an address of an arena that still exists.
fn peek(start: std::ptr::NonNull<u8>, len: usize) -> Vec<u8> {
    // SAFETY: the tests keep the arena alive, so the address is mapped and initialised.
    unsafe { std::slice::from_raw_parts(start.as_ptr(), len) }.to_vec()
}

fn start(secret: &Secret) -> std::ptr::NonNull<u8> {
    secret.slot.as_ref().unwrap().as_ptr()
}

#[test]
fn a_secret_holds_the_bytes_it_was_made_of() {
    let heap = unlocked();
    for len in [1, 32, 33, 4096, 4097, 100_000] {
        let bytes: Vec<u8> = (0..len).map(|i| u8::try_from(i % 251).unwrap()).collect();
        let copy = |slot: &mut [u8]| {
            slot.copy_from_slice(&bytes);
            Ok(())
        };
        let secret = Secret::filled_in(&heap, len, copy).unwrap();
        assert_eq!(secret.len(), len);
        assert_eq!(secret.expose_secret(), bytes);
        assert!(secret.ct_eq(&bytes));
        assert!(!secret.ct_eq(&bytes[1..]));
    }
    assert_ne!(
        Secret::random(32).unwrap().expose_secret(),
        Secret::random(32).unwrap().expose_secret()
    );
}

#[test]
fn a_secret_beyond_the_limit_is_refused() {
    let empty = Secret::copy_from(&[]).unwrap();
    assert!(empty.is_empty() && empty.ct_eq(&[]) && !empty.ct_eq(&[0]));
    let longest = Secret::filled_in(&unlocked(), MAX_SECRET_LEN, id::random_bytes).unwrap();
    assert_eq!(longest.len(), MAX_SECRET_LEN);
    let error = Secret::random(MAX_SECRET_LEN + 1).unwrap_err();
    assert_eq!(error.code, Code::OutOfRange);
}

#[test]
fn fewer_bytes_than_there_was_room_for() {
    let secret = Secret::filled_up_to(40, |slot| {
        slot.fill(0xa5);
        Ok(3)
    })
    .unwrap();
    assert_eq!((secret.len(), secret.expose_secret()), (3, &[0xa5; 3][..]));
    assert!(Secret::filled_up_to(8, |_| Ok(0)).unwrap().is_empty());
    assert_eq!(Secret::filled_up_to(8, |_| Ok(9)).unwrap().len(), 8);
}

#[test]
fn prints_its_length_only() {
    let secret = Secret::copy_from(b"correct horse battery staple 012").unwrap();
    assert_eq!(format!("{secret:?} {secret:#?}"), "Secret(32 bytes) Secret(32 bytes)");
}

#[test]
fn the_last_owner_wipes() {
    let heap = small();
    let secret = Secret::filled_in(&heap, 40, |slot| {
        slot.fill(0xa5);
        Ok(())
    })
    .unwrap();
    let (at, other) = (start(&secret), secret.clone());
    drop(secret);
    assert_eq!(other.expose_secret(), [0xa5; 40]);
    drop(other);
    assert_eq!(peek(at, 40), [0; 40]);
    assert_eq!(heap.status().heap.live_secrets, 0);

    let again = Secret::filled_in(&heap, 50, |_| Ok(())).unwrap();
    assert_eq!(start(&again), at);
    assert_eq!(again.expose_secret(), [0; 50]);
}

#[test]
fn a_failed_fill_leaves_nothing() {
    let heap = small();
    let mut at = None;
    let failed = Secret::filled_in(&heap, 64, |slot| {
        at = std::ptr::NonNull::new(slot.as_mut_ptr());
        slot.fill(0xa5);
        Err(Error::new(Code::Random, "no"))
    });
    assert_eq!(failed.unwrap_err().code, Code::Random);
    assert_eq!(peek(at.unwrap(), 64), [0; 64]);

    let panicked = catch_unwind(AssertUnwindSafe(|| {
        Secret::filled_in(&heap, 64, |slot| {
            slot.fill(0xa5);
            panic!("in fill")
        })
    }));
    assert!(panicked.is_err());
    assert_eq!(peek(at.unwrap(), 64), [0; 64]);
    assert_eq!(heap.status().heap.used_bytes, 0);
}
