//! A verifier caches headers it has verified; it must drop them when the keys change.

use std::sync::atomic::{AtomicBool, Ordering};

use super::*;

const ALGORITHM: Algorithm = Algorithm::EdDsa;

struct Service {
    ring: Arc<KeyRing>,
    clock: Arc<ManualClock>,
    issuer: Issuer,
    verifier: Verifier,
}

impl Service {
    fn new() -> Self {
        let clock = Arc::new(ManualClock::at(NOW));
        let options = RingOptions { algorithm: ALGORITHM, ..RingOptions::default() };
        let ring = KeyRing::new(options, clock.clone()).unwrap();
        ring.add(&Arc::new(key(ALGORITHM)), None).unwrap();
        let source = || KeySource::Ring(ring.clone());
        let issuer = Issuer::new(plain(source()), clock.clone()).unwrap();
        let verifier = Verifier::new(lax(source()), clock.clone()).unwrap();
        Self { ring, clock, issuer, verifier }
    }

    fn issue(&self) -> String {
        issue(&self.issuer, "{}", &Overrides::default()).unwrap()
    }

    /// Verifies twice, and expects the same answer each time.
    fn verify(&self, token: &str) -> Result<(), Rejection> {
        let [first, second] = [(); 2].map(|()| verify(&self.verifier, token).map(|_| ()));
        assert_eq!(first, second);
        first
    }

    fn rotate(&self) -> String {
        self.ring.rotate(true, || Ok(other_key(ALGORITHM))).unwrap()
    }
}

fn kid(token: &str) -> String {
    let header: serde_json::Value = serde_json::from_str(&decoded(token)[0]).unwrap();
    text(&header, "kid").to_owned()
}

#[test]
fn rotation_moves_the_issuer_and_keeps_old_tokens() {
    let service = Service::new();
    let mut tokens = vec![service.issue()];
    for _ in 0..3 {
        assert_eq!(service.verify(tokens.last().unwrap()), Ok(()));
        let active = service.rotate();
        let token = service.issue();
        assert_eq!(kid(&token), active);
        tokens.push(token);
        for token in &tokens {
            assert_eq!(service.verify(token), Ok(()));
        }
    }
}

#[test]
fn a_revoked_key_is_refused_at_once_and_no_other() {
    let service = Service::new();
    let old = service.issue();
    service.rotate();
    let new = service.issue();
    assert_eq!([&old, &new].map(|token| service.verify(token)), [Ok(()), Ok(())]);
    service.ring.revoke(&kid(&old)).unwrap();
    assert_eq!(service.verify(&old), Err(Rejection::KeyRevoked));
    assert_eq!(service.verify(&new), Ok(()));
    service.ring.revoke(&kid(&new)).unwrap();
    assert_eq!([&old, &new].map(|token| service.verify(token)), [Err(Rejection::KeyRevoked); 2]);
    let failed = issue(&service.issuer, "{}", &Overrides::default());
    assert_eq!(code(failed), Some(Code::KeyringNoActiveKey));
}

/// Time alone does not change the epoch, so the cached header has a time limit of its own.
#[test]
fn a_retired_key_runs_out_while_its_header_is_remembered() {
    let service = Service::new();
    let old = service.ring.signing_key().unwrap();
    service.rotate();
    let far = format!(r#"{{"exp":{}}}"#, NOW + 10_000_000);
    let token = token(&old, &header(&old), &far);
    assert_eq!(service.verify(&token), Ok(()));
    let end = NOW + RingOptions::default().max_token_ttl + MAX_CLOCK_TOLERANCE;
    service.clock.advance(Duration::from_millis((end - NOW) * 1000 - 1));
    assert_eq!(service.verify(&token), Ok(()));
    assert!(service.ring.jwks().unwrap().body.contains(old.kid()));
    service.clock.advance(Duration::from_millis(1));
    assert_eq!(service.verify(&token), Err(Rejection::KeyNotFound));
    assert!(!service.ring.jwks().unwrap().body.contains(old.kid()));
}

#[test]
fn a_key_that_is_added_is_found() {
    let service = Service::new();
    let public = other_key(ALGORITHM);
    let token = token(&public, &header(&public), &payload(""));
    assert_eq!(service.verify(&token), Err(Rejection::KeyNotFound));
    service.ring.add(&Arc::new(public), Some(KeyState::Retired)).unwrap();
    assert_eq!(service.verify(&token), Ok(()));
}

#[test]
fn without_kid_a_second_key_makes_the_header_ambiguous() {
    let service = Service::new();
    let key = service.ring.signing_key().unwrap();
    let token = token(&key, r#"{"alg":"EdDSA"}"#, &payload(""));
    assert_eq!(service.verify(&token), Ok(()));
    service.ring.add(&Arc::new(other_key(ALGORITHM)), None).unwrap();
    assert_eq!(service.verify(&token), Err(Rejection::Nameless));
}

#[test]
fn more_headers_than_are_remembered() {
    let world = World::new(Algorithm::Hs256);
    let tokens: Vec<_> = (0..300)
        .map(|n| {
            let header = format!(r#"{{"alg":"HS256","kid":"hmac","n":{n}}}"#);
            token(&world.key, &header, &payload(&format!("\"n\":{n}")))
        })
        .collect();
    for round in 0..2 {
        for (n, token) in tokens.iter().enumerate() {
            let read = world.verify(token).unwrap();
            assert!(read.ends_with(&format!("\"n\":{n}}}")), "{round} {read}");
        }
    }
}

#[test]
fn a_remembered_header_saves_no_signature() {
    let world = World::new(Algorithm::EdDsa);
    let attacker = other_key(Algorithm::EdDsa);
    let forged = token(&attacker, &header(&world.key), &payload(""));
    assert_eq!(world.verify(&forged), Err(Rejection::Signature));
    assert_eq!(world.judge(&payload("")), Ok(()));
    assert_eq!(world.verify(&forged), Err(Rejection::Signature));
    // A forged token does not get its own header into the cache either.
    let strange = token(&attacker, &header(&world.key).replace('}', ",\"x\":1}"), &payload(""));
    assert_eq!(
        [(); 2].map(|()| world.verify(&strange)),
        [(); 2].map(|()| Err(Rejection::Signature))
    );
}

/// Once `revoke` has returned, no thread accepts the key any more.
#[test]
fn revocation_is_seen_by_every_thread() {
    for _ in 0..20 {
        let service = Service::new();
        let token = service.issue();
        let revoked = AtomicBool::new(false);
        std::thread::scope(|scope| {
            for _ in 0..3 {
                scope.spawn(|| {
                    loop {
                        let was_revoked = revoked.load(Ordering::SeqCst);
                        let verdict = verify_once(&service.verifier, &token).map(|_| ());
                        if was_revoked {
                            assert_eq!(verdict, Err(Rejection::KeyRevoked));
                            break;
                        }
                        assert!(
                            matches!(verdict, Ok(()) | Err(Rejection::KeyRevoked)),
                            "{verdict:?}"
                        );
                    }
                });
            }
            for _ in 0..5 {
                service.ring.add(&Arc::new(other_key(ALGORITHM)), None).unwrap();
            }
            service.ring.revoke(&kid(&token)).unwrap();
            revoked.store(true, Ordering::SeqCst);
        });
    }
}
