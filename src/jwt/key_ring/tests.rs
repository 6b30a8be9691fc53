mod forgetting;
mod limits;
mod model;
mod peers;
mod plain_model;
mod processes;
mod sealed;
mod server;
mod stored;

use std::sync::Arc;
use std::time::Duration;

use secrecy::ExposeSecret;

use super::jwks::Jwks;
use super::options::{MAX_RING_KEYS, RingOptions, RingOverrides};
use super::ring::KeyRing;
use super::state::{KeyChange, KeyInfo, KeyState};
use crate::clock::{Clock, ManualClock};
use crate::error::{Code, Error, Result};
use crate::jwt::algorithm::Algorithm;
use crate::jwt::key::key::Key;
use crate::jwt::token::rejection::Rejection;
use crate::revocation::MAX_CLOCK_TOLERANCE;
use crate::secret::{SealKind, Secret};

const ALGORITHM: Algorithm = Algorithm::EdDsa;

fn generate() -> Result<Key> {
    Key::generate(ALGORITHM, None, None)
}

fn ring() -> (Arc<KeyRing>, Arc<ManualClock>) {
    let clock = Arc::new(ManualClock::at(1_700_000_000));
    let options = RingOptions { algorithm: ALGORITHM, ..RingOptions::default() };
    (KeyRing::new(options, clock.clone()).unwrap(), clock)
}

fn states(ring: &KeyRing) -> Vec<KeyState> {
    ring.list().unwrap().iter().map(|info| info.state).collect()
}

fn rotating(algorithm: Algorithm) -> (Arc<KeyRing>, Arc<ManualClock>) {
    let clock = Arc::new(ManualClock::at(1_700_000_000));
    let options = RingOptions { algorithm, rotate_every: Some(3600), ..RingOptions::default() };
    (KeyRing::new(options, clock.clone()).unwrap(), clock)
}

fn not_published_for(seconds: u64) -> Error {
    Error::new(
        Code::KeyringNotPublished,
        format!(
            "the next key must be published for jwksMaxAge and 30 s before it signs: rotate again \
             in {seconds} s, or pass force: true if no verifier caches the JWKS"
        ),
    )
}

/// The changes, as `from>to`.
fn told(changes: &[KeyChange]) -> Vec<String> {
    let name = |state: Option<KeyState>| state.map_or("", KeyState::name);
    changes.iter().map(|change| format!("{}>{}", name(change.from), name(change.to))).collect()
}

#[test]
fn an_empty_ring_cannot_sign_and_publishes_nothing() {
    let (ring, _) = ring();
    assert_eq!(ring.signing_key().unwrap_err().code, Code::KeyringNoActiveKey);
    assert_eq!(ring.jwks().unwrap().body, r#"{"keys":[]}"#);
}

#[test]
fn rotation_publishes_before_use_and_keeps_what_still_verifies() {
    let (ring, clock) = ring();
    let first = ring.rotate(false, generate).unwrap();
    assert_eq!(states(&ring), [KeyState::Active, KeyState::Next]);
    assert_eq!(ring.signing_key().unwrap().kid(), first);
    let next = ring.list().unwrap()[1].kid.clone();
    assert!(ring.jwks().unwrap().body.contains(&next));

    let early = ring.rotate(false, generate).unwrap_err();
    assert_eq!(early, not_published_for(630));
    // A set without the key may have been in transit when the key was published.
    clock.advance(Duration::from_secs(629));
    assert_eq!(ring.rotate(false, generate).unwrap_err(), not_published_for(1));
    clock.advance(Duration::from_secs(1));
    assert_eq!(ring.rotate(false, generate).unwrap(), next);
    assert_eq!(states(&ring), [KeyState::Retired, KeyState::Active, KeyState::Next]);

    assert!(ring.find(Some(&first), ALGORITHM).is_ok());
    clock.advance(Duration::from_secs(24 * 3600 + MAX_CLOCK_TOLERANCE - 1));
    assert!(ring.jwks().unwrap().body.contains(&first));
    assert_eq!(ring.jwks().unwrap().max_age, 1);
    clock.advance(Duration::from_secs(1));
    assert_eq!(ring.find(Some(&first), ALGORITHM).unwrap_err(), Rejection::KeyNotFound);
    assert!(!ring.jwks().unwrap().body.contains(&first));
    assert_eq!(ring.jwks().unwrap().max_age, 600);
}

/// A verifier that fetches the set at any moment, and keeps it for as long as the set says and a
/// little longer for the transit, knows the key of every token.
#[test]
fn a_cached_set_has_every_key_that_signs() {
    let (ring, clock) = rotating(ALGORITHM);
    let mut cached: Option<(String, u64)> = None;
    let mut kids = std::collections::BTreeSet::new();
    for _ in 0..4000 {
        let now = clock.unix_seconds();
        cached = cached.filter(|(_, until)| now < *until);
        let (known, _) = cached.get_or_insert_with(|| {
            let Jwks { body, max_age, .. } = ring.jwks().unwrap();
            (body, now + max_age + 30)
        });
        ring.catch_up(now).unwrap();
        let kid = ring.signing_key().unwrap().kid().to_owned();
        assert!(known.contains(&kid), "{now}");
        kids.insert(kid);
        clock.advance(Duration::from_secs(7));
    }
    assert_eq!(kids.len(), 8);
}

#[test]
fn an_empty_set_is_not_cached_since_the_first_key_signs_at_once() {
    let (ring, _) = ring();
    assert_eq!(ring.jwks().unwrap().max_age, 0);
    ring.rotate(false, generate).unwrap();
    assert_eq!(ring.jwks().unwrap().max_age, 600);
    for info in ring.list().unwrap() {
        ring.revoke(&info.kid).unwrap();
    }
    assert_eq!(ring.jwks().unwrap().max_age, 0);
}

#[test]
fn a_forced_rotation_signs_with_a_new_key_at_once() {
    let (ring, _) = ring();
    ring.add(&Arc::new(generate().unwrap()), None).unwrap();
    let old = ring.signing_key().unwrap().kid().to_owned();
    assert_eq!(ring.rotate(false, generate).unwrap(), old);
    let forced = ring.rotate(true, generate).unwrap();
    assert_ne!(forced, old);
    assert_eq!(states(&ring), [KeyState::Retired, KeyState::Active, KeyState::Next]);
}

#[test]
fn a_revoked_key_is_refused_and_its_id_is_spent() {
    let (ring, _) = ring();
    let key = Arc::new(generate().unwrap());
    ring.add(&key, None).unwrap();
    let epoch = ring.epoch();
    ring.revoke(key.kid()).unwrap();
    assert_ne!(ring.epoch(), epoch);
    assert_eq!(ring.find(Some(key.kid()), ALGORITHM).unwrap_err(), Rejection::KeyRevoked);
    assert_eq!(ring.find(None, ALGORITHM).unwrap_err(), Rejection::Nameless);
    assert_eq!(ring.jwks().unwrap().body, r#"{"keys":[]}"#);
    assert_eq!(ring.add(&key, None).unwrap_err().code, Code::KeyringDuplicate);
    assert_eq!(ring.revoke("no such key").unwrap_err().code, Code::KeyringUnknownKey);
}

#[test]
fn without_kid_only_an_only_key_is_found() {
    let (ring, _) = ring();
    ring.add(&Arc::new(generate().unwrap()), None).unwrap();
    assert!(ring.find(None, ALGORITHM).is_ok());
    assert_eq!(ring.find(None, Algorithm::Rs256).unwrap_err(), Rejection::Nameless);
    ring.add(&Arc::new(generate().unwrap()), None).unwrap();
    assert_eq!(ring.find(None, ALGORITHM).unwrap_err(), Rejection::Nameless);
}

#[test]
fn a_key_is_not_used_with_another_algorithm() {
    let (ring, _) = ring();
    let key = Arc::new(generate().unwrap());
    ring.add(&key, None).unwrap();
    assert_eq!(ring.find(Some(key.kid()), Algorithm::Hs256).unwrap_err(), Rejection::KeyAlgorithm);
}

#[test]
fn never_publishes_secrets_and_never_signs_with_public_keys() {
    let (ring, _) = ring();
    let secret = Key::generate(Algorithm::Hs256, None, None).unwrap();
    ring.add(&Arc::new(secret), None).unwrap();
    assert_eq!(ring.jwks().unwrap().body, r#"{"keys":[]}"#);

    let pair = generate().unwrap();
    let json = pair.public_jwk().unwrap();
    assert!(!json.contains("\"d\""));
    let public = Arc::new(Key::from_public_jwk(&json, ALGORITHM, None).unwrap());
    assert_eq!(ring.add(&public, None).unwrap_err().code, Code::JwtKey);
    ring.add(&public, Some(KeyState::Retired)).unwrap();
    assert!(ring.jwks().unwrap().body.contains(pair.kid()));
}

#[test]
fn the_etag_follows_the_body() {
    let (ring, _) = ring();
    ring.rotate(false, generate).unwrap();
    let before = ring.jwks().unwrap();
    assert_eq!(before, ring.jwks().unwrap());
    ring.rotate(true, generate).unwrap();
    assert_ne!(before.etag, ring.jwks().unwrap().etag);
}

#[test]
fn time_rotates() {
    let (ring, clock) = rotating(ALGORITHM);
    let start = clock.unix_seconds();
    assert_eq!(told(&ring.tick(start).unwrap()), [">active", ">next"]);
    assert_eq!(ring.tick(start + 3599).unwrap(), []);
    let (active, next) = (ring.list().unwrap()[0].kid.clone(), ring.list().unwrap()[1].kid.clone());
    assert_eq!(told(&ring.tick(start + 3600).unwrap()), ["active>retired", "next>active", ">next"]);
    assert_eq!(ring.signing_key().unwrap().kid(), next);
    assert_eq!(ring.list().unwrap()[0].kid, active);
    let gone = start + 3600 + 24 * 3600 + MAX_CLOCK_TOLERANCE;
    // However long no call was made, there is one promotion, and the next key is new.
    let changes = ring.tick(gone).unwrap();
    assert_eq!(told(&changes), ["retired>", "active>retired", "next>active", ">next"]);
    assert_eq!((&changes[0].kid, changes[0].at), (&active, gone));
    assert_eq!(ring.tick(gone).unwrap(), []);
}

#[test]
fn whoever_uses_the_ring_makes_it_rotate() {
    let (ring, clock) = rotating(ALGORITHM);
    assert_eq!(ring.jwks().unwrap().body.matches("\"kid\"").count(), 2);
    let epoch = ring.epoch();
    clock.advance(Duration::from_secs(3599));
    ring.catch_up(clock.unix_seconds()).unwrap();
    assert_eq!(ring.epoch(), epoch);
    clock.advance(Duration::from_secs(1));
    ring.catch_up(clock.unix_seconds()).unwrap();
    assert_eq!(states(&ring), [KeyState::Retired, KeyState::Active, KeyState::Next]);
    assert_ne!(ring.epoch(), epoch);
}

#[test]
fn an_unpublished_key_is_not_promoted_even_when_it_is_time() {
    let (ring, clock) = rotating(ALGORITHM);
    let start = clock.unix_seconds();
    ring.tick(start).unwrap();
    ring.revoke(&ring.list().unwrap()[1].kid).unwrap();
    clock.advance(Duration::from_secs(3500));
    assert_eq!(told(&ring.tick(start + 3500).unwrap()), [">next"]);
    assert_eq!(ring.tick(start + 3600).unwrap(), []);
    assert_eq!(ring.tick(start + 4129).unwrap(), []);
    assert_eq!(told(&ring.tick(start + 4130).unwrap()), ["active>retired", "next>active", ">next"]);
}

#[test]
fn without_an_active_key_the_next_one_signs_once_it_is_published() {
    let (ring, clock) = rotating(ALGORITHM);
    let start = clock.unix_seconds();
    ring.tick(start).unwrap();
    ring.revoke(&ring.list().unwrap()[0].kid).unwrap();
    assert_eq!(ring.tick(start + 629).unwrap(), []);
    assert_eq!(ring.signing_key().unwrap_err().code, Code::KeyringNoActiveKey);
    assert_eq!(told(&ring.tick(start + 630).unwrap()), ["next>active", ">next"]);
}

#[test]
fn rsa_keys_are_made_on_another_thread() {
    let (ring, clock) = rotating(Algorithm::Rs256);
    let (tell, told) = std::sync::mpsc::channel();
    ring.listen(Box::new(move |changes| tell.send(changes.to_vec()).is_ok()));
    let start = clock.unix_seconds();
    // The first key is missing, and is ordered once.
    assert_eq!(ring.tick(start).unwrap(), []);
    assert_eq!(ring.tick(start).unwrap(), []);
    assert_eq!(told.recv().unwrap()[0].to, Some(KeyState::Active));
    assert_eq!(ring.tick(start).unwrap(), []);
    assert_eq!(told.recv().unwrap()[0].to, Some(KeyState::Next));
    assert_eq!(ring.tick(start).unwrap(), []);
    assert_eq!(states(&ring), [KeyState::Active, KeyState::Next]);
    // Promotion does not wait for a key to be made.
    assert_eq!(ring.tick(start + 3600).unwrap().len(), 2);
    assert!(ring.signing_key().is_ok());
}

#[test]
fn a_ring_waits_for_the_key_that_is_being_made_and_for_no_other() {
    let (ring, clock) = rotating(Algorithm::Rs256);
    let none = ring.wait_until_it_signs().unwrap_err();
    assert_eq!(none.code, Code::KeyringNoActiveKey);
    ring.tick(clock.unix_seconds()).unwrap();
    ring.wait_until_it_signs().unwrap();
    assert!(ring.signing_key().is_ok());
    // Nothing comes after a key has been revoked, until one is announced.
    let active = ring.signing_key().unwrap().kid().to_owned();
    ring.revoke(&active).unwrap();
    let (ring, _) = self::ring();
    let expected = ring.expect_key();
    let error = ring.signing_key().unwrap_err();
    assert!(error.message.contains("ready()"), "{error}");
    std::thread::scope(|scope| {
        let waiting = scope.spawn(|| ring.wait_until_it_signs());
        ring.rotate(false, generate).unwrap();
        drop(expected);
        assert_eq!(waiting.join().unwrap(), Ok(()));
    });
    let (ring, _) = self::ring();
    let expected = ring.expect_key();
    std::thread::scope(|scope| {
        let waiting = scope.spawn(|| ring.wait_until_it_signs());
        drop(expected);
        assert_eq!(waiting.join().unwrap().unwrap_err().code, Code::KeyringNoActiveKey);
    });
    assert!(!ring.signing_key().unwrap_err().message.contains("ready()"));
}

#[test]
fn private_halves_go_when_a_key_retires() {
    let (ring, _) = ring();
    let key = Arc::new(generate().unwrap());
    let weak = Arc::downgrade(&key);
    ring.add(&key, None).unwrap();
    drop(key);
    assert!(ring.signing_key().unwrap().is_private());
    let kid = ring.list().unwrap()[0].kid.clone();
    assert!(!ring.find(Some(&kid), ALGORITHM).unwrap().0.is_private());
    ring.add(&Arc::new(generate().unwrap()), Some(KeyState::Active)).unwrap();
    assert!(weak.upgrade().is_none());
    assert!(ring.find(Some(&kid), ALGORITHM).is_ok());
}

#[test]
fn listeners_hear_every_change_until_they_go() {
    let (ring, _) = ring();
    let (tell, heard) = std::sync::mpsc::channel();
    let id = ring.listen(Box::new(move |changes| tell.send(told(changes)).is_ok()));
    ring.rotate(false, generate).unwrap();
    assert_eq!(heard.try_recv().unwrap(), [">active", ">next"]);
    ring.revoke(&ring.list().unwrap()[1].kid).unwrap();
    assert_eq!(heard.try_recv().unwrap(), ["next>revoked"]);
    ring.unlisten(id);
    ring.rotate(false, generate).unwrap();
    assert!(heard.try_recv().is_err());
}
