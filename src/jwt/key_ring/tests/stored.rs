//! Rings on a store. Several `StoredRing`s on one store know nothing of each other, as if they were
//! in several processes.

use std::path::Path;
use std::sync::mpsc;

use super::*;
use crate::jwt::key_ring::stored::StoredRing;
use crate::store::{Batch, Expected, RecordChange, Replay, Store, StoreOptions};
use crate::testing::folder::Folder;

pub(super) const START: u64 = 1_700_000_000;
const HOUR: u64 = 3600;
const DAY: u64 = 24 * HOUR;
/// `jwksMaxAge`, the 30 s of transit, and the longest wait for the store.
const PUBLISHING: u64 = 633;

pub(super) fn store_at(path: &Path) -> Arc<Store> {
    let key = Secret::copy_from(&[7; 32]).unwrap();
    let make = || Box::new(StoredRing::new(false)) as _;
    Arc::new(Store::open(path, &key, StoreOptions::default(), make).unwrap())
}

/// The ring as another process has it.
pub(super) fn peer(store: &Store, clock: &Arc<ManualClock>) -> Arc<KeyRing> {
    StoredRing::new(false).open(store, &RingOverrides::default(), clock.clone()).unwrap()
}

/// A new store, and the ring of two processes that begin with these options.
pub(super) fn two_peers(
    folder: &Folder,
    given: &RingOverrides,
) -> (Arc<Store>, Arc<ManualClock>, [Arc<KeyRing>; 2]) {
    let store = store_at(&folder.path("store"));
    let clock = Arc::new(ManualClock::at(START));
    let one = StoredRing::new(false).open(&store, given, clock.clone()).unwrap();
    let other = peer(&store, &clock);
    (store, clock, [one, other])
}

fn eddsa() -> RingOverrides {
    RingOverrides { algorithm: Some(ALGORITHM), ..RingOverrides::default() }
}

fn rotating() -> RingOverrides {
    RingOverrides { rotate_every: Some(HOUR), ..eddsa() }
}

/// Waits for a change that another thread makes.
fn until(is_done: impl Fn() -> bool) {
    let begun = std::time::Instant::now();
    while !is_done() {
        assert!(begun.elapsed() < Duration::from_secs(60), "it never happened");
        std::thread::sleep(Duration::from_millis(1));
    }
}

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
fn a_revoked_key_is_refused_by_every_process_once_the_call_returns() {
    let folder = Folder::new();
    let (_store, _, [one, other]) = two_peers(&folder, &eddsa());
    let kid = one.signing_key().unwrap().kid().to_owned();
    let epoch = other.epoch();
    one.revoke(&kid).unwrap();
    assert_eq!(other.find(Some(&kid), ALGORITHM).unwrap_err(), Rejection::KeyRevoked);
    assert_ne!(other.epoch(), epoch, "verifiers drop what they remember");
    assert_eq!(other.signing_key().unwrap_err().code, Code::KeyringNoActiveKey);
    assert!(!other.jwks().unwrap().body.contains(&kid));
    other.revoke(&kid).unwrap();
    assert_eq!(one.revoke("no such key").unwrap_err().code, Code::KeyringUnknownKey);
    let key = Arc::new(Key::from_secret(&[7; 32], Algorithm::Hs256, Some(&kid)).unwrap());
    assert_eq!(other.add(&key, None).unwrap_err().code, Code::KeyringDuplicate);
}

#[test]
fn processes_that_tick_at_once_rotate_once() {
    let folder = Folder::new();
    let (store, clock, [one, other]) = two_peers(&folder, &rotating());
    let mut rings = vec![one, other];
    rings.extend((0..6).map(|_| peer(&store, &clock)));
    for round in 1..=5 {
        clock.advance(Duration::from_secs(HOUR));
        let changes: Vec<_> = std::thread::scope(|scope| {
            let tick = |ring: &Arc<KeyRing>| {
                let ring = ring.clone();
                scope.spawn(move || ring.tick(0).unwrap())
            };
            let ticks: Vec<_> = rings.iter().map(tick).collect();
            ticks.into_iter().map(|tick| tick.join().unwrap()).collect()
        });
        let made: Vec<_> = changes.iter().filter(|changes| !changes.is_empty()).collect();
        assert_eq!(made.len(), 1);
        assert_eq!(told(made[0]), ["active>retired", "next>active", ">next"]);
        let jwks = rings[0].jwks().unwrap();
        assert_eq!(jwks.body.matches("\"kid\"").count(), round + 2);
        assert!(rings.iter().all(|ring| ring.jwks().unwrap() == jwks));
    }
}

#[test]
fn a_rotation_that_another_process_has_made_since_is_not_made_again() {
    let folder = Folder::new();
    let (_store, clock, [one, other]) = two_peers(&folder, &eddsa());
    for force in [true, false] {
        clock.advance(Duration::from_secs(HOUR));
        let kid = one.rotate(force, generate).unwrap();
        assert_eq!(other.rotate(force, || unreachable!("in vain")).unwrap(), kid);
        assert_eq!(other.list().unwrap(), one.list().unwrap());
        assert_eq!(other.signing_key().unwrap().kid(), kid);
    }
    // It has seen that rotation now.
    assert_eq!(other.rotate(false, generate).unwrap_err().code, Code::KeyringNotPublished);
    let forced = other.rotate(true, generate).unwrap();
    // A key that was only revoked since does not stand for a rotation.
    let kid = other.signing_key().unwrap().kid().to_owned();
    assert_eq!(kid, forced);
    one.list().unwrap();
    other.revoke(&kid).unwrap();
    let next = one.rotate(true, generate).unwrap();
    assert_ne!(next, kid);
    assert_eq!(other.jwks(), one.jwks());
}

#[test]
fn a_key_is_published_as_long_as_on_no_store_and_as_long_as_the_store_may_take() {
    let folder = Folder::new();
    let (_store, clock, [one, other]) = two_peers(&folder, &eddsa());
    assert_eq!(one.rotate(false, generate).unwrap_err(), not_published_for(PUBLISHING));
    clock.advance(Duration::from_secs(PUBLISHING));
    assert!(other.rotate(false, generate).is_ok());
}

#[test]
fn a_rotation_that_is_due_is_made_elsewhere_and_the_present_key_signs_meanwhile() {
    let folder = Folder::new();
    let (_store, clock, [one, other]) = two_peers(&folder, &rotating());
    let (active, next) = (one.list().unwrap()[0].kid.clone(), one.list().unwrap()[1].kid.clone());
    clock.advance(Duration::from_secs(HOUR));
    one.catch_up(clock.unix_seconds()).unwrap();
    let kid = one.signing_key().unwrap().kid().to_owned();
    assert!([&active, &next].contains(&&kid));
    until(|| other.list().unwrap().len() == 3);
    assert_eq!(other.signing_key().unwrap().kid(), next);
    assert_eq!(states(&one), [KeyState::Retired, KeyState::Active, KeyState::Next]);
    assert!(other.find(Some(&active), ALGORITHM).is_ok());
    // The other process does not do it again.
    other.catch_up(clock.unix_seconds()).unwrap();
    assert_eq!(other.tick(0).unwrap(), []);
}

#[test]
fn rsa_keys_of_a_ring_on_a_store_are_made_on_another_thread() {
    let folder = Folder::new();
    let given = RingOverrides { algorithm: Some(Algorithm::Rs256), ..rotating() };
    let (_store, clock, [one, other]) = two_peers(&folder, &given);
    clock.advance(Duration::from_secs(HOUR));
    assert_eq!(told(&one.tick(0).unwrap()), ["active>retired", "next>active"]);
    assert_eq!(states(&other)[..2], [KeyState::Retired, KeyState::Active]);
    until(|| states(&other).last() == Some(&KeyState::Next));
    assert_eq!(one.list().unwrap(), other.list().unwrap());
}

#[test]
fn the_period_is_changed_for_every_process() {
    let folder = Folder::new();
    let (store, clock, [one, other]) = two_peers(&folder, &eddsa());
    assert_eq!(one.configure(Some(600)).unwrap_err().code, Code::OutOfRange);
    one.configure(Some(HOUR)).unwrap();
    other.list().unwrap();
    assert_eq!(other.options().rotate_every, Some(HOUR));
    clock.advance(Duration::from_secs(HOUR));
    assert_eq!(other.tick(0).unwrap().len(), 3);
    other.configure(None).unwrap();
    one.list().unwrap();
    assert_eq!(one.options().rotate_every, None);
    let transactions = store.stats().unwrap().transactions;
    one.configure(None).unwrap();
    assert_eq!(store.stats().unwrap().transactions, transactions, "nothing was changed");
    clock.advance(Duration::from_secs(HOUR));
    assert_eq!(one.tick(0).unwrap(), []);
    assert_eq!(peer(&store, &clock).options(), one.options());
}

#[test]
fn listeners_of_every_process_hear_each_change_once() {
    let folder = Folder::new();
    let (store, clock, [one, other]) = two_peers(&folder, &eddsa());
    let hear = |ring: &Arc<KeyRing>| {
        let (tell, heard) = mpsc::channel();
        let tell = std::sync::Mutex::new(tell);
        ring.listen(Box::new(move |changes| tell.lock().unwrap().send(changes.to_vec()).is_ok()));
        heard
    };
    let (own, remote) = (hear(&one), hear(&other));
    let kid = one.rotate(true, generate).unwrap();
    let rotated = ["active>retired", "next>active", ">next"];
    assert_eq!(told(&own.try_recv().unwrap()), rotated);
    other.jwks().unwrap();
    let changes = remote.try_recv().unwrap();
    assert_eq!(told(&changes), rotated);
    assert_eq!(changes[1].kid, kid);
    // A process that missed some hears of their sum.
    let stored = StoredRing::new(false);
    let looking = stored.open(&store, &RingOverrides::default(), clock.clone()).unwrap();
    let looked = hear(&looking);
    one.rotate(true, generate).unwrap();
    one.revoke(&kid).unwrap();
    clock.advance(Duration::from_secs(2 * DAY + HOUR));
    one.tick(0).unwrap();
    stored.looked();
    let sum = ["retired>", "active>", "next>active", ">next"];
    assert_eq!(told(&looked.try_recv().unwrap()), sum);
    assert!(looked.try_recv().is_err() && remote.try_recv().is_err());
    other.tick(0).unwrap();
    assert_eq!(told(&remote.try_recv().unwrap()), sum);
    assert!(remote.try_recv().is_err());
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
