//! Issuing: the registered claims are spliced into the caller's JSON as text, then signed.

use std::sync::{Arc, PoisonError, RwLock, Weak};

use super::claims::Claims;
use super::{Claim, Key, KeySource, MAX_TOKEN_LEN, Reason, Rejection, base64url};
use crate::clock::Clock;
use crate::error::{Code, Error, Result};
use crate::id::uuid_v7;

/// What every token of an issuer carries.
pub struct IssuerOptions {
    /// The key that signs: the ring's active one, or the only one of a list.
    pub keys: KeySource,
    /// `iss`
    pub issuer: Option<String>,
    /// `aud`: a string when it is one, an array when there are several.
    pub audience: Vec<String>,
    /// `exp` - `iat`, seconds.
    pub expires_in: u64,
    /// The `typ` header parameter.
    pub typ: String,
    /// Whether every token gets a `jti`, a UUID of version 7.
    pub jti: bool,
}

/// What one token carries instead.
#[derive(Debug, Default)]
pub struct Overrides {
    /// `aud`
    pub audience: Option<Vec<String>>,
    /// `exp` - `iat`, seconds.
    pub expires_in: Option<u64>,
    /// `nbf` - `iat`, seconds.
    pub not_before: Option<u64>,
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

/// The header of the key that signs now, encoded once.
struct Prepared {
    epoch: u64,
    /// An issuer that rests keeps no private key that has been retired or revoked.
    key: Weak<Key>,
    header: Arc<[u8]>,
}

/// A token that lacks its signature.
pub struct Unsigned {
    key: Arc<Key>,
    token: Vec<u8>,
}

impl Issuer {
    /// An issuer. A life beyond what the ring keeps retired keys for is refused.
    pub fn new(options: IssuerOptions, clock: Arc<dyn Clock>) -> Result<Self> {
        let may_sign = match &options.keys {
            KeySource::Ring(_) => true,
            KeySource::Keys(keys) => matches!(&keys[..], [key] if key.is_private()),
            KeySource::Set(_) => false,
        };
        if !may_sign {
            return Err(Error::new(
                Code::JwtKey,
                "an issuer signs with a KeyRing or with one private or HMAC key",
            ));
        }
        let issuer = Self {
            issuer: options.issuer.as_deref().map(json_string),
            audience: audience_json(&options.audience),
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

    /// Replaces the contents of `token` with a token for `claims`, a JSON object as text.
    /// `payload` is working space.
    pub fn sign_into(
        &self,
        claims: &str,
        overrides: &Overrides,
        payload: &mut Vec<u8>,
        token: &mut Vec<u8>,
    ) -> Result<()> {
        let key = self.compose(claims, overrides, payload, token)?;
        // The payload has been encoded: its space serves the signature.
        finish(&key, token, payload)
    }

    /// A token that is complete but for its signature: its time, its id and its key are those of
    /// this moment.
    pub fn prepare(&self, claims: &str, overrides: &Overrides) -> Result<Unsigned> {
        let mut token = Vec::new();
        let key = self.compose(claims, overrides, &mut Vec::new(), &mut token)?;
        Ok(Unsigned { key, token })
    }

    /// Replaces the contents of `token` with what is to be signed, and gives the key to sign with.
    fn compose(
        &self,
        claims: &str,
        overrides: &Overrides,
        payload: &mut Vec<u8>,
        token: &mut Vec<u8>,
    ) -> Result<Arc<Key>> {
        let millis = self.clock.unix_millis();
        let (key, header) = self.prepared(millis / 1000)?;
        self.check_claims(claims, overrides)?;
        payload.clear();
        self.splice(claims, overrides, millis, payload)?;
        // Before the work of signing; exactly in `finish`, where the signature's length is known.
        if header.len() + base64url::encoded_len(payload.len()) > MAX_TOKEN_LEN {
            return Err(too_long());
        }
        token.clear();
        token.extend_from_slice(&header);
        base64url::encode_into(payload, token);
        Ok(key)
    }

    /// The key that signs now, and its header.
    fn prepared(&self, now: u64) -> Result<(Arc<Key>, Arc<[u8]>)> {
        let epoch = self.keys.catch_up(now);
        {
            let held = self.prepared.read().unwrap_or_else(PoisonError::into_inner);
            if let Some(held) = held.as_ref().filter(|held| held.epoch == epoch)
                && let Some(key) = held.key.upgrade()
            {
                return Ok((key, held.header.clone()));
            }
        }
        let key = self.keys.signing_key()?;
        let header = format!(
            "{{\"alg\":\"{}\",\"typ\":{},\"kid\":{}}}",
            key.algorithm().name(),
            json_string(&self.typ),
            json_string(key.kid())
        );
        let mut encoded = base64url::encode(header.as_bytes()).into_bytes();
        encoded.push(b'.');
        let header: Arc<[u8]> = encoded.into();
        *self.prepared.write().unwrap_or_else(PoisonError::into_inner) =
            Some(Prepared { epoch, key: Arc::downgrade(&key), header: header.clone() });
        Ok((key, header))
    }

    fn check_claims(&self, text: &str, overrides: &Overrides) -> Result<()> {
        let claims = Claims::parse(text).map_err(|rejection| match rejection {
            Rejection::Claim(claim, Reason::Type) => Error::new(
                Code::JwtClaim,
                format!("the claim \"{}\" is of the wrong type", claim.name()),
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
        ];
        match collisions.iter().find(|(_, collides)| *collides) {
            Some((claim, _)) => Err(Error::new(
                Code::JwtClaim,
                format!("the issuer sets \"{}\" itself; leave it out of the claims", claim.name()),
            )),
            None => Ok(()),
        }
    }

    fn splice(
        &self,
        claims: &str,
        overrides: &Overrides,
        millis: u64,
        payload: &mut Vec<u8>,
    ) -> Result<()> {
        let now = millis / 1000;
        let mut digits = Digits::default();
        payload.extend_from_slice(b"{\"iat\":");
        payload.extend_from_slice(digits.of(now));
        let life = match overrides.expires_in {
            Some(life) => {
                self.check_life(life)?;
                life
            }
            None => self.expires_in,
        };
        payload.extend_from_slice(b",\"exp\":");
        payload.extend_from_slice(digits.of(now.saturating_add(life)));
        if let Some(delay) = overrides.not_before {
            payload.extend_from_slice(b",\"nbf\":");
            payload.extend_from_slice(digits.of(now.saturating_add(delay)));
        }
        if let Some(issuer) = &self.issuer {
            payload.extend_from_slice(b",\"iss\":");
            payload.extend_from_slice(issuer.as_bytes());
        }
        let own_audience = overrides.audience.as_deref().and_then(audience_json);
        if let Some(audience) = own_audience.as_ref().or(self.audience.as_ref()) {
            payload.extend_from_slice(b",\"aud\":");
            payload.extend_from_slice(audience.as_bytes());
        }
        if self.jti {
            let mut buffer = uuid::Uuid::encode_buffer();
            payload.extend_from_slice(b",\"jti\":\"");
            payload.extend_from_slice(
                uuid_v7(millis)?.hyphenated().encode_lower(&mut buffer).as_bytes(),
            );
            payload.push(b'"');
        }
        let members = claims.trim_start().strip_prefix('{').unwrap_or(claims).trim();
        if members != "}" {
            payload.push(b',');
        }
        payload.extend_from_slice(members.as_bytes());
        Ok(())
    }

    fn check_life(&self, life: u64) -> Result<()> {
        if let Some(longest) = self.keys.max_token_ttl()
            && life > longest
        {
            return Err(Error::new(
                Code::OutOfRange,
                format!(
                    "expiresIn is {life} s, but the key ring keeps retired keys for tokens of at \
                     most {longest} s; raise its maxTokenTtl"
                ),
            ));
        }
        Ok(())
    }
}

impl Unsigned {
    /// Whether signing takes as long as many requests: RSA's private operation.
    pub fn is_slow(&self) -> bool {
        self.key.algorithm().is_rsa()
    }

    /// The token, signed.
    pub fn sign(mut self) -> Result<Vec<u8>> {
        finish(&self.key, &mut self.token, &mut Vec::new())?;
        Ok(self.token)
    }
}

/// Appends the signature to what is signed; `signature` is working space.
fn finish(key: &Key, token: &mut Vec<u8>, signature: &mut Vec<u8>) -> Result<()> {
    signature.clear();
    key.sign_into(token, signature)?;
    token.push(b'.');
    base64url::encode_into(signature, token);
    if token.len() > MAX_TOKEN_LEN { Err(too_long()) } else { Ok(()) }
}

fn too_long() -> Error {
    Error::new(
        Code::OutOfRange,
        format!("the claims make a token of over {MAX_TOKEN_LEN} bytes; sign fewer"),
    )
}

fn json_string(text: &str) -> String {
    serde_json::Value::from(text).to_string()
}

fn audience_json(audience: &[String]) -> Option<String> {
    match audience {
        [] => None,
        [one] => Some(json_string(one)),
        several => Some(serde_json::Value::from(several).to_string()),
    }
}

/// A number's decimal digits without an allocation.
#[derive(Default)]
struct Digits([u8; 20]);

impl Digits {
    fn of(&mut self, mut number: u64) -> &[u8] {
        let mut start = self.0.len();
        loop {
            start -= 1;
            self.0[start] = b'0' + (number % 10) as u8;
            number /= 10;
            if number == 0 {
                return &self.0[start..];
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn digits() {
        for number in [0, 9, 10, 1_700_000_000, u64::MAX] {
            assert_eq!(Digits::default().of(number), number.to_string().as_bytes());
        }
    }

    #[test]
    fn audiences() {
        assert_eq!(audience_json(&[]), None);
        assert_eq!(audience_json(&["a\"b".into()]).unwrap(), r#""a\"b""#);
        assert_eq!(audience_json(&["a".into(), "b".into()]).unwrap(), r#"["a","b"]"#);
    }
}
