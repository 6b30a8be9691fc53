//! A key set that another service replaces, under a verifier that caches headers.

use super::*;

const ALGORITHM: Algorithm = Algorithm::EdDsa;

struct Service {
    set: Arc<KeySet>,
    clock: Arc<ManualClock>,
    /// One caches headers, and one caches tokens as well.
    verifiers: [Verifier; 2],
}

impl Service {
    fn new() -> Self {
        let clock = Arc::new(ManualClock::at(NOW));
        let rules = ImportRules { purpose: KeyUse::Sig, algorithms: None, require_kid: false };
        let set = Arc::new(KeySet::new(rules, SetFormat::Jwks, clock.clone()));
        let verifiers = [0, 100].map(|cache_entries| {
            let options = VerifierOptions { cache_entries, ..lax(KeySource::Set(set.clone())) };
            Verifier::new(options, clock.clone()).unwrap()
        });
        Self { set, clock, verifiers }
    }

    fn load(&self, keys: &[&Key], seconds: u64) -> bool {
        let jwks: Vec<_> = keys.iter().map(|key| key.public_jwk().unwrap()).collect();
        self.set.load(&format!(r#"{{"keys":[{}]}}"#, jwks.join(",")), seconds).unwrap()
    }

    /// Verifies twice with each, and expects the same answer each time.
    fn verify(&self, key: &Key) -> Result<(), Rejection> {
        let far = format!(r#"{{"exp":{}}}"#, NOW + 10_000_000);
        let token = token(key, &header(key), &far);
        let [first, rest @ ..] =
            [0, 1, 0, 1].map(|index| verify(&self.verifiers[index], &token).map(|_| ()));
        assert_eq!(rest, [first; 3]);
        first
    }
}

#[test]
fn nothing_verifies_before_keys_are_loaded() {
    let service = Service::new();
    assert_eq!(service.verify(&key(ALGORITHM)), Err(Rejection::KeysUnavailable));
    assert!(service.set.list().is_none());
    service.set.renew(60);
    service.set.outlast(60);
    assert_eq!(service.verify(&key(ALGORITHM)), Err(Rejection::KeysUnavailable));
}

#[test]
fn keys_that_are_replaced_are_so_at_once() {
    let service = Service::new();
    let [one, two] = [(); 2].map(|()| other_key(ALGORITHM));
    assert!(service.load(&[&one], 60));
    assert_eq!(service.verify(&one), Ok(()));
    assert_eq!(service.verify(&two), Err(Rejection::KeyNotFound));
    assert!(service.load(&[&one, &two], 60));
    assert_eq!([&one, &two].map(|key| service.verify(key)), [Ok(()), Ok(())]);
    assert!(service.load(&[&two], 60));
    assert_eq!(service.verify(&one), Err(Rejection::KeyNotFound));
    assert_eq!(service.verify(&two), Ok(()));
    // An empty set is the legal way to say that every key is revoked.
    assert!(service.load(&[], 60));
    assert_eq!(service.verify(&two), Err(Rejection::KeyNotFound));
    assert_eq!(service.set.list().map(|keys| keys.len()), Some(0));
}

#[test]
fn the_same_text_only_renews() {
    let service = Service::new();
    let key = other_key(ALGORITHM);
    assert!(service.load(&[&key], 60));
    let epoch = service.set.epoch();
    service.clock.advance(Duration::from_secs(59));
    assert!(!service.load(&[&key], 60));
    assert_eq!(service.set.epoch(), epoch);
    service.clock.advance(Duration::from_secs(59));
    assert_eq!(service.verify(&key), Ok(()));
    service.clock.advance(Duration::from_secs(1));
    assert_eq!(service.verify(&key), Err(Rejection::KeysUnavailable));
}

#[test]
fn what_is_no_set_replaces_nothing() {
    let service = Service::new();
    let key = other_key(ALGORITHM);
    service.load(&[&key], 60);
    for text in ["", "<html></html>", r#"{"keys":[],"keys":[]}"#] {
        assert_eq!(code(service.set.load(text, 600)), Some(Code::JwtKey));
    }
    assert_eq!(service.verify(&key), Ok(()));
    service.clock.advance(Duration::from_secs(60));
    assert_eq!(service.verify(&key), Err(Rejection::KeysUnavailable));
}

/// The cached header has a time limit of its own.
#[test]
fn keys_run_out_while_their_header_is_remembered() {
    let service = Service::new();
    let key = other_key(ALGORITHM);
    service.load(&[&key], 60);
    assert_eq!(service.verify(&key), Ok(()));
    service.clock.advance(Duration::from_millis(59_999));
    assert_eq!(service.verify(&key), Ok(()));
    service.clock.advance(Duration::from_millis(1));
    assert_eq!(service.verify(&key), Err(Rejection::KeysUnavailable));
    assert!(service.set.list().is_none());
    service.set.outlast(30);
    assert_eq!(service.verify(&key), Ok(()));
    service.clock.advance(Duration::from_secs(29));
    // The time counts from when the set was fresh, however often `outlast` is called.
    service.set.outlast(30);
    assert_eq!(service.verify(&key), Ok(()));
    service.clock.advance(Duration::from_secs(1));
    assert_eq!(service.verify(&key), Err(Rejection::KeysUnavailable));
    service.set.renew(60);
    assert_eq!(service.verify(&key), Ok(()));
}

/// The cached header or token has a later limit.
#[test]
fn a_life_that_gets_shorter_is_so_at_once() {
    let shorter: [fn(&Service, &Key); 3] = [
        |service, _| service.set.renew(1),
        |service, key| assert!(!service.load(&[key], 1)),
        |service, _| {
            service.set.outlast(600);
            assert_eq!(service.verify(&other_key(ALGORITHM)), Err(Rejection::KeyNotFound));
            service.set.renew(1);
        },
    ];
    for shorten in shorter {
        let service = Service::new();
        let key = other_key(ALGORITHM);
        service.load(&[&key], 600);
        assert_eq!(service.verify(&key), Ok(()));
        shorten(&service, &key);
        assert_eq!(service.verify(&key), Ok(()));
        service.clock.advance(Duration::from_secs(1));
        assert_eq!(service.verify(&key), Err(Rejection::KeysUnavailable));
    }
}

#[test]
fn stale_keys_that_were_fetched_again_are_no_longer_used_than_that() {
    let service = Service::new();
    let key = other_key(ALGORITHM);
    service.load(&[&key], 2);
    service.set.outlast(3600);
    service.clock.advance(Duration::from_secs(2));
    assert_eq!(service.verify(&key), Ok(()));
    service.load(&[&key], 2);
    assert_eq!(service.verify(&key), Ok(()));
    service.clock.advance(Duration::from_secs(2));
    assert_eq!(service.verify(&key), Err(Rejection::KeysUnavailable));
}

#[test]
fn a_clock_that_is_set_back_lengthens_nothing() {
    let service = Service::new();
    let key = other_key(ALGORITHM);
    service.load(&[&key], 60);
    assert_eq!(service.verify(&key), Ok(()));
    service.clock.set(NOW - 3600);
    assert_eq!(service.verify(&key), Ok(()));
    service.clock.advance(Duration::from_secs(61));
    assert_eq!(service.verify(&key), Err(Rejection::KeysUnavailable));
    assert!(service.set.list().is_none());
    // While a provider is down, its keys may still be outlasted, but no longer than is said.
    service.set.outlast(30);
    assert_eq!(service.verify(&key), Ok(()));
    service.clock.advance(Duration::from_secs(30));
    assert_eq!(service.verify(&key), Err(Rejection::KeysUnavailable));
    // Keys that are loaded while the clock is ahead.
    service.clock.set(NOW + 7200);
    service.set.renew(60);
    service.clock.set(NOW);
    assert_eq!(service.verify(&key), Ok(()));
    service.clock.advance(Duration::from_secs(61));
    assert_eq!(service.verify(&key), Err(Rejection::KeysUnavailable));
}

/// A request could not bring a key for these tokens.
#[test]
fn tokens_of_shared_secrets_miss_no_key() {
    let service = Service::new();
    assert_eq!(service.verify(&key(Algorithm::Hs256)), Err(Rejection::Algorithm));
    service.load(&[&other_key(ALGORITHM)], 60);
    assert_eq!(service.verify(&key(Algorithm::Hs512)), Err(Rejection::Algorithm));
}

#[test]
fn a_second_lasts_a_second() {
    let service = Service::new();
    let key = other_key(ALGORITHM);
    service.clock.advance(Duration::from_millis(999));
    service.load(&[&key], 1);
    service.clock.advance(Duration::from_secs(1));
    assert_eq!(service.verify(&key), Ok(()));
    service.clock.advance(Duration::from_millis(1));
    assert_eq!(service.verify(&key), Err(Rejection::KeysUnavailable));
}

#[test]
fn the_keys_of_others_do_not_sign() {
    let service = Service::new();
    service.load(&[&other_key(ALGORITHM)], 60);
    let issuer = Issuer::new(plain(KeySource::Set(service.set)), service.clock);
    assert_eq!(code(issuer), Some(Code::JwtKey));
}

#[test]
fn public_keys_by_kid_make_keys_and_private_ones_do_not() {
    let clock = Arc::new(ManualClock::at(NOW));
    let pem = |name| text(&named("keys", name), "pem").to_owned();
    let private = pem("p-256 pkcs8");
    let certificate = text(&named("certificates", "RSA"), "cert").to_owned();
    let set = serde_json::json!({
        "ec": pem("p-256 spki"),
        "compressed": pem("p-256 spki, compressed point"),
        "rsa": pem("rsa-2048 spki"),
        "ed": pem("ed25519 spki"),
        "private": private,
        "both": format!("{certificate}{private}"),
        "mention": format!("see -----BEGIN PUBLIC KEY-----\n{private}"),
        "two": format!("{}{}", pem("p-256 spki"), pem("ed25519 spki")),
    });
    let keys = KeySet::new(ImportRules::of(KeyUse::Sig, None), SetFormat::X509, clock);
    keys.load(&set.to_string(), 60).unwrap();
    let name = |key: Arc<Key>| format!("{} {}", key.kid(), key.algorithm().name());
    let names: Vec<_> = keys.list().unwrap().into_iter().map(name).collect();
    assert_eq!(names, ["compressed ES256", "ec ES256", "ed EdDSA", "rsa RS256"]);
    let ignored: Vec<_> =
        keys.ignored().into_iter().map(|one| (one.kid.unwrap(), one.reason)).collect();
    assert_eq!(ignored.len(), 4);
    for (kid, reason) in ignored {
        let expected = if kid == "two" { "must have one key" } else { "everyone can sign" };
        assert!(reason.contains(expected), "{kid}: {reason}");
    }
}

#[test]
fn certificates_by_kid_make_keys_of_their_types() {
    let clock = Arc::new(ManualClock::at(NOW));
    let load = |algorithms: Option<&[Algorithm]>, set: &serde_json::Value| {
        let rules = ImportRules::of(KeyUse::Sig, algorithms.map(<[_]>::to_vec));
        let keys = KeySet::new(rules, SetFormat::X509, clock.clone());
        keys.load(&set.to_string(), 60).map(|_| {
            let name = |key: Arc<Key>| format!("{} {}", key.kid(), key.algorithm().name());
            (keys.list().unwrap().into_iter().map(name).collect::<Vec<_>>(), keys.ignored())
        })
    };
    let cert = |name| text(&named("certificates", name), "cert").to_owned();
    let (rsa, p256, okp) = (cert("RSA"), cert("P-256"), cert("Ed25519"));
    let broken = p256.replace("MII", "AAA");
    let set = serde_json::json!({ "a": rsa, "b": p256, "c": okp, "d": broken });
    let (names, ignored) = load(None, &set).unwrap();
    assert_eq!(names, ["a RS256", "b ES256", "c EdDSA"]);
    let reason = "this is not an X.509 certificate in PEM or DER";
    assert_eq!(ignored, [Ignored { kid: Some("d".into()), reason: reason.into() }]);
    let (names, ignored) = load(Some(&[Algorithm::Rs256, Algorithm::Ps256]), &set).unwrap();
    assert_eq!(names, ["a RS256", "a PS256"]);
    assert_eq!(ignored.len(), 3);
    assert_eq!(load(None, &serde_json::json!({})).unwrap().0, [""; 0]);
    for other in [serde_json::json!(null), serde_json::json!(7), serde_json::json!("none")] {
        let (names, ignored) = load(None, &serde_json::json!({ "a": rsa, "b": other })).unwrap();
        assert_eq!(names, ["a RS256"], "{other}");
        let reason = "the value is not a PEM text".into();
        assert_eq!(ignored, [Ignored { kid: Some("b".into()), reason }]);
    }
    for wrong in [
        serde_json::json!([rsa]),
        serde_json::json!({ "error": "none" }),
        serde_json::json!({ "a": [rsa] }),
        serde_json::json!({ "keys": [] }),
        serde_json::Value::Null,
    ] {
        assert_eq!(code(load(None, &wrong)), Some(Code::JwtKey), "{wrong}");
    }
}
