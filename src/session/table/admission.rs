//! Whether a subject may have one more session.

use std::sync::Arc;

use uuid::Uuid;

use super::{Table, no_memory};
use crate::error::{Code, Error, Result};
use crate::session::family::Stamp;
use crate::session::limits::{OnLimit, SessionLimits};
use crate::store::Position;

/// The most sessions that the start of one ends.
const ENDED_PER_START: usize = 200;

/// The answer to a session that wants to start.
#[derive(Debug, PartialEq, Eq)]
pub(in crate::session) enum Admission {
    /// It may start. [`Table::started`] must follow.
    Admitted {
        number: u64,
        /// The sessions that end for it.
        instead_of: Vec<Uuid>,
    },
    /// It must wait until others have started or ended.
    Waits,
}

impl Table {
    /// Decides whether a subject may have another session, and counts it if so. Expired sessions
    /// that it removes are added to `over`.
    pub(in crate::session) fn admit(
        &mut self,
        subject: &str,
        id: Uuid,
        now: Stamp,
        over: &mut Vec<(Uuid, Position)>,
    ) -> Result<Admission> {
        let SessionLimits { max_sessions, max_sessions_per_subject, .. } = self.limits;
        if self.held + self.starting.len() >= max_sessions {
            return Err(Error::new(
                Code::SessionFull,
                format!(
                    "there are {max_sessions} sessions already; raise maxSessions or shorten \
                     refreshTtl"
                ),
            ));
        }
        let mut instead_of = Vec::new();
        while let Some(excess) = self.excess(subject) {
            if self.limits.on_limit == OnLimit::EndOldest {
                instead_of = self.oldest(subject, excess);
                if instead_of.is_empty() {
                    return Ok(Admission::Waits);
                }
                break;
            }
            let Some(expired) = self.expired_of(subject, now) else {
                return Err(Error::new(
                    Code::SessionLimit,
                    format!(
                        "the subject has {max_sessions_per_subject} sessions already; end one, \
                         raise maxSessionsPerSubject, or choose onSessionLimit: 'end-oldest'"
                    ),
                ));
            };
            over.extend(self.remove(expired).map(|family| (expired, family.position)));
        }
        self.reserve(subject).map_err(|_| no_memory())?;
        self.starting.try_reserve(1).map_err(|_| no_memory())?;
        for id in &instead_of {
            self.set_leaving(*id, true);
        }
        self.starting.insert(id);
        self.of_subject(&Arc::from(subject)).starting += 1;
        let number = self.next_number;
        self.next_number += 1;
        Ok(Admission::Admitted { number, instead_of })
    }

    /// Follows an admission, after the session was added or not.
    pub(in crate::session) fn started(&mut self, subject: &str, id: Uuid, instead_of: &[Uuid]) {
        for id in instead_of {
            self.set_leaving(*id, false);
        }
        if self.starting.remove(&id)
            && let Some(of) = self.by_subject.get_mut(subject)
        {
            of.starting -= 1;
            self.forget_if_empty(subject);
        }
    }

    fn excess(&self, subject: &str) -> Option<usize> {
        let of = self.by_subject.get(subject)?;
        let count = of.sessions.len() - of.leaving + of.starting;
        (count + 1).checked_sub(self.limits.max_sessions_per_subject).filter(|excess| *excess > 0)
    }

    /// The oldest sessions of a subject for whose end no other session waits.
    fn oldest(&self, subject: &str, count: usize) -> Vec<Uuid> {
        let is_staying = |id: &Uuid| self.rows.get(id).is_some_and(|slot| !slot.is_leaving);
        let ids = self.of(subject, 0, u64::MAX).map(|(id, _)| id);
        ids.filter(is_staying).take(count.min(ENDED_PER_START)).collect()
    }

    /// A session of a subject that is over. It looks at all of them only if one can be.
    fn expired_of(&mut self, subject: &str, now: Stamp) -> Option<Uuid> {
        if self.by_subject.get(subject)?.soonest > now.boot {
            return None;
        }
        let mut soonest = i64::MAX;
        for (id, family) in self.of(subject, 0, u64::MAX) {
            let over_at = family.over_at(&self.limits);
            if over_at <= now.boot {
                return Some(id);
            }
            soonest = soonest.min(over_at);
        }
        self.by_subject.get_mut(subject)?.soonest = soonest;
        None
    }

    fn set_leaving(&mut self, id: Uuid, is_leaving: bool) {
        let Some(slot) = self.rows.get_mut(&id) else { return };
        if slot.is_leaving == is_leaving || !slot.family.is_held() {
            return;
        }
        slot.is_leaving = is_leaving;
        let of = self.by_subject.get_mut(&slot.family.subject);
        if let Some(of) = of {
            of.leaving = if is_leaving { of.leaving + 1 } else { of.leaving - 1 };
        }
    }
}
