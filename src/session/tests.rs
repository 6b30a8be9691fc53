use std::time::Duration;

use super::*;
use crate::clock::ManualClock;
use crate::jwt::{
    Algorithm, Expected, IssuerOptions, Key, KeyRing, KeySource, Profile, Rejection, RingOptions,
    Scratch, Verifier, VerifierOptions,
};
use crate::revocation::Limits;

const NOW: u64 = 1_700_000_000;

struct World {
    sessions: Sessions,
    verifier: Verifier,
    revocations: Arc<RevocationList>,
    ring: Arc<KeyRing>,
    clock: Arc<ManualClock>,
}

impl World {
    fn new(options: Options) -> Self {
        Self::with(options, Limits::default())
    }

    fn with(options: Options, limits: Limits) -> Self {
        let clock = Arc::new(ManualClock::at(NOW));
        let ring = KeyRing::new(RingOptions::default(), clock.clone()).unwrap();
        let key = || Arc::new(Key::generate(Algorithm::Hs256, None, None).unwrap());
        ring.add(key(), None).unwrap();
        let list = Arc::new(RevocationList::new(limits, clock.clone()).unwrap());
        let issuer = IssuerOptions {
            keys: KeySource::Ring(ring.clone()),
            issuer: None,
            audience: vec![],
            expires_in: 300,
            typ: "JWT".into(),
            jti: true,
        };
        let issuer = Arc::new(Issuer::new(issuer, clock.clone()).unwrap());
        let verifier = VerifierOptions {
            profile: Profile::Jwt,
            keys: KeySource::Ring(ring.clone()),
            algorithms: None,
            issuer: Expected::Anything,
            audience: Expected::Anything,
            clock_tolerance: 0,
            max_age: None,
            typ: None,
            required_claims: vec![],
            require_expiry: true,
            revocations: Some(list.clone()),
            cache_entries: 0,
        };
        let verifier = Verifier::new(verifier, clock.clone()).unwrap();
        let sessions = Sessions::new(options, issuer, list.clone(), clock.clone()).unwrap();
        Self { sessions, verifier, revocations: list, ring, clock }
    }

    fn start(&self) -> TokenPair {
        self.sessions.start("alice", "{}").unwrap()
    }

    fn refresh(&self, pair: &TokenPair) -> Refreshed {
        self.sessions.refresh(&pair.refresh_token).unwrap()
    }

    fn rotate(&self, pair: &TokenPair) -> TokenPair {
        match self.refresh(pair) {
            Refreshed::Rotated(next) => next,
            other => panic!("{other:?}"),
        }
    }

    fn ended(pair: &TokenPair) -> Ended {
        Ended { session: pair.session, subject: "alice".into() }
    }

    fn verify(&self, pair: &TokenPair) -> std::result::Result<String, Rejection> {
        let mut scratch = Scratch::default();
        let token = pair.access_token.as_bytes();
        self.verifier.verify(token, &mut scratch).map(ToOwned::to_owned)
    }

    fn pass(&self, seconds: u64) {
        self.clock.advance(Duration::from_secs(seconds));
    }
}

#[test]
fn a_session_carries_its_claims_through_rotation() {
    let world = World::new(Options::default());
    let first = world.sessions.start("al\"ice", r#"{"role":"admin"}"#).unwrap();
    let second = world.rotate(&first);
    assert_eq!(first.session, second.session);
    assert_ne!(first.refresh_token, second.refresh_token);
    let payload: serde_json::Value = serde_json::from_str(&world.verify(&second).unwrap()).unwrap();
    assert_eq!(payload["sub"], "al\"ice");
    assert_eq!(payload["role"], "admin");
    assert_eq!(payload["sid"], second.session.to_string());
}

#[test]
fn within_grace_the_same_successor_is_given_again() {
    let world = World::new(Options::default());
    let first = world.start();
    let second = world.rotate(&first);
    world.pass(29);
    let Refreshed::Replayed(again) = world.refresh(&first) else { panic!() };
    assert_eq!(again.refresh_token, second.refresh_token);
    assert!(world.verify(&again).is_ok());
    world.rotate(&second);
}

#[test]
fn reuse_ends_the_session_and_its_access_tokens() {
    for seconds in [0, 31] {
        let world = World::new(Options::default());
        let first = world.start();
        let second = world.rotate(&first);
        let newest = if seconds == 0 { world.rotate(&second) } else { second };
        world.pass(seconds);
        assert_eq!(world.refresh(&first), Refreshed::Reuse(World::ended(&first)));
        assert_eq!(world.refresh(&newest), Refreshed::Unknown);
        assert_eq!(world.verify(&newest), Err(Rejection::Revoked));
    }
}

#[test]
fn forgeries_end_nothing() {
    let world = World::new(Options::default());
    let pair = world.start();
    let stranger = World::new(Options::default()).start();
    assert_eq!(world.refresh(&stranger), Refreshed::Unknown);
    assert_eq!(world.sessions.refresh("").unwrap(), Refreshed::Unknown);
    assert!(world.verify(&pair).is_ok());
    world.rotate(&pair);
}

#[test]
fn sessions_expire_when_idle_and_when_old() {
    let world = World::new(Options { refresh_ttl: 1000, idle_ttl: 400, ..Options::default() });
    let idle = world.start();
    world.pass(400);
    assert_eq!(world.refresh(&idle), Refreshed::Expired(World::ended(&idle)));
    assert_eq!(world.refresh(&idle), Refreshed::Unknown);
    let mut old = world.start();
    for _ in 0..3 {
        world.pass(300);
        old = world.rotate(&old);
    }
    world.pass(100);
    assert_eq!(world.refresh(&old), Refreshed::Expired(World::ended(&old)));
}

#[test]
fn ending_one_leaves_the_others() {
    let world = World::new(Options::default());
    let (one, two) = (world.start(), world.start());
    world.sessions.end(one.session).unwrap();
    assert_eq!(world.verify(&one), Err(Rejection::Revoked));
    assert_eq!(world.refresh(&one), Refreshed::Unknown);
    assert!(world.verify(&two).is_ok());
    assert_eq!(world.sessions.list("alice").len(), 1);
}

#[test]
fn ending_all_spares_a_session_started_in_the_same_second() {
    let world = World::new(Options::default());
    let (one, two) = (world.start(), world.start());
    let other = world.sessions.start("bob", "{}").unwrap();
    world.sessions.end_all("alice").unwrap();
    let after = world.start();
    for ended in [one, two] {
        assert_eq!(world.verify(&ended), Err(Rejection::Revoked));
        assert_eq!(world.refresh(&ended), Refreshed::Unknown);
    }
    assert!(world.verify(&after).is_ok());
    assert!(world.verify(&other).is_ok());
    assert_eq!(world.sessions.list("alice").len(), 1);
}

#[test]
fn claims_that_collide_start_nothing() {
    let world = World::new(Options::default());
    for claims in [r#"{"sub":"x"}"#, r#"{"sid":"x"}"#, r#"{"exp":1}"#, "[]", "{"] {
        let error = world.sessions.start("alice", claims).unwrap_err();
        assert_eq!(error.code, Code::JwtClaim, "{claims}");
    }
    assert!(world.sessions.list("alice").is_empty());
}

#[test]
fn a_full_table_says_so_and_forgets_what_is_over() {
    let options = Options { max_sessions: 2, refresh_ttl: 600, ..Options::default() };
    let world = World::new(options);
    world.start();
    world.start();
    let full = world.sessions.start("alice", "{}").unwrap_err();
    assert_eq!(full.code, Code::SessionFull);
    world.pass(660);
    world.start();
    assert_eq!(world.sessions.list("alice").len(), 1);
}

#[test]
fn a_session_that_could_not_be_revoked_is_still_there_to_be_ended() {
    let world = World::with(Options::default(), Limits { max_entries: 1, ..Limits::default() });
    let first = world.start();
    let newest = world.rotate(&world.rotate(&first));
    world.revocations.revoke_id("something else", NOW + 60, Scope::Any).unwrap();
    for _ in 0..2 {
        let error = world.sessions.refresh(&first.refresh_token).unwrap_err();
        assert_eq!(error.code, Code::RevocationFull);
    }
    let error = world.sessions.refresh(&newest.refresh_token).unwrap_err();
    assert_eq!(error.code, Code::RevocationFull);
    // Once there is room again, any token of the session tells of the reuse; another session that
    // starts meanwhile does not push it out.
    world.start();
    world.pass(299);
    world.revocations.revoke_id("something else", NOW + 60, Scope::Any).unwrap();
    assert!(world.sessions.refresh(&newest.refresh_token).is_err());
}

#[test]
fn a_refresh_that_cannot_sign_uses_nothing_up() {
    let world = World::new(Options { grace: 0, ..Options::default() });
    let pair = world.start();
    let kid = world.ring.signing_key().unwrap().kid().to_owned();
    world.ring.revoke(&kid).unwrap();
    let error = world.sessions.refresh(&pair.refresh_token).unwrap_err();
    assert_eq!(error.code, Code::KeyringNoActiveKey);
    world.ring.add(Arc::new(Key::generate(Algorithm::Hs256, None, None).unwrap()), None).unwrap();
    world.rotate(&pair);
}

#[test]
fn idle_sessions_make_room() {
    let options = Options { max_sessions: 1, idle_ttl: 10, ..Options::default() };
    let world = World::new(options);
    let pair = world.start();
    world.pass(9);
    world.rotate(&pair);
    world.pass(9);
    assert_eq!(world.sessions.start("bob", "{}").unwrap_err().code, Code::SessionFull);
    world.pass(1);
    world.sessions.start("bob", "{}").unwrap();
    assert!(world.sessions.list("alice").is_empty());
}

#[test]
fn of_two_threads_with_one_token_one_rotates_and_both_get_the_same_successor() {
    let world = World::new(Options::default());
    let pair = world.start();
    let results: Vec<_> = std::thread::scope(|scope| {
        let threads: Vec<_> = (0..8).map(|_| scope.spawn(|| world.refresh(&pair))).collect();
        threads.into_iter().map(|thread| thread.join().unwrap()).collect()
    });
    let mut rotated = 0;
    let successors: std::collections::HashSet<_> = results
        .into_iter()
        .map(|result| match result {
            Refreshed::Rotated(next) => {
                rotated += 1;
                next.refresh_token
            }
            Refreshed::Replayed(next) => next.refresh_token,
            other => panic!("{other:?}"),
        })
        .collect();
    assert_eq!((rotated, successors.len()), (1, 1));
}

#[test]
fn a_session_that_could_not_be_ended_does_not_refresh() {
    let world = World::with(Options::default(), Limits { max_entries: 1, ..Limits::default() });
    let pair = world.start();
    world.revocations.revoke_id("something else", NOW + 60, Scope::Any).unwrap();
    assert_eq!(world.sessions.end(pair.session).unwrap_err().code, Code::RevocationFull);
    let error = world.sessions.refresh(&pair.refresh_token).unwrap_err();
    assert_eq!(error.code, Code::RevocationFull);
    assert!(world.sessions.list("alice").is_empty());
    world.sessions.end_all("alice").unwrap_err();
}

#[test]
fn a_logout_finds_room_where_older_tokens_may_be_refused() {
    use crate::revocation::OnFull::RejectOlder;
    let limits = Limits { max_entries: 3, on_full: RejectOlder, ..Limits::default() };
    let world = World::with(Options::default(), limits);
    for _ in 0..10 {
        let pair = world.start();
        world.sessions.end(pair.session).unwrap();
        assert_eq!(world.verify(&pair), Err(Rejection::Revoked));
    }
    world.pass(1);
    assert!(world.verify(&world.start()).is_ok());
}
