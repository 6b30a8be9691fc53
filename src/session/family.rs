//! A refresh token family, the row of a session: which of its tokens works, and until when.

use std::sync::Arc;

use super::change::Change;
use super::limits::SessionLimits;
use super::refresh_token::{RefreshToken, SecretHash, Step};
use crate::clock::Clock;
use crate::secret::ct_eq;
use crate::store::Position;

/// One session. A row is never changed: it is replaced by the next one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Family {
    pub subject: Arc<str>,
    /// The claims of its access tokens: a JSON object.
    pub claims: Arc<str>,
    /// JSON for its owner.
    pub meta: Option<Arc<str>>,
    pub secret: SecretHash,
    /// The token that works.
    pub current: Step,
    /// The variant of the token that was exchanged for the current one.
    pub previous: u32,
    /// Orders the sessions of a subject by their start.
    pub number: u64,
    pub phase: Phase,
    pub started: Stamp,
    /// The last exchange, or the beginning of a phase that is not live.
    pub used: Stamp,
    /// The latest time, by the clock of the issuer, at which an access token was issued.
    pub issued_at: u64,
    /// How long the row is kept after the beginning of a phase that is not live, in milliseconds.
    pub linger: u64,
    /// Whether the readings of the boot clock are of this start of the machine. If not, they are
    /// estimates that are rather late.
    pub is_of_this_boot: bool,
    /// The place of the row in the store.
    pub position: Position,
}

/// A moment by two clocks, in milliseconds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Stamp {
    /// The wall clock, which clients know: milliseconds since 1970. It may be wrong, so it only
    /// refuses for the moment.
    pub wall: u64,
    /// The boot clock, which nobody can set. It decides when a session ends for good.
    pub boot: i64,
}

/// The phase of a session.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Phase {
    Live = 0,
    /// It is being ended: it no longer rotates, and waits until its access tokens have been revoked
    /// or, at the latest, have expired.
    Ending = 1,
    /// As [`Self::Ending`], because a token was used twice.
    Reused = 2,
    /// It has ended. The row tells the other processes.
    Ended = 3,
}

/// The state of a genuine refresh token.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Verdict {
    /// The current token, to be exchanged.
    Current,
    /// A token that is later than the row, which was restored from a backup or lost in a crash. It
    /// is exchanged like the current one.
    Ahead,
    /// The previous token, within the grace period.
    JustRotated,
    /// The previous token, after the grace period; its successor has not been used.
    Retried,
    /// An older token, which ends the session.
    Reused,
    /// The session is being ended.
    Ending,
    /// The session has expired.
    Expired,
    /// The session has expired by the wall clock alone, which may be wrong. It stays.
    SeemsExpired,
    /// The session has ended, or the token is not one of it.
    Unknown,
}

impl Stamp {
    /// The present.
    pub(super) fn of(clock: &dyn Clock) -> Self {
        let boot = i64::try_from(clock.boot_millis()).unwrap_or(i64::MAX);
        Self { wall: clock.unix_millis(), boot }
    }
}

impl Family {
    /// The state of a token of this session's id.
    pub(super) fn judge(
        &self,
        token: &RefreshToken,
        now: Stamp,
        limits: &SessionLimits,
    ) -> Verdict {
        if !self.is_of(token) {
            return Verdict::Unknown;
        }
        match self.phase {
            Phase::Live => {}
            Phase::Ending => return Verdict::Ending,
            Phase::Reused => return Verdict::Reused,
            Phase::Ended => return Verdict::Unknown,
        }
        let end = self.end(limits);
        if now.boot >= end.boot {
            return Verdict::Expired;
        }
        if now.wall >= end.wall {
            return Verdict::SeemsExpired;
        }
        if token.step == self.current {
            return Verdict::Current;
        }
        if token.step > self.current {
            return Verdict::Ahead;
        }
        let is_previous = token.step.generation.checked_add(1) == Some(self.current.generation)
            && token.step.variant == self.previous;
        if !is_previous {
            Verdict::Reused
        } else if self.is_within_grace(now, limits) {
            Verdict::JustRotated
        } else if limits.retry_until_used {
            Verdict::Retried
        } else {
            Verdict::Reused
        }
    }

    /// Whether a token has the secret of this session.
    pub(super) fn is_of(&self, token: &RefreshToken) -> bool {
        ct_eq(&token.secret.hash(), &self.secret)
    }

    fn is_within_grace(&self, now: Stamp, limits: &SessionLimits) -> bool {
        let grace = limits.grace.saturating_mul(1000);
        let is_early = now.boot < after(self.used.boot, grace);
        // The boot clock says little about a time before it began.
        is_early && (self.is_of_this_boot || now.wall < self.used.wall.saturating_add(grace))
    }

    /// When a live session ends.
    pub(super) fn end(&self, limits: &SessionLimits) -> Stamp {
        let [life, idle] =
            [limits.refresh_ttl, limits.idle_ttl].map(|ttl| ttl.saturating_mul(1000));
        Stamp {
            wall: self.started.wall.saturating_add(life).min(self.used.wall.saturating_add(idle)),
            boot: after(self.started.boot, life).min(after(self.used.boot, idle)),
        }
    }

    /// When the row may be removed, by the boot clock.
    pub(super) fn over_at(&self, limits: &SessionLimits) -> i64 {
        match self.phase {
            Phase::Live => self.end(limits).boot,
            Phase::Ending | Phase::Reused | Phase::Ended => after(self.used.boot, self.linger),
        }
    }

    /// Whether it counts as a session of its subject.
    pub(super) fn is_held(&self) -> bool {
        self.phase != Phase::Ended
    }

    /// The row after the exchange of a token; `None` if there is no later generation.
    pub(super) fn rotated(&self, from: Step, now: Stamp, change: Change<'_>) -> Option<Self> {
        let current = Step { generation: from.generation.checked_add(1)?, variant: 0 };
        let next = Self {
            current,
            previous: from.variant,
            used: now,
            is_of_this_boot: true,
            ..self.changed(change)
        };
        Some(next)
    }

    /// The row with another successor of the previous token; `None` if there were too many.
    pub(super) fn retried(&self, now: Stamp, change: Change<'_>) -> Option<Self> {
        let variant = self.current.variant.checked_add(1)?;
        let current = Step { variant, ..self.current };
        Some(Self { current, used: now, is_of_this_boot: true, ..self.changed(change) })
    }

    /// The row with other claims or meta data.
    pub(super) fn changed(&self, change: Change<'_>) -> Self {
        let mut next = self.clone();
        if let Some(claims) = change.claims.filter(|claims| **claims != *self.claims) {
            next.claims = claims.into();
        }
        if change.meta.is_some_and(|meta| Some(meta) != self.meta.as_deref()) {
            next.meta = change.meta.map(Into::into);
        }
        next
    }

    /// The row in a phase that is not live, which is removed `linger` milliseconds later.
    pub(super) fn leaving(&self, phase: Phase, now: Stamp, linger: u64) -> Self {
        Self { phase, used: now, linger, is_of_this_boot: true, ..self.clone() }
    }
}

/// A reading of the boot clock some milliseconds later.
fn after(boot: i64, millis: u64) -> i64 {
    boot.saturating_add_unsigned(millis)
}

#[cfg(test)]
mod tests;
