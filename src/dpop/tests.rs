//! Tests proofs: the examples of RFC 9449, every refusal, and random changes.

use std::sync::Arc;
use std::time::Duration;

use serde_json::{Value, json};

use super::make::hash_of;
use super::proof::Proof;
use super::{Accepted, Checker, MIN_ENTRIES, NewProof, Refusal, ReplayCache, Request, create};
use crate::clock::ManualClock;
use crate::error::Code;
use crate::jwt::{Algorithm, Key, base64url};
use crate::testing::random::Random;
use crate::testing::vectors::{cases, number, text};

const NOW: u64 = 1_700_000_000;
const URL: &str = "https://api.example/orders";
const TOKEN: &str = "a.b.c";

/// A service that began in the second before this time, and its clock.
fn service(now: u64, needs_nonce: bool) -> (Checker, Arc<ReplayCache>, Arc<ManualClock>) {
    let clock = Arc::new(ManualClock::at(now - 1));
    let cache = Arc::new(ReplayCache::new(MIN_ENTRIES, clock.clone()).unwrap());
    clock.set(now);
    (Checker::new(cache.clone(), 60, needs_nonce), cache, clock)
}

fn request<'a>(proof: &'a str, thumbprint: &'a str) -> Request<'a> {
    let proof = proof.as_bytes();
    Request { proof, method: "GET", url: URL, token: TOKEN, thumbprint, is_known: false }
}

fn key(algorithm: Algorithm) -> Key {
    Key::generate(algorithm, None, None).unwrap()
}

/// The header of a proof and its claims, to be changed.
fn parts(key: &Key) -> (Value, Value) {
    let mut jwk: Value = serde_json::from_str(&key.public_jwk().unwrap()).unwrap();
    for name in ["alg", "kid", "use"] {
        jwk.as_object_mut().unwrap().remove(name);
    }
    let claims = json!({ "jti": "1", "htm": "GET", "htu": URL, "iat": NOW, "ath": hash_of(TOKEN) });
    (json!({ "typ": "dpop+jwt", "jwk": jwk }), claims)
}

/// Signs any header, also one that no signer of ours would make.
fn signed(key: &Key, header: &Value, claims: &Value) -> String {
    let mut header = header.clone();
    header["alg"] = key.algorithm().name().into();
    let parts = [&header, claims].map(|part| base64url::encode(part.to_string().as_bytes()));
    let (message, mut signature) = (parts.join("."), Vec::new());
    key.sign_into(message.as_bytes(), &mut signature).unwrap();
    format!("{message}.{}", base64url::encode(&signature))
}

#[test]
fn the_examples_of_the_standard_have_their_key_and_claims() {
    for case in cases("rfc9449") {
        let proof = Proof::read(text(&case, "proof").as_bytes()).unwrap();
        assert!(proof.is_signed(), "{case}");
        assert_eq!(proof.thumbprint(), text(&case, "thumbprint"));
        assert_eq!(proof.claims.jti, text(&case, "jti"));
        assert_eq!(proof.claims.htm, text(&case, "method"));
        assert_eq!(proof.claims.htu, text(&case, "url"));
        assert_eq!(proof.claims.iat, u64::from(number(&case, "iat")) * 1000);
        assert_eq!(proof.claims.ath.as_deref(), case["ath"].as_str());
    }
}

#[test]
fn the_example_of_a_protected_resource_is_accepted_once_at_its_time() {
    let all = cases("rfc9449");
    let case = all.iter().find(|case| case["token"].is_string()).unwrap();
    let (checker, _, _) = service(number(case, "iat").into(), false);
    let request = |method| Request {
        proof: text(case, "proof").as_bytes(),
        method,
        url: text(case, "url"),
        token: text(case, "token"),
        thumbprint: text(case, "thumbprint"),
        is_known: false,
    };
    assert_eq!(checker.check(&request("POST")), Err(Refusal::Method));
    assert_eq!(checker.check(&request("GET")), Ok(Accepted::Whole));
    assert_eq!(checker.check(&request("GET")), Err(Refusal::Replayed));
}

#[test]
fn proofs_of_every_kind_of_key_pair_are_made_and_accepted() {
    for algorithm in Algorithm::ALL.into_iter().filter(|one| !one.is_symmetric()) {
        let key = key(algorithm);
        let (checker, _, clock) = service(NOW, false);
        let new = NewProof {
            method: "GET",
            url: "HTTPS://API.example:443/orders?page=2#x",
            access_token: Some(TOKEN),
            nonce: None,
        };
        let proof = create(&key, &new, &*clock).unwrap();
        // A key without a name is called by its thumbprint.
        assert_eq!(checker.check(&request(&proof, key.kid())), Ok(Accepted::Whole), "{key:?}");
    }
}

#[test]
fn no_proof_is_made_with_a_secret_a_public_key_or_for_another_address() {
    let new = |url| NewProof { method: "GET", url, access_token: None, nonce: None };
    let clock = ManualClock::at(NOW);
    let secret = key(Algorithm::Hs256);
    assert_eq!(create(&secret, &new(URL), &clock).unwrap_err().code, Code::JwtKey);
    let pair = Arc::new(key(Algorithm::Es256));
    assert_eq!(create(&pair, &new("/x"), &clock).unwrap_err().code, Code::InvalidArgValue);
    let public = pair.without_private();
    assert_eq!(create(&public, &new(URL), &clock).unwrap_err().code, Code::JwtKey);
}

#[test]
fn each_fault_has_its_refusal_and_leaves_nothing_in_the_cache() {
    let pair = key(Algorithm::Es256);
    let other = key(Algorithm::Es256);
    let (checker, cache, _) = service(NOW, false);
    let refused = |change: &dyn Fn(&mut Value, &mut Value)| {
        let (mut header, mut claims) = parts(&pair);
        change(&mut header, &mut claims);
        checker.check(&request(&signed(&pair, &header, &claims), pair.kid()))
    };
    let claim =
        |name: &'static str, value: Value| refused(&move |_, claims| claims[name] = value.clone());
    let without = |name: &'static str| {
        refused(&move |_, claims| drop(claims.as_object_mut().unwrap().remove(name)))
    };
    let parameter =
        |name: &'static str, value: Value| refused(&move |header, _| header[name] = value.clone());
    let member = |name: &'static str, value: Value| {
        refused(&move |header, _| header["jwk"][name] = value.clone())
    };
    for name in ["jti", "htm", "htu", "iat"] {
        assert_eq!(without(name), Err(Refusal::Malformed), "{name}");
        assert_eq!(claim(name, json!([1])), Err(Refusal::Malformed), "{name}");
        assert_eq!(claim(name, json!("")), Err(Refusal::Malformed), "{name}");
    }
    assert_eq!(claim("jti", json!("j".repeat(257))), Err(Refusal::Malformed));
    assert_eq!(claim("iat", json!(-1)), Err(Refusal::Malformed));
    assert_eq!(claim("nonce", json!(1)), Err(Refusal::Malformed));
    for typ in ["JWT", "dpop", "DPoP+jwt", "application/dpop+jwt", ""] {
        assert_eq!(parameter("typ", json!(typ)), Err(Refusal::Type), "{typ}");
    }
    assert_eq!(parameter("typ", json!(1)), Err(Refusal::Malformed));
    assert_eq!(parameter("jwk", json!("key")), Err(Refusal::Malformed));
    for private in ["d", "p", "k", "priv", "oth"] {
        assert_eq!(member(private, json!("AA")), Err(Refusal::Key), "{private}");
    }
    assert_eq!(member("kty", json!("RSA")), Err(Refusal::Key));
    assert_eq!(member("crv", json!("P-384")), Err(Refusal::Key));
    assert_eq!(member("x", json!("AA")), Err(Refusal::Key));
    assert_eq!(member("use", json!("enc")), Err(Refusal::Key));
    assert_eq!(member("alg", json!("ES384")), Err(Refusal::Key));
    assert_eq!(claim("htm", json!("POST")), Err(Refusal::Method));
    assert_eq!(claim("htm", json!("get")), Err(Refusal::Method));
    for url in ["https://api.example/order", "http://api.example/orders", "https://evil/orders"] {
        assert_eq!(claim("htu", json!(url)), Err(Refusal::Url), "{url}");
    }
    for ath in [json!(hash_of("another")), json!("")] {
        assert_eq!(claim("ath", ath), Err(Refusal::Token));
    }
    assert_eq!(without("ath"), Err(Refusal::Token));
    for iat in [json!(NOW - 61), json!(1_700_000_000.0 - 60.5), json!(NOW + 31)] {
        assert_eq!(claim("iat", iat), Err(Refusal::Time));
    }
    for (name, value) in [("exp", NOW), ("exp", NOW - 5), ("nbf", NOW + 31)] {
        assert_eq!(claim(name, json!(value)), Err(Refusal::Time), "{name}");
        assert_eq!(claim(name, json!(value.to_string())), Err(Refusal::Malformed), "{name}");
    }
    // Another key signs, with the victim's key in the header, and with its own.
    let (header, claims) = parts(&pair);
    let forged = signed(&other, &header, &claims);
    assert_eq!(checker.check(&request(&forged, pair.kid())), Err(Refusal::Signature));
    let (header, claims) = parts(&other);
    let own = signed(&other, &header, &claims);
    assert_eq!(checker.check(&request(&own, pair.kid())), Err(Refusal::Binding));
    assert_eq!(cache.entries(), 0);
    // Other claims and parameters are those of extensions.
    assert_eq!(claim("extra", json!({})), Ok(Accepted::Whole));
    let dated = refused(&|_, claims| {
        claims["jti"] = json!("dated");
        claims["exp"] = json!(NOW + 5);
        claims["nbf"] = json!(NOW);
    });
    assert_eq!(dated, Ok(Accepted::Whole));
    assert_eq!(claim("jti", json!("1")), Err(Refusal::Replayed));
}

#[test]
fn texts_that_are_no_proofs_are_malformed_or_of_no_algorithm() {
    let segment = |json: &str| base64url::encode(json.as_bytes());
    let jwk = r#""jwk":{"kty":"oct"}"#;
    for (header, expected) in [
        (format!(r#"{{"typ":"dpop+jwt","alg":"none",{jwk}}}"#), Refusal::Algorithm),
        (format!(r#"{{"typ":"dpop+jwt","alg":"HS256",{jwk}}}"#), Refusal::Algorithm),
        (format!(r#"{{"typ":"dpop+jwt","alg":"es256",{jwk}}}"#), Refusal::Algorithm),
        (format!(r#"{{"typ":"dpop+jwt","alg":"ES256",{jwk}}}"#), Refusal::Key),
        (format!(r#"{{"typ":"dpop+jwt","alg":"ES256",{jwk},"crit":[]}}"#), Refusal::Malformed),
        (format!(r#"{{"typ":"dpop+jwt","alg":"ES256",{jwk},"b64":true}}"#), Refusal::Malformed),
        (
            format!(r#"{{"typ":"dpop+jwt","alg":"ES256","\u0061lg":"ES256",{jwk}}}"#),
            Refusal::Malformed,
        ),
        (format!(r#"{{"typ":"dpop+jwt","\u0061lg":"ES256",{jwk}}}"#), Refusal::Malformed),
        (format!(r#"{{"typ":"dpop+jwt","alg":"ES256",{jwk},{jwk}}}"#), Refusal::Malformed),
        (r#"{"typ":"dpop+jwt","alg":"ES256"}"#.into(), Refusal::Malformed),
        ("[]".into(), Refusal::Malformed),
    ] {
        let proof = format!("{}.{}.AA", segment(&header), segment("{}"));
        assert_eq!(Proof::read(proof.as_bytes()).err(), Some(expected), "{header}");
    }
    for text in ["", "a", "a.b", "a.b.c.d", "a.b.c.d.e", "..", &"a".repeat(9000)] {
        assert_eq!(Proof::read(text.as_bytes()).err(), Some(Refusal::Malformed), "{text}");
    }
}

#[test]
fn the_times_of_a_proof_are_exact() {
    let pair = key(Algorithm::EdDsa);
    let (checker, _, clock) = service(NOW - 1000, false);
    clock.advance(Duration::from_secs(1000));
    let at = |iat: Value| {
        let (header, mut claims) = parts(&pair);
        claims["jti"] = iat.to_string().into();
        claims["iat"] = iat;
        checker.check(&request(&signed(&pair, &header, &claims), pair.kid()))
    };
    for iat in [json!(NOW), json!(NOW - 60), json!(NOW + 30), json!(1_700_000_000.0 - 59.5)] {
        assert_eq!(at(iat.clone()), Ok(Accepted::Whole), "{iat}");
    }
    for iat in
        [json!(NOW - 61), json!(NOW + 31), json!(1_700_000_000.0 + 30.5), json!(0), json!(1e11)]
    {
        assert_eq!(at(iat.clone()), Err(Refusal::Time), "{iat}");
    }
}

#[test]
fn with_nonces_the_nonce_tells_the_time_and_the_clock_of_the_client_does_not_matter() {
    let pair = key(Algorithm::Es256);
    let (checker, cache, clock) = service(NOW, true);
    let with = |jti: &str, nonce: Option<&str>| {
        let (header, mut claims) = parts(&pair);
        claims["jti"] = jti.into();
        claims["iat"] = 0.into();
        if let Some(nonce) = nonce {
            claims["nonce"] = nonce.into();
        }
        checker.check(&request(&signed(&pair, &header, &claims), pair.kid()))
    };
    let nonce = cache.nonce();
    assert_eq!(with("1", None), Err(Refusal::Nonce));
    assert_eq!(with("1", Some("another")), Err(Refusal::Nonce));
    assert_eq!(with("1", Some(&service(NOW, true).1.nonce())), Err(Refusal::Nonce));
    assert_eq!(with("1", Some(&nonce)), Ok(Accepted::Whole));
    assert_eq!(with("1", Some(&nonce)), Err(Refusal::Replayed));
    clock.advance(Duration::from_secs(31));
    assert_eq!(with("2", Some(&nonce)), Ok(Accepted::NonceDue));
    clock.advance(Duration::from_secs(30));
    assert_eq!(with("3", Some(&nonce)), Err(Refusal::Nonce));
}

#[test]
fn a_cache_takes_its_own_nonces_in_its_first_second_and_no_proofs_without_them() {
    let pair = key(Algorithm::Es256);
    let clock = Arc::new(ManualClock::at(NOW));
    let cache = Arc::new(ReplayCache::new(MIN_ENTRIES, clock.clone()).unwrap());
    let with = |checker: &Checker, jti: &str, made: u64, nonce: String| {
        let (header, mut claims) = parts(&pair);
        claims["jti"] = jti.into();
        claims["iat"] = made.into();
        claims["nonce"] = nonce.into();
        checker.check(&request(&signed(&pair, &header, &claims), pair.kid()))
    };
    let asks = Checker::new(cache.clone(), 60, true);
    assert_eq!(with(&asks, "1", NOW, cache.nonce()), Ok(Accepted::Whole));
    assert_eq!(with(&asks, "1", NOW, cache.nonce()), Err(Refusal::Replayed));
    let others = Checker::new(cache.clone(), 60, false);
    assert_eq!(with(&others, "2", NOW, cache.nonce()), Err(Refusal::Forgotten));
    clock.advance(Duration::from_secs(1));
    assert_eq!(with(&others, "2", NOW, cache.nonce()), Err(Refusal::Forgotten));
    assert_eq!(with(&others, "2", NOW + 1, cache.nonce()), Ok(Accepted::Whole));
}

#[test]
fn a_request_that_two_middlewares_check_counts_once() {
    let pair = key(Algorithm::Es256);
    let (checker, _, _) = service(NOW, false);
    let (header, claims) = parts(&pair);
    let proof = signed(&pair, &header, &claims);
    assert_eq!(checker.check(&request(&proof, pair.kid())), Ok(Accepted::Whole));
    let again = Request { is_known: true, ..request(&proof, pair.kid()) };
    assert_eq!(checker.check(&again), Ok(Accepted::Whole));
    assert_eq!(checker.check(&request(&proof, pair.kid())), Err(Refusal::Replayed));
}

#[test]
fn statuses_are_distinct_and_found_again() {
    for refusal in Refusal::ALL {
        assert_eq!(Refusal::from_status(refusal.to_status()), Some(*refusal));
    }
    assert_eq!(Refusal::from_status(Accepted::Whole as u32), None);
    assert_eq!(Refusal::from_status(Accepted::NonceDue as u32), None);
}

/// Any change to a proof makes it another one: nothing but the proof itself is accepted.
#[test]
fn no_random_change_of_a_proof_is_accepted() {
    let pair = key(Algorithm::EdDsa);
    let (header, claims) = parts(&pair);
    let proof = signed(&pair, &header, &claims);
    let mut random = Random(11);
    for _ in 0..20_000 {
        let mut bytes = proof.clone().into_bytes();
        for _ in 0..=random.below(3) {
            let place = random.below(bytes.len());
            match random.below(3) {
                0 => bytes[place] = random.pick(b"AZaz09-_.={}\"\\ \xff"),
                1 => drop(bytes.remove(place)),
                _ => bytes.insert(place, random.pick(b"AZaz09-_.")),
            }
        }
        if bytes == proof.as_bytes() {
            continue;
        }
        let (checker, _, _) = service(NOW, false);
        let changed = Request { proof: &bytes, ..request(&proof, pair.kid()) };
        assert!(checker.check(&changed).is_err(), "{}", String::from_utf8_lossy(&bytes));
    }
}

/// The JSON of header and claims is changed before it is signed: a proof that is read is the one
/// that a reader of JSON finds, so no two readers see different keys, addresses or times.
#[test]
fn a_proof_with_changed_json_is_read_as_another_reader_reads_it() {
    let pair = key(Algorithm::EdDsa);
    let (header, claims) = parts(&pair);
    let mut random = Random(5);
    let (mut read, mut header) = (0, header);
    header["alg"] = "EdDSA".into();
    for _ in 0..20_000 {
        let mut texts = [header.to_string(), claims.to_string()].map(String::into_bytes);
        let bytes = &mut texts[random.below(2)];
        let place = random.below(bytes.len());
        bytes[place] = random.pick(b"{}[]\",:\\u0159eE+-. \ntfnaxyk");
        let proof = texts.iter().map(|bytes| base64url::encode(bytes)).collect::<Vec<_>>();
        let proof = format!("{}.AA", proof.join("."));
        let Ok(proof) = Proof::read(proof.as_bytes()) else { continue };
        read += 1;
        let [header, claims] =
            texts.map(|bytes| serde_json::from_slice::<Value>(&bytes).expect("JSON"));
        assert_eq!(header["typ"], "dpop+jwt");
        assert_eq!(
            header["alg"].as_str().and_then(Algorithm::named).map(Algorithm::is_symmetric),
            Some(false)
        );
        let jwk = &header["jwk"];
        let canonical = json!({ "crv": jwk["crv"], "kty": jwk["kty"], "x": jwk["x"] });
        assert_eq!(proof.thumbprint(), hash_of(&canonical.to_string()));
        let own = &proof.claims;
        assert_eq!(
            (claims["jti"].as_str(), claims["htm"].as_str()),
            (Some(&*own.jti), Some(&*own.htm))
        );
        assert_eq!(
            (claims["htu"].as_str(), claims["ath"].as_str()),
            (Some(&*own.htu), own.ath.as_deref())
        );
        let iat = Duration::from_secs_f64(claims["iat"].as_f64().unwrap()).as_millis();
        assert!(iat.abs_diff(own.iat.into()) <= 1, "{iat} {}", own.iat);
    }
    assert!(read > 500, "{read}");
}
