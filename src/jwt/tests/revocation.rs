//! The revocation list, as a verifier queries it.

use super::*;
use crate::revocation::{
    ListLimits, RemoteKeys, RemoteTerms, Revocation, RevocationList, Scope, StoredList,
};
use crate::secret::Secret;
use crate::store::{Store, StoreOptions};
use crate::testing::folder::Folder;

struct Court {
    world: World,
    list: Arc<RevocationList>,
}

impl Court {
    fn new(tolerance: u64) -> Self {
        let mut shared = None;
        let world = World::with(Algorithm::Hs256, |options| {
            let clock = Arc::new(ManualClock::at(NOW));
            let limits = ListLimits { max_token_ttl: 7200, ..ListLimits::default() };
            let list = Arc::new(RevocationList::new(limits, clock).unwrap());
            options.revocations = Some(list.clone());
            options.clock_tolerance = Tolerance::of(tolerance);
            shared = Some(list);
        });
        Self { world, list: shared.unwrap() }
    }
}

const MEMBERS: &str = r#""iss":"i","jti":"t","sid":"s","sub":"u""#;

#[test]
fn each_kind_of_entry_refuses_the_token() {
    type Revoke = fn(&RevocationList) -> crate::error::Result<()>;
    let cases: [(bool, Revoke); 14] = [
        (true, |list| list.revoke(&Revocation::id("t", LATER, Scope::Any))),
        (true, |list| list.revoke(&Revocation::id("t", LATER, Scope::Issuer("i")))),
        (false, |list| list.revoke(&Revocation::id("t", LATER, Scope::Issuer("j")))),
        (false, |list| list.revoke(&Revocation::id("s", LATER, Scope::Any))),
        (true, |list| list.revoke(&Revocation::session("s", LATER, Scope::Any))),
        (true, |list| list.revoke(&Revocation::session("s", LATER, Scope::Issuer("i")))),
        (false, |list| list.revoke(&Revocation::session("t", LATER, Scope::Any))),
        (true, |list| list.revoke(&Revocation::subject("u", NOW, Scope::Any))),
        (true, |list| list.revoke(&Revocation::subject("u", NOW, Scope::Issuer("i")))),
        (true, |list| list.revoke(&Revocation::subject("u", NOW + 1, Scope::Any))),
        (false, |list| list.revoke(&Revocation::subject("u", NOW - 1, Scope::Any))),
        (false, |list| list.revoke(&Revocation::subject("t", NOW, Scope::Any))),
        (true, |list| list.revoke(&Revocation::key("hmac"))),
        (false, |list| list.revoke(&Revocation::key("other"))),
    ];
    for (case, (revoked, revoke)) in cases.into_iter().enumerate() {
        let court = Court::new(0);
        let token = court.world.token(&payload(MEMBERS));
        assert!(court.world.verify(&token).is_ok(), "{case}");
        revoke(&court.list).unwrap();
        let verdict = court.world.verify(&token).map(|_| ());
        assert_eq!(verdict, if revoked { Err(Rejection::Revoked) } else { Ok(()) }, "{case}");
    }
}

#[test]
fn ids_are_compared_with_their_escapes_resolved() {
    let court = Court::new(0);
    court.list.revoke(&Revocation::id("t/é", LATER, Scope::Issuer("i"))).unwrap();
    for id in ["t/é", r"t\/é", r"\u0074\u002f\u00e9", r"t/\u00E9"] {
        for issuer in ["i", r"\u0069"] {
            let members = format!(r#""jti":"{id}","iss":"{issuer}""#);
            assert_eq!(court.world.judge(&payload(&members)), Err(Rejection::Revoked), "{members}");
        }
    }
    assert_eq!(court.world.judge(&payload(r#""jti":"t/e","iss":"i""#)), Ok(()));
}

#[test]
fn a_key_is_revoked_though_the_token_does_not_name_it() {
    let court = Court::new(0);
    let nameless = token(&court.world.key, r#"{"alg":"HS256"}"#, &payload(MEMBERS));
    assert!(court.world.verify(&nameless).is_ok());
    court.list.revoke(&Revocation::key("hmac")).unwrap();
    assert_eq!(court.world.verify(&nameless), Err(Rejection::Revoked));
}

#[test]
fn a_subject_is_refused_to_the_second() {
    let court = Court::new(1);
    court.list.revoke(&Revocation::subject("u", NOW, Scope::Any)).unwrap();
    for (iat, revoked) in [
        (format!("{}", NOW - 1), true),
        (format!("{NOW}"), true),
        (format!("{NOW}.999"), true),
        (format!("{}", NOW + 1), false),
    ] {
        let claims = format!(r#"{{"exp":{LATER},"iat":{iat},"jti":"t","sub":"u"}}"#);
        let expected = if revoked { Err(Rejection::Revoked) } else { Ok(()) };
        assert_eq!(court.world.judge(&claims), expected, "{iat}");
    }
}

#[test]
fn what_could_not_be_taken_back_is_not_accepted() {
    let court = Court::new(0);
    for (claims, verdict) in [
        (
            format!(r#"{{"exp":{LATER},"iat":{NOW}}}"#),
            Err(Rejection::Claim(Claim::Id, Reason::NeededToRevoke)),
        ),
        (
            format!(r#"{{"exp":{LATER},"jti":"t"}}"#),
            Err(Rejection::Claim(Claim::IssuedAt, Reason::NeededToRevoke)),
        ),
        (
            format!(r#"{{"iat":{NOW},"jti":"t"}}"#),
            Err(Rejection::Claim(Claim::Expiry, Reason::NeededToRevoke)),
        ),
        (format!(r#"{{"exp":{},"iat":{NOW},"jti":"t"}}"#, NOW + 7200), Ok(())),
        (
            format!(r#"{{"exp":{},"iat":{NOW},"jti":"t"}}"#, NOW + 7201),
            Err(Rejection::Claim(Claim::Expiry, Reason::Outlives)),
        ),
        (
            format!(r#"{{"exp":{},"iat":-1e308,"jti":"t"}}"#, "1e11"),
            Err(Rejection::Claim(Claim::Expiry, Reason::Outlives)),
        ),
    ] {
        assert_eq!(court.world.judge(&claims), verdict, "{claims}");
    }
}

/// An issuer whose clock is ahead dates a token after the revocation.
#[test]
fn a_subject_that_is_revoked_now_is_refused_to_the_largest_tolerance_or_the_proven_millisecond() {
    let court = Court::new(5);
    court.list.tolerate(4);
    court.world.clock.set(NOW);
    let id = |millis: u64| crate::id::uuid_v7(millis).unwrap().hyphenated().to_string();
    let token = |id: &str, iat: &str| {
        court
            .world
            .token(&format!(r#"{{"exp":{LATER},"iat":{iat},"jti":"{id}","iss":"i","sub":"u"}}"#))
    };
    let second = |at: u64| format!("{}", NOW + at);
    let cases = [
        (token("t", &second(0)), true),
        (token("t", &second(5)), true),
        (token("t", &format!("{}.5", NOW + 4)), true),
        // Issued at the same millisecond, or earlier.
        (token(&id(NOW * 1000), &second(0)), true),
        (token(&id(NOW * 1000 - 1), &(NOW - 1).to_string()), true),
        (token(&id(NOW * 1000 + 1), &second(0)), false),
        (token(&id(NOW * 1000 + 4321), &second(4)), false),
        // An id that was not made when the token was issued proves nothing.
        (token(&id(NOW * 1000 + 4321), &second(3)), true),
        (token(&id(NOW * 1000 + 4321), &second(5)), true),
        (token(&id(NOW * 1000 + 1).to_uppercase(), &second(0)), false),
        (token(&id(NOW * 1000 + 1).replace('-', ""), &second(0)), true),
        (token(&crate::id::uuid_v4().unwrap().to_string(), &second(0)), true),
    ];
    for (token, _) in &cases {
        assert!(court.world.verify(token).is_ok(), "{token}");
    }
    court.list.revoke(&Revocation::subject_now("u", Scope::Issuer("i"))).unwrap();
    for (token, revoked) in &cases {
        let verdict = court.world.verify(token).map(|_| ());
        let expected = if *revoked { Err(Rejection::Revoked) } else { Ok(()) };
        assert_eq!(verdict, expected, "{:?}", decoded(token));
    }
    // A moment that was given counts as it was given, also if the id proves another.
    court.list.revoke(&Revocation::subject("u", NOW, Scope::Any)).unwrap();
    assert_eq!(court.world.verify(&cases[5].0), Err(Rejection::Revoked));
    assert!(court.world.verify(&cases[6].0).is_ok());
}

/// The list remembers a token for as long as some verifier may still accept it.
#[test]
fn an_entry_outlives_expiry_by_the_largest_tolerance() {
    let clock = Arc::new(ManualClock::at(NOW));
    let limits = ListLimits { max_token_ttl: 7200, ..ListLimits::default() };
    let list = Arc::new(RevocationList::new(limits, clock.clone()).unwrap());
    let key = Arc::new(key(Algorithm::Hs256));
    let options = VerifierOptions {
        clock_tolerance: Tolerance::of(MAX_CLOCK_TOLERANCE),
        revocations: Some(list.clone()),
        ..lax(KeySource::Keys(vec![key.clone()]))
    };
    let verifier = Verifier::new(options, clock.clone()).unwrap();
    let genuine = token(&key, &header(&key), &payload(MEMBERS));
    let other = token(&key, &header(&key), &payload(r#""jti":"other""#));
    list.revoke(&Revocation::id("t", LATER, Scope::Any)).unwrap();
    clock.advance(Duration::from_millis((3600 + MAX_CLOCK_TOLERANCE) * 1000 - 1));
    // Every write drops some of the expired entries.
    for n in 0..50 {
        list.revoke(&Revocation::id(&format!("n{n}"), LATER + 1000, Scope::Any)).unwrap();
    }
    assert!(verify(&verifier, &other).is_ok());
    assert_eq!(verify(&verifier, &genuine), Err(Rejection::Revoked));
    clock.advance(Duration::from_millis(1));
    assert_eq!(verify(&verifier, &genuine), Err(Rejection::Expired));
}

#[test]
fn a_closed_list_lets_nothing_through() {
    let court = Court::new(0);
    let token = court.world.token(&payload(MEMBERS));
    assert!(court.world.verify(&token).is_ok());
    court.list.close();
    assert_eq!(court.world.verify(&token), Err(Rejection::RevocationUnavailable));
}

#[test]
fn the_rejection_by_a_list_that_cannot_answer_has_its_cause() {
    let clock = Arc::new(ManualClock::at(NOW));
    let unread = RevocationList::new(ListLimits::default(), clock.clone()).unwrap();
    let terms = RemoteTerms { max_staleness: 60_000, answers_from_memory: false };
    unread.attach_remote(RemoteKeys::provisional().unwrap(), terms, Box::new(|| true)).unwrap();

    let folder = Folder::new();
    let secret = Secret::copy_from(&[7; 32]).unwrap();
    let make = || Box::new(StoredList::new(clock.clone(), false)) as _;
    let options = StoreOptions::default();
    let store = Arc::new(Store::open(&folder.path("store"), &secret, options, make).unwrap());
    let state = store.state::<StoredList>().unwrap();
    state.prepare(&store).unwrap();
    let stored = state.list(&store, ListLimits::default(), clock.clone()).unwrap().unwrap();
    store.close();

    for (list, rejection) in
        [(Arc::new(unread), Rejection::RevocationStale), (stored, Rejection::RevocationStore)]
    {
        let world = World::with(Algorithm::Hs256, |options| options.revocations = Some(list));
        assert_eq!(world.judge(&payload(MEMBERS)), Err(rejection));
    }
}

#[test]
fn the_list_is_asked_last() {
    let court = Court::new(0);
    court.list.revoke(&Revocation::id("t", LATER, Scope::Any)).unwrap();
    let attacker = Key::from_secret(&[8; 32], Algorithm::Hs256, Some("hmac")).unwrap();
    let forged = token(&attacker, &header(&attacker), &payload(MEMBERS));
    assert_eq!(court.world.verify(&forged), Err(Rejection::Signature));
    court.world.clock.set(LATER);
    assert_eq!(court.world.judge(&payload(MEMBERS)), Err(Rejection::Expired));
}
