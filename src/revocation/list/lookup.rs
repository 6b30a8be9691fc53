//! Whether a token is revoked.

use std::sync::atomic::Ordering;

use super::RevocationList;
use super::state::{EVERY_TOKEN, Kind};
use crate::error::Result;
use crate::id::uuid_v7_millis;
use crate::revocation::terms::{Field, Query, Scope};

impl RevocationList {
    /// Whether a token has been revoked, by its id, session, subject or key or with all tokens.
    /// `ERR_REVOCATION_STORE` if the list is on a store that cannot answer, and
    /// `ERR_REVOCATION_STALE` if it is on a server that has been silent for too long.
    pub fn is_revoked(&self, query: &Query<'_>) -> Result<bool> {
        let state = self.current()?;
        let fingerprinter = state.fingerprinter(&self.fingerprinter);
        let tolerated = |limit: u64| limit.saturating_add(self.tolerance.load(Ordering::Relaxed));
        let issued_until = |limit: u64| {
            // An f64 represents whole seconds exactly until the year 285 million.
            #[expect(clippy::cast_precision_loss, reason = "see above")]
            query.issued_at.is_none_or(|issued_at| issued_at.floor() <= limit as f64)
        };
        let not_later_than =
            |millis: u64| issued_until(tolerated(millis / 1000)) && !proves_later(query, millis);
        // Both a list that made room and a store that lost commits refuse tokens up to a moment.
        if state.rejects_until > 0 && not_later_than(state.rejects_until) {
            return Ok(true);
        }
        let may_be_among_all =
            state.all_issued_until > 0 && issued_until(tolerated(state.all_issued_until));
        let all = may_be_among_all.then_some(EVERY_TOKEN);
        let asked = [query.id, query.session, query.subject, query.kid, all];
        let ids = Field::ALL.map(|field| {
            let text = asked[field as usize].filter(|_| state.has(field))?;
            Some((text, fingerprinter.hash(field, text)))
        });
        // Computes all hashes first, so that the memory accesses need not wait for each other.
        let perhaps = ids.map(|id| id.filter(|(_, hash)| state.filter.may_hold(*hash)));
        if perhaps.iter().all(Option::is_none) {
            return Ok(false);
        }
        let find = |kind: Kind| {
            let (text, hash) = perhaps[kind.field() as usize]?;
            let table = state.table(kind);
            let of = |scope| table.get(fingerprinter.complete(hash, text, scope));
            let issuer = query.issuer.filter(|_| table.is_scoped());
            // Looks up both, because for a subject the later of the two times counts.
            of(Scope::Any).max(issuer.and_then(|issuer| of(Scope::Issuer(issuer))))
        };
        Ok(find(Kind::Id).is_some()
            || find(Kind::Session).is_some()
            || find(Kind::EndedSession).is_some()
            || find(Kind::Key).is_some()
            || find(Kind::Subject).is_some_and(issued_until)
            || find(Kind::SubjectNow).is_some_and(not_later_than)
            || find(Kind::All).is_some_and(issued_until)
            || find(Kind::AllNow).is_some_and(not_later_than))
    }
}

/// Whether the id of a token shows that it was issued after `millis`, within the second that the
/// token states.
fn proves_later(query: &Query<'_>, millis: u64) -> bool {
    #[expect(clippy::cast_precision_loss, reason = "48 bits, in seconds")]
    let is_of_second = |made: u64| {
        let second = (made / 1000) as f64;
        query.issued_at.is_some_and(|issued_at| (second..second + 1.0).contains(&issued_at))
    };
    query.id.and_then(uuid_v7_millis).is_some_and(|made| made > millis && is_of_second(made))
}
