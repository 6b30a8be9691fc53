//! Tests of the token code as a whole: published vectors, issue to verify, and all that is refused.

mod attacks;
mod cached;
mod claims;
mod differential;
mod exact_claims;
mod forms;
mod headers;
mod issue;
mod jwk_fuzz;
mod jwks;
mod key_fuzz;
mod key_issuer;
mod key_set;
mod key_set_import;
mod keyfiles;
mod keys;
mod kinds;
mod lengths;
mod padding;
#[cfg(target_os = "linux")]
mod remains;
mod remembered;
mod revocation;
mod signatures;
mod times;
mod vectors;
mod verify;
mod wycheproof;

use std::sync::Arc;
use std::time::Duration;

use super::key::key_type::KeyType;
use super::*;
use crate::clock::ManualClock;
use crate::error::{Code, Error};
use crate::testing::vectors::{named, text};

const NOW: u64 = 1_700_000_000;
/// An hour after [`NOW`].
const LATER: u64 = NOW + 3600;

/// The secret of the HMAC keys: as long as the longest hash.
const HMAC_SECRET: [u8; 64] = [7; 64];

/// The key of an algorithm, always the same one. It can sign.
fn key(algorithm: Algorithm) -> Key {
    let Some(pem) = pem_of(algorithm) else {
        return Key::from_secret(&HMAC_SECRET, algorithm, Some("hmac")).unwrap();
    };
    Key::from_pem(text(&named("keys", pem), "pem").as_bytes(), algorithm, None).unwrap()
}

/// The case of `keys.json` from which [`key`] is made; none for HMAC.
fn pem_of(algorithm: Algorithm) -> Option<&'static str> {
    Some(match algorithm.scheme().key_type() {
        KeyType::Oct => return None,
        KeyType::Rsa => "rsa-2048 pkcs8",
        KeyType::Ec("P-256") => "p-256 pkcs8",
        KeyType::Ec("P-384") => "p-384 pkcs8",
        KeyType::Ec(_) => "p-521 pkcs8",
        KeyType::Okp(_) => "ed25519 pkcs8 v1",
    })
}

/// The algorithms of key pairs.
fn asymmetric() -> impl Iterator<Item = Algorithm> {
    Algorithm::ALL.into_iter().filter(|algorithm| !algorithm.is_symmetric())
}

/// A key other than [`key`].
fn other_key(algorithm: Algorithm) -> Key {
    Key::generate(algorithm, None, None).unwrap()
}

/// Signs any two texts, as anybody who has the key could.
fn token(key: &Key, header: &str, payload: &str) -> String {
    signed(key, &base64url::encode(header.as_bytes()), &base64url::encode(payload.as_bytes()))
}

/// Signs any two segments.
fn signed(key: &Key, header: &str, payload: &str) -> String {
    let message = format!("{header}.{payload}");
    let mut signature = Vec::new();
    key.sign_into(message.as_bytes(), &mut signature).unwrap();
    format!("{message}.{}", base64url::encode(&signature))
}

/// The header under which [`key`] and [`other_key`] sign.
fn header(key: &Key) -> String {
    format!(r#"{{"alg":"{}","kid":"{}"}}"#, key.algorithm().name(), key.kid())
}

/// A payload that is valid from [`NOW`] to [`LATER`], with more members.
fn payload(members: &str) -> String {
    let comma = if members.is_empty() { "" } else { "," };
    format!(r#"{{"exp":{LATER},"iat":{NOW}{comma}{members}}}"#)
}

/// A verifier that asks only for a signature and an expiry, and its clock at [`NOW`].
struct World {
    key: Arc<Key>,
    clock: Arc<ManualClock>,
    verifier: Verifier,
}

impl World {
    fn new(algorithm: Algorithm) -> Self {
        Self::with(algorithm, |_| {})
    }

    fn with(algorithm: Algorithm, change: impl FnOnce(&mut VerifierOptions)) -> Self {
        let key = Arc::new(key(algorithm));
        let mut options = lax(KeySource::Keys(vec![key.clone()]));
        change(&mut options);
        let clock = Arc::new(ManualClock::at(NOW));
        Self { key, clock: clock.clone(), verifier: Verifier::new(options, clock).unwrap() }
    }

    fn token(&self, payload: &str) -> String {
        token(&self.key, &header(&self.key), payload)
    }

    fn verify(&self, token: &str) -> Result<String, Rejection> {
        verify(&self.verifier, token)
    }

    /// The verdict on a genuine token with this payload.
    fn judge(&self, payload: &str) -> Result<(), Rejection> {
        self.verify(&self.token(payload)).map(|read| assert_eq!(read, payload))
    }

    /// The verdict on a genuine token with this header.
    fn judge_header(&self, header: &str) -> Result<(), Rejection> {
        self.verify(&token(&self.key, header, &payload(""))).map(|_| ())
    }

    fn set_millis(&self, unix_millis: u64) {
        self.clock.set(unix_millis / 1000);
        self.clock.advance(Duration::from_millis(unix_millis % 1000));
    }
}

fn lax(keys: KeySource) -> VerifierOptions {
    VerifierOptions {
        kind: TokenKind::jwt(),
        keys,
        algorithms: None,
        issuer: Expected::Anything,
        audience: Expected::Anything,
        clock_tolerance: Tolerance::of(0),
        max_age: None,
        typ: None,
        required_claims: vec![],
        require_expiry: true,
        revocations: None,
        cache_entries: 4,
        exact_claims: ExactClaims::default(),
        form: TokenForm::default(),
    }
}

/// Verifies twice and expects the same answer: an accepted token is in the cache the second time.
fn verify(verifier: &Verifier, token: &str) -> Result<String, Rejection> {
    let [first, second] = [(); 2].map(|()| verify_once(verifier, token));
    assert_eq!(first, second);
    first
}

/// A verdict by its code alone.
fn coded<T>(verdict: Result<T, Rejection>) -> Result<T, Code> {
    verdict.map_err(Rejection::code)
}

fn verify_once(verifier: &Verifier, token: &str) -> Result<String, Rejection> {
    let mut scratch = Scratch::default();
    verifier.verify(token.as_bytes(), &mut scratch).map(ToOwned::to_owned)
}

/// The options of an issuer of hour-long tokens without any other claim.
fn plain(keys: KeySource) -> IssuerOptions {
    IssuerOptions {
        keys,
        issuer: None,
        audience: vec![],
        expires_in: 3600,
        typ: "JWT".into(),
        jti: false,
    }
}

fn issue(issuer: &Issuer, claims: &str, overrides: &Overrides) -> Result<String, Error> {
    // Remains of an earlier call in the buffers must not show.
    let (mut payload, mut token) = (b"left over".to_vec(), b"left over".to_vec());
    issuer.sign_into(claims, overrides, &mut payload, &mut token)?;
    Ok(String::from_utf8(token).unwrap())
}

/// The header and the payload of a token, as text.
fn decoded(token: &str) -> [String; 2] {
    let mut segments = token.split('.').map(|segment| base64url::decode(segment.as_bytes()));
    let [header, payload] = std::array::from_fn(|_| segments.next().unwrap().unwrap());
    [header, payload].map(|bytes| String::from_utf8(bytes).unwrap())
}

fn one_of(names: &[&str]) -> Expected {
    Expected::OneOf(names.iter().map(ToString::to_string).collect())
}

fn code<T>(result: Result<T, Error>) -> Option<Code> {
    result.err().map(|error| error.code)
}
