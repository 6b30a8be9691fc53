//! Readers of tokens, JSON and keys, as functions of any bytes: see [`crate::fuzz`].

use std::sync::{Arc, LazyLock};

use serde_json::Value;

use super::algorithm::Algorithm;
use super::key::key::Key;
use super::key_ring::fuzz as ring_fuzz;
use super::key_set::import::{ImportRules, KeyUse, import};
use super::key_source::KeySource;
use super::token::base64url;
use super::token::compact::TokenForm;
use super::token::json::{JsonFault, MAX_DEPTH, Raw, Value as Scanned, read_object, scan_strings};
use super::token::kind::TokenKind;
use super::token::unverified::Unverified;
use super::verify::exact_claims::{ClaimValue, ExactClaim, ExactClaims};
use super::verify::options::{Expected, Tolerance, VerifierOptions};
use super::verify::verifier::{Scratch, Verifier};
use crate::clock::TestClock;
use crate::error::{Code, Result};
use crate::revocation::{ListLimits, RevocationList};
use crate::secret::{Depth, TraceGuard};

/// The time of the verifiers, in milliseconds since 1970.
const NOW: u64 = 1_700_000_000_000;

const TOLERANCE: Tolerance = Tolerance { early: 5, late: 5 };

/// One algorithm for each kind of key.
const KINDS: [Algorithm; 6] = [
    Algorithm::Rs256,
    Algorithm::Es256,
    Algorithm::Es384,
    Algorithm::Es512,
    Algorithm::Ed25519,
    Algorithm::Hs256,
];

/// Verifies a token under several policies. With a line feed, the input is a header and a payload,
/// which are signed; otherwise it is a whole token. Returns whether the laxest policy accepts it.
pub(crate) fn token(bytes: &[u8]) -> bool {
    static KEY: LazyLock<Arc<Key>> = LazyLock::new(|| {
        Arc::new(Key::from_secret(&[7; 32], Algorithm::Hs256, Some("k")).expect("a key"))
    });
    let split = bytes.iter().position(|byte| *byte == b'\n');
    let token = split.map_or_else(
        || bytes.to_vec(),
        |at| signed(&KEY, &bytes[..at], &bytes[at + 1..]).into_bytes(),
    );
    let form = TokenForm::default();
    let padded = TokenForm { may_be_padded: true, ..form };
    let lax = verifier(&KEY, form, |_| {});
    let accepted = verify(&lax, &token);
    if let Some(payload) = &accepted {
        let read = serde_json::from_str::<Value>(payload);
        assert!(read.map_or_else(|error| is_beyond_range(&error), |value| value.is_object()));
        assert_eq!(Unverified::read(&token, form).expect("a well-formed token").payload, *payload);
        assert_eq!(verify(&verifier(&KEY, padded, |_| {}), &token), accepted);
    }
    let strict = verifier(&KEY, padded, |options| {
        options.issuer = Expected::OneOf(vec!["i".into()]);
        options.audience = Expected::OneOf(vec!["a".into(), "b".into()]);
        options.clock_tolerance = TOLERANCE;
        options.max_age = Some(60);
        options.typ = Some("JWT".into());
        options.required_claims = vec!["sub".into(), "scope".into()];
        options.exact_claims = exact_claims();
        options.require_expiry = true;
        options.revocations = Some(Arc::new(list()));
    });
    if verify(&strict, &token).is_some() {
        // No rule of the strict policy lets a token pass that the lax one refuses, apart from
        // padding and tolerance.
        let lax = verifier(&KEY, padded, |options| options.clock_tolerance = TOLERANCE);
        assert!(verify(&lax, &token).is_some());
    }
    accepted.is_some()
}

/// Scans a JSON object, and compares the members with those of `serde_json`.
pub(crate) fn json(bytes: &[u8]) -> bool {
    let Ok(text) = std::str::from_utf8(bytes) else { return false };
    let mut members = Vec::new();
    let scanned = read_object(text, |name, value| members.push((name, value)));
    let oracle = serde_json::from_str::<Value>(text);
    match (scanned, oracle) {
        (Ok(()), Ok(Value::Object(object))) => {
            assert_eq!(members.len(), object.len());
            for (name, value) in members {
                let name: String = name.chars().collect();
                check_value(value, object.get(&name).expect("the name of a member"));
            }
            true
        }
        (Ok(()), Err(error)) => {
            assert!(is_beyond_range(&error), "{error}");
            true
        }
        (Ok(()), Ok(_)) => unreachable!("the scanner reads objects only"),
        // The scanner is stricter in these.
        (Err(JsonFault::Duplicate | JsonFault::Depth | JsonFault::Surrogate), _) => false,
        (Err(JsonFault::Syntax), oracle) => {
            assert!(!oracle.is_ok_and(|value| value.is_object()), "refused: {text}");
            false
        }
    }
}

/// Imports a JWK Set, or a JWK as the only one of a set. Returns whether there is a key.
pub(crate) fn jwk(bytes: &[u8]) -> bool {
    let Ok(text) = std::str::from_utf8(bytes) else { return false };
    let rules = [
        ImportRules::of(KeyUse::Sig, None),
        ImportRules::of(KeyUse::Sig, Some(vec![Algorithm::Rs256, Algorithm::Ps512])),
        ImportRules::of(KeyUse::JwtSvid, None),
    ];
    let alone = format!("{{\"keys\":[{text}]}}");
    let mut has_key = false;
    for rules in &rules {
        for set in [text, &alone] {
            let Some(imported) = expect_code(import(set, rules), Code::JwtKey) else { continue };
            for key in &imported.keys {
                has_key = true;
                let json = key.public_jwk().expect("a public key");
                let again = Key::from_public_jwk(&json, key.algorithm(), None);
                let again = again.expect("the JWK of a key that was read");
                assert_eq!(again.public_jwk(), Some(json));
                assert!(!key.is_private());
            }
        }
    }
    has_key
}

/// Reads PEM as a key of each kind. The input is also judged as an HMAC secret, which it is not if
/// it was read as another key.
pub(crate) fn pem(bytes: &[u8]) -> bool {
    of_any_kind(bytes, |algorithm| Key::open_pem(bytes, None, algorithm, None))
}

/// Reads DER as a key of each kind.
pub(crate) fn der(bytes: &[u8]) -> bool {
    of_any_kind(bytes, |algorithm| Key::open_der(bytes, None, algorithm, None))
}

/// Reads a certificate, in PEM or DER, as a key of each kind.
pub(crate) fn certificate(bytes: &[u8]) -> bool {
    of_any_kind(bytes, |algorithm| Key::from_certificate(bytes, algorithm, None))
}

/// Reads the content of a key ring.
pub(crate) fn ring(bytes: &[u8]) -> bool {
    ring_fuzz::content(bytes)
}

fn of_any_kind(bytes: &[u8], open: impl Fn(Algorithm) -> Result<Key>) -> bool {
    let mut is_read = false;
    for algorithm in KINDS {
        let Some(key) = expect_code(open(algorithm), Code::JwtKey) else { continue };
        assert_eq!(key.algorithm(), algorithm);
        is_read = true;
        if let Some(original) = key.original() {
            let again = TraceGuard::run(Depth::Registers, |trace| {
                Key::from_pkcs8(original.expose(trace), algorithm, None)
            });
            assert_eq!(again.expect("a key's own PKCS#8").public_jwk(), key.public_jwk());
        }
    }
    let secret = expect_code(Key::from_secret(bytes, Algorithm::Hs512, None), Code::JwtKey);
    assert!(!is_read || secret.is_none(), "a key file is taken for a secret");
    is_read
}

/// The value of a result; `None` for the one error that is expected.
fn expect_code<T>(result: Result<T>, code: Code) -> Option<T> {
    if let Err(error) = &result {
        assert_eq!(error.code, code, "{error}");
    }
    result.ok()
}

fn check_value(scanned: Scanned<'_>, value: &Value) {
    match scanned {
        Scanned::String(raw) => assert_eq!(value.as_str(), Some(&*decoded(raw))),
        Scanned::Null => assert!(value.is_null()),
        Scanned::Boolean(own) => assert_eq!(value.as_bool(), Some(own)),
        Scanned::Number(text) => assert!(value.is_number() && text.parse::<f64>().is_ok()),
        Scanned::Object(text) => {
            assert_eq!(serde_json::from_str::<Value>(text).ok().as_ref(), Some(value));
        }
        Scanned::Array(text) => {
            assert_eq!(serde_json::from_str::<Value>(text).ok().as_ref(), Some(value));
            let strings: Option<Vec<_>> =
                value.as_array().and_then(|all| all.iter().map(Value::as_str).collect());
            let mut own = Vec::new();
            let is_all = scan_strings(text, |raw| own.push(decoded(raw))).is_some();
            assert_eq!(
                is_all.then_some(own),
                strings.map(|all| all.into_iter().map(String::from).collect())
            );
        }
    }
}

fn decoded(raw: Raw<'_>) -> String {
    let text: String = raw.chars().collect();
    assert!(raw.is(&text));
    text
}

/// Whether `serde_json` refuses a number that is too large for it, or a text that is nested deeper
/// than it reads, which is far deeper than the scanner does.
fn is_beyond_range(error: &serde_json::Error) -> bool {
    const _: () = assert!(MAX_DEPTH < 128);
    error.to_string().starts_with("number out of range")
}

fn signed(key: &Key, header: &[u8], payload: &[u8]) -> String {
    let message = format!("{}.{}", base64url::encode(header), base64url::encode(payload));
    let mut signature = Vec::new();
    key.sign_into(message.as_bytes(), &mut signature).expect("a signature");
    format!("{message}.{}", base64url::encode(&signature))
}

/// Verifies twice, because an accepted token is in the cache the second time.
fn verify(verifier: &Verifier, token: &[u8]) -> Option<String> {
    let [first, second] = [(); 2].map(|()| {
        let mut scratch = Scratch::default();
        verifier.verify(token, &mut scratch).map(ToOwned::to_owned)
    });
    assert_eq!(first, second);
    first.ok()
}

fn verifier(
    key: &Arc<Key>,
    form: TokenForm,
    change: impl FnOnce(&mut VerifierOptions),
) -> Verifier {
    let mut options = VerifierOptions {
        kind: TokenKind::jwt(),
        keys: KeySource::Keys(vec![key.clone()]),
        algorithms: None,
        issuer: Expected::Anything,
        audience: Expected::Anything,
        clock_tolerance: Tolerance::of(0),
        max_age: None,
        typ: None,
        required_claims: Vec::new(),
        exact_claims: ExactClaims::default(),
        require_expiry: false,
        revocations: None,
        cache_entries: 4,
        form,
    };
    change(&mut options);
    Verifier::new(options, Arc::new(TestClock::at(NOW))).expect("a verifier")
}

fn list() -> RevocationList {
    RevocationList::new(ListLimits::default(), Arc::new(TestClock::at(NOW))).expect("a list")
}

fn exact_claims() -> ExactClaims {
    let claim = |name: &str, values: &[ClaimValue]| ExactClaim {
        name: name.into(),
        values: values.to_vec(),
    };
    let claims = vec![
        claim("tenant", &[ClaimValue::String("t".into()), ClaimValue::Number(1.5)]),
        claim("admin", &[ClaimValue::Boolean(true)]),
    ];
    ExactClaims::new(claims).expect("exact claims")
}
