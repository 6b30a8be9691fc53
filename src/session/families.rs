//! The table of refresh-token families: one row a session, rotated by compare-and-swap under one
//! lock, so that of two requests with the same token one rotates and the other is given the same
//! successor.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use uuid::Uuid;

use super::Options;
use crate::error::{Code, Error, Result};
use crate::revocation::expiry::ExpiryWheel;

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
    /// The current one; the table has moved to the next generation.
    Current {
        /// The session's claims.
        claims: Arc<str>,
    },
    /// The one before, within the grace period; nothing has changed.
    JustRotated {
        /// The session's claims.
        claims: Arc<str>,
    },
    /// An older one; the row is gone.
    Reused {
        /// Whose session it was.
        subject: Arc<str>,
    },
    /// The session's time is over; the row is gone.
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
    ends: ExpiryWheel<Uuid>,
}

struct Family {
    subject: Arc<str>,
    claims: Arc<str>,
    generation: u32,
    started_at: u64,
    used_at: u64,
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
            let Some(ended) = state.ends.pop_expired(now / 1000) else { break };
            state.remove(ended);
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
        state.ends.insert(id, (now / 1000).saturating_add(self.options.refresh_ttl));
        let claims = claims.into();
        let family = Family { subject, claims, generation: 0, started_at: now, used_at: now };
        state.rows.insert(id, family);
        Ok(())
    }

    /// Takes a genuine token's generation and rotates the session if it is the current one.
    pub fn present(&self, id: Uuid, generation: u32, now: u64) -> Presented {
        let mut state = self.lock();
        let Some(family) = state.rows.get_mut(&id) else { return Presented::Unknown };
        let subject = family.subject.clone();
        if now >= self.expires_at(family) {
            state.remove(id);
            return Presented::Expired { subject };
        }
        let Some(successor) = generation.checked_add(1) else { return Presented::Unknown };
        let claims = family.claims.clone();
        if generation == family.generation {
            family.generation = successor;
            family.used_at = now;
            return Presented::Current { claims };
        }
        let grace_ends = family.used_at.saturating_add(self.options.grace.saturating_mul(1000));
        if successor == family.generation && now < grace_ends {
            return Presented::JustRotated { claims };
        }
        state.remove(id);
        Presented::Reused { subject }
    }

    /// Removes a session.
    pub fn remove(&self, id: Uuid) {
        self.lock().remove(id);
    }

    /// Removes every session of a subject and names them.
    pub fn remove_all(&self, subject: &str) -> Vec<Uuid> {
        let mut state = self.lock();
        let ids = state.by_subject.remove(subject).unwrap_or_default();
        for id in &ids {
            state.rows.remove(id);
        }
        ids
    }

    /// The sessions of a subject, oldest first.
    pub fn list(&self, subject: &str, now: u64) -> Vec<SessionInfo> {
        let state = self.lock();
        let ids = state.by_subject.get(subject).map_or(&[][..], Vec::as_slice);
        ids.iter()
            .filter_map(|id| {
                let family = state.rows.get(id)?;
                let expires_at = self.expires_at(family);
                (now < expires_at).then_some(SessionInfo {
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

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    fn remove(&mut self, id: Uuid) {
        let Some(family) = self.rows.remove(&id) else { return };
        if let Some(ids) = self.by_subject.get_mut(&family.subject) {
            ids.retain(|other| *other != id);
            if ids.is_empty() {
                self.by_subject.remove(&family.subject);
            }
        }
    }
}
