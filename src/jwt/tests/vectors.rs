//! The examples of the RFCs.

use std::sync::Arc;

use serde_json::Value;

use super::*;
use crate::testing::vectors::{base64url as bytes, cases};

/// What `exp` says in RFC 7515 and RFC 7519: 2011-03-22 18:43:00 UTC.
const EXPIRY: u64 = 1_300_819_380;

fn algorithm(case: &Value) -> Algorithm {
    let known = Algorithm::ALL.into_iter().find(|known| known.name() == text(case, "alg"));
    known.unwrap_or_else(|| panic!("{case}"))
}

/// Every way in which a case gives its key, private ones first.
fn keys(case: &Value) -> Vec<Key> {
    let algorithm = algorithm(case);
    if algorithm.is_symmetric() {
        return vec![Key::from_secret(&bytes(case, "secret"), algorithm, None).unwrap()];
    }
    vec![
        Key::from_pem(text(case, "pkcs8").as_bytes(), algorithm, None).unwrap(),
        Key::from_public_jwk(&case["jwk"].to_string(), algorithm, None).unwrap(),
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
    for case in accepted("rfc7515").chain(accepted("rfc7519")) {
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
    assert_eq!(refused.len(), 3);
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

/// RFC 7515 A.1 and A.2 and RFC 8037 A.4: HMAC, PKCS#1 v1.5 and Ed25519 sign alike every time.
#[test]
fn deterministic_signatures_are_reproduced() {
    let mut reproduced = 0;
    for case in accepted("rfc7515").chain(accepted("rfc8037")) {
        let (message, expected) = message_and_signature(text(&case, "token"));
        for key in keys(&case) {
            assert!(key.verifies(message.as_bytes(), &expected), "{case}");
            assert!(!key.verifies(&message.as_bytes()[1..], &expected), "{case}");
            if key.is_private() && key.algorithm() != Algorithm::Es256 {
                let mut signature = Vec::new();
                key.sign_into(message.as_bytes(), &mut signature).unwrap();
                assert_eq!(signature, expected, "{case}");
                reproduced += 1;
            }
        }
    }
    assert_eq!(reproduced, 3);
}

/// RFC 8037 A.4 signs a sentence: a fine JWS, but no JWT.
#[test]
fn a_payload_that_is_no_object_is_no_jwt() {
    for case in cases("rfc8037") {
        assert_eq!(decoded(text(&case, "token"))[1], text(&case, "payload"));
        for key in keys(&case) {
            let options = lax(KeySource::Keys(vec![Arc::new(key)]));
            let verifier = Verifier::new(options, Arc::new(ManualClock::at(NOW))).unwrap();
            assert_eq!(verify(&verifier, text(&case, "token")), Err(Rejection::Malformed));
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
