//! Revoked keys that are forgotten.

use super::*;

const START: u64 = 1_700_000_000;
const HOUR: u64 = 3600;
/// The default `maxTokenTtl` and the largest tolerance.
const LONGEST_USE: u64 = 24 * HOUR + MAX_CLOCK_TOLERANCE;

/// A key with a name, as an application adds it.
fn named(kid: &str) -> Arc<Key> {
    Arc::new(Key::from_secret(&[7; 32], Algorithm::Hs256, Some(kid)).unwrap())
}

#[test]
fn revoked_keys_do_not_fill_a_ring_for_good() {
    let (ring, clock) = ring();
    let mut revoked = 0;
    for _ in 0..3 * MAX_RING_KEYS / 100 {
        for _ in 0..100 {
            let kid = ring.rotate(true, generate).unwrap();
            ring.revoke(&kid).unwrap();
            revoked += 1;
        }
        clock.advance(Duration::from_secs(6 * HOUR));
    }
    assert!(revoked > 2 * MAX_RING_KEYS);
    clock.advance(Duration::from_secs(2 * LONGEST_USE));
    assert_eq!(ring.tick(0).unwrap().iter().filter(|change| change.to.is_none()).count(), 500);
    assert!(ring.list().unwrap().len() <= 1);
}

#[test]
fn a_revoked_key_is_forgotten_when_its_last_token_has_certainly_expired() {
    let (ring, clock) = ring();
    let kid = ring.rotate(false, generate).unwrap();
    ring.revoke(&kid).unwrap();
    clock.advance(Duration::from_secs(LONGEST_USE + HOUR - 1));
    assert_eq!(ring.tick(0).unwrap(), []);
    assert_eq!(ring.find(Some(&kid), ALGORITHM).unwrap_err(), Rejection::KeyRevoked);
    clock.advance(Duration::from_secs(1));
    // A call that verifies forgets it.
    assert_eq!(ring.find(Some(&kid), ALGORITHM).unwrap_err(), Rejection::KeyNotFound);
    assert_eq!(states(&ring), [KeyState::Next]);
}

#[test]
fn a_clock_that_is_ahead_forgets_no_revoked_key() {
    let (ring, clock) = ring();
    let kid = ring.rotate(false, generate).unwrap();
    ring.revoke(&kid).unwrap();
    // In its first hour, a ring knows no proven time.
    clock.set(START + 40 * LONGEST_USE);
    ring.tick(0).unwrap();
    assert_eq!(states(&ring), [KeyState::Revoked, KeyState::Next]);
    clock.set(START);
    clock.advance(Duration::from_secs(LONGEST_USE));
    ring.tick(0).unwrap();
    clock.set(START + 40 * LONGEST_USE);
    assert_eq!(ring.find(Some(&kid), ALGORITHM).unwrap_err(), Rejection::KeyRevoked);
}

#[test]
fn the_id_of_a_revoked_key_that_was_added_stays_spent_when_the_key_is_forgotten() {
    let (ring, clock) = ring();
    ring.add(&named("mine"), None).unwrap();
    ring.revoke("mine").unwrap();
    clock.advance(Duration::from_secs(LONGEST_USE + HOUR));
    let told = told(&ring.tick(0).unwrap());
    assert_eq!((told, ring.list().unwrap()), (vec!["revoked>".into()], Vec::new()));
    assert_eq!(ring.add(&named("mine"), None).unwrap_err().code, Code::KeyringDuplicate);
    let key = Secret::copy_from(&[7; 32]).unwrap();
    let sealed = ring.seal(&key).unwrap();
    let opened = KeyRing::unseal(&sealed, &key, RingOverrides::default(), clock).unwrap();
    assert_eq!(opened.add(&named("mine"), None).unwrap_err().code, Code::KeyringDuplicate);
    opened.add(&named("another"), None).unwrap();
}

#[test]
fn a_ring_that_looked_for_keys_to_forget_in_vain_does_not_look_at_every_call() {
    let (ring, clock) = ring();
    let kid = ring.rotate(false, generate).unwrap();
    ring.revoke(&kid).unwrap();
    clock.advance(Duration::from_secs(LONGEST_USE + HOUR - 1));
    ring.tick(0).unwrap();
    // The clocks disagree from now on, so that nothing is proven for an hour.
    clock.set(START + 9 * LONGEST_USE);
    clock.advance(Duration::from_secs(1));
    ring.tick(0).unwrap();
    let now = ring.now();
    assert!(ring.due.load(std::sync::atomic::Ordering::Relaxed) > now);
    clock.advance(Duration::from_secs(HOUR));
    ring.tick(0).unwrap();
    assert_eq!(states(&ring), [KeyState::Next]);
}
