//! Verifying: signature first, then one scan of the payload, then the revocation list.

use std::sync::Arc;

use super::cache::{Cache, Recalled};
use super::checks::Standing;
use super::header::same_type;
use super::interned::Interned;
use super::jws::{self, check_signature};
use super::reject::MAX_REQUIRED;
use super::source::check_distinct;
use super::{
    Algorithm, Claim, Key, KeySource, MAX_CLOCK_TOLERANCE, Profile, Reason, Rejection, base64url,
};
use crate::clock::Clock;
use crate::error::{Code, Error, Result};
use crate::revocation::RevocationList;

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
    /// What kind of tokens: what it demands takes precedence over what else is here.
    pub profile: Profile,
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
    /// Members that the payload must have, at most [`MAX_REQUIRED`]; `null` is as if missing.
    pub required_claims: Vec<String>,
    /// Whether a token needs `exp`; with `revocations` it always does.
    pub require_expiry: bool,
    /// What has been taken back.
    pub revocations: Option<Arc<RevocationList>>,
    /// How many verified tokens are remembered; none when 0.
    pub cache_entries: usize,
}

/// Verifies tokens against one policy.
pub struct Verifier {
    options: VerifierOptions,
    clock: Arc<dyn Clock>,
    interned: Interned,
    pub(super) cache: Option<Cache>,
}

/// Working space that is kept between calls.
#[derive(Default)]
pub struct Scratch {
    payload: Vec<u8>,
    signature: Vec<u8>,
}

/// What is said to a caller that keeps what it makes of a payload by slot.
#[derive(Debug, PartialEq)]
pub enum Answer<'s> {
    /// The token is the one whose payload was last given for this slot.
    Held(usize),
    /// The payload's JSON, to be kept for a slot where there is one.
    Payload(&'s str, Option<usize>),
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
        Profile::complete(&mut options)?;
        if options.required_claims.len() > usize::from(MAX_REQUIRED) {
            return Err(Error::new(
                Code::OutOfRange,
                format!("requiredClaims names at most {MAX_REQUIRED}"),
            ));
        }
        if let KeySource::Keys(keys) = &mut options.keys {
            // What only signs is not kept alive here.
            *keys = std::mem::take(keys).into_iter().map(Key::without_private).collect();
            if keys.is_empty() && !options.profile.allows_no_keys() {
                return Err(Error::new(Code::JwtKey, "a verifier needs at least one key"));
            }
            check_distinct(keys)?;
        }
        if let Some(list) = &options.revocations {
            list.tolerate(options.clock_tolerance);
        }
        let cache = (options.cache_entries > 0).then(|| Cache::new(options.cache_entries));
        Ok(Self { options, clock, interned: Interned::default(), cache })
    }

    /// Whether verified tokens are remembered.
    pub fn remembers(&self) -> bool {
        self.cache.is_some()
    }

    /// The claim that [`Rejection::Required`] means.
    pub fn required_claim(&self, index: u8) -> Option<&str> {
        self.options.required_claims.get(usize::from(index)).map(String::as_str)
    }

    /// Verifies a compact token and gives its payload's JSON, which lives in `scratch`.
    pub fn verify<'s>(
        &self,
        token: &[u8],
        scratch: &'s mut Scratch,
    ) -> std::result::Result<&'s str, Rejection> {
        self.answer(token, false, scratch)?;
        scratch.payload()
    }

    /// As [`Self::verify`], for the one caller that keeps what it makes of payloads by slot.
    pub fn verify_holding<'s>(
        &self,
        token: &[u8],
        scratch: &'s mut Scratch,
    ) -> std::result::Result<Answer<'s>, Rejection> {
        Ok(match self.answer(token, true, scratch)? {
            Some(Recalled::Held(slot)) => Answer::Held(slot),
            Some(Recalled::Copied(slot)) => Answer::Payload(scratch.payload()?, Some(slot)),
            None => Answer::Payload(scratch.payload()?, None),
        })
    }

    /// Leaves the payload in `scratch`, unless the caller `holds` payloads and has it. Gives the
    /// slot where there is a cache.
    fn answer(
        &self,
        token: &[u8],
        holds: bool,
        scratch: &mut Scratch,
    ) -> std::result::Result<Option<Recalled>, Rejection> {
        let now = self.clock.unix_millis();
        let epoch = self.options.keys.catch_up(now / 1000);
        if let Some(cache) = &self.cache {
            let still = |standing: &Standing| self.options.check_standing(standing, epoch, now);
            let recalled = cache.recall(token, holds, still, &mut scratch.payload)?;
            if recalled.is_some() {
                return Ok(recalled);
            }
        }
        let (key, usable_until) = self.decode(token, epoch, now / 1000, scratch)?;
        let payload = scratch.payload()?;
        let claims = self.options.read(payload)?;
        self.options.check_times(&claims.times, now)?;
        self.options.check_parties(&claims)?;
        self.options.profile.check_claims(&claims)?;
        self.options.check_revocation(&claims, key.kid())?;
        let Some(cache) = &self.cache else { return Ok(None) };
        let kid = self.options.revocations.as_ref().map(|_| key.kid());
        let standing = Standing::of(&claims, kid, epoch, usable_until);
        Ok(cache.insert(token, holds, payload, standing).map(Recalled::Copied))
    }

    /// Checks signature and header, and decodes the payload. Gives the key and until when, in
    /// seconds since 1970, it may be used.
    fn decode(
        &self,
        token: &[u8],
        epoch: u64,
        now: u64,
        scratch: &mut Scratch,
    ) -> std::result::Result<(Arc<Key>, u64), Rejection> {
        let Scratch { payload: decoded, signature } = scratch;
        let jws::Segments { header, payload, signed } = jws::split(token, signature)?;
        let found = match self.interned.get(header, epoch, now) {
            Some(found) => {
                check_signature(&found.0, signed, signature)?;
                found
            }
            None => self.check_first_of_its_kind(header, signed, epoch, signature)?,
        };
        base64url::decode_into(payload, decoded).ok_or(Rejection::Malformed)?;
        Ok(found)
    }

    /// Reads the header, and remembers it once the signature has been verified.
    fn check_first_of_its_kind(
        &self,
        segment: &[u8],
        signed: &[u8],
        epoch: u64,
        signature: &[u8],
    ) -> std::result::Result<(Arc<Key>, u64), Rejection> {
        let json = jws::decode_header(segment)?;
        let accepted = self.options.algorithms.as_deref();
        let jws::Authentic { header, key, usable_until } =
            jws::authenticate(&json, signed, signature, &self.options.keys, accepted)?;
        if let Some(expected) = &self.options.typ {
            let missing = Rejection::Claim(Claim::Type, Reason::Missing);
            if !same_type(header.typ.as_deref().ok_or(missing)?, expected) {
                return Err(Rejection::Claim(Claim::Type, Reason::Mismatch));
            }
        }
        self.options.profile.check_header(&header, &json)?;
        self.interned.insert(segment, epoch, &key, usable_until);
        Ok((key, usable_until))
    }
}

impl Scratch {
    fn payload(&self) -> std::result::Result<&str, Rejection> {
        std::str::from_utf8(&self.payload).map_err(|_| Rejection::Malformed)
    }
}
