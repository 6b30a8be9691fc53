//! Refresh tokens are exchanged.

use std::sync::Arc;

use uuid::Uuid;

use super::attempt::{Attempt, Writing};
use super::change::Change;
use super::family::{Family, Phase, Verdict};
use super::sessions::{Sessions, TokenPair};
use crate::error::Result;
use crate::store::{Batch, Expected};

/// How much later than in the row of a store an access token may be issued without a change of the
/// row, in milliseconds. A process that ends the session meanwhile counts with the present time.
const UNNOTED_MS: u64 = 300_000;

/// The outcome of a refresh.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Refreshed {
    /// A new pair; the presented token is used up.
    Rotated(TokenPair),
    /// As [`Self::Rotated`], of a token that was later than the session: the store has lost
    /// changes, or was restored from a backup.
    Restored(TokenPair),
    /// The token was rotated moments ago: the same successor again.
    Replayed(TokenPair),
    /// The token was used up long ago, so there is a copy of it. The session has been ended.
    Reuse(Ended),
    /// The session has expired. If only the wall clock says so, it has not ended, because the clock
    /// may be wrong for the moment.
    Expired(Ended),
    /// The token belongs to no known session.
    Unknown,
    /// The token would get a pair, and the caller wants to know the subject before. Nothing has
    /// changed.
    Asks(Arc<str>),
}

/// A session that has ended, so that the caller can react.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ended {
    /// The session's id.
    pub session: Uuid,
    /// The session's subject.
    pub subject: Arc<str>,
}

impl Sessions {
    /// Exchanges a refresh token for the next pair.
    ///
    /// A call that fails uses up nothing: the pair is signed before the session rotates, and a
    /// session to be ended stays until its access tokens have been revoked.
    ///
    /// If the caller `asks`, a token that would get a pair only tells its subject.
    pub fn refresh(
        &self,
        token: &str,
        change: Change<'_>,
        asks: bool,
    ) -> Result<Attempt<Refreshed>> {
        change.check()?;
        if !self.shared.is_current()? {
            return Ok(Attempt::Behind);
        }
        let Some(token) = self.shared.codec()?.decode(token) else {
            return Ok(Attempt::Done(Refreshed::Unknown));
        };
        loop {
            let Some(family) = self.shared.get(token.session)? else {
                return Ok(Attempt::Done(Refreshed::Unknown));
            };
            let now = self.now();
            let verdict = family.judge(&token, now, &self.shared.limits);
            let (next, outcome): (_, fn(TokenPair) -> Refreshed) = match verdict {
                Verdict::Current => (family.rotated(token.step, now, change), Refreshed::Rotated),
                Verdict::Ahead => (family.rotated(token.step, now, change), Refreshed::Restored),
                Verdict::Retried => (family.retried(now, change), Refreshed::Rotated),
                Verdict::JustRotated => (Some(family.changed(change)), Refreshed::Replayed),
                _ => return self.refuse(token.session, &family, verdict),
            };
            let Some(mut next) = next else { return Ok(Attempt::Done(Refreshed::Unknown)) };
            if asks {
                return Ok(Attempt::Done(Refreshed::Asks(next.subject)));
            }
            let refreshed = outcome(self.pair(token.session, &token.secret, &mut next)?);
            if self.is_durable() {
                return self.write(token.session, &family, next, refreshed);
            }
            if self.shared.table()?.swap(token.session, &family, next)? {
                return Ok(Attempt::Done(refreshed));
            }
            // Another call rotated the session first: present the token again.
        }
    }

    /// Answers a token that gets no successor.
    fn refuse(
        &self,
        session: Uuid,
        family: &Family,
        verdict: Verdict,
    ) -> Result<Attempt<Refreshed>> {
        let ended = Ended { session, subject: family.subject.clone() };
        let (phase, refreshed) = match verdict {
            Verdict::Ending => (Phase::Ending, Refreshed::Unknown),
            Verdict::Reused => (Phase::Reused, Refreshed::Reuse(ended)),
            Verdict::Expired => (Phase::Ending, Refreshed::Expired(ended)),
            Verdict::SeemsExpired => return Ok(Attempt::Done(Refreshed::Expired(ended))),
            _ => return Ok(Attempt::Done(Refreshed::Unknown)),
        };
        self.end_with(session, phase, refreshed)
    }

    /// Writes the next row of a session, unless it need not be told.
    fn write(
        &self,
        id: Uuid,
        family: &Family,
        next: Family,
        refreshed: Refreshed,
    ) -> Result<Attempt<Refreshed>> {
        let noted = Family { issued_at: family.issued_at, ..next.clone() };
        let is_soon = next.issued_at <= family.issued_at.saturating_add(UNNOTED_MS);
        // Other processes do not know of an issuer whose clock is ahead.
        if noted == *family && is_soon && next.issued_at <= self.revocations.moment().latest {
            return self.unless_changed(id, family, refreshed);
        }
        let change = self.shared.change(id, &next, Expected::At(family.position));
        let batch = Batch { records: vec![change], ..Batch::default() };
        let then = |result: Result<bool>| {
            Ok(if result? { Attempt::Done(refreshed) } else { Attempt::Again })
        };
        Ok(Writing::attempt(&self.shared, batch, vec![(id, next)], None, Box::new(then)))
    }

    /// An answer that was made for a row, if the row is still there. The process may have been
    /// stopped before it signed the answer. If another process has ended the session meanwhile, its
    /// revocation refuses only tokens that were signed before.
    fn unless_changed(
        &self,
        id: Uuid,
        family: &Family,
        refreshed: Refreshed,
    ) -> Result<Attempt<Refreshed>> {
        if !self.shared.is_current()? {
            return Ok(Attempt::Behind);
        }
        let is_same = self.shared.get(id)?.is_some_and(|row| row.position == family.position);
        Ok(if is_same { Attempt::Done(refreshed) } else { Attempt::Again })
    }
}
