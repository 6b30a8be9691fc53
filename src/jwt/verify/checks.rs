//! What a verifier asks of the claims of a genuine token. Nothing here knows signatures.

use super::claims::{Claims, Times};
use super::header::resolve;
use super::json::Value;
use super::{Claim, Expected, Reason, Rejection, VerifierOptions};
use crate::revocation::Query;

/// What of an accepted token may stop being true: all that is checked again when it comes back.
pub struct Standing {
    epoch: u64,
    usable_until: u64,
    times: Times,
    revocable: Option<Revocable>,
}

/// What a token can be revoked by.
struct Revocable {
    kid: String,
    id: Option<String>,
    issuer: Option<String>,
    session: Option<String>,
    subject: Option<String>,
}

impl Standing {
    /// Of a token under the keys of `epoch`, whose key may be used until `usable_until`, in
    /// seconds since 1970. It can be revoked when the key's id is given.
    pub fn of(claims: &Claims<'_>, kid: Option<&str>, epoch: u64, usable_until: u64) -> Self {
        let [id, issuer, session, subject] =
            [claims.id, claims.issuer, claims.session, claims.subject]
                .map(|raw| raw.filter(|_| kid.is_some()).map(|raw| resolve(raw).into_owned()));
        let revocable =
            kid.map(|kid| Revocable { kid: kid.to_owned(), id, issuer, session, subject });
        Self { epoch, usable_until, times: claims.times, revocable }
    }
}

impl VerifierOptions {
    /// Reads a payload; every required claim must be in it.
    pub(super) fn read<'p>(&self, payload: &'p str) -> Result<Claims<'p>, Rejection> {
        let required = &self.required_claims;
        if required.is_empty() {
            return Claims::parse(payload);
        }
        let mut found = 0_u128;
        let mut members = Ok(());
        let claims = Claims::read(payload, |name, value| {
            if members.is_ok() {
                members = self.profile.check_member(name, value);
            }
            if value == Value::Null {
                return;
            }
            for (index, _) in required.iter().enumerate().filter(|(_, claim)| name.is(claim)) {
                found |= 1 << index;
            }
        })?;
        members?;
        match (0..).zip(required).find(|(index, _)| found & 1 << index == 0) {
            Some((index, _)) => Err(Rejection::Required(index)),
            None => Ok(claims),
        }
    }

    #[expect(clippy::cast_precision_loss, reason = "milliseconds fit an f64 for 285,000 years")]
    pub(super) fn check_times(&self, times: &Times, now_ms: u64) -> Result<(), Rejection> {
        let now = now_ms as f64 / 1000.0;
        let tolerance = self.clock_tolerance as f64;
        match times.expiry {
            Some(expiry) if now >= expiry + tolerance => return Err(Rejection::Expired),
            // What is revoked is forgotten once it has expired.
            None if self.require_expiry || self.revocations.is_some() => {
                return Err(Rejection::Claim(Claim::Expiry, Reason::Missing));
            }
            _ => {}
        }
        if times.not_before.is_some_and(|not_before| now + tolerance < not_before) {
            return Err(Rejection::NotActive);
        }
        if times.issued_at.is_some_and(|issued_at| now + tolerance < issued_at) {
            return Err(Rejection::Claim(Claim::IssuedAt, Reason::Mismatch));
        }
        if let Some(max_age) = self.max_age {
            let issued_at =
                times.issued_at.ok_or(Rejection::Claim(Claim::IssuedAt, Reason::Missing))?;
            if now - issued_at > max_age as f64 + tolerance {
                return Err(Rejection::Expired);
            }
        }
        Ok(())
    }

    pub(super) fn check_parties(&self, claims: &Claims<'_>) -> Result<(), Rejection> {
        if let Expected::OneOf(accepted) = &self.issuer {
            let issuer = claims.issuer.ok_or(Rejection::Claim(Claim::Issuer, Reason::Missing))?;
            if !accepted.iter().any(|name| issuer.is(name)) {
                return Err(Rejection::Claim(Claim::Issuer, Reason::Mismatch));
            }
        }
        if let Expected::OneOf(accepted) = &self.audience {
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
    pub(super) fn check_revocation(&self, claims: &Claims<'_>, kid: &str) -> Result<(), Rejection> {
        let Some(list) = &self.revocations else { return Ok(()) };
        let id = claims.id.ok_or(Rejection::Claim(Claim::Id, Reason::Missing))?;
        let Times { issued_at, expiry, .. } = claims.times;
        let issued_at = issued_at.ok_or(Rejection::Claim(Claim::IssuedAt, Reason::Missing))?;
        if expiry.is_none_or(|expiry| expiry - issued_at > list.max_token_ttl() as f64) {
            return Err(Rejection::Claim(Claim::Expiry, Reason::Mismatch));
        }
        let [issuer, session, subject] =
            [claims.issuer, claims.session, claims.subject].map(|raw| raw.map(resolve));
        self.ask(&Query {
            issuer: issuer.as_deref(),
            id: Some(&resolve(id)),
            session: session.as_deref(),
            subject: subject.as_deref(),
            issued_at: Some(issued_at),
            kid: Some(kid),
        })
    }

    /// Whether what was accepted once still is, as far as that can change: `false` when the keys
    /// have, and the token must be verified anew.
    pub(super) fn check_standing(
        &self,
        standing: &Standing,
        epoch: u64,
        now_ms: u64,
    ) -> Result<bool, Rejection> {
        if standing.epoch != epoch || now_ms / 1000 >= standing.usable_until {
            return Ok(false);
        }
        self.check_times(&standing.times, now_ms)?;
        if let Some(revocable) = &standing.revocable {
            self.ask(&Query {
                issuer: revocable.issuer.as_deref(),
                id: revocable.id.as_deref(),
                session: revocable.session.as_deref(),
                subject: revocable.subject.as_deref(),
                issued_at: standing.times.issued_at,
                kid: Some(&revocable.kid),
            })?;
        }
        Ok(true)
    }

    fn ask(&self, query: &Query<'_>) -> Result<(), Rejection> {
        match self.revocations.as_ref().map_or(Ok(false), |list| list.is_revoked(query)) {
            Ok(false) => Ok(()),
            Ok(true) => Err(Rejection::Revoked),
            Err(_) => Err(Rejection::RevocationUnavailable),
        }
    }
}
