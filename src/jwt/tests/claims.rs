//! The claims that an issuer accepts, and their form.

use super::issue::{bare, full, issuer, payload_of};
use super::*;
use crate::jwt::json::MAX_DEPTH;

#[test]
fn a_claim_that_the_issuer_sets_is_refused_in_the_claims() {
    let nbf = || Overrides { not_before: Some(1), ..Overrides::default() };
    let aud = || Overrides { audience: Some(vec!["a".into()]), ..Overrides::default() };
    for (options, overrides, claims) in [
        (bare(), Overrides::default(), &[r#""iat":1"#, r#""exp":1"#][..]),
        (bare(), Overrides::default(), &[r#""\u0069at":1"#, r#""\u0065\u0078p":1"#]),
        (full(), Overrides::default(), &[r#""iss":"i""#, r#""is\u0073":"i""#]),
        (full(), Overrides::default(), &[r#""aud":"a""#, r#""\u0061ud":["a"]"#]),
        (full(), Overrides::default(), &[r#""jti":"x""#, r#""jt\u0069":"x""#]),
        (bare(), nbf(), &[r#""nbf":1"#, r#""nb\u0066":1"#]),
        (bare(), aud(), &[r#""aud":"a""#, r#""aud":[]"#]),
    ] {
        let issuer = issuer(options);
        for claim in claims {
            for text in [format!("{{{claim}}}"), format!("{{\"x\":1,{claim},\"y\":2}}")] {
                let refused = issue(&issuer, &text, &overrides).unwrap_err();
                assert_eq!(refused.code, Code::JwtClaim, "{text}");
            }
        }
    }
}

#[test]
fn a_claim_that_the_issuer_leaves_alone_is_the_callers() {
    let claims = r#"{"iss":"j","aud":["b"],"jti":"x","nbf":0,"sub":"s","sid":"t"}"#;
    let payload = payload_of(bare(), claims, &Overrides::default());
    assert!(payload.ends_with(&claims[1..]), "{payload}");
    // Names that only look like registered ones, or that are registered but nested in the object.
    let claims = r#"{"Exp":1,"exp ":2,"expx":3,"\u0065xpy":4,"x":{"exp":4,"iat":5},"alg":"none"}"#;
    let payload = payload_of(full(), claims, &Overrides::default());
    assert!(payload.ends_with(&claims[1..]), "{payload}");
}

#[test]
fn claims_that_no_verifier_would_read_are_refused() {
    let issuer = issuer(bare());
    let deep =
        |depth: usize| format!("{{\"x\":{}{}}}", "[".repeat(depth - 1), "]".repeat(depth - 1));
    assert!(issue(&issuer, &deep(MAX_DEPTH), &Overrides::default()).is_ok());
    for claims in [
        "",
        " ",
        "null",
        "[]",
        "\"\"",
        "1",
        "{",
        "{}}",
        "{},",
        "{}{}",
        r#"{"a":1,}"#,
        r#"{"a":undefined}"#,
        r#"{"a":1,"a":1}"#,
        r#"{"a":1,"\u0061":1}"#,
        r#"{"x":{"a":1,"a":2}}"#,
        r#"{"a":"\ud800"}"#,
        r#"{"a":"\udc00\ud800"}"#,
        r#"{"\ud83d":1}"#,
        "\u{feff}{}",
        "\u{a0}{}",
        &deep(MAX_DEPTH + 1),
        &deep(100_000),
        r#"{"sub":1}"#,
        r#"{"sid":null}"#,
        r#"{"jti":1}"#,
        r#"{"iss":["i"]}"#,
        r#"{"aud":[1]}"#,
        r#"{"nbf":"1"}"#,
        r#"{"nbf":1e999}"#,
    ] {
        let refused = issue(&issuer, claims, &Overrides::default());
        assert_eq!(code(refused), Some(Code::JwtClaim), "{claims:.60}");
    }
}

#[test]
fn an_issuer_needs_one_key_that_signs() {
    let build = |keys: Vec<Key>| {
        let keys = keys.into_iter().map(Arc::new).collect();
        code(Issuer::new(plain(KeySource::Keys(keys)), Arc::new(ManualClock::at(NOW))))
    };
    let public = key(Algorithm::EdDsa).public_jwk().unwrap();
    let public = Key::from_public_jwk(&public, Algorithm::EdDsa, None).unwrap();
    assert_eq!(build(vec![key(Algorithm::EdDsa)]), None);
    assert_eq!(build(vec![]), Some(Code::JwtKey));
    assert_eq!(build(vec![public]), Some(Code::JwtKey));
    let two = vec![key(Algorithm::EdDsa), key(Algorithm::Hs256)];
    assert_eq!(build(two), Some(Code::JwtKey));
}

/// A retired key verifies for `max_token_ttl`: a token must not outlive it.
#[test]
fn no_token_outlives_the_rings_keys() {
    let clock = Arc::new(ManualClock::at(NOW));
    let options = RingOptions { max_token_ttl: 3600, ..RingOptions::default() };
    let ring = KeyRing::new(options, clock.clone()).unwrap();
    ring.add(&Arc::new(key(Algorithm::EdDsa)), None).unwrap();
    let build = |expires_in| {
        let options = IssuerOptions { expires_in, ..plain(KeySource::Ring(ring.clone())) };
        Issuer::new(options, clock.clone())
    };
    assert_eq!(code(build(3601)), Some(Code::OutOfRange));
    let issuer = build(3600).unwrap();
    for (expires_in, refused) in [(3600, None), (3601, Some(Code::OutOfRange))] {
        let overrides = Overrides { expires_in: Some(expires_in), ..Overrides::default() };
        assert_eq!(code(issue(&issuer, "{}", &overrides)), refused);
    }
}

#[test]
fn claims_far_beyond_the_longest_token_are_refused() {
    let issuer = issuer(bare());
    for length in [MAX_TOKEN_LEN, 1_000_000] {
        let claims = format!(r#"{{"x":"{}"}}"#, "x".repeat(length));
        let refused = issue(&issuer, &claims, &Overrides::default());
        assert_eq!(code(refused), Some(Code::OutOfRange), "{length}");
    }
}

/// The signature counts towards the length.
#[test]
fn the_longest_token_that_is_issued_is_one_that_is_read() {
    for algorithm in Algorithm::ALL {
        let key = Arc::new(key(algorithm));
        let issuer = issuer(plain(KeySource::Keys(vec![key.clone()])));
        let filled = |length: usize| {
            issue(&issuer, &format!(r#"{{"x":"{}"}}"#, "x".repeat(length)), &Overrides::default())
        };
        let (mut accepted, mut refused) = (0, MAX_TOKEN_LEN);
        while refused - accepted > 1 {
            let middle = usize::midpoint(accepted, refused);
            *(if filled(middle).is_ok() { &mut accepted } else { &mut refused }) = middle;
        }
        let longest = filled(accepted).unwrap();
        // One more byte of claims makes one or two more characters.
        let lengths = MAX_TOKEN_LEN - 1..=MAX_TOKEN_LEN;
        assert!(lengths.contains(&longest.len()), "{algorithm:?} {}", longest.len());
        let verifier = lax(KeySource::Keys(vec![key]));
        let verifier = Verifier::new(verifier, Arc::new(ManualClock::at(NOW))).unwrap();
        assert!(verify(&verifier, &longest).is_ok(), "{algorithm:?}");
    }
}
