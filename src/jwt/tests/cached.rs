//! A cached token is checked again for everything that can change.

use super::*;
use crate::revocation::{ListLimits, Revocation, RevocationList, Scope};

const MEMBERS: &str = r#""iss":"i","jti":"t\u002f","sid":"s","sub":"u""#;

/// A verifier with a ring and a list, and a token that is in its cache.
struct Desk {
    clock: Arc<ManualClock>,
    ring: Arc<KeyRing>,
    list: Arc<RevocationList>,
    verifier: Verifier,
    token: String,
}

impl Desk {
    fn new() -> Self {
        Self::with(MEMBERS, |_| {})
    }

    fn with(members: &str, change: impl FnOnce(&mut VerifierOptions)) -> Self {
        let clock = Arc::new(ManualClock::at(NOW));
        let ring = RingOptions { algorithm: Algorithm::EdDsa, ..RingOptions::default() };
        let ring = KeyRing::new(ring, clock.clone()).unwrap();
        ring.add(&Arc::new(key(Algorithm::EdDsa)), None).unwrap();
        let list = Arc::new(RevocationList::new(ListLimits::default(), clock.clone()).unwrap());
        let mut options = lax(KeySource::Ring(ring.clone()));
        options.revocations = Some(list.clone());
        change(&mut options);
        let verifier = Verifier::new(options, clock.clone()).unwrap();
        let key = ring.signing_key().unwrap();
        let token = token(&key, &header(&key), &payload(members));
        let desk = Self { clock, ring, list, verifier, token };
        assert_eq!(desk.verdict(), Ok(()));
        assert!(desk.remembers());
        desk
    }

    fn verdict(&self) -> Result<(), Rejection> {
        verify(&self.verifier, &self.token).map(|_| ())
    }

    fn remembers(&self) -> bool {
        let cache = self.verifier.cache.as_ref().unwrap();
        cache.recall(self.token.as_bytes(), false, |_| Ok(true), &mut Vec::new()).unwrap().is_some()
    }
}

#[test]
fn it_expires_to_the_millisecond() {
    for (change, end) in [
        ((|_| {}) as fn(&mut VerifierOptions), LATER),
        (|options| options.clock_tolerance = Tolerance::of(30), LATER + 30),
        (|options| options.max_age = Some(60), NOW + 60),
        (|options| options.revocations = None, LATER),
    ] {
        let desk = Desk::with(MEMBERS, change);
        let last = end * 1000 - 1;
        desk.clock.set(last / 1000);
        desk.clock.advance(Duration::from_millis(last % 1000));
        assert_eq!(desk.verdict(), Ok(()));
        desk.clock.advance(Duration::from_millis(1));
        let end = if end == NOW + 60 { Rejection::TooOld } else { Rejection::Expired };
        assert_eq!(desk.verdict(), Err(end));
        // A clock that is set back finds the token still in the cache.
        desk.clock.set(NOW);
        assert_eq!(desk.verdict(), Ok(()));
    }
}

#[test]
fn it_is_of_the_future_when_the_clock_is_set_back() {
    let desk = Desk::with(&format!("\"nbf\":{NOW},\"jti\":\"t\""), |_| {});
    desk.clock.set(NOW - 1);
    assert_eq!(desk.verdict(), Err(Rejection::NotActive));
    let desk = Desk::new();
    desk.clock.set(NOW - 1);
    assert_eq!(desk.verdict(), Err(Rejection::Claim(Claim::IssuedAt, Reason::Future)));
}

#[test]
fn each_kind_of_revocation_refuses_it() {
    type Revoke = fn(&Desk) -> crate::error::Result<()>;
    let cases: [(Rejection, Revoke); 8] = [
        (Rejection::Revoked, |desk| {
            desk.list.revoke(&Revocation::id("t/", LATER, Scope::Issuer("i")))
        }),
        (Rejection::Revoked, |desk| {
            desk.list.revoke(&Revocation::session("s", LATER, Scope::Issuer("i")))
        }),
        (Rejection::Revoked, |desk| {
            desk.list.revoke(&Revocation::subject("u", NOW, Scope::Issuer("i")))
        }),
        (Rejection::Revoked, |desk| {
            desk.list.revoke(&Revocation::key(desk.ring.signing_key().unwrap().kid()))
        }),
        (Rejection::Revoked, |desk| desk.list.revoke(&Revocation::id("t/", LATER, Scope::Any))),
        (Rejection::KeyRevoked, |desk| desk.ring.revoke(desk.ring.signing_key().unwrap().kid())),
        (Rejection::RevocationUnavailable, |desk| {
            desk.list.close();
            Ok(())
        }),
        (Rejection::Revoked, |desk| {
            desk.list.revoke(&Revocation::subject("u", NOW + 1, Scope::Any))
        }),
    ];
    for (case, (rejection, revoke)) in cases.into_iter().enumerate() {
        let desk = Desk::new();
        for (id, scope) in [("t", Scope::Any), ("t/", Scope::Issuer("j"))] {
            desk.list.revoke(&Revocation::id(id, LATER, scope)).unwrap();
        }
        assert_eq!(desk.verdict(), Ok(()), "{case}");
        revoke(&desk).unwrap();
        assert_eq!(desk.verdict(), Err(rejection), "{case}");
    }
}

#[test]
fn a_rotation_verifies_it_anew_and_the_end_of_its_key_ends_it() {
    let desk = Desk::with("", |options| options.revocations = None);
    let old = desk.ring.signing_key().unwrap();
    let forever = token(&old, &header(&old), &format!(r#"{{"exp":{}}}"#, NOW + 10_000_000));
    assert!(verify(&desk.verifier, &forever).is_ok());
    desk.ring.rotate(true, || Ok(other_key(Algorithm::EdDsa))).unwrap();
    assert_eq!(desk.verdict(), Ok(()));
    assert!(verify(&desk.verifier, &forever).is_ok());
    let end = NOW + RingOptions::default().max_token_ttl + MAX_CLOCK_TOLERANCE;
    desk.clock.set(end - 1);
    assert!(verify(&desk.verifier, &forever).is_ok());
    desk.clock.set(end);
    assert_eq!(verify(&desk.verifier, &forever), Err(Rejection::KeyNotFound));
}

#[test]
fn a_token_of_a_retired_key_is_verified_anew_only_once() {
    let desk = Desk::with("", |options| options.revocations = None);
    let is_recalled = || {
        let mut scratch = Scratch::default();
        let answer = desk.verifier.verify_holding(desk.token.as_bytes(), &mut scratch).unwrap();
        matches!(answer, Answer::Held(_))
    };
    desk.ring.rotate(true, || Ok(other_key(Algorithm::EdDsa))).unwrap();
    assert!(!is_recalled());
    assert!(is_recalled());
}

#[test]
fn forgeries_do_not_get_in_and_do_not_profit() {
    let desk = Desk::new();
    let [header, _, signature] = desk.token.split('.').collect::<Vec<_>>()[..] else { panic!() };
    let admin = base64url::encode(payload(r#""jti":"t","admin":true"#).as_bytes());
    let forged = format!("{header}.{admin}.{signature}");
    assert_eq!(verify(&desk.verifier, &forged), Err(Rejection::Signature));
    let cache = desk.verifier.cache.as_ref().unwrap();
    assert_eq!(cache.recall(forged.as_bytes(), false, |_| Ok(true), &mut Vec::new()), Ok(None));
    assert!(desk.remembers());
    // A longer token with the same end.
    let longer = format!("{header}.{admin}.{}", desk.token);
    assert_eq!(coded(verify(&desk.verifier, &longer)), Err(Code::JwtMalformed));
    assert_eq!(desk.verdict(), Ok(()));
}

#[test]
fn what_is_refused_is_not_remembered() {
    let world = World::with(Algorithm::Hs256, |options| {
        options.required_claims = vec!["x".into()];
    });
    for members in ["", "\"x\":null", "\"x\":1,\"sub\":2"] {
        let token = world.token(&payload(members));
        assert!(world.verify(&token).is_err());
        let cache = world.verifier.cache.as_ref().unwrap();
        assert_eq!(cache.recall(token.as_bytes(), false, |_| Ok(true), &mut Vec::new()), Ok(None));
    }
    assert_eq!(world.judge(&payload("\"x\":0")), Ok(()));
}

#[test]
fn threads_share_it() {
    let desk = Desk::new();
    let key = desk.ring.signing_key().unwrap();
    let tokens: Vec<_> = (0..20)
        .map(|n| token(&key, &header(&key), &payload(&format!("\"jti\":\"{n}\",\"n\":{n}"))))
        .collect();
    std::thread::scope(|scope| {
        for thread in 0..3 {
            let (desk, tokens) = (&desk, &tokens);
            scope.spawn(move || {
                for round in 0..200 {
                    let n = (round * (thread + 1)) % tokens.len();
                    let read = verify(&desk.verifier, &tokens[n]).unwrap();
                    assert!(read.ends_with(&format!("\"n\":{n}}}")), "{read}");
                }
            });
        }
    });
}
