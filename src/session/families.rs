//! The table of refresh-token families: one row a session, rotated by compare-and-swap under one
//! lock, so that of two requests with the same token one rotates and the other is given the same
//! successor.

use std::collections::{BTreeSet, HashMap};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use uuid::Uuid;

use super::Options;
use crate::error::{Code, Error, Result};

/// How many rows whose time is over one insertion removes at most.
const PRUNED_PER_INSERT: usize = 16;

/// One session, as its owner may see it. Times are milliseconds since 1970.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SessionInfo {
    /// The session's id.
    pub session: Uuid,
    /// When it was started.
    pub started_at: u64,
    /// When it was last refreshed, or started.
    pub used_at: u64,
    /// When it ends unless it is refreshed before.
    pub expires_at: u64,
}

/// What a genuine refresh token is to the table.
#[derive(Debug, PartialEq, Eq)]
pub enum Presented {
    /// The current one: to be exchanged by [`Families::rotate`].
    Current {
        /// The session's claims.
        claims: Arc<str>,
    },
    /// The one before, within the grace period.
    JustRotated {
        /// The session's claims.
        claims: Arc<str>,
    },
    /// An older one. The session does not rotate any more; whoever has seen to its access tokens
    /// removes it.
    Reused {
        /// Whose session it was.
        subject: Arc<str>,
    },
    /// The session's time is over; to be removed as well.
    Expired {
        /// Whose session it was.
        subject: Arc<str>,
    },
    /// There is no such session.
    Unknown,
}

/// The table.
pub struct Families {
    options: Options,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    rows: HashMap<Uuid, Family>,
    by_subject: HashMap<Arc<str>, Vec<Uuid>>,
    /// When each row's time is over, soonest first.
    ends: BTreeSet<(u64, Uuid)>,
}

struct Family {
    subject: Arc<str>,
    claims: Arc<str>,
    generation: u32,
    started_at: u64,
    used_at: u64,
    /// A used-up token has been seen: every token of the session is one that was reused.
    reused: bool,
}

impl Families {
    /// An empty table.
    pub fn new(options: Options) -> Self {
        Self { options, state: Mutex::default() }
    }

    /// Adds a session at generation 0.
    pub fn insert(&self, id: Uuid, subject: &str, claims: String, now: u64) -> Result<()> {
        let mut state = self.lock();
        for _ in 0..PRUNED_PER_INSERT {
            match state.ends.first() {
                Some(&(end, over)) if end <= now => self.remove_from(&mut state, over),
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
        let (claims, generation, reused) = (claims.into(), 0, false);
        let family = Family { subject, claims, generation, started_at: now, used_at: now, reused };
        state.ends.insert((self.expires_at(&family), id));
        state.rows.insert(id, family);
        Ok(())
    }

    /// What a genuine token of a session's generation is now.
    pub fn present(&self, id: Uuid, generation: u32, now: u64) -> Presented {
        let mut state = self.lock();
        let Some(family) = state.rows.get_mut(&id) else { return Presented::Unknown };
        let (subject, claims) = (family.subject.clone(), family.claims.clone());
        if family.reused {
            return Presented::Reused { subject };
        }
        if now >= self.expires_at(family) {
            return Presented::Expired { subject };
        }
        if generation == family.generation {
            return Presented::Current { claims };
        }
        let grace_ends = family.used_at.saturating_add(self.options.grace.saturating_mul(1000));
        if generation.checked_add(1) == Some(family.generation) && now < grace_ends {
            return Presented::JustRotated { claims };
        }
        family.reused = true;
        Presented::Reused { subject }
    }

    /// Moves a session on from a generation; `false` if it is not at that one any more.
    pub fn rotate(&self, id: Uuid, generation: u32, now: u64) -> bool {
        let mut state = self.lock();
        let State { rows, ends, .. } = &mut *state;
        let Some(family) = rows.get_mut(&id) else { return false };
        let Some(successor) = generation.checked_add(1) else { return false };
        if family.reused || family.generation != generation {
            return false;
        }
        ends.remove(&(self.expires_at(family), id));
        family.generation = successor;
        family.used_at = now;
        ends.insert((self.expires_at(family), id));
        true
    }

    /// Removes a session.
    pub fn remove(&self, id: Uuid) {
        self.remove_from(&mut self.lock(), id);
    }

    /// The ids of a subject's sessions, those included that have ended and were not removed.
    pub fn of(&self, subject: &str) -> Vec<Uuid> {
        self.lock().by_subject.get(subject).cloned().unwrap_or_default()
    }

    /// The sessions of a subject, oldest first.
    pub fn list(&self, subject: &str, now: u64) -> Vec<SessionInfo> {
        let state = self.lock();
        let ids = state.by_subject.get(subject).map_or(&[][..], Vec::as_slice);
        ids.iter()
            .filter_map(|id| {
                let family = state.rows.get(id)?;
                let expires_at = self.expires_at(family);
                (now < expires_at && !family.reused).then_some(SessionInfo {
                    session: *id,
                    started_at: family.started_at,
                    used_at: family.used_at,
                    expires_at,
                })
            })
            .collect()
    }

    fn expires_at(&self, family: &Family) -> u64 {
        let after = |start: u64, ttl: u64| start.saturating_add(ttl.saturating_mul(1000));
        after(family.started_at, self.options.refresh_ttl)
            .min(after(family.used_at, self.options.idle_ttl))
    }

    fn remove_from(&self, state: &mut State, id: Uuid) {
        let Some(family) = state.rows.remove(&id) else { return };
        state.ends.remove(&(self.expires_at(&family), id));
        if let Some(ids) = state.by_subject.get_mut(&family.subject) {
            ids.retain(|other| *other != id);
            if ids.is_empty() {
                state.by_subject.remove(&family.subject);
            }
        }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
