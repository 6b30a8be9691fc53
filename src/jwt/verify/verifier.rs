//! The verifier: checks the signature, then the payload in one scan, then the revocation list.

use std::sync::Arc;

use super::authenticate::{Authentic, authenticate, check_signature};
use super::cache::{Cache, Recalled};
use super::checks::{CachedDecision, check_key_issuer};
use super::exact_claims::Found;
use super::options::{Expected, VerifierOptions};
use super::verified_headers::VerifiedHeaders;
use crate::clock::Clock;
use crate::error::Result;
use crate::jwt::key::key::Key;
use crate::jwt::token::compact::{Segments, TokenForm};
use crate::jwt::token::malformation::{Malformation, Segment};
use crate::jwt::token::rejection::{Reason, Rejection};

/// Verifies tokens against one policy.
pub struct Verifier {
    options: VerifierOptions,
    clock: Arc<dyn Clock>,
    pub(in crate::jwt) verified_headers: VerifiedHeaders,
    pub(in crate::jwt) cache: Option<Cache>,
}

/// Working space that is kept between calls.
#[derive(Default)]
pub struct Scratch {
    payload: Vec<u8>,
    signature: Vec<u8>,
}

/// The answer to a caller that holds parsed payloads by slot.
#[derive(Debug, PartialEq)]
pub enum Answer<'s> {
    /// The token is the one whose payload was last given for this slot.
    Held(usize),
    /// The JSON of the payload, to be held for a slot if there is one.
    Payload(&'s str, Option<usize>),
}

impl Verifier {
    /// Makes a verifier. Errors: `ERR_OUT_OF_RANGE`, `ERR_INVALID_ARG_VALUE`, `ERR_JWT_KEY`,
    /// `ERR_KEYRING_DUPLICATE`.
    pub fn new(options: VerifierOptions, clock: Arc<dyn Clock>) -> Result<Self> {
        let options = options.complete()?;
        if let Some(list) = &options.revocations {
            list.tolerate(options.clock_tolerance.early);
        }
        let cache = (options.cache_entries > 0)
            .then(|| Cache::new(options.cache_entries, options.form.max_len));
        Ok(Self { options, clock, verified_headers: VerifiedHeaders::default(), cache })
    }

    /// Whether verified tokens are cached.
    pub fn remembers(&self) -> bool {
        self.cache.is_some()
    }

    /// Whether tokens must have an `iss`, and this one is accepted.
    pub(super) fn demands_issuer(&self, name: &str) -> bool {
        match &self.options.issuer {
            Expected::OneOf(names) => names.iter().any(|own| own == name),
            Expected::Anything => false,
        }
    }

    /// The form of tokens.
    pub(super) fn form(&self) -> TokenForm {
        self.options.form
    }

    /// The longest token, in bytes.
    pub fn max_token_len(&self) -> usize {
        self.options.form.max_len
    }

    /// The claim and its fault, if the rejection stands for a claim that the options name.
    pub fn named_claim(&self, rejection: Rejection) -> Option<(&str, Reason)> {
        let options = &self.options;
        Some(match rejection {
            Rejection::Required(index) => {
                (options.required_claims.get(usize::from(index))?, Reason::Missing)
            }
            Rejection::Exact(index, reason) => (options.exact_claims.name(index)?, reason),
            _ => return None,
        })
    }

    /// Verifies a compact token and returns the JSON of its payload, which is in `scratch`.
    pub fn verify<'s>(
        &self,
        token: &[u8],
        scratch: &'s mut Scratch,
    ) -> std::result::Result<&'s str, Rejection> {
        self.answer(token, false, scratch)?;
        scratch.payload()
    }

    /// As [`Self::verify`], for the one caller that holds parsed payloads by slot.
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

    /// Leaves the payload in `scratch`, unless the caller `holds` payloads and has this one.
    /// Returns the slot if there is a cache.
    fn answer(
        &self,
        token: &[u8],
        holds: bool,
        scratch: &mut Scratch,
    ) -> std::result::Result<Option<Recalled>, Rejection> {
        let now = self.clock.unix_millis();
        let Ok(epoch) = self.options.keys.catch_up(now / 1000) else {
            // A text that is no token needs no key.
            self.options.form.split(token, &mut scratch.signature)?;
            return Err(Rejection::KeyringStore);
        };
        if let Some(cache) = &self.cache {
            let still = |cached: &CachedDecision| self.options.check_again(cached, epoch, now);
            let recalled = cache.recall(token, holds, still, &mut scratch.payload)?;
            if recalled.is_some() {
                return Ok(recalled);
            }
        }
        let (key, usable_until) = self.decode(token, epoch, now / 1000, scratch)?;
        let payload = scratch.payload()?;
        let mut exact = Found::default();
        let claims = self.options.read(payload, &mut exact)?;
        self.options.check_times(&claims.times, now)?;
        self.options.check_parties(&claims)?;
        check_key_issuer(&key, &claims, payload)?;
        self.options.check_exact(&claims, exact)?;
        self.options.check_workload(&claims)?;
        self.options.check_revocation(&claims, key.kid())?;
        let Some(cache) = &self.cache else { return Ok(None) };
        let kid = self.options.revocations.as_ref().map(|_| key.kid());
        let decision = CachedDecision::of(&claims, kid, epoch, usable_until);
        Ok(cache.insert(token, holds, payload, decision).map(Recalled::Copied))
    }

    /// Checks signature and header, and decodes the payload. Returns the key, and until when it may
    /// be used, in seconds since 1970.
    fn decode(
        &self,
        token: &[u8],
        epoch: u64,
        now: u64,
        scratch: &mut Scratch,
    ) -> std::result::Result<(Arc<Key>, u64), Rejection> {
        let Scratch { payload: decoded, signature } = scratch;
        let form = self.options.form;
        let Segments { header, payload, signed } = form.split(token, signature)?;
        let found = match self.verified_headers.get(header, epoch, now) {
            Some(found) => {
                check_signature(&found.0, signed, signature)?;
                found
            }
            None => self.verify_header(header, signed, epoch, signature)?,
        };
        form.decode_payload(payload, decoded)?;
        Ok(found)
    }

    /// Reads the header, and caches it once the signature has been verified.
    fn verify_header(
        &self,
        segment: &[u8],
        signed: &[u8],
        epoch: u64,
        signature: &[u8],
    ) -> std::result::Result<(Arc<Key>, u64), Rejection> {
        let json = self.options.form.decode_header(segment)?;
        let accepted = self.options.algorithms.as_deref();
        let Authentic { header, key, usable_until } =
            authenticate(&json, signed, signature, &self.options.keys, accepted)?;
        self.options.check_header(&header, &json)?;
        self.verified_headers.insert(segment, epoch, &key, usable_until);
        Ok((key, usable_until))
    }
}

impl Scratch {
    /// Decodes the payload of a token whose signature nobody has verified.
    pub(super) fn decode_unverified(
        &mut self,
        token: &[u8],
        form: TokenForm,
    ) -> std::result::Result<&str, Rejection> {
        let segments = form.split(token, &mut self.signature)?;
        form.decode_payload(segments.payload, &mut self.payload)?;
        self.payload()
    }

    fn payload(&self) -> std::result::Result<&str, Rejection> {
        std::str::from_utf8(&self.payload)
            .map_err(|_| Malformation::NotUtf8(Segment::Payload).into())
    }
}
