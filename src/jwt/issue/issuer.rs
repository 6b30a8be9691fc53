//! The issuer: composes a token's payload and header, and signs them.

use std::sync::{Arc, PoisonError, RwLock, Weak};

use super::header::jwt_header;
use super::payload::{Overrides, Registered, json_string, json_strings};
use crate::clock::Clock;
use crate::error::{Code, Error, Result};
use crate::jwt::key::key::Key;
use crate::jwt::key_source::KeySource;
use crate::jwt::token::base64url;
use crate::jwt::token::claims::Claims;
use crate::jwt::token::compact::{MAX_HEADER_LEN, MAX_TOKEN_LEN};
use crate::jwt::token::rejection::{Claim, Reason, Rejection};

/// The contents of every token of an issuer, and the key that signs it.
pub struct IssuerOptions {
    /// The key that signs: the ring's active one, or the only one of a list.
    pub keys: KeySource,
    /// `iss`
    pub issuer: Option<String>,
    /// `aud`: a string if there is one, an array if there are several.
    pub audience: Vec<String>,
    /// `exp` - `iat`, seconds.
    pub expires_in: u64,
    /// The `typ` header parameter.
    pub typ: String,
    /// Whether every token gets a `jti`, a UUID of version 7.
    pub jti: bool,
}

/// Signs tokens for one issuer.
#[expect(clippy::struct_field_names, reason = "`issuer` is the claim's name")]
pub struct Issuer {
    keys: KeySource,
    issuer: Option<String>,
    audience: Option<String>,
    expires_in: u64,
    typ: String,
    jti: bool,
    clock: Arc<dyn Clock>,
    prepared: RwLock<Option<Prepared>>,
}

/// The encoded header for the key that signs now.
struct Prepared {
    epoch: u64,
    /// Weak, so that an idle issuer keeps no private key that has been retired or revoked.
    key: Weak<Key>,
    header: Arc<[u8]>,
}

/// A token without its signature.
pub struct Unsigned {
    key: Arc<Key>,
    token: Vec<u8>,
}

impl Issuer {
    /// Makes an issuer. `ERR_OUT_OF_RANGE` if tokens would live longer than the ring keeps retired
    /// keys; `ERR_JWT_KEY` if the keys are not a ring or one key that can sign.
    pub fn new(options: IssuerOptions, clock: Arc<dyn Clock>) -> Result<Self> {
        let may_sign = match &options.keys {
            KeySource::Ring(_) => true,
            KeySource::Keys(keys) => matches!(&keys[..], [key] if key.is_private()),
            KeySource::Set(_) => false,
        };
        if !may_sign {
            return Err(Error::new(
                Code::JwtKey,
                "an issuer must have a KeyRing, or one private or HMAC key, to sign with",
            ));
        }
        let issuer = Self {
            issuer: options.issuer.as_deref().map(json_string),
            audience: json_strings(&options.audience),
            keys: options.keys,
            expires_in: options.expires_in,
            typ: options.typ,
            jti: options.jti,
            clock,
            prepared: RwLock::new(None),
        };
        issuer.check_life(issuer.expires_in)?;
        Ok(issuer)
    }

    /// The life of a token, in seconds, unless a call overrides it.
    pub fn expires_in(&self) -> u64 {
        self.expires_in
    }

    /// The latest time of issue of a token of this issuer until now, as far as its clock knows;
    /// milliseconds since 1970.
    pub fn latest_issue(&self) -> u64 {
        self.clock.unix_millis().max(self.clock.latest_unix_millis())
    }

    /// Whether every token gets a `jti`.
    pub fn sets_ids(&self) -> bool {
        self.jti
    }

    /// Replaces the contents of `token` with a signed token for `claims`, a JSON object as text.
    /// `payload` is working space. Returns the time of issue, in milliseconds since 1970.
    pub fn sign_into(
        &self,
        claims: &str,
        overrides: &Overrides,
        payload: &mut Vec<u8>,
        token: &mut Vec<u8>,
    ) -> Result<u64> {
        let (key, millis) = self.compose(claims, overrides, payload, token)?;
        // The payload is already encoded, so its space can hold the signature.
        finish(&key, token, payload)?;
        check_len(token.len())?;
        Ok(millis)
    }

    /// Makes a token that lacks only its signature. Its time, its id and its key are fixed by this
    /// call.
    pub fn prepare(&self, claims: &str, overrides: &Overrides) -> Result<Unsigned> {
        let mut token = Vec::new();
        let (key, _) = self.compose(claims, overrides, &mut Vec::new(), &mut token)?;
        Ok(Unsigned { key, token })
    }

    /// Replaces the contents of `token` with the signing input, and returns the key to sign with
    /// and the time of issue.
    fn compose(
        &self,
        claims: &str,
        overrides: &Overrides,
        payload: &mut Vec<u8>,
        token: &mut Vec<u8>,
    ) -> Result<(Arc<Key>, u64)> {
        let millis = self.clock.unix_millis();
        let (key, mut header) = self.prepared(millis / 1000)?;
        if let Some(members) = overrides.header {
            header = jwt_header(&key, &self.typ, members)?.into();
            check_header_len(header.len())?;
        }
        self.check_claims(claims, overrides)?;
        payload.clear();
        let life = overrides.expires_in.unwrap_or(self.expires_in);
        self.check_life(life)?;
        let registered = Registered {
            issuer: self.issuer.as_deref(),
            audience: self.audience.as_deref(),
            life,
            jti: self.jti,
        };
        registered.splice(claims, overrides, millis, payload)?;
        // An early check that saves the work of signing. The signature counts as well, later.
        check_len(header.len() + base64url::encoded_len(payload.len()))?;
        token.clear();
        token.extend_from_slice(&header);
        base64url::encode_into(payload, token);
        Ok((key, millis))
    }

    /// The key that signs now, and its header.
    fn prepared(&self, now: u64) -> Result<(Arc<Key>, Arc<[u8]>)> {
        let epoch = self.keys.catch_up(now)?;
        {
            let held = self.prepared.read().unwrap_or_else(PoisonError::into_inner);
            if let Some(held) = held.as_ref().filter(|held| held.epoch == epoch)
                && let Some(key) = held.key.upgrade()
            {
                return Ok((key, held.header.clone()));
            }
        }
        let key = self.keys.signing_key()?;
        let header: Arc<[u8]> = jwt_header(&key, &self.typ, "{}")?.into();
        *self.prepared.write().unwrap_or_else(PoisonError::into_inner) =
            Some(Prepared { epoch, key: Arc::downgrade(&key), header: header.clone() });
        Ok((key, header))
    }

    fn check_claims(&self, text: &str, overrides: &Overrides) -> Result<()> {
        let claims = Claims::parse(text).map_err(|rejection| match rejection {
            Rejection::Claim(claim, Reason::Type) => Error::new(
                Code::JwtClaim,
                format!("the claim \"{}\" has the wrong type", claim.name()),
            ),
            _ => Error::new(
                Code::JwtClaim,
                "claims must be a plain object of JSON values, nested at most 32 deep, without \
                 lone surrogates",
            ),
        })?;
        let audience = self.audience.is_some() || overrides.audience.is_some();
        let collisions = [
            (Claim::Audience, audience && claims.audience.is_some()),
            (Claim::Expiry, claims.times.expiry.is_some()),
            (Claim::Id, self.jti && claims.id.is_some()),
            (Claim::IssuedAt, claims.times.issued_at.is_some()),
            (Claim::Issuer, self.issuer.is_some() && claims.issuer.is_some()),
            (Claim::NotBefore, overrides.not_before.is_some() && claims.times.not_before.is_some()),
            (Claim::Session, overrides.session.is_some() && claims.session.is_some()),
            (Claim::Subject, overrides.subject.is_some() && claims.subject.is_some()),
        ];
        match collisions.iter().find(|(_, collides)| *collides) {
            Some((claim, _)) => Err(Error::new(
                Code::JwtClaim,
                format!("the issuer sets \"{}\" itself; leave it out of the claims", claim.name()),
            )),
            None => Ok(()),
        }
    }

    fn check_life(&self, life: u64) -> Result<()> {
        if let Some(longest) = self.keys.max_token_ttl()
            && life > longest
        {
            return Err(Error::new(
                Code::OutOfRange,
                format!(
                    "expiresIn ({life} s) must not exceed the key ring's maxTokenTtl ({longest} \
                     s); raise maxTokenTtl"
                ),
            ));
        }
        Ok(())
    }
}

impl Unsigned {
    /// The length without the signature, in characters.
    #[allow(clippy::len_without_is_empty, reason = "a token is never empty")]
    pub fn len(&self) -> usize {
        self.token.len()
    }

    /// Whether signing takes as long as many requests, as the private operation of RSA does.
    pub fn is_slow(&self) -> bool {
        self.key.algorithm().is_rsa()
    }

    /// Signs the token.
    pub fn sign(mut self) -> Result<Vec<u8>> {
        finish(&self.key, &mut self.token, &mut Vec::new())?;
        check_len(self.token.len())?;
        Ok(self.token)
    }
}

/// Appends the signature to the signing input in `token`; `signature` is working space.
pub(super) fn finish(key: &Key, token: &mut Vec<u8>, signature: &mut Vec<u8>) -> Result<()> {
    signature.clear();
    key.sign_into(token, signature)?;
    token.push(b'.');
    base64url::encode_into(signature, token);
    Ok(())
}

/// Refuses a token that verifiers would not read.
fn check_len(len: usize) -> Result<()> {
    if len <= MAX_TOKEN_LEN {
        return Ok(());
    }
    let message =
        format!("the token must be at most {MAX_TOKEN_LEN} bytes long; sign fewer claims");
    Err(Error::new(Code::OutOfRange, message))
}

/// Refuses a header, with its dot, that verifiers would not read.
fn check_header_len(len: usize) -> Result<()> {
    if len <= MAX_HEADER_LEN + 1 {
        return Ok(());
    }
    let message = format!("header must be at most {MAX_HEADER_LEN} bytes long in base64url");
    Err(Error::new(Code::OutOfRange, message))
}
