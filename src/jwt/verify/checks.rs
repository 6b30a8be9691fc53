//! Checks the header and the claims of a genuine token, its times and its revocation. This file
//! knows nothing of signatures.

use super::exact_claims::Found;
use super::options::{Expected, VerifierOptions};
use crate::error::Code;
use crate::jwt::key::key::Key;
use crate::jwt::token::claims::{Claims, Times};
use crate::jwt::token::header::{Header, resolve, same_type};
use crate::jwt::token::json::{Raw, Value, read_object};
use crate::jwt::token::malformation::{Malformation, Segment};
use crate::jwt::token::rejection::{Claim, Reason, Rejection};
use crate::revocation::Query;
use crate::spiffe::SpiffeId;

/// The parts of an acceptance that can cease to hold. The verifier checks them again when a cached
/// token comes back.
pub(crate) struct CachedDecision {
    epoch: u64,
    usable_until: u64,
    times: Times,
    revocable: Option<Revocable>,
}

/// The ids by which a token can be revoked.
struct Revocable {
    kid: String,
    id: Option<String>,
    issuer: Option<String>,
    session: Option<String>,
    subject: Option<String>,
}

impl CachedDecision {
    /// Makes the decision for a token under the keys of `epoch`, with a key that may be used until
    /// `usable_until`, in seconds since 1970. The token can be revoked only if `kid` is given.
    pub(crate) fn of(
        claims: &Claims<'_>,
        kid: Option<&str>,
        epoch: u64,
        usable_until: u64,
    ) -> Self {
        let [id, issuer, session, subject] =
            [claims.id, claims.issuer, claims.session, claims.subject]
                .map(|raw| raw.filter(|_| kid.is_some()).map(|raw| resolve(raw).into_owned()));
        let revocable =
            kid.map(|kid| Revocable { kid: kid.to_owned(), id, issuer, session, subject });
        Self { epoch, usable_until, times: claims.times, revocable }
    }
}

impl VerifierOptions {
    /// Checks the header of a genuine token; `json` is the text of that header.
    pub(super) fn check_header(&self, header: &Header<'_>, json: &[u8]) -> Result<(), Rejection> {
        let typ = header.typ.as_deref();
        let mismatch = Rejection::Claim(Claim::Type, Reason::Mismatch);
        if let Some(expected) = &self.typ {
            let missing = Rejection::Claim(Claim::Type, Reason::Missing);
            if !same_type(typ.ok_or(missing)?, expected) {
                return Err(mismatch);
            }
        }
        if let Some(members) = self.kind.rules.header_members {
            check_members(json, members)?;
        }
        match (self.kind.rules.allowed_types, typ) {
            (Some(allowed), Some(typ)) if !allowed.contains(&typ) => Err(mismatch),
            _ => Ok(()),
        }
    }

    /// Reads a payload, and refuses it if a required claim is missing. Looks in the same scan for
    /// claims of exact values, for [`Self::check_exact`].
    pub(super) fn read<'p>(
        &self,
        payload: &'p str,
        found_exact: &mut Found,
    ) -> Result<Claims<'p>, Rejection> {
        let (required, exact) = (&self.required_claims, &self.exact_claims);
        if required.is_empty() && self.kind.rules.string_claims.is_empty() {
            if exact.is_empty() {
                return Claims::parse(payload);
            }
            return Claims::read_others(payload, |name, value| exact.see(name, value, found_exact));
        }
        let mut found = 0_u128;
        let mut mistyped = None;
        let claims = Claims::read(payload, |name, value| {
            for claim in self.kind.rules.string_claims {
                if !matches!(value, Value::String(_)) && name.is(claim.name()) {
                    mistyped.get_or_insert(*claim);
                }
            }
            if value == Value::Null {
                return;
            }
            for (index, _) in required.iter().enumerate().filter(|(_, claim)| name.is(claim)) {
                found |= 1 << index;
            }
            exact.see(name, value, found_exact);
        })?;
        if let Some(claim) = mistyped {
            return Err(Rejection::Claim(claim, Reason::Type));
        }
        match (0..).zip(required).find(|(index, _)| found & 1 << index == 0) {
            Some((index, _)) => Err(Rejection::Required(index)),
            None => Ok(claims),
        }
    }

    #[expect(clippy::cast_precision_loss, reason = "milliseconds fit an f64 for 285,000 years")]
    pub(super) fn check_times(&self, times: &Times, now_ms: u64) -> Result<(), Rejection> {
        let now = now_ms as f64 / 1000.0;
        let [early, late] =
            [self.clock_tolerance.early, self.clock_tolerance.late].map(|seconds| seconds as f64);
        match times.expiry {
            Some(expiry) if now >= expiry + late => return Err(Rejection::Expired),
            // The list forgets a revoked token when it expires, so a token without `exp` is
            // refused.
            None if self.revocations.is_some() => {
                return Err(Rejection::Claim(Claim::Expiry, Reason::NeededToRevoke));
            }
            None if self.require_expiry => {
                return Err(Rejection::Claim(Claim::Expiry, Reason::Missing));
            }
            _ => {}
        }
        if times.not_before.is_some_and(|not_before| now + early < not_before) {
            return Err(Rejection::NotActive);
        }
        if times.issued_at.is_some_and(|issued_at| now + early < issued_at) {
            return Err(Rejection::Claim(Claim::IssuedAt, Reason::Future));
        }
        if let Some(max_age) = self.max_age {
            let issued_at =
                times.issued_at.ok_or(Rejection::Claim(Claim::IssuedAt, Reason::NeededForAge))?;
            // As with `exp`, the first moment that is refused is exact.
            if now >= issued_at + max_age as f64 + late {
                return Err(Rejection::TooOld);
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

    /// Checks the claims of exact values, given those that the scan has found.
    pub(super) fn check_exact(
        &self,
        claims: &Claims<'_>,
        mut found: Found,
    ) -> Result<(), Rejection> {
        if self.exact_claims.is_empty() {
            return Ok(());
        }
        for (name, value) in [("jti", claims.id), ("sid", claims.session), ("sub", claims.subject)]
        {
            if let Some(value) = value {
                self.exact_claims.see(Raw::Plain(name), Value::String(value), &mut found);
            }
        }
        self.exact_claims.check(&found)
    }

    /// Checks a token against the revocation list, if there is one. A token that could not be
    /// revoked is refused: it needs an id, a time of issue, and a life no longer than the list
    /// remembers its subject.
    #[expect(clippy::cast_precision_loss, reason = "a duration in seconds")]
    pub(super) fn check_revocation(&self, claims: &Claims<'_>, kid: &str) -> Result<(), Rejection> {
        let Some(list) = &self.revocations else { return Ok(()) };
        let id = claims.id.ok_or(Rejection::Claim(Claim::Id, Reason::NeededToRevoke))?;
        let Times { issued_at, expiry, .. } = claims.times;
        let issued_at =
            issued_at.ok_or(Rejection::Claim(Claim::IssuedAt, Reason::NeededToRevoke))?;
        if expiry.is_none_or(|expiry| expiry - issued_at > list.max_token_ttl() as f64) {
            return Err(Rejection::Claim(Claim::Expiry, Reason::Outlives));
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

    /// Checks that the subject is a workload of the trust domain, if the kind has one.
    pub(super) fn check_workload(&self, claims: &Claims<'_>) -> Result<(), Rejection> {
        let Some(trust_domain) = &self.kind.trust_domain else { return Ok(()) };
        let subject = claims.subject.ok_or(Rejection::Claim(Claim::Subject, Reason::Missing))?;
        match SpiffeId::parse(&resolve(subject)) {
            // The id of the trust domain itself is not the id of a workload.
            Ok(id) if trust_domain.contains(&id) && !id.path().is_empty() => Ok(()),
            _ => Err(Rejection::Claim(Claim::Subject, Reason::Mismatch)),
        }
    }

    /// Checks a cached decision again. Returns `false` if the keys have changed or the key has run
    /// out; the token must then be verified anew.
    pub(super) fn check_again(
        &self,
        cached: &CachedDecision,
        epoch: u64,
        now_ms: u64,
    ) -> Result<bool, Rejection> {
        if cached.epoch != epoch || now_ms / 1000 >= cached.usable_until {
            return Ok(false);
        }
        self.check_times(&cached.times, now_ms)?;
        if let Some(revocable) = &cached.revocable {
            self.ask(&Query {
                issuer: revocable.issuer.as_deref(),
                id: revocable.id.as_deref(),
                session: revocable.session.as_deref(),
                subject: revocable.subject.as_deref(),
                issued_at: cached.times.issued_at,
                kid: Some(&revocable.kid),
            })?;
        }
        Ok(true)
    }

    fn ask(&self, query: &Query<'_>) -> Result<(), Rejection> {
        match self.revocations.as_ref().map_or(Ok(false), |list| list.is_revoked(query)) {
            Ok(false) => Ok(()),
            Ok(true) => Err(Rejection::Revoked),
            Err(error) if error.code == Code::RevocationClosed => {
                Err(Rejection::RevocationUnavailable)
            }
            Err(error) if error.code == Code::RevocationStale => Err(Rejection::RevocationStale),
            Err(_) => Err(Rejection::RevocationStore),
        }
    }
}

/// Refuses a token of another issuer than the one that its key is for, if the key names one.
pub(super) fn check_key_issuer(
    key: &Key,
    claims: &Claims<'_>,
    payload: &str,
) -> Result<(), Rejection> {
    let Some(own) = key.issuer() else { return Ok(()) };
    let issuer = claims.issuer.ok_or(Rejection::Claim(Claim::Issuer, Reason::Missing))?;
    let mut tenant = None;
    // Few keys name an issuer, so `tid` is not read in the one scan of all tokens.
    read_object(payload, |name, value| match value {
        Value::String(text) if name.is("tid") => tenant = Some(resolve(text)),
        _ => {}
    })
    .map_err(|fault| Malformation::Json(Segment::Payload, fault))?;
    if own.accepts(&resolve(issuer), tenant.as_deref()) {
        return Ok(());
    }
    Err(Rejection::KeyIssuer)
}

/// Refuses a header that has a member other than these.
fn check_members(json: &[u8], allowed: &[&str]) -> Result<(), Rejection> {
    let text = std::str::from_utf8(json).map_err(|_| Malformation::NotUtf8(Segment::Header))?;
    let mut has_other = false;
    read_object(text, |name, _| has_other |= !allowed.iter().any(|own| name.is(own)))
        .map_err(|fault| Malformation::Json(Segment::Header, fault))?;
    if has_other { Err(Malformation::OtherParameter.into()) } else { Ok(()) }
}
