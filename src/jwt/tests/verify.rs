//! The genuine tokens that a verifier accepts, by type, parties and key.

use super::*;
use crate::revocation::{ListLimits, RevocationList};

#[test]
fn round_trips_of_every_algorithm_with_every_option() {
    for algorithm in Algorithm::ALL {
        let key = Arc::new(key(algorithm));
        let clock = Arc::new(ManualClock::at(NOW));
        let issuer = IssuerOptions {
            issuer: Some("https://i.example".into()),
            audience: vec!["api".into(), "web".into()],
            typ: "at+jwt".into(),
            jti: true,
            ..plain(KeySource::Keys(vec![key.clone()]))
        };
        let issuer = Issuer::new(issuer, clock.clone()).unwrap();
        assert_eq!(issuer.expires_in(), 3600);
        let list = RevocationList::new(ListLimits::default(), clock.clone()).unwrap();
        let keys = vec![key.clone(), Arc::new(other_key(algorithm))];
        let options = VerifierOptions {
            algorithms: Some(vec![algorithm]),
            issuer: one_of(&["other", "https://i.example"]),
            audience: one_of(&["web"]),
            clock_tolerance: Tolerance::of(5),
            max_age: Some(600),
            typ: Some("application/at+jwt".into()),
            revocations: Some(Arc::new(list)),
            ..lax(KeySource::Keys(keys))
        };
        let verifier = Verifier::new(options, clock).unwrap();
        let claims = r#"{"sub":"alice","sid":"s","admin":true,"n":[1.50,"é\u00e9"]}"#;
        let overrides =
            Overrides { expires_in: Some(60), not_before: Some(5), ..Overrides::default() };
        let token = issue(&issuer, claims, &overrides).unwrap();
        // Twice, because the second time the header is cached.
        for _ in 0..2 {
            let read = verify(&verifier, &token).unwrap();
            assert_eq!(read, decoded(&token)[1], "{algorithm:?}");
            assert!(read.ends_with(&claims[1..]), "{read}");
        }
    }
}

#[test]
fn claims_of_the_wrong_type_fail_though_nobody_asks_for_them() {
    let world = World::new(Algorithm::Hs256);
    for (members, claim) in [
        (r#""nbf":"0""#, Claim::NotBefore),
        (r#""iss":["i"]"#, Claim::Issuer),
        (r#""aud":{"a":"b"}"#, Claim::Audience),
        (r#""aud":["a",["b"]]"#, Claim::Audience),
        (r#""sub":7"#, Claim::Subject),
        (r#""jti":null"#, Claim::Id),
        (r#""sid":false"#, Claim::Session),
    ] {
        let verdict = world.judge(&payload(members));
        assert_eq!(verdict, Err(Rejection::Claim(claim, Reason::Type)), "{members}");
    }
}

#[test]
fn typ_is_compared_as_a_media_type() {
    let missing = Err(Rejection::Claim(Claim::Type, Reason::Missing));
    let mismatch = Err(Rejection::Claim(Claim::Type, Reason::Mismatch));
    for (expected, typ, verdict) in [
        (Some("at+jwt"), r#","typ":"at+jwt""#, Ok(())),
        (Some("at+jwt"), r#","typ":"AT+JWT""#, Ok(())),
        (Some("at+jwt"), r#","typ":"application/at+jwt""#, Ok(())),
        (Some("application/at+jwt"), r#","typ":"at+jwt""#, Ok(())),
        (Some("at+jwt"), r#","typ":"at\u002bjwt""#, Ok(())),
        (Some("at+jwt"), r#","typ":"JWT""#, mismatch),
        (Some("at+jwt"), r#","typ":"at+jwt ""#, mismatch),
        (Some("at+jwt"), r#","typ":"""#, mismatch),
        (Some("at+jwt"), r#","typ":"text/at+jwt""#, mismatch),
        (Some("at+jwt"), "", missing),
        (Some("at+jwt"), r#","typ":null"#, Err(Malformation::Parameter(2).into())),
        (None, r#","typ":null"#, Err(Malformation::Parameter(2).into())),
        (None, r#","typ":"anything""#, Ok(())),
        (None, "", Ok(())),
    ] {
        let world = World::with(Algorithm::Hs256, |options| {
            options.typ = expected.map(Into::into);
        });
        let header = format!(r#"{{"alg":"HS256","kid":"hmac"{typ}}}"#);
        // Twice, because a refused type must not be cached as accepted.
        for _ in 0..2 {
            assert_eq!(world.judge_header(&header), verdict, "{expected:?} {typ}");
        }
    }
}

#[test]
fn issuers_and_audiences_are_exact_sets() {
    type Change = fn(&mut VerifierOptions, Expected);
    let issuer: (Claim, Change) = (Claim::Issuer, |options, set| options.issuer = set);
    let audience: (Claim, Change) = (Claim::Audience, |options, set| options.audience = set);
    for ((claim, change), accepted, members, verdict) in [
        (issuer, &["a", "b"][..], r#""iss":"b""#, Ok(())),
        (issuer, &["a", "b"], r#""iss":"\u0062""#, Ok(())),
        (issuer, &["a", "b"], r#""iss":"ab""#, Err(Reason::Mismatch)),
        (issuer, &["a", "b"], r#""iss":"""#, Err(Reason::Mismatch)),
        (issuer, &["a", "b"], r#""iss":"A""#, Err(Reason::Mismatch)),
        (issuer, &["a"], r#""iss":"a/""#, Err(Reason::Mismatch)),
        (issuer, &["a"], "", Err(Reason::Missing)),
        (issuer, &["a"], r#""iss":["a"]"#, Err(Reason::Type)),
        (issuer, &[], r#""iss":"a""#, Err(Reason::Mismatch)),
        (audience, &["a", "b"], r#""aud":"b""#, Ok(())),
        (audience, &["a", "b"], r#""aud":["x","b"]"#, Ok(())),
        (audience, &["a", "b"], r#""aud":[ "x" , "\u0061" ]"#, Ok(())),
        (audience, &["a", "b"], r#""aud":["ab","x"]"#, Err(Reason::Mismatch)),
        (audience, &["a", "b"], r#""aud":"a,b""#, Err(Reason::Mismatch)),
        (audience, &["a"], r#""aud":[]"#, Err(Reason::Mismatch)),
        (audience, &["a"], "", Err(Reason::Missing)),
        (audience, &["a"], r#""aud":["a",null]"#, Err(Reason::Type)),
        (audience, &["a"], r#""aud":null"#, Err(Reason::Type)),
        (audience, &[], r#""aud":[]"#, Err(Reason::Mismatch)),
    ] {
        let set = one_of(accepted);
        let world = World::with(Algorithm::Hs256, |options| change(options, set));
        let verdict = verdict.map_err(|reason| Rejection::Claim(claim, reason));
        assert_eq!(world.judge(&payload(members)), verdict, "{accepted:?} {members}");
    }
}

#[test]
fn keys_are_selected_by_kid_and_bound_to_one_algorithm() {
    let first = Arc::new(key(Algorithm::EdDsa));
    let second = Arc::new(other_key(Algorithm::EdDsa));
    let hmac = Arc::new(key(Algorithm::Hs256));
    let keys = vec![first.clone(), second.clone(), hmac.clone()];
    let clock = Arc::new(ManualClock::at(NOW));
    let all = Verifier::new(lax(KeySource::Keys(keys.clone())), clock.clone()).unwrap();
    let with_kid = |key: &Key, alg: &str, kid: &str| {
        token(key, &format!(r#"{{"alg":"{alg}","kid":"{kid}"}}"#), &payload(""))
    };
    for key in &keys {
        let genuine = token(key, &header(key), &payload(""));
        assert!(verify(&all, &genuine).is_ok());
    }
    for (token, rejection) in [
        (with_kid(&first, "EdDSA", "unknown"), Rejection::KeyNotFound),
        (with_kid(&first, "EdDSA", ""), Rejection::KeyNotFound),
        (with_kid(&first, "EdDSA", &"k".repeat(MAX_KID_LEN + 1)), Rejection::KeyNotFound),
        (with_kid(&first, "EdDSA", second.kid()), Rejection::Signature),
        (with_kid(&first, "HS256", first.kid()), Rejection::KeyAlgorithm),
        (with_kid(&first, "EdDSA", hmac.kid()), Rejection::KeyAlgorithm),
        (with_kid(&hmac, "HS256", first.kid()), Rejection::KeyAlgorithm),
        (with_kid(&first, "RS256", "unknown"), Rejection::KeyNotFound),
        // There are two keys of the algorithm, so a token without `kid` names neither.
        (token(&first, r#"{"alg":"EdDSA"}"#, &payload("")), Rejection::Nameless),
        (token(&first, r#"{"alg":"ES256"}"#, &payload("")), Rejection::Nameless),
    ] {
        assert_eq!(verify(&all, &token), Err(rejection), "{:?}", decoded(&token));
    }
    // There is only one HMAC key, so a token without `kid` names it.
    assert!(verify(&all, &token(&hmac, r#"{"alg":"HS256"}"#, &payload(""))).is_ok());
    // A kid may be spelled with escapes.
    assert!(verify(&all, &with_kid(&hmac, "HS256", r"\u0068mac")).is_ok());

    let algorithms = Some(vec![Algorithm::Hs256]);
    let narrow = VerifierOptions { algorithms, ..lax(KeySource::Keys(keys)) };
    let narrow = Verifier::new(narrow, clock).unwrap();
    assert!(verify(&narrow, &token(&hmac, &header(&hmac), &payload(""))).is_ok());
    let outside = token(&first, &header(&first), &payload(""));
    assert_eq!(verify(&narrow, &outside), Err(Rejection::Algorithm));
}

#[test]
fn the_longest_kid_works() {
    let kid = "é".repeat(MAX_KID_LEN / 2);
    let key = Key::from_secret(&[1; 32], Algorithm::Hs256, Some(&kid)).unwrap();
    let genuine = token(&key, &header(&key), &payload(""));
    let options = lax(KeySource::Keys(vec![Arc::new(key)]));
    let verifier = Verifier::new(options, Arc::new(ManualClock::at(NOW))).unwrap();
    assert!(verify(&verifier, &genuine).is_ok());
}

#[test]
fn policies_that_cannot_be_are_refused() {
    let build = |change: fn(&mut VerifierOptions)| {
        let mut options = lax(KeySource::Keys(vec![Arc::new(key(Algorithm::Hs256))]));
        change(&mut options);
        code(Verifier::new(options, Arc::new(ManualClock::at(NOW))))
    };
    assert_eq!(build(|options| options.clock_tolerance = Tolerance::of(MAX_CLOCK_TOLERANCE)), None);
    assert_eq!(
        build(|options| options.clock_tolerance = Tolerance::of(MAX_CLOCK_TOLERANCE + 1)),
        Some(Code::OutOfRange)
    );
    assert_eq!(build(|options| options.keys = KeySource::Keys(vec![])), Some(Code::JwtKey));
    let twins = |options: &mut VerifierOptions| {
        let twins = [key(Algorithm::EdDsa), key(Algorithm::Ed25519)].map(Arc::new);
        options.keys = KeySource::Keys(twins.into());
    };
    assert_eq!(build(twins), Some(Code::KeyringDuplicate));
    let namesakes = |options: &mut VerifierOptions| {
        let namesakes = [key(Algorithm::Rs256), key(Algorithm::Ps256)].map(Arc::new);
        options.keys = KeySource::Keys(namesakes.into());
    };
    assert_eq!(build(namesakes), None);
}
