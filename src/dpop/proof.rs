//! Reads a proof (RFC 9449 section 4.2), and verifies its signature.

use std::borrow::Cow;

use serde_json::Map;

use super::refusal::Refusal;
use crate::jwt::json::{Raw, Value, read_object};
use crate::jwt::{Algorithm, Key, MAX_NUMERIC_DATE, PRIVATE_MEMBERS, TokenForm};

/// The longest proof, in bytes. One with an RSA key of 8192 bits takes 3400.
pub const MAX_PROOF_LEN: usize = 8192;
/// The longest `jti`, in bytes.
const MAX_JTI_LEN: usize = 256;
/// The parameters that change the meaning of a header.
const NEVER: [&str; 4] = ["crit", "b64", "enc", "zip"];
/// The claims that have one type and one spelling.
const CLAIMS: [&str; 8] = ["jti", "htm", "htu", "ath", "nonce", "iat", "nbf", "exp"];

/// A proof whose signature is still to be verified.
pub(super) struct Proof<'t> {
    /// The key, whose `kid` is its thumbprint (RFC 7638).
    key: Key,
    signed: &'t [u8],
    signature: Vec<u8>,
    pub claims: Claims,
}

/// The claims of a proof.
#[derive(Debug, Default, PartialEq)]
pub(super) struct Claims {
    pub jti: String,
    pub htm: String,
    pub htu: String,
    /// Milliseconds since 1970.
    pub iat: u64,
    pub ath: Option<String>,
    pub nonce: Option<String>,
    /// `nbf` and `exp`, which a proof need not have (RFC 7519 section 4.1), in milliseconds.
    pub nbf: Option<u64>,
    pub exp: Option<u64>,
}

impl<'t> Proof<'t> {
    /// Reads a proof.
    pub(super) fn read(text: &'t [u8]) -> Result<Self, Refusal> {
        let form = TokenForm { max_len: MAX_PROOF_LEN, may_be_padded: false };
        let mut signature = Vec::new();
        let segments = form.split(text, &mut signature).map_err(|_| Refusal::Malformed)?;
        let header = form.decode_header(segments.header).map_err(|_| Refusal::Malformed)?;
        let key = read_header(&header)?;
        let mut payload = Vec::new();
        form.decode_payload(segments.payload, &mut payload).map_err(|_| Refusal::Malformed)?;
        let claims = read_claims(&payload).ok_or(Refusal::Malformed)?;
        Ok(Self { key, signed: segments.signed, signature, claims })
    }

    /// The thumbprint of the key (RFC 7638).
    pub(super) fn thumbprint(&self) -> &str {
        self.key.kid()
    }

    /// Whether the key made the signature.
    pub(super) fn is_signed(&self) -> bool {
        self.key.verifies(self.signed, &self.signature)
    }
}

/// Reads the header: its type, its algorithm and the key.
fn read_header(json: &[u8]) -> Result<Key, Refusal> {
    let text = std::str::from_utf8(json).map_err(|_| Refusal::Malformed)?;
    let (mut typ, mut alg, mut jwk, mut is_other) = (None, None, None, false);
    read_object(text, |name, value| match (name.plain(), value) {
        (Some("typ"), Value::String(raw)) => typ = Some(raw),
        (Some("alg"), Value::String(raw)) => alg = Some(raw),
        (Some("jwk"), Value::Object(object)) => jwk = Some(object),
        // Of another type, or spelled with escapes, or of a token of another kind.
        _ => {
            let mut names = ["typ", "alg", "jwk"].into_iter().chain(NEVER);
            is_other |= names.any(|known| name.is(known));
        }
    })
    .map_err(|_| Refusal::Malformed)?;
    let (Some(typ), Some(alg), Some(jwk), false) = (typ, alg, jwk, is_other) else {
        return Err(Refusal::Malformed);
    };
    if !typ.is("dpop+jwt") {
        return Err(Refusal::Type);
    }
    let algorithm = Algorithm::ALL.into_iter().find(|known| alg.is(known.name()));
    let algorithm = algorithm.filter(|known| !known.is_symmetric()).ok_or(Refusal::Algorithm)?;
    read_key(jwk, algorithm).ok_or(Refusal::Key)
}

/// Reads the key of a proof. The `jsonwebtoken` crate must read the same one: it computes the
/// thumbprint of the members as they are written, so that another spelling of a key is refused.
fn read_key(jwk: &str, algorithm: Algorithm) -> Option<Key> {
    let mut members: Map<String, serde_json::Value> = serde_json::from_str(jwk).ok()?;
    if PRIVATE_MEMBERS.iter().any(|member| members.contains_key(*member)) {
        return None;
    }
    let elsewhere: jsonwebtoken::jwk::Jwk = serde_json::from_str(jwk).ok()?;
    // Without a `kid` of its own, a key is called by its thumbprint.
    members.remove("kid");
    let key = Key::from_members(&members, algorithm).ok()?;
    let thumbprint = elsewhere.thumbprint(jsonwebtoken::jwk::ThumbprintHash::SHA256).ok()?;
    (thumbprint == key.kid()).then_some(key)
}

/// Reads the claims; `None` if one is missing or has the wrong type.
fn read_claims(json: &[u8]) -> Option<Claims> {
    let text = std::str::from_utf8(json).ok()?;
    let mut claims = Claims::default();
    let (mut iat, mut is_other, mut is_misread) = (None, false, false);
    let mut time = |number: &str| {
        let time = millis(number);
        is_other |= time.is_none();
        time
    };
    read_object(text, |name, value| match (name.plain(), value) {
        (Some("jti"), Value::String(raw)) => claims.jti = text_of(raw).into_owned(),
        (Some("htm"), Value::String(raw)) => claims.htm = text_of(raw).into_owned(),
        (Some("htu"), Value::String(raw)) => claims.htu = text_of(raw).into_owned(),
        (Some("ath"), Value::String(raw)) => claims.ath = Some(text_of(raw).into_owned()),
        (Some("nonce"), Value::String(raw)) => claims.nonce = Some(text_of(raw).into_owned()),
        (Some("iat"), Value::Number(number)) => iat = time(number),
        (Some("nbf"), Value::Number(number)) => claims.nbf = time(number),
        (Some("exp"), Value::Number(number)) => claims.exp = time(number),
        _ => is_misread |= CLAIMS.iter().any(|known| name.is(known)),
    })
    .ok()?;
    claims.iat = iat?;
    let is_whole = (1..=MAX_JTI_LEN).contains(&claims.jti.len())
        && !claims.htm.is_empty()
        && !claims.htu.is_empty();
    (is_whole && !is_other && !is_misread).then_some(claims)
}

/// A `NumericDate` in milliseconds.
fn millis(number: &str) -> Option<u64> {
    let seconds = number.parse::<f64>().ok();
    let seconds = seconds.filter(|seconds| (0.0..=MAX_NUMERIC_DATE).contains(seconds))?;
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "0 to 1e14")]
    let millis = (seconds * 1000.0) as u64;
    Some(millis)
}

fn text_of(raw: Raw<'_>) -> Cow<'_, str> {
    raw.plain().map_or_else(|| raw.chars().collect::<String>().into(), Cow::Borrowed)
}
