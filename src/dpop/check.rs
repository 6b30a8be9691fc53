//! Judges the proof of a request (RFC 9449 section 4.3).

use std::ops::RangeInclusive;
use std::sync::Arc;

use super::make::hash_of;
use super::proof::{Claims, Proof};
use super::refusal::Refusal;
use super::replay::ReplayCache;
use super::uri::normalized;

/// The bounds of the longest age of a proof, in seconds.
pub const MAX_AGE_SECONDS: RangeInclusive<u64> = 1..=3600;
/// How far the clock of a client may be ahead, in seconds.
pub const FUTURE_SECONDS: u64 = 30;

/// Judges proofs.
pub struct Checker {
    cache: Arc<ReplayCache>,
    /// Milliseconds.
    max_age: u64,
    needs_nonce: bool,
}

/// A request with a proof.
pub struct Request<'a> {
    /// The proof.
    pub proof: &'a [u8],
    /// The method.
    pub method: &'a str,
    /// The address that the client has asked.
    pub url: &'a str,
    /// The access token.
    pub token: &'a str,
    /// The thumbprint of the key to which the token is bound.
    pub thumbprint: &'a str,
    /// Whether this request has been accepted before, by this cache.
    pub is_known: bool,
}

/// A proof that is accepted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u32)]
pub enum Accepted {
    /// The client needs nothing more.
    Whole = 0,
    /// More than half of the life of its nonce is over, and it should get another.
    NonceDue = 1,
}

impl Checker {
    /// A checker of proofs that are at most `max_age` seconds old. With `needs_nonce`, the age is
    /// that of the nonce.
    pub fn new(cache: Arc<ReplayCache>, max_age: u64, needs_nonce: bool) -> Self {
        cache.expect_age(max_age);
        Self { cache, max_age: max_age * 1000, needs_nonce }
    }

    /// Judges a proof, and remembers it if it is accepted. Checks that cost little come first.
    pub fn check(&self, request: &Request<'_>) -> Result<Accepted, Refusal> {
        let proof = Proof::read(request.proof)?;
        let claims = &proof.claims;
        if proof.thumbprint() != request.thumbprint {
            return Err(Refusal::Binding);
        }
        if claims.htm != request.method {
            return Err(Refusal::Method);
        }
        let url = normalized(request.url).ok_or(Refusal::Url)?;
        if normalized(&claims.htu).as_deref() != Some(&*url) {
            return Err(Refusal::Url);
        }
        if claims.ath.as_deref() != Some(&*hash_of(request.token)) {
            return Err(Refusal::Token);
        }
        let now = self.cache.now();
        let (made, accepted) = self.time(claims, now)?;
        let is_active = claims.nbf.is_none_or(|nbf| nbf <= now + FUTURE_SECONDS * 1000);
        if !is_active || claims.exp.is_some_and(|exp| exp <= now) {
            return Err(Refusal::Time);
        }
        if !proof.is_signed() {
            return Err(Refusal::Signature);
        }
        if !request.is_known {
            let made = self.second_of(made);
            self.cache.remember(proof.thumbprint(), &claims.jti, made, now / 1000)?;
        }
        Ok(accepted)
    }

    /// The second of a proof for the cache. A nonce of this cache is younger than the cache, so it
    /// counts for the next second: in its first one, the cache refuses every proof.
    fn second_of(&self, made: u64) -> u64 {
        made / 1000 + u64::from(self.needs_nonce)
    }

    /// The moment at which a proof was made, which its nonce tells, if there are nonces: then the
    /// client's clock does not matter (RFC 9449 section 11.1).
    fn time(&self, claims: &Claims, now: u64) -> Result<(u64, Accepted), Refusal> {
        if !self.needs_nonce {
            let is_timely =
                claims.iat <= now + FUTURE_SECONDS * 1000 && now <= claims.iat + self.max_age;
            return if is_timely { Ok((claims.iat, Accepted::Whole)) } else { Err(Refusal::Time) };
        }
        let made = claims.nonce.as_deref().and_then(|nonce| self.cache.time_of(nonce));
        let made = made.ok_or(Refusal::Nonce)?;
        if made > now + FUTURE_SECONDS * 1000 || now > made + self.max_age {
            return Err(Refusal::Nonce);
        }
        let is_due = now.saturating_sub(made) * 2 > self.max_age;
        Ok((made, if is_due { Accepted::NonceDue } else { Accepted::Whole }))
    }
}
