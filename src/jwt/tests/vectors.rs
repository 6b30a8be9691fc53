//! The examples of the RFCs.

use std::sync::Arc;

use serde_json::Value;

use super::*;
use crate::testing::vectors::{base64url as bytes, cases};

/// The `exp` in RFC 7515 and RFC 7519: 2011-03-22 18:43:00 UTC.
const EXPIRY: u64 = 1_300_819_380;

fn algorithm(case: &Value) -> Algorithm {
    Algorithm::named(text(case, "alg")).unwrap_or_else(|| panic!("{case}"))
}

/// The key of a case in every form that the case gives, private ones first.
fn keys(case: &Value) -> Vec<Key> {
    let algorithm = algorithm(case);
    if algorithm.is_symmetric() {
        let kid = case["kid"].as_str();
        return vec![Key::from_secret(&bytes(case, "secret"), algorithm, kid).unwrap()];
    }
    let kid = case["kid"].as_str();
    vec![
        Key::from_pem(text(case, "pkcs8").as_bytes(), algorithm, kid).unwrap(),
        Key::from_public_jwk(&case["jwk"].to_string(), algorithm, kid).unwrap(),
    ]
}

fn accepted(file: &str) -> impl Iterator<Item = Value> {
    cases(file).into_iter().filter(|case| case["rejection"].is_null())
}

fn message_and_signature(token: &str) -> (&str, Vec<u8>) {
    let (message, signature) = token.rsplit_once('.').unwrap();
    (message, base64url::decode(signature.as_bytes()).unwrap())
}

#[test]
fn signed_examples_verify_until_they_expire() {
    let claims = |case: &Value| text(case, "payload").starts_with('{');
    for case in accepted("rfc7515").chain(accepted("rfc7519")).filter(claims) {
        for key in keys(&case) {
            let clock = Arc::new(ManualClock::at(EXPIRY - 1));
            let mut options = lax(KeySource::Keys(vec![Arc::new(key)]));
            options.issuer = one_of(&["joe"]);
            let verifier = Verifier::new(options, clock.clone()).unwrap();
            let read = verify(&verifier, text(&case, "token"));
            assert_eq!(read.as_deref(), Ok(text(&case, "payload")), "{case}");
            clock.set(EXPIRY);
            assert_eq!(verify(&verifier, text(&case, "token")), Err(Rejection::Expired), "{case}");
        }
    }
}

#[test]
fn other_algorithms_and_unsecured_tokens_are_refused() {
    let refused: Vec<_> = ["rfc7515", "rfc7519"]
        .into_iter()
        .flat_map(cases)
        .filter(|case| !case["rejection"].is_null())
        .collect();
    assert_eq!(refused.len(), 2);
    for case in refused {
        for algorithm in Algorithm::ALL {
            let rejection = World::new(algorithm).verify(text(&case, "token")).unwrap_err();
            assert_eq!(rejection.code().as_str(), text(&case, "rejection"), "{case}");
        }
    }
}

#[test]
fn segments_are_the_base64url_of_the_examples() {
    for case in cases("rfc7519") {
        assert_eq!(decoded(text(&case, "token")), ["header", "payload"].map(|f| text(&case, f)));
    }
}

/// RFC 7515 A.1 and A.2 and RFC 8037 A.4: HMAC, PKCS#1 v1.5 and Ed25519 make the same signature
/// every time.
#[test]
fn deterministic_signatures_are_reproduced() {
    let mut reproduced = 0;
    for case in accepted("rfc7515").chain(accepted("rfc8037")) {
        let (message, expected) = message_and_signature(text(&case, "token"));
        for key in keys(&case) {
            assert!(key.verifies(message.as_bytes(), &expected), "{case}");
            assert!(!key.verifies(&message.as_bytes()[1..], &expected), "{case}");
            if key.is_private() && !matches!(key.algorithm().scheme().key_type(), KeyType::Ec(_)) {
                let mut signature = Vec::new();
                key.sign_into(message.as_bytes(), &mut signature).unwrap();
                assert_eq!(signature, expected, "{case}");
                reproduced += 1;
            }
        }
    }
    assert_eq!(reproduced, 3);
}

/// RFC 8037 A.4 and RFC 7515 A.4 sign a sentence: a valid JWS, but not a JWT.
#[test]
fn a_payload_that_is_no_object_is_no_jwt() {
    for case in cases("rfc8037").into_iter().chain([named("rfc7515", "A.4")]) {
        assert_eq!(decoded(text(&case, "token"))[1], text(&case, "payload"));
        for key in keys(&case) {
            let options = lax(KeySource::Keys(vec![Arc::new(key)]));
            let verifier = Verifier::new(options, Arc::new(ManualClock::at(NOW))).unwrap();
            assert_eq!(coded(verify(&verifier, text(&case, "token"))), Err(Code::JwtMalformed));
        }
    }
}

#[test]
fn thumbprints_are_the_default_kid() {
    for case in cases("rfc7638").into_iter().chain(cases("rfc8037")) {
        let mut jwk = case["jwk"].clone();
        jwk.as_object_mut().unwrap().remove("kid");
        let key = Key::from_public_jwk(&jwk.to_string(), algorithm(&case), None).unwrap();
        assert_eq!(key.kid(), text(&case, "thumbprint"), "{case}");
    }
    // RFC 7638 section 3.1: the kid of the example is not part of its thumbprint.
    let [case] = &cases("rfc7638")[..] else { panic!("one case") };
    let key = Key::from_public_jwk(&case["jwk"].to_string(), algorithm(case), None).unwrap();
    assert_eq!(key.kid(), text(&case["jwk"], "kid"));
}

/// RFC 7520 sections 4.1 to 4.5, through `verify_jws`, because their payload is a sentence.
#[test]
fn cookbook_examples_verify_as_jws() {
    for case in cases("rfc7520") {
        let algorithm = algorithm(&case);
        for key in keys(&case) {
            let keys = KeySource::Keys(vec![Arc::new(key)]);
            let (token, form) = (text(&case, "token").as_bytes(), TokenForm::default());
            let mut payload = Vec::new();
            let verdict = verify_jws(token, &keys, &[algorithm], form, &mut payload);
            if case["rejection"].is_null() {
                assert_eq!(verdict, Ok(()), "{case}");
                assert_eq!(payload, text(&case, "payload").as_bytes());
            } else {
                // The payload is detached, so the empty one here is not the one that was signed.
                let code = verdict.unwrap_err().code();
                assert_eq!(code.as_str(), text(&case, "rejection"), "{case}");
            }
        }
    }
}

/// RFC 7797 section 4.2: a payload that is not encoded, here in the compact form, which section 5.2
/// allows for a payload without a dot. The signature is valid, and the token is refused all the
/// same.
#[test]
fn unencoded_payloads_are_refused() {
    for case in cases("rfc7797") {
        let key = Key::from_secret(&bytes(&case, "secret"), Algorithm::Hs256, None).unwrap();
        let (message, signature) = message_and_signature(text(&case, "token"));
        let (header, _) = message.split_once('.').unwrap();
        let signed = format!("{header}.{}", text(&case, "payload"));
        assert!(key.verifies(signed.as_bytes(), &signature), "{case}");
        let keys = KeySource::Keys(vec![Arc::new(key)]);
        let read = |token: &str| {
            let form = TokenForm::default();
            verify_jws(token.as_bytes(), &keys, &[Algorithm::Hs256], form, &mut Vec::new())
                .map_err(|rejection| rejection.code().as_str())
        };
        assert_eq!(read(text(&case, "token")), Err(text(&case, "rejection")), "{case}");
    }
}
