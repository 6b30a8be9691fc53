//! Verifying: signature first, then one scan of the payload, then the revocation list.

use std::sync::{Arc, PoisonError, RwLock, Weak};

use super::claims::Claims;
use super::header::{resolve, same_type};
use super::jws::{self, check_signature};
use super::source::check_distinct;
use super::{Algorithm, Claim, Key, KeySource, MAX_CLOCK_TOLERANCE, Reason, Rejection, base64url};
use crate::clock::Clock;
use crate::error::{Code, Error, Result};
use crate::revocation::{Query, RevocationList};

/// How many verified headers a verifier remembers.
const MAX_INTERNED: usize = 64;

/// What a claim must be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Expected {
    /// One of these, exactly; for `aud`, one of these must be among the recipients.
    OneOf(Vec<String>),
    /// Anything, or nothing: explicitly waived.
    Anything,
}

/// What a verifier accepts.
pub struct VerifierOptions {
    /// The keys.
    pub keys: KeySource,
    /// The algorithms; those of the keys when `None`.
    pub algorithms: Option<Vec<Algorithm>>,
    /// `iss`
    pub issuer: Expected,
    /// `aud`
    pub audience: Expected,
    /// How far apart clocks may be, in seconds; at most [`MAX_CLOCK_TOLERANCE`].
    pub clock_tolerance: u64,
    /// The greatest age since `iat`, in seconds.
    pub max_age: Option<u64>,
    /// The `typ` header parameter.
    pub typ: Option<String>,
    /// What has been taken back.
    pub revocations: Option<Arc<RevocationList>>,
}

/// Verifies tokens against one policy.
pub struct Verifier {
    options: VerifierOptions,
    clock: Arc<dyn Clock>,
    interned: RwLock<Interned>,
}

/// Headers of tokens whose signature has been verified, byte for byte: what they say of key and
/// type need not be read again until the keys change.
#[derive(Default)]
struct Interned {
    epoch: u64,
    headers: Vec<InternedHeader>,
}

struct InternedHeader {
    segment: Box<[u8]>,
    /// A verifier keeps no key that its ring has let go of.
    key: Weak<Key>,
    usable_until: u64,
}

/// Working space that is kept between calls.
#[derive(Default)]
pub struct Scratch {
    payload: Vec<u8>,
    signature: Vec<u8>,
}

/// A token that has been verified.
#[derive(Debug, PartialEq)]
pub struct Verified<'s> {
    /// The payload's JSON.
    pub payload: &'s str,
}

impl Verifier {
    /// A verifier.
    pub fn new(mut options: VerifierOptions, clock: Arc<dyn Clock>) -> Result<Self> {
        if options.clock_tolerance > MAX_CLOCK_TOLERANCE {
            return Err(Error::new(
                Code::OutOfRange,
                format!("clockTolerance is at most {MAX_CLOCK_TOLERANCE} s"),
            ));
        }
        if let KeySource::Keys(keys) = &mut options.keys {
            // What only signs is not kept alive here.
            *keys = std::mem::take(keys).into_iter().map(Key::without_private).collect();
            if keys.is_empty() {
                return Err(Error::new(Code::JwtKey, "a verifier needs at least one key"));
            }
            check_distinct(keys)?;
        }
        if let Some(list) = &options.revocations {
            list.tolerate(options.clock_tolerance);
        }
        Ok(Self { options, clock, interned: RwLock::default() })
    }

    /// Verifies a compact token and gives its payload, which lives in `scratch`.
    pub fn verify<'s>(
        &self,
        token: &[u8],
        scratch: &'s mut Scratch,
    ) -> std::result::Result<Verified<'s>, Rejection> {
        let jws::Segments { header, payload, signed } = jws::split(token, &mut scratch.signature)?;
        let now = self.clock.unix_millis();
        let epoch = self.options.keys.epoch(now / 1000);
        let key = match self.interned(header, epoch, now / 1000) {
            Some(key) => {
                check_signature(&key, signed, &scratch.signature)?;
                key
            }
            None => self.check_first_of_its_kind(header, signed, epoch, &scratch.signature)?,
        };

        base64url::decode_into(payload, &mut scratch.payload).ok_or(Rejection::Malformed)?;
        let payload = std::str::from_utf8(&scratch.payload).map_err(|_| Rejection::Malformed)?;
        let claims = Claims::parse(payload)?;
        self.check_times(&claims, now)?;
        self.check_parties(&claims)?;
        self.check_revocation(&claims, key.kid())?;
        Ok(Verified { payload })
    }

    fn interned(&self, header: &[u8], epoch: u64, now: u64) -> Option<Arc<Key>> {
        let interned = self.interned.read().unwrap_or_else(PoisonError::into_inner);
        let known = interned.headers.iter().find(|known| *known.segment == *header)?;
        let valid = interned.epoch == epoch && now < known.usable_until;
        if valid { known.key.upgrade() } else { None }
    }

    /// Reads the header, and remembers it once the signature has been verified.
    fn check_first_of_its_kind(
        &self,
        segment: &[u8],
        signed: &[u8],
        epoch: u64,
        signature: &[u8],
    ) -> std::result::Result<Arc<Key>, Rejection> {
        let json = jws::decode_header(segment)?;
        let accepted = self.options.algorithms.as_deref();
        let jws::Authentic { header, key, usable_until } =
            jws::authenticate(&json, signed, signature, &self.options.keys, accepted)?;
        if let Some(expected) = &self.options.typ {
            let typ = header.typ.ok_or(Rejection::Claim(Claim::Type, Reason::Missing))?;
            if !same_type(&typ, expected) {
                return Err(Rejection::Claim(Claim::Type, Reason::Mismatch));
            }
        }
        let mut interned = self.interned.write().unwrap_or_else(PoisonError::into_inner);
        if interned.epoch != epoch || interned.headers.len() >= MAX_INTERNED {
            *interned = Interned { epoch, headers: Vec::new() };
        }
        interned.headers.retain(|known| *known.segment != *segment);
        interned.headers.push(InternedHeader {
            segment: segment.into(),
            key: Arc::downgrade(&key),
            usable_until,
        });
        Ok(key)
    }

    #[expect(clippy::cast_precision_loss, reason = "milliseconds fit an f64 for 285,000 years")]
    fn check_times(&self, claims: &Claims<'_>, now_ms: u64) -> std::result::Result<(), Rejection> {
        let now = now_ms as f64 / 1000.0;
        let tolerance = self.options.clock_tolerance as f64;
        let expiry = claims.expiry.ok_or(Rejection::Claim(Claim::Expiry, Reason::Missing))?;
        if now >= expiry + tolerance {
            return Err(Rejection::Expired);
        }
        if claims.not_before.is_some_and(|not_before| now + tolerance < not_before) {
            return Err(Rejection::NotActive);
        }
        if claims.issued_at.is_some_and(|issued_at| now + tolerance < issued_at) {
            return Err(Rejection::Claim(Claim::IssuedAt, Reason::Mismatch));
        }
        if let Some(max_age) = self.options.max_age {
            let issued_at =
                claims.issued_at.ok_or(Rejection::Claim(Claim::IssuedAt, Reason::Missing))?;
            if now - issued_at > max_age as f64 + tolerance {
                return Err(Rejection::Expired);
            }
        }
        Ok(())
    }

    fn check_parties(&self, claims: &Claims<'_>) -> std::result::Result<(), Rejection> {
        if let Expected::OneOf(accepted) = &self.options.issuer {
            let issuer = claims.issuer.ok_or(Rejection::Claim(Claim::Issuer, Reason::Missing))?;
            if !accepted.iter().any(|name| issuer.is(name)) {
                return Err(Rejection::Claim(Claim::Issuer, Reason::Mismatch));
            }
        }
        if let Expected::OneOf(accepted) = &self.options.audience {
            let audience =
                claims.audience.ok_or(Rejection::Claim(Claim::Audience, Reason::Missing))?;
            if !audience.intersects(accepted) {
                return Err(Rejection::Claim(Claim::Audience, Reason::Mismatch));
            }
        }
        Ok(())
    }

    /// With a list, a token that could not be taken back is not accepted: it needs an id, a time
    /// of issue, and a life no longer than the list remembers its subject.
    #[expect(clippy::cast_precision_loss, reason = "a duration in seconds")]
    fn check_revocation(
        &self,
        claims: &Claims<'_>,
        kid: &str,
    ) -> std::result::Result<(), Rejection> {
        let Some(list) = &self.options.revocations else { return Ok(()) };
        let id = claims.id.ok_or(Rejection::Claim(Claim::Id, Reason::Missing))?;
        let issued_at =
            claims.issued_at.ok_or(Rejection::Claim(Claim::IssuedAt, Reason::Missing))?;
        if claims.expiry.is_none_or(|expiry| expiry - issued_at > list.max_token_ttl() as f64) {
            return Err(Rejection::Claim(Claim::Expiry, Reason::Mismatch));
        }
        let [issuer, session, subject] =
            [claims.issuer, claims.session, claims.subject].map(|raw| raw.map(resolve));
        let id = resolve(id);
        let revoked = list.is_revoked(&Query {
            issuer: issuer.as_deref(),
            id: Some(&id),
            session: session.as_deref(),
            subject: subject.as_deref(),
            issued_at: Some(issued_at),
            kid: Some(kid),
        });
        match revoked {
            Ok(false) => Ok(()),
            Ok(true) => Err(Rejection::Revoked),
            Err(_) => Err(Rejection::RevocationUnavailable),
        }
    }
}
