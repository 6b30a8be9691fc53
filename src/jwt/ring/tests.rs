use std::time::Duration;

use super::*;
use crate::clock::ManualClock;

const ALGORITHM: Algorithm = Algorithm::EdDsa;

fn generate() -> Result<Key> {
    Key::generate(ALGORITHM, None, None)
}

fn ring() -> (KeyRing, Arc<ManualClock>) {
    let clock = Arc::new(ManualClock::at(1_700_000_000));
    let options = RingOptions { algorithm: ALGORITHM, ..RingOptions::default() };
    (KeyRing::new(options, clock.clone()), clock)
}

fn states(ring: &KeyRing) -> Vec<KeyState> {
    ring.list().iter().map(|info| info.state).collect()
}

#[test]
fn an_empty_ring_cannot_sign_and_publishes_nothing() {
    let (ring, _) = ring();
    assert_eq!(ring.signing_key().unwrap_err().code, Code::KeyringNoActiveKey);
    assert_eq!(ring.jwks().body, r#"{"keys":[]}"#);
}

#[test]
fn rotation_publishes_before_use_and_keeps_what_still_verifies() {
    let (ring, clock) = ring();
    let first = ring.rotate(false, generate).unwrap();
    assert_eq!(states(&ring), [KeyState::Active, KeyState::Next]);
    assert_eq!(ring.signing_key().unwrap().kid(), first);
    let next = ring.list()[1].kid.clone();
    assert!(ring.jwks().body.contains(&next));

    let early = ring.rotate(false, generate).unwrap_err();
    assert_eq!(early.code, Code::KeyringNotPublished);
    clock.advance(Duration::from_secs(600));
    assert_eq!(ring.rotate(false, generate).unwrap(), next);
    assert_eq!(states(&ring), [KeyState::Retired, KeyState::Active, KeyState::Next]);

    assert!(ring.find(Some(&first), ALGORITHM).is_ok());
    clock.advance(Duration::from_secs(24 * 3600 + MAX_CLOCK_TOLERANCE - 1));
    assert!(ring.jwks().body.contains(&first));
    assert_eq!(ring.jwks().max_age, 1);
    clock.advance(Duration::from_secs(1));
    assert_eq!(ring.find(Some(&first), ALGORITHM).unwrap_err(), Rejection::KeyNotFound);
    assert!(!ring.jwks().body.contains(&first));
    assert_eq!(ring.jwks().max_age, 600);
}

#[test]
fn a_forced_rotation_signs_with_a_new_key_at_once() {
    let (ring, _) = ring();
    ring.add(Arc::new(generate().unwrap()), None).unwrap();
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
    ring.add(key.clone(), None).unwrap();
    let epoch = ring.epoch();
    ring.revoke(key.kid()).unwrap();
    assert_ne!(ring.epoch(), epoch);
    assert_eq!(ring.find(Some(key.kid()), ALGORITHM).unwrap_err(), Rejection::Revoked);
    assert_eq!(ring.find(None, ALGORITHM).unwrap_err(), Rejection::KeyNotFound);
    assert_eq!(ring.jwks().body, r#"{"keys":[]}"#);
    assert_eq!(ring.add(key, None).unwrap_err().code, Code::KeyringDuplicate);
    assert_eq!(ring.revoke("no such key").unwrap_err().code, Code::KeyringUnknownKey);
}

#[test]
fn without_kid_only_an_only_key_is_found() {
    let (ring, _) = ring();
    ring.add(Arc::new(generate().unwrap()), None).unwrap();
    assert!(ring.find(None, ALGORITHM).is_ok());
    assert_eq!(ring.find(None, Algorithm::Rs256).unwrap_err(), Rejection::KeyNotFound);
    ring.add(Arc::new(generate().unwrap()), None).unwrap();
    assert_eq!(ring.find(None, ALGORITHM).unwrap_err(), Rejection::KeyNotFound);
}

#[test]
fn a_key_is_not_used_with_another_algorithm() {
    let (ring, _) = ring();
    let key = Arc::new(generate().unwrap());
    ring.add(key.clone(), None).unwrap();
    assert_eq!(ring.find(Some(key.kid()), Algorithm::Hs256).unwrap_err(), Rejection::Algorithm);
}

#[test]
fn never_publishes_secrets_and_never_signs_with_public_keys() {
    let (ring, _) = ring();
    let secret = Key::generate(Algorithm::Hs256, None, None).unwrap();
    ring.add(Arc::new(secret), None).unwrap();
    assert_eq!(ring.jwks().body, r#"{"keys":[]}"#);

    let pair = generate().unwrap();
    let json = pair.public_jwk().unwrap();
    assert!(!json.contains("\"d\""));
    let public = Arc::new(Key::from_public_jwk(&json, ALGORITHM, None).unwrap());
    assert_eq!(ring.add(public.clone(), None).unwrap_err().code, Code::JwtKey);
    ring.add(public, Some(KeyState::Retired)).unwrap();
    assert!(ring.jwks().body.contains(pair.kid()));
}

#[test]
fn the_etag_follows_the_body() {
    let (ring, _) = ring();
    ring.rotate(false, generate).unwrap();
    let before = ring.jwks();
    assert_eq!(before, ring.jwks());
    ring.rotate(true, generate).unwrap();
    assert_ne!(before.etag, ring.jwks().etag);
}
