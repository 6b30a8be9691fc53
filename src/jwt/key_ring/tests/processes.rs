//! Changes of a ring on a store, as the other processes see them.

use std::cell::Cell;
use std::sync::mpsc;

use super::peers::{DAY, HOUR, START, eddsa, peer, rotating, store_with, two_peers};
use super::*;
use crate::jwt::key_ring::stored::StoredRing;
use crate::store::{Replay, StoreOptions};
use crate::testing::folder::Folder;

/// `jwksMaxAge`, the 30 s of transit, and the longest wait for the store.
const PUBLISHING: u64 = 633;

/// Waits for a change that another thread makes.
fn until(is_done: impl Fn() -> bool) {
    let begun = std::time::Instant::now();
    while !is_done() {
        assert!(begun.elapsed() < Duration::from_secs(60), "it never happened");
        std::thread::sleep(Duration::from_millis(1));
    }
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
fn a_rotation_that_another_process_overtakes_after_the_longest_wait_has_its_key() {
    let folder = Folder::new();
    let busy = Duration::from_millis(1);
    let store = store_with(&folder.path("store"), StoreOptions { busy, ..StoreOptions::default() });
    let clock = Arc::new(ManualClock::at(START));
    let one = StoredRing::new(false).open(&store, &eddsa(), clock.clone()).unwrap();
    let other = peer(&store, &clock);
    let is_first = Cell::new(true);
    let kid = one.rotate(true, || {
        if is_first.take() {
            other.rotate(true, generate).unwrap();
            std::thread::sleep(store.patience());
        }
        generate()
    });
    assert_eq!(kid.unwrap(), other.signing_key().unwrap().kid());
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
