//! Issuing: the claims that the issuer splices into the caller's text.

use std::collections::HashSet;

use serde_json::{Value, json};

use super::*;

/// An issuer that sets every claim it can.
pub(super) fn full() -> IssuerOptions {
    IssuerOptions {
        issuer: Some("i".into()),
        audience: vec!["a".into()],
        jti: true,
        ..plain(KeySource::Keys(vec![Arc::new(key(Algorithm::Hs256))]))
    }
}

pub(super) fn bare() -> IssuerOptions {
    plain(KeySource::Keys(vec![Arc::new(key(Algorithm::Hs256))]))
}

pub(super) fn issuer(options: IssuerOptions) -> Issuer {
    Issuer::new(options, Arc::new(ManualClock::at(NOW))).unwrap()
}

pub(super) fn payload_of(options: IssuerOptions, claims: &str, overrides: &Overrides) -> String {
    let [_, payload] = decoded(&issue(&issuer(options), claims, overrides).unwrap());
    payload
}

#[test]
fn the_header_names_algorithm_type_and_key() {
    for algorithm in Algorithm::ALL {
        let key = Arc::new(key(algorithm));
        let kid = key.kid().to_owned();
        let issuer = issuer(plain(KeySource::Keys(vec![key])));
        let [header, _] = decoded(&issue(&issuer, "{}", &Overrides::default()).unwrap());
        assert_eq!(
            header,
            format!(r#"{{"alg":"{}","typ":"JWT","kid":"{kid}"}}"#, algorithm.name())
        );
    }
    let strange = "k\"\\\u{1}é😀";
    let key = Arc::new(Key::from_secret(&[7; 32], Algorithm::Hs256, Some(strange)).unwrap());
    let options = IssuerOptions { typ: "a\"b".into(), ..plain(KeySource::Keys(vec![key.clone()])) };
    let token = issue(&issuer(options), "{}", &Overrides::default()).unwrap();
    let header: Value = serde_json::from_str(&decoded(&token)[0]).unwrap();
    assert_eq!(header, json!({ "alg": "HS256", "typ": "a\"b", "kid": strange }));
    let options = VerifierOptions { typ: Some("a\"b".into()), ..lax(KeySource::Keys(vec![key])) };
    let verifier = Verifier::new(options, Arc::new(ManualClock::at(NOW))).unwrap();
    assert!(verify(&verifier, &token).is_ok());
}

#[test]
fn the_payload_is_the_issuers_claims_and_then_the_callers_text() {
    for (claims, rest) in [
        ("{}", "}"),
        (" { } ", "}"),
        ("{\n\t}\r\n", "}"),
        (r#"{"a":1}"#, r#","a":1}"#),
        ("\n{ \"a\" : [ 1 ] ,\n\"b\":{}\t}\n", ",\"a\" : [ 1 ] ,\n\"b\":{}\t}"),
        (r#"{"a":"}"}"#, r#","a":"}"}"#),
        (r#"{"":"{"}"#, r#","":"{"}"#),
        (r#"{"n":1.50E+3,"s":"\u00e9\/"}"#, r#","n":1.50E+3,"s":"\u00e9\/"}"#),
    ] {
        let payload = payload_of(bare(), claims, &Overrides::default());
        assert_eq!(payload, format!(r#"{{"iat":{NOW},"exp":{LATER}{rest}"#));
        let mut expected: Value = serde_json::from_str(claims).unwrap();
        expected["iat"] = NOW.into();
        expected["exp"] = LATER.into();
        assert_eq!(serde_json::from_str::<Value>(&payload).unwrap(), expected);
    }
    let payload = payload_of(full(), "{}", &Overrides::default());
    let start = format!(r#"{{"iat":{NOW},"exp":{LATER},"iss":"i","aud":"a","jti":""#);
    assert!(payload.starts_with(&start) && payload.ends_with("\"}"), "{payload}");
}

#[test]
fn overrides_replace_the_policy_for_one_token() {
    let overrides = Overrides {
        audience: Some(vec!["x".into(), "y\"".into()]),
        expires_in: Some(1),
        not_before: Some(30),
        ..Overrides::default()
    };
    let options = || IssuerOptions { jti: false, ..full() };
    let payload: Value = serde_json::from_str(&payload_of(options(), "{}", &overrides)).unwrap();
    assert_eq!(
        payload,
        json!({ "iat": NOW, "exp": NOW + 1, "nbf": NOW + 30, "iss": "i", "aud": ["x", "y\""] })
    );
    let single = Overrides { audience: Some(vec!["x".into()]), ..Overrides::default() };
    let payload: Value = serde_json::from_str(&payload_of(options(), "{}", &single)).unwrap();
    assert_eq!(payload["aud"], "x");
    let several = IssuerOptions { audience: vec!["a".into(), "b".into()], ..options() };
    let payload: Value =
        serde_json::from_str(&payload_of(several, "{}", &Overrides::default())).unwrap();
    assert_eq!(payload["aud"], json!(["a", "b"]));
}

#[test]
fn times_do_not_overflow() {
    let overrides = Overrides {
        expires_in: Some(u64::MAX),
        not_before: Some(u64::MAX),
        ..Overrides::default()
    };
    let payload = payload_of(bare(), "{}", &overrides);
    assert_eq!(payload, format!(r#"{{"iat":{NOW},"exp":{0},"nbf":{0}}}"#, u64::MAX));
}

#[test]
fn every_jti_is_a_new_uuid_of_version_7() {
    let clock = Arc::new(ManualClock::at(NOW));
    clock.advance(Duration::from_millis(123));
    let issuer = Issuer::new(full(), clock).unwrap();
    let mut seen = HashSet::new();
    for _ in 0..1000 {
        let [_, payload] = decoded(&issue(&issuer, "{}", &Overrides::default()).unwrap());
        let payload: Value = serde_json::from_str(&payload).unwrap();
        let id = uuid::Uuid::parse_str(text(&payload, "jti")).unwrap();
        assert_eq!((id.get_version_num(), id.get_variant()), (7, uuid::Variant::RFC4122));
        assert_eq!(id.as_u128() >> 80, u128::from(NOW * 1000 + 123));
        assert_eq!(id.hyphenated().to_string(), text(&payload, "jti"));
        assert!(seen.insert(id));
    }
}

#[test]
fn times_are_whole_seconds_and_follow_the_clock() {
    let clock = Arc::new(ManualClock::at(NOW));
    let issuer = Issuer::new(bare(), clock.clone()).unwrap();
    for (millis, second) in [(0, NOW), (999, NOW), (1, NOW + 1)] {
        clock.advance(Duration::from_millis(millis));
        let [_, payload] = decoded(&issue(&issuer, "{}", &Overrides::default()).unwrap());
        assert_eq!(payload, format!(r#"{{"iat":{second},"exp":{}}}"#, second + 3600));
    }
}
