//! Opening the ring of a store, its record, and a store that is closed.

use super::peers::{DAY, HOUR, START, eddsa, peer, rotating, store_at, two_peers};
use super::*;
use crate::jwt::key_ring::stored::StoredRing;
use crate::store::{Batch, Expected, RecordChange, Store};
use crate::testing::folder::Folder;

#[test]
fn a_new_store_has_a_ring_that_signs_and_every_process_has_the_same() {
    let folder = Folder::new();
    let (store, clock, [one, other]) = two_peers(&folder, &eddsa());
    assert_eq!(states(&one), [KeyState::Active, KeyState::Next]);
    assert_eq!(one.list().unwrap(), other.list().unwrap());
    assert_eq!(one.jwks().unwrap(), other.jwks().unwrap());
    let key = one.signing_key().unwrap();
    let mut signature = Vec::new();
    key.sign_into(b"message", &mut signature).unwrap();
    let (verifying, _) = other.find(Some(key.kid()), ALGORITHM).unwrap();
    assert!(verifying.verifies(b"message", &signature));
    // The ring was made in one transaction.
    assert_eq!(store.stats().unwrap().transactions, 1);
    let list = one.list().unwrap();
    store.close();
    let again = store_at(&folder.path("store"));
    assert_eq!(peer(&again, &clock).list().unwrap(), list);
}

#[test]
fn threads_that_open_a_store_at_once_make_one_ring() {
    let folder = Folder::new();
    let store = store_at(&folder.path("store"));
    let clock = Arc::new(ManualClock::at(START));
    let rings: Vec<_> = std::thread::scope(|scope| {
        let open = |_| scope.spawn(|| peer(&store, &clock));
        (0..8).map(open).collect::<Vec<_>>().into_iter().map(|ring| ring.join().unwrap()).collect()
    });
    assert_eq!(store.stats().unwrap().records, 1);
    assert!(rings.iter().all(|ring| ring.list().unwrap() == rings[0].list().unwrap()));
}

#[test]
fn an_option_that_is_not_the_rings_is_refused_by_name_and_a_missing_one_is_the_rings() {
    let folder = Folder::new();
    let (store, clock, [one, _]) = two_peers(&folder, &rotating());
    let others = [
        ("alg", RingOverrides { algorithm: Some(Algorithm::Es256), ..RingOverrides::default() }),
        ("maxTokenTtl", RingOverrides { max_token_ttl: Some(60), ..eddsa() }),
        ("jwksMaxAge", RingOverrides { jwks_max_age: Some(0), ..eddsa() }),
        ("rotateEvery", RingOverrides { rotate_every: Some(DAY), ..eddsa() }),
    ];
    for (name, given) in others {
        let stored = StoredRing::new(false);
        for _ in 0..2 {
            let error = stored.open(&store, &given, clock.clone()).err().unwrap();
            assert_eq!(error.code, Code::InvalidArgValue);
            assert!(error.message.starts_with(name), "{error}");
        }
        assert_eq!(
            stored.open(&store, &rotating(), clock.clone()).unwrap().options(),
            one.options()
        );
    }
    assert_eq!(one.options().rotate_every, Some(HOUR));
    let bad = RingOverrides { rotate_every: Some(600), ..eddsa() };
    let new = store_at(&folder.path("new"));
    let error = StoredRing::new(false).open(&new, &bad, clock).err().unwrap();
    assert_eq!((error.code, new.stats().unwrap().records), (Code::OutOfRange, 0));
}

#[test]
fn a_ring_of_a_closed_store_refuses_every_call_and_has_no_keys() {
    let folder = Folder::new();
    let path = folder.path("store");
    let store = store_at(&path);
    let clock = Arc::new(ManualClock::at(START));
    let open = |store: &Store| {
        let state = store.state::<StoredRing>().unwrap();
        state.open(store, &rotating(), clock.clone())
    };
    let ring = open(&store).unwrap();
    assert!(Arc::ptr_eq(&ring, &open(&store).unwrap()));
    let key = Arc::downgrade(&ring.signing_key().unwrap());
    let kid = ring.list().unwrap()[0].kid.clone();
    let again = store_at(&path);
    assert!(Arc::ptr_eq(&ring, &open(&again).unwrap()));
    again.close();
    assert!(ring.list().is_ok());
    store.close();
    assert!(key.upgrade().is_none());
    clock.advance(Duration::from_secs(HOUR));
    let codes = [
        ring.catch_up(clock.unix_seconds()).unwrap_err().code,
        ring.jwks().unwrap_err().code,
        ring.list().unwrap_err().code,
        ring.tick(0).unwrap_err().code,
        ring.revoke(&kid).unwrap_err().code,
        ring.rotate(true, generate).unwrap_err().code,
        ring.configure(None).unwrap_err().code,
        ring.seal(&Secret::copy_from(&[7; 32]).unwrap()).unwrap_err().code,
        open(&store).err().unwrap().code,
    ];
    assert_eq!(codes, [Code::StoreClosed; 9]);
    assert_eq!(ring.find(Some(&kid), ALGORITHM).unwrap_err(), Rejection::KeyringStore);
    let reopened = store_at(&path);
    assert_eq!(open(&reopened).unwrap().list().unwrap()[0].kid, kid);
}

/// An issuer may have the ring when nobody else has it or the store any more.
#[test]
fn a_store_without_handles_stays_open_for_its_ring() {
    let folder = Folder::new();
    let path = folder.path("store");
    let clock = Arc::new(ManualClock::at(START));
    let open = || {
        let store = store_at(&path);
        let ring = store.state::<StoredRing>().unwrap().open(&store, &eddsa(), clock.clone());
        ring.unwrap()
    };
    let ring = open();
    assert!(Arc::ptr_eq(&ring, &open()));
    assert!(ring.rotate(true, generate).is_ok());
}

#[test]
fn only_a_proven_time_forgets_keys_of_a_store_and_it_survives_a_restart() {
    let folder = Folder::new();
    let (store, clock, [one, _]) = two_peers(&folder, &eddsa());
    let retired = one.signing_key().unwrap().kid().to_owned();
    one.rotate(true, generate).unwrap();
    // A process that starts under a clock that is ahead, after the machine was started again, has
    // nothing but that clock.
    let ahead = Arc::new(ManualClock::at(START + 400 * DAY));
    let wrong = peer(&store, &ahead);
    assert_eq!(wrong.tick(0).unwrap(), []);
    assert_eq!(wrong.find(Some(&retired), ALGORITHM).unwrap_err(), Rejection::KeyNotFound);
    assert!(one.find(Some(&retired), ALGORITHM).is_ok());
    // One hour of both clocks proves the time.
    clock.advance(Duration::from_secs(DAY + MAX_CLOCK_TOLERANCE + HOUR));
    one.configure(Some(30 * DAY)).unwrap();
    assert_eq!(told(&one.tick(0).unwrap()), ["retired>"]);
    one.revoke(&one.list().unwrap()[1].kid).unwrap();
    clock.advance(Duration::from_secs(2 * DAY));
    // A new process goes on with the time that the last one has proven.
    let new = peer(&store, &clock);
    assert!(told(&new.tick(0).unwrap()).contains(&"revoked>".to_owned()));
}

/// The record that the first release with rings on a store wrote, under the key of these tests.
#[test]
fn the_record_of_the_first_release_opens() {
    let folder = Folder::new();
    let store = store_at(&folder.path("store"));
    let hex: String = include_str!("record.hex").split_whitespace().collect();
    let value = base16ct::lower::decode_vec(hex).unwrap();
    let records = vec![RecordChange {
        name: b"keyring/ring".to_vec(),
        expected: Expected::Absent,
        value: Some(value.into()),
    }];
    let batch = Batch { records, ..Batch::default() };
    store.commit_and_wait(batch, store.patience()).unwrap();
    let clock = Arc::new(ManualClock::at(START + DAY + 2 * HOUR));
    let ring = peer(&store, &clock);
    assert_eq!(
        ring.options(),
        RingOptions { algorithm: ALGORITHM, rotate_every: Some(DAY), ..RingOptions::default() }
    );
    let keys = ring.list().unwrap();
    let expected = [
        ("4Eb1Hnn4es7xitgGus0mG1uluyTjPIck2AE6bYcqQJI", ALGORITHM, KeyState::Retired),
        ("nB-ZBpDMRq6-sQn24l9ltXz0ud_9ehUy56qvdRgOa8M", ALGORITHM, KeyState::Active),
        ("revoked", Algorithm::Hs256, KeyState::Revoked),
        ("secret", Algorithm::Hs256, KeyState::Retired),
        ("20DYm8sK_N1oB5lw8bGh4_J__tL-UZvlsEEQIAnqEI8", ALGORITHM, KeyState::Next),
    ];
    let found: Vec<_> = keys.iter().map(|info| (&*info.kid, info.algorithm, info.state)).collect();
    assert_eq!(found, expected);
    assert!(keys.iter().all(|info| info.since == START + DAY + 2 * HOUR));
    let (mut signature, key) = (Vec::new(), ring.signing_key().unwrap());
    key.sign_into(b"message", &mut signature).unwrap();
    assert!(ring.find(Some(key.kid()), ALGORITHM).unwrap().0.verifies(b"message", &signature));
    assert!(ring.find(Some(expected[0].0), ALGORITHM).is_ok());
    for kid in ["spent", "revoked", "secret"] {
        let key = Key::from_secret(&[9; 32], Algorithm::Hs256, Some(kid)).unwrap();
        assert_eq!(ring.add(&Arc::new(key), None).unwrap_err().code, Code::KeyringDuplicate);
    }
}
