//! Sessions end: the access tokens are revoked, and the refresh token stops working.
//!
//! On a store this is one transaction. In memory the session is marked first, so that it does not
//! refresh while its tokens cannot be revoked.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use uuid::Uuid;

use super::attempt::{Attempt, Writing};
use super::family::{Family, Phase};
use super::log::TOLD_MS;
use super::sessions::Sessions;
use crate::error::{Code, Error, Result};
use crate::jwt::Issuer;
use crate::revocation::{Revocation, RevocationList, Scope, Staged};
use crate::store::{Batch, Entry, Expected, RecordChange};

/// The most sessions that one part of [`Sessions::end_some`] ends: less than 1 ms of work.
const PART: usize = 128;

/// The end of all sessions of a subject, in parts.
pub struct EndAll {
    subject: String,
    progress: Mutex<Progress>,
}

struct Progress {
    /// Whether the subject's older tokens have been revoked.
    has_begun: bool,
    /// The number of the first session that is left; `None` until the table was current.
    next: Option<u64>,
    /// A number above those of all sessions that end.
    below: u64,
    /// The first failure.
    failed: Option<Error>,
}

/// The rows and revocations of sessions that end.
pub(super) struct Ending {
    pub rows: Vec<(Uuid, Family)>,
    pub revoked: (Vec<Entry>, Option<(Arc<RevocationList>, Staged)>),
    /// The list has no room, so the rows only keep the sessions from being refreshed.
    pub full: Option<Error>,
}

impl Sessions {
    /// Ends a session: revokes its access tokens, and from now on its refresh token is unknown. For
    /// an unknown session, the access tokens are revoked too. If they cannot be revoked, the
    /// session no longer refreshes, and the caller can try to end it again.
    pub fn end(&self, session: Uuid) -> Result<Attempt<()>> {
        if !self.shared.is_current()? {
            return Ok(Attempt::Behind);
        }
        self.end_with(session, Phase::Ending, ())
    }

    /// Ends the session of a refresh token that this table made, even of one that is used up.
    /// Returns its id; `None` if there was no such session.
    pub fn end_by_refresh_token(&self, token: &str) -> Result<Attempt<Option<Uuid>>> {
        if !self.shared.is_current()? {
            return Ok(Attempt::Behind);
        }
        let Some(token) = self.shared.codec()?.decode(token) else {
            return Ok(Attempt::Done(None));
        };
        let family = self.shared.get(token.session)?;
        if !family.is_some_and(|family| family.is_held() && family.is_of(&token)) {
            return Ok(Attempt::Done(None));
        }
        self.end_with(token.session, Phase::Ending, Some(token.session))
    }

    /// Ends every session of a subject, and refuses every access token of the subject that was
    /// issued before the current second. A token issued within this second belongs to a known
    /// session, or to a session started just after this call, which must not be refused.
    ///
    /// This only begins: the caller repeats [`Self::end_some`] until there are no more.
    pub fn end_all(&self, subject: &str) -> EndAll {
        let progress = Progress { has_begun: false, next: None, below: 0, failed: None };
        EndAll { subject: subject.to_owned(), progress: Mutex::new(progress) }
    }

    /// Ends some more sessions, in less than 1 ms. Returns whether there may be more. A failure is
    /// returned at the end, after all sessions that could be ended.
    pub fn end_some(&self, all: &Arc<EndAll>) -> Result<Attempt<bool>> {
        if !self.shared.is_current()? {
            return Ok(Attempt::Behind);
        }
        let mut progress = all.progress();
        let (ids, next) = {
            let table = self.shared.table()?;
            if progress.next.is_none() {
                progress.below = table.next_number();
            }
            let from = progress.next.unwrap_or(0);
            part_of(table.of(&all.subject, from, progress.below))
        };
        let older = (!progress.has_begun).then(|| {
            let latest = self.moment().latest.max(self.issuer.latest_issue());
            let before = (latest / 1000).saturating_sub(1);
            Revocation::subject(&all.subject, before, Scope::Any)
        });
        let Some(next) = next.or(older.is_some().then_some(progress.below)) else {
            return progress.failed.take().map_or(Ok(Attempt::Done(false)), Err);
        };
        progress.next = Some(next);
        progress.has_begun = true;
        if self.is_durable() {
            drop(progress);
            return self.end_part(all, &ids, older);
        }
        let mut note = |result: Result<()>| {
            if let Err(error) = result {
                progress.failed.get_or_insert(error);
            }
        };
        if let Some(older) = older {
            note(self.revocations.revoke(&older));
        }
        for id in ids {
            note(self.end_in_memory(id, Phase::Ending));
        }
        Ok(Attempt::Done(true))
    }

    fn end_part(
        &self,
        all: &Arc<EndAll>,
        ids: &[Uuid],
        older: Option<Revocation<'_>>,
    ) -> Result<Attempt<bool>> {
        let Ending { rows, revoked: (entries, revoked), full } =
            self.ending(ids, Phase::Ending, older)?;
        let batch = Batch { entries, records: self.changes(&rows) };
        let all = all.clone();
        let then = move |result: Result<bool>| {
            result?;
            if let Some(full) = full {
                all.progress().failed.get_or_insert(full);
            }
            Ok(Attempt::Done(true))
        };
        Ok(Writing::attempt(&self.shared, batch, rows, revoked, Box::new(then)))
    }

    /// Ends a session, after which the call returns `outcome`.
    pub(super) fn end_with<T: Send + 'static>(
        &self,
        id: Uuid,
        phase: Phase,
        outcome: T,
    ) -> Result<Attempt<T>> {
        if !self.is_durable() {
            return self.end_in_memory(id, phase).map(|()| Attempt::Done(outcome));
        }
        let Ending { rows, revoked: (entries, revoked), full } = self.ending(&[id], phase, None)?;
        let batch = Batch { entries, records: self.changes(&rows) };
        let then = move |result: Result<bool>| {
            result?;
            full.map_or(Ok(Attempt::Done(outcome)), Err)
        };
        Ok(Writing::attempt(&self.shared, batch, rows, revoked, Box::new(then)))
    }

    /// Marks a session, revokes its access tokens and removes it.
    pub(super) fn end_in_memory(&self, id: Uuid, phase: Phase) -> Result<()> {
        let (now, life) = (self.now(), self.access_life_ms());
        let family = self.shared.table()?.enter(id, phase, now, life);
        let mut buffer = Uuid::encode_buffer();
        let sid = id.hyphenated().encode_lower(&mut buffer);
        let times = self.issue_times();
        self.revocations.revoke(&times.revocation(sid, issued_at(family.as_deref()), 0))?;
        self.shared.table()?.remove(id);
        Ok(())
    }

    /// The rows and revocations of sessions that end on a store.
    pub(super) fn ending(
        &self,
        ids: &[Uuid],
        phase: Phase,
        older: Option<Revocation<'_>>,
    ) -> Result<Ending> {
        let (now, life) = (self.now(), self.access_life_ms());
        let families: Vec<_> = {
            let table = self.shared.table()?;
            ids.iter().map(|id| (*id, table.get(*id))).collect()
        };
        // Until the transaction is made, another process may issue one more token.
        let patience = self.shared.patience().as_secs();
        let times = self.issue_times();
        let ended: Vec<_> = families.iter().map(|(id, family)| (id.to_string(), family)).collect();
        let revocations = ended
            .iter()
            .map(|(sid, family)| times.revocation(sid, issued_at(family.as_deref()), patience));
        let staged = match self.revocations.stage(older.into_iter().chain(revocations)) {
            Err(full) if full.code == Code::RevocationFull => Err(full),
            staged => Ok(staged?),
        };
        let known = families.into_iter().filter_map(|(id, family)| Some((id, family?)));
        let rows = known.filter_map(|(id, family)| match &staged {
            Ok(_) if family.is_held() => {
                let ended = family.leaving(Phase::Ended, now, life.max(TOLD_MS));
                // The row tells that the session has ended, and nothing else.
                let (subject, claims) = (Arc::from(""), Arc::from(""));
                Some((id, Family { subject, claims, meta: None, ..ended }))
            }
            Err(_) if family.phase == Phase::Live => Some((id, family.leaving(phase, now, life))),
            _ => None,
        });
        let rows = rows.collect();
        let (revoked, full) = match staged {
            Ok(staged) => {
                let entries = staged.entries().to_vec();
                let list = (!entries.is_empty()).then(|| (self.revocations.clone(), staged));
                ((entries, list), None)
            }
            Err(full) => ((Vec::new(), None), Some(full)),
        };
        Ok(Ending { rows, revoked, full })
    }

    /// The changes of rows, also if another process has written some meanwhile.
    pub(super) fn changes(&self, rows: &[(Uuid, Family)]) -> Vec<RecordChange> {
        let change =
            |(id, family): &(Uuid, Family)| self.shared.change(*id, family, Expected::Anything);
        rows.iter().map(change).collect()
    }

    fn issue_times(&self) -> IssueTimes {
        IssueTimes::now(&self.issuer, self.moment().latest, &self.revocations)
    }
}

/// The latest times at which tokens can have been issued until now, by the clock of each.
/// Milliseconds since 1970.
pub(super) struct IssueTimes {
    issuer: u64,
    sessions: u64,
    list: u64,
    /// Whether other machines have the sessions or the list.
    is_remote: bool,
    /// The life of a token, in seconds.
    life: u64,
}

impl IssueTimes {
    /// The present times; `sessions` is that of the clock of the sessions.
    pub(super) fn now(issuer: &Issuer, sessions: u64, list: &RevocationList) -> Self {
        let latest = issuer.latest_issue();
        // Read last, so that the clock of the issuer is not ahead of it by the time between.
        let (is_remote, list) = (list.is_remote(), list.moment().latest);
        Self { issuer: latest, sessions, list, is_remote, life: issuer.expires_in() }
    }

    /// As [`Self::now`], of sessions that several machines share.
    pub(super) fn on_machines(issuer: &Issuer, sessions: u64, list: &RevocationList) -> Self {
        Self { is_remote: true, ..Self::now(issuer, sessions, list) }
    }

    /// The revocation of the tokens of a session, of which the last is known to be of `issued_at`.
    /// Other processes may issue more for `patience` seconds.
    pub(super) fn revocation<'a>(
        &self,
        sid: &'a str,
        issued_at: u64,
        patience: u64,
    ) -> Revocation<'a> {
        // The clock may have been ahead when the last token was issued, or may be behind now.
        let issued_at = self.issuer.max(issued_at);
        let latest = issued_at.max(self.sessions) / 1000;
        let expiry = latest.saturating_add(self.life).saturating_add(patience);
        // A list that makes room refuses the tokens that were issued until then by its own clock,
        // and forgets sessions that have ended. It must not forget one with a later token. Another
        // machine may be about to issue one, and its list, whose clock may be behind, may make room
        // by an earlier time than this one.
        if self.is_remote || issued_at > self.list {
            Revocation::session(sid, expiry, Scope::Any)
        } else {
            Revocation::ended_session(sid, expiry)
        }
    }
}

fn issued_at(family: Option<&Family>) -> u64 {
    family.map_or(0, |family| family.issued_at)
}

impl EndAll {
    fn progress(&self) -> MutexGuard<'_, Progress> {
        self.progress.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The sessions of a part, and the number with which the next one begins; `None` if there are none.
/// Sessions that processes have started at the same time may have the same number.
fn part_of<'a>(
    sessions: impl Iterator<Item = (Uuid, &'a Arc<Family>)>,
) -> (Vec<Uuid>, Option<u64>) {
    let (mut ids, mut last) = (Vec::new(), None);
    for (id, family) in sessions {
        if ids.len() >= PART && last != Some(family.number) {
            break;
        }
        ids.push(id);
        last = Some(family.number);
    }
    (ids, last.map(|last| last.saturating_add(1)))
}
