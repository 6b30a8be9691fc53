//! Rings under a clock that is wrong, rings that are full, and the limits of a period.

use super::*;
use crate::testing::allocations::out_of_memory;

const START: u64 = 1_700_000_000;
const HOUR: u64 = 3600;
const DAY: u64 = 24 * HOUR;

fn ring(rotate_every: Option<u64>) -> (Arc<KeyRing>, Arc<ManualClock>) {
    let clock = Arc::new(ManualClock::at(START));
    let options = RingOptions { algorithm: ALGORITHM, rotate_every, ..RingOptions::default() };
    (KeyRing::new(options, clock.clone()).unwrap(), clock)
}

fn states(ring: &KeyRing) -> Vec<(KeyState, u64)> {
    ring.list().unwrap().iter().map(|info| (info.state, info.since - START)).collect()
}

#[test]
fn a_clock_that_was_ahead_does_no_lasting_harm() {
    let (ring, clock) = ring(Some(30 * DAY));
    clock.set(4_000_000_000);
    ring.catch_up(clock.unix_seconds()).unwrap();
    clock.advance(Duration::from_secs(31 * DAY));
    ring.catch_up(clock.unix_seconds()).unwrap();
    let retired = ring.list().unwrap()[0].kid.clone();
    let (_, until) = ring.find(Some(&retired), ALGORITHM).unwrap();
    assert!(until > 4_000_000_000);

    clock.set(START);
    let epoch = ring.epoch();
    ring.catch_up(clock.unix_seconds()).unwrap();
    assert_eq!(ring.epoch(), epoch, "the clock may be wrong now, and right before");
    clock.advance(Duration::from_secs(HOUR));
    ring.catch_up(clock.unix_seconds()).unwrap();
    assert_ne!(ring.epoch(), epoch, "verifiers remember until when a key verifies");
    let states = states(&ring);
    let since = HOUR;
    let corrected = [KeyState::Retired, KeyState::Active, KeyState::Next];
    assert_eq!(states, corrected.map(|state| (state, since)));
    let (_, until) = ring.find(Some(&retired), ALGORITHM).unwrap();
    assert_eq!(until, START + HOUR + DAY + MAX_CLOCK_TOLERANCE);
    clock.advance(Duration::from_secs(630));
    let next = ring.list().unwrap()[2].kid.clone();
    assert_eq!(ring.rotate(false, generate).unwrap(), next);
}

#[test]
fn a_clock_that_is_wrong_for_some_calls_forgets_and_promotes_no_key() {
    for wrong in [START + 40 * DAY, START + 37 * HOUR, START - 40 * DAY, 1] {
        let (ring, clock) = ring(Some(12 * HOUR));
        ring.tick(0).unwrap();
        clock.advance(Duration::from_secs(12 * HOUR));
        ring.tick(0).unwrap();
        let before = ring.list().unwrap();
        let retired = before[0].kid.clone();
        assert_eq!(before[0].state, KeyState::Retired);
        clock.set(wrong);
        ring.catch_up(wrong).unwrap();
        ring.jwks().unwrap();
        assert_eq!(ring.tick(wrong).unwrap(), []);
        let error = ring.rotate(false, generate).unwrap_err();
        assert_eq!(error.code, Code::KeyringNotPublished, "{wrong}");
        let is_ahead = wrong > START + 12 * HOUR;
        assert_eq!(ring.find(Some(&retired), ALGORITHM).is_err(), is_ahead, "{wrong}");
        assert_eq!(ring.list().unwrap(), before, "{wrong}");
        clock.set(START + 12 * HOUR);
        assert!(ring.find(Some(&retired), ALGORITHM).is_ok(), "{wrong}");
        clock.advance(Duration::from_secs(DAY + MAX_CLOCK_TOLERANCE));
        ring.tick(0).unwrap();
        assert!(ring.list().unwrap().iter().all(|info| info.kid != retired), "{wrong}");
    }
}

#[test]
fn looking_ahead_is_corrected_by_whoever_comes_next() {
    for next in [
        |ring: &KeyRing| drop(ring.jwks().unwrap()),
        |ring: &KeyRing| drop(ring.rotate(false, generate)),
        |ring: &KeyRing| drop(ring.find(None, ALGORITHM)),
        |ring: &KeyRing| drop(ring.tick(START).unwrap()),
    ] {
        let (ring, _) = ring(Some(30 * DAY));
        ring.tick(4_000_000_000).unwrap();
        next(&ring);
        assert_eq!(states(&ring), [(KeyState::Active, 0), (KeyState::Next, 0)]);
    }
}

#[test]
fn the_past_is_the_present() {
    let (ring, _) = ring(Some(30 * DAY));
    assert_eq!(
        ring.tick(0).unwrap().iter().map(|change| change.at).collect::<Vec<_>>(),
        [START; 2]
    );
    ring.jwks().unwrap();
    assert_eq!(states(&ring), [(KeyState::Active, 0), (KeyState::Next, 0)]);
}

#[test]
fn a_key_is_published_when_it_has_been_made() {
    let (ring, clock) = ring(None);
    ring.add(&Arc::new(generate().unwrap()), None).unwrap();
    let slowly = || {
        clock.advance(Duration::from_secs(5));
        generate()
    };
    ring.rotate(false, slowly).unwrap();
    assert_eq!(states(&ring), [(KeyState::Active, 0), (KeyState::Next, 5)]);
}

#[test]
fn a_ring_is_full_of_a_thousand_keys() {
    let (ring, clock) = ring(None);
    let (first, key) = (generate().unwrap(), generate().unwrap());
    let revoked = first.kid().to_owned();
    ring.add(&Arc::new(first), None).unwrap();
    ring.revoke(&revoked).unwrap();
    let add = |number: usize| {
        let key = Key::from_public_jwk(&key.public_jwk()?, ALGORITHM, Some(&number.to_string()));
        Some(ring.add(&Arc::new(key.unwrap()), Some(KeyState::Retired)).map_err(|e| e.code))
    };
    for number in 2..MAX_RING_KEYS {
        assert_eq!(add(number), Some(Ok(())), "{number}");
    }
    // A ring without an active key needs room for two keys: an active one and a next one.
    let full = |result: Result<String>| result.unwrap_err().code == Code::KeyringFull;
    assert!(full(ring.rotate(false, || unreachable!("it would be in vain"))));
    assert_eq!(add(MAX_RING_KEYS), Some(Ok(())));
    assert_eq!(add(MAX_RING_KEYS + 1), Some(Err(Code::KeyringFull)));
    assert!(ring.seal(&crate::secret::Secret::copy_from(&[7; 32]).unwrap()).is_ok());
    // Forgotten keys make room, the revoked one among them.
    clock.advance(Duration::from_secs(2 * DAY));
    assert!(ring.rotate(false, generate).is_ok());
    assert_eq!(states(&ring), [(KeyState::Active, 2 * DAY), (KeyState::Next, 2 * DAY)]);
}

#[test]
fn a_full_ring_that_rotates_by_time_goes_on_when_there_is_room() {
    let (ring, clock) = ring(Some(DAY));
    let key = generate().unwrap();
    for number in 0..MAX_RING_KEYS {
        let jwk = key.public_jwk().unwrap();
        let key = Key::from_public_jwk(&jwk, ALGORITHM, Some(&number.to_string())).unwrap();
        ring.add(&Arc::new(key), Some(KeyState::Retired)).unwrap();
    }
    assert_eq!(ring.tick(START).unwrap(), []);
    clock.advance(Duration::from_secs(2 * DAY));
    assert_eq!(ring.jwks().unwrap().body.matches("\"kid\"").count(), 2);
}

#[test]
fn a_key_without_memory_is_refused_and_the_ring_stays_as_it_was() {
    let (ring, clock) = ring(None);
    let key = generate().unwrap();
    let jwk = key.public_jwk().unwrap();
    let mut refused = 0;
    for number in 0..MAX_RING_KEYS {
        let key = Key::from_public_jwk(&jwk, ALGORITHM, Some(&number.to_string())).unwrap();
        let (key, before) = (Arc::new(key), (ring.list().unwrap(), ring.epoch()));
        let added = out_of_memory(4096, 0, || ring.add(&key, Some(KeyState::Retired)));
        if let Err(error) = added {
            assert_eq!(error.code, Code::KeyringFull);
            assert_eq!((ring.list().unwrap(), ring.epoch()), before);
            ring.add(&key, Some(KeyState::Retired)).unwrap();
            refused += 1;
        }
    }
    assert!(refused > 2, "{refused}");
    // Keys that cannot be reported as forgotten are forgotten later, and verify nothing meanwhile.
    clock.advance(Duration::from_secs(2 * DAY));
    assert_eq!(out_of_memory(4096, 0, || ring.tick(START).unwrap()), []);
    assert!(ring.find(Some("0"), ALGORITHM).is_err());
    assert_eq!(ring.list().unwrap(), []);
}

#[test]
fn a_period_is_longer_than_publishing_and_leaves_room_for_what_has_signed() {
    let made = |rotate_every, jwks_max_age| {
        let options = RingOptions {
            rotate_every: Some(rotate_every),
            jwks_max_age,
            ..RingOptions::default()
        };
        KeyRing::new(options, Arc::new(ManualClock::at(0))).err().map(|error| error.code)
    };
    assert_eq!(made(600, 600), Some(Code::OutOfRange));
    assert_eq!(made(601, 600), None);
    // A day and five minutes, divided by 900.
    assert_eq!(made(96, 0), Some(Code::OutOfRange));
    assert_eq!(made(97, 0), None);
}
