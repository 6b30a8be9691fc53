//! The table of refresh token families, one row per session. A row is rotated by compare-and-swap
//! under one lock: of two requests with the same token, one rotates and the other gets the same
//! successor.

use std::collections::{BTreeSet, HashMap};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use uuid::Uuid;

use super::limits::SessionLimits;
use crate::error::{Code, Error, Result};

/// The most expired rows that one insertion removes.
const PRUNED_PER_INSERT: usize = 16;

/// One session, as its owner may see it. Times are in milliseconds since 1970.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SessionInfo {
    /// The session's id.
    pub session: Uuid,
    /// When the session started.
    pub started_at: u64,
    /// When the session was last refreshed, or started.
    pub used_at: u64,
    /// When the session ends unless it is refreshed before.
    pub expires_at: u64,
}

/// The state of a genuine refresh token.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Presented {
    /// The current token, to be exchanged with [`FamilyTable::rotate`].
    Current {
        /// The session's subject.
        subject: Arc<str>,
        /// The session's claims.
        claims: Arc<str>,
    },
    /// The previous token, within the grace period.
    JustRotated {
        /// The session's subject.
        subject: Arc<str>,
        /// The session's claims.
        claims: Arc<str>,
    },
    /// The session is being ended: it no longer rotates. The caller that revokes its access tokens
    /// removes it.
    Ending,
    /// An older token, which ends the session in the same way.
    Reused {
        /// The session's subject.
        subject: Arc<str>,
    },
    /// The session has expired and must also be removed.
    Expired {
        /// The session's subject.
        subject: Arc<str>,
    },
    /// There is no such session.
    Unknown,
}

/// The table of refresh token families.
pub(super) struct FamilyTable {
    options: SessionLimits,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    rows: HashMap<Uuid, Family>,
    by_subject: HashMap<Arc<str>, Vec<Uuid>>,
    /// The end of each row, soonest first.
    ends: BTreeSet<(u64, Uuid)>,
}

struct Family {
    subject: Arc<str>,
    claims: Arc<str>,
    generation: u32,
    started_at: u64,
    used_at: u64,
    phase: Phase,
    /// When the row ends: its key in `State::ends`.
    ends_at: u64,
}

/// The phase of a session. If it is not live, it waits until its access tokens have been revoked
/// or, at the latest, have expired.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Phase {
    Live,
    Ending,
    Reused,
}

impl FamilyTable {
    /// An empty table.
    pub(super) fn new(options: SessionLimits) -> Self {
        Self { options, state: Mutex::default() }
    }

    /// Adds a session at generation 0.
    pub(super) fn insert(&self, id: Uuid, subject: &str, claims: &str, now: u64) -> Result<()> {
        let mut state = self.lock();
        for _ in 0..PRUNED_PER_INSERT {
            match state.ends.first() {
                Some(&(ends_at, over)) if ends_at <= now => state.remove(over),
                _ => break,
            }
        }
        if state.rows.len() >= self.options.max_sessions {
            return Err(Error::new(
                Code::SessionFull,
                format!(
                    "there are {} sessions already; raise maxSessions or shorten refreshTtl",
                    self.options.max_sessions
                ),
            ));
        }
        let subject = match state.by_subject.get_key_value(subject) {
            Some((known, _)) => known.clone(),
            None => Arc::from(subject),
        };
        state.by_subject.entry(subject.clone()).or_default().push(id);
        let ends_at = self.expires_at(now, now);
        let family = Family {
            subject,
            claims: claims.into(),
            generation: 0,
            started_at: now,
            used_at: now,
            phase: Phase::Live,
            ends_at,
        };
        state.ends.insert((ends_at, id));
        state.rows.insert(id, family);
        Ok(())
    }

    /// The state of a genuine token of a session at a generation. A token that was used up puts the
    /// session into its last phase, for at most `last_ms` milliseconds more.
    pub(super) fn present(&self, id: Uuid, generation: u32, now: u64, last_ms: u64) -> Presented {
        let mut state = self.lock();
        let Some(family) = state.rows.get(&id) else { return Presented::Unknown };
        let (subject, claims) = (family.subject.clone(), family.claims.clone());
        match family.phase {
            Phase::Live => {}
            Phase::Ending => return Presented::Ending,
            Phase::Reused => return Presented::Reused { subject },
        }
        if now >= family.ends_at {
            return Presented::Expired { subject };
        }
        if generation == family.generation {
            return Presented::Current { subject, claims };
        }
        let grace_ends = family.used_at.saturating_add(self.options.grace.saturating_mul(1000));
        if generation.checked_add(1) == Some(family.generation) && now < grace_ends {
            return Presented::JustRotated { subject, claims };
        }
        state.enter(id, Phase::Reused, now.saturating_add(last_ms));
        Presented::Reused { subject }
    }

    /// Advances a session from a generation; `false` if it is no longer at that generation.
    pub(super) fn rotate(&self, id: Uuid, generation: u32, now: u64) -> bool {
        let mut state = self.lock();
        let Some(family) = state.rows.get_mut(&id) else { return false };
        let Some(successor) = generation.checked_add(1) else { return false };
        if family.phase != Phase::Live || family.generation != generation {
            return false;
        }
        family.generation = successor;
        family.used_at = now;
        let ends_at = self.expires_at(family.started_at, now);
        state.enter(id, Phase::Live, ends_at);
        true
    }

    /// Puts a session into its last phase, for at most `last_ms` milliseconds more.
    pub(super) fn begin_end(&self, id: Uuid, now: u64, last_ms: u64) {
        let mut state = self.lock();
        if state.rows.get(&id).is_some_and(|family| family.phase == Phase::Live) {
            state.enter(id, Phase::Ending, now.saturating_add(last_ms));
        }
    }

    /// Removes a session.
    pub(super) fn remove(&self, id: Uuid) {
        self.lock().remove(id);
    }

    /// The ids of a subject's sessions, including those that have ended but have not been removed.
    pub(super) fn of(&self, subject: &str) -> Vec<Uuid> {
        self.lock().by_subject.get(subject).cloned().unwrap_or_default()
    }

    /// The live sessions of a subject, oldest first.
    pub(super) fn list(&self, subject: &str, now: u64) -> Vec<SessionInfo> {
        let state = self.lock();
        let ids = state.by_subject.get(subject).map_or(&[][..], Vec::as_slice);
        ids.iter()
            .filter_map(|id| {
                let family = state.rows.get(id)?;
                let is_live = family.phase == Phase::Live && now < family.ends_at;
                is_live.then_some(SessionInfo {
                    session: *id,
                    started_at: family.started_at,
                    used_at: family.used_at,
                    expires_at: family.ends_at,
                })
            })
            .collect()
    }

    fn expires_at(&self, started_at: u64, used_at: u64) -> u64 {
        let after = |start: u64, ttl: u64| start.saturating_add(ttl.saturating_mul(1000));
        after(started_at, self.options.refresh_ttl).min(after(used_at, self.options.idle_ttl))
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    fn enter(&mut self, id: Uuid, phase: Phase, ends_at: u64) {
        let Some(family) = self.rows.get_mut(&id) else { return };
        self.ends.remove(&(family.ends_at, id));
        family.phase = phase;
        family.ends_at = ends_at;
        self.ends.insert((ends_at, id));
    }

    fn remove(&mut self, id: Uuid) {
        let Some(family) = self.rows.remove(&id) else { return };
        self.ends.remove(&(family.ends_at, id));
        if let Some(ids) = self.by_subject.get_mut(&family.subject) {
            ids.retain(|other| *other != id);
            if ids.is_empty() {
                self.by_subject.remove(&family.subject);
            }
        }
    }
}
