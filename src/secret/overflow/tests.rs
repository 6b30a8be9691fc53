//! A full arena, and what is sealed for want of room in it.

use std::{ptr, slice, thread};

use secrecy::ExposeSecret;

use super::*;
use crate::heap::policy::{OnDegraded, OnFull};
use crate::os::{Backend, Portable};
use crate::secret::scratch_lock::storing;
use crate::secret::stored_secret::StoredSecret;

/// An arena of 16 KiB beside the scratch memory.
fn arena() -> Arc<Arena> {
    let backend = Some(Backend::DontDump);
    let arena = Arc::new(Arena::new(Config { backend, ..Config::default() }));
    arena
        .configure(Settings {
            max_bytes: Some(32 * 1024),
            on_degraded: Some(OnDegraded::Ignore),
            on_full: Some(OnFull::Seal),
            ..Settings::default()
        })
        .unwrap();
    arena
}

fn kept(arena: &Arc<Arena>, len: usize, byte: u8) -> Result<StoredSecret> {
    storing(|| {
        StoredSecret::new(Secret::filled_in(arena, len, |slot| {
            slot.fill(byte);
            Ok(())
        })?)
    })
}

fn holds(kept: &StoredSecret, len: usize, byte: u8) -> bool {
    kept.len() == len && kept.with(|secret| secret.ct_eq(&vec![byte; len])).unwrap()
}

#[test]
fn what_has_no_room_is_sealed_and_works() {
    let arena = arena();
    let in_slots: Vec<_> = (0..4).map(|_| kept(&arena, 4064, 1).unwrap()).collect();
    assert_eq!((arena.status().live_secrets, arena.status().sealed_secrets), (4, 0));
    for len in [1, 32, 1000, MAX_OVERFLOW_LEN] {
        let sealed = kept(&arena, len, 7).unwrap();
        assert_eq!(format!("{sealed:?}"), format!("Secret({len} bytes, sealed)"));
        let status = arena.status();
        assert_eq!((status.live_secrets, status.sealed_secrets), (4, 1));
        let other = sealed.clone();
        assert!(holds(&sealed, len, 7) && holds(&other, len, 7));
        // Open within open, as when one is compared with another.
        let same = |one: &Secret| other.with(|other| other.ct_eq(one.expose_secret()));
        assert!(sealed.with(same).unwrap().unwrap());
        drop(sealed);
        assert_eq!(arena.status().sealed_secrets, 1);
        drop(other);
        assert_eq!(arena.status().sealed_secrets, 0);
    }
    drop(in_slots);
    assert_eq!(format!("{:?}", kept(&arena, 32, 7).unwrap()), "Secret(32 bytes)");
}

#[test]
fn what_cannot_be_sealed_is_refused() {
    let arena = arena();
    let _in_slots: Vec<_> = (0..4).map(|_| kept(&arena, 4064, 1).unwrap()).collect();
    let refused = kept(&arena, MAX_OVERFLOW_LEN + 1, 1).unwrap_err();
    assert_eq!(refused.code, Code::SecretExhausted);
    assert!(refused.message.contains("4064"), "{refused}");
    // Without a call that says so, nothing is put there: it could stay for ever.
    let lasting = Secret::filled_in(&arena, 32, |_| Ok(()));
    assert_eq!(lasting.unwrap_err().code, Code::SecretExhausted);
    assert_eq!(Locked::new_in(&arena, [0; 4]).unwrap_err().code, Code::SecretExhausted);
    assert_eq!(arena.status().sealed_secrets, 0);
}

#[test]
fn nothing_is_left_in_the_scratch_memory_but_the_key() {
    let arena = arena();
    let _in_slots: Vec<_> = (0..4).map(|_| kept(&arena, 4064, 1).unwrap()).collect();
    let scratch = Arc::clone(arena.overflow().unwrap().scratch());
    let idle = scratch.status();
    assert_eq!(idle.live_secrets, 1);
    let sealed = kept(&arena, 100, 7).unwrap();
    assert_eq!(scratch.status(), idle);
    sealed.with(|_| assert_eq!(scratch.status().live_secrets, 2)).unwrap();
    assert_eq!(scratch.status(), idle);
    let failed =
        storing(|| Secret::filled_in(&arena, 100, |_| Err(Error::new(Code::Random, "no"))));
    assert_eq!(failed.unwrap_err().code, Code::Random);
    assert_eq!(scratch.status(), idle);
}

#[test]
fn a_ciphertext_opens_as_itself_only() {
    let overflow = arena().overflow().unwrap();
    crate::secret::scratch_lock::with_scratch_lock(|turn| {
        let [mut one, mut other] = [7, 8].map(|byte| overflow.seal(&[byte; 32], turn).unwrap());
        assert_ne!(one.ciphertext, other.ciphertext);
        assert!(one.ciphertext.windows(4).all(|window| window != [7; 4]));
        std::mem::swap(&mut one.ciphertext, &mut other.ciphertext);
        assert_eq!(one.open(turn).unwrap_err().code, Code::Internal);
        std::mem::swap(&mut one.ciphertext, &mut other.ciphertext);
        assert!(one.open(turn).unwrap().ct_eq(&[7; 32]));
        for bit in 0..one.ciphertext.len() * 8 {
            one.ciphertext[bit / 8] ^= 1 << (bit % 8);
            assert_eq!(one.open(turn).unwrap_err().code, Code::Internal);
            one.ciphertext[bit / 8] ^= 1 << (bit % 8);
        }
    });
}

#[test]
fn threads_use_sealed_secrets_at_the_same_time() {
    let arena = arena();
    let _in_slots: Vec<_> = (0..4).map(|_| kept(&arena, 4064, 1).unwrap()).collect();
    let shared = kept(&arena, MAX_OVERFLOW_LEN, 9).unwrap();
    thread::scope(|scope| {
        for byte in 1..5 {
            let (arena, shared) = (&arena, &shared);
            scope.spawn(move || {
                let own = kept(arena, MAX_OVERFLOW_LEN, byte).unwrap();
                for _ in 0..200 {
                    let differ = |own: &Secret| {
                        shared.with(|shared| !shared.ct_eq(own.expose_secret())).unwrap()
                    };
                    assert!(own.with(differ).unwrap());
                    assert!(holds(&own, MAX_OVERFLOW_LEN, byte));
                    assert!(holds(&kept(arena, 10, byte).unwrap(), 10, byte));
                }
            });
        }
    });
    assert_eq!(arena.status().sealed_secrets, 1);
}

#[test]
fn the_whole_still_fits_where_it_did() {
    let backend = Some(Backend::Plain);
    let arena = Arena::new(Config { os: &Portable, backend, ..Config::default() });
    let seal = Settings { on_full: Some(OnFull::Seal), ..Settings::default() };
    let max = |bytes| Settings { max_bytes: Some(bytes), ..seal.clone() };
    arena.configure(seal.clone()).unwrap();
    let status = arena.status();
    assert_eq!((status.capacity_bytes, status.live_secrets), (48 * 1024, 0));
    assert_eq!(status.max_bytes, 16 * 1024 * 1024);
    arena.configure(max(20480)).unwrap();
    assert_eq!(arena.status().capacity_bytes, 20480);
    assert_eq!(arena.configure(max(20479)).unwrap_err().code, Code::OutOfRange);
    assert_eq!(arena.status().max_bytes, 20480);
}

#[test]
fn the_end_takes_the_key_with_it() {
    let arena = arena();
    let _in_slots: Vec<_> = (0..4).map(|_| kept(&arena, 4064, 1).unwrap()).collect();
    let sealed = kept(&arena, 32, 7).unwrap();
    let overflow = arena.overflow().unwrap();
    arena.end();
    assert_eq!(sealed.with(|_| ()).unwrap_err().code, Code::SecretDisposed);
    let key = ptr::from_ref::<LessSafeKey>(&overflow.cipher).cast::<u8>();
    // SAFETY: the arena lives, and what was wiped is initialised, padding and all.
    let left = unsafe { slice::from_raw_parts(key, size_of::<LessSafeKey>()) };
    assert!(left.iter().all(|byte| *byte == 0));
}
