//! The table of refresh token families, one row per session. A row is rotated by compare-and-swap
//! under one lock: of two requests with the same token, one rotates and the other gets the same
//! successor.

use std::collections::{HashMap, TryReserveError};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use uuid::Uuid;

use super::ends::Ends;
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
        /// When the session ends.
        ends_at: u64,
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
    /// The session has expired by the wall clock alone, which may be wrong. It stays.
    SeemsExpired {
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
    /// The sessions of each subject, in no order.
    by_subject: HashMap<Arc<str>, Vec<Uuid>>,
    /// The end of each row, soonest first.
    ends: Ends,
    /// The number of sessions that have been started.
    started: u64,
}

struct Family {
    subject: Arc<str>,
    claims: Arc<str>,
    generation: u32,
    /// The number of sessions that were started before.
    number: u64,
    phase: Phase,
    /// By the wall clock, which clients know. It may be wrong, so it only refuses for the moment.
    wall: Times,
    /// By the boot clock, which nobody can set. It decides when the session ends for good.
    boot: Times,
    /// The latest time, by the wall clock, at which an access token was issued.
    issued_at: u64,
    /// The row's place in `State::ends`.
    place: usize,
    /// The row's place among those of its subject.
    place_in_subject: usize,
}

/// The present by both clocks, in milliseconds.
#[derive(Clone, Copy, Debug)]
pub(super) struct Now {
    /// The wall clock: milliseconds since 1970.
    pub wall: u64,
    /// The boot clock.
    pub boot: u64,
}

/// The times of a session by one clock, in milliseconds.
#[derive(Clone, Copy)]
struct Times {
    started: u64,
    used: u64,
    ends: u64,
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

    /// Adds a session at generation 0 and returns when it ends.
    pub(super) fn insert(&self, id: Uuid, subject: &str, claims: &str, now: Now) -> Result<u64> {
        let mut state = self.lock();
        for _ in 0..PRUNED_PER_INSERT {
            match state.ends.first() {
                Some((ends_at, over)) if ends_at <= now.boot => state.remove(over),
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
        state.reserve(subject).map_err(|_| {
            let message = "there is no memory for another session; lower maxSessions, or give the \
                           process more memory";
            Error::new(Code::SessionFull, message)
        })?;
        let subject = match state.by_subject.get_key_value(subject) {
            Some((known, _)) => known.clone(),
            None => Arc::from(subject),
        };
        let wall = self.times(now.wall, now.wall);
        state.add(
            id,
            Family {
                subject,
                claims: claims.into(),
                generation: 0,
                number: 0,
                phase: Phase::Live,
                wall,
                boot: self.times(now.boot, now.boot),
                issued_at: now.wall,
                place: 0,
                place_in_subject: 0,
            },
        );
        Ok(wall.ends)
    }

    /// The state of a genuine token of a session at a generation. A token that was used up puts the
    /// session into its last phase, for at most `last_ms` milliseconds more.
    pub(super) fn present(&self, id: Uuid, generation: u32, now: Now, last_ms: u64) -> Presented {
        let mut state = self.lock();
        let Some(family) = state.rows.get_mut(&id) else { return Presented::Unknown };
        let (subject, claims) = (family.subject.clone(), family.claims.clone());
        match family.phase {
            Phase::Live => {}
            Phase::Ending => return Presented::Ending,
            Phase::Reused => return Presented::Reused { subject },
        }
        if now.boot >= family.boot.ends {
            return Presented::Expired { subject };
        }
        if now.wall >= family.wall.ends {
            return Presented::SeemsExpired { subject };
        }
        if generation == family.generation {
            return Presented::Current { subject, claims };
        }
        let grace_ends = family.boot.used.saturating_add(self.options.grace.saturating_mul(1000));
        if generation.checked_add(1) == Some(family.generation) && now.boot < grace_ends {
            family.issued_at = family.issued_at.max(now.wall);
            let ends_at = family.wall.ends;
            return Presented::JustRotated { subject, claims, ends_at };
        }
        state.enter(id, Phase::Reused, now.boot.saturating_add(last_ms));
        Presented::Reused { subject }
    }

    /// Advances a session from a generation and returns when it ends now; `None` if it is no longer
    /// at that generation.
    pub(super) fn rotate(&self, id: Uuid, generation: u32, now: Now) -> Option<u64> {
        let mut state = self.lock();
        let family = state.rows.get_mut(&id)?;
        let successor = generation.checked_add(1)?;
        if family.phase != Phase::Live || family.generation != generation {
            return None;
        }
        family.generation = successor;
        family.issued_at = family.issued_at.max(now.wall);
        family.wall = self.times(family.wall.started, now.wall);
        family.boot = self.times(family.boot.started, now.boot);
        let (wall_end, boot_end) = (family.wall.ends, family.boot.ends);
        state.enter(id, Phase::Live, boot_end);
        Some(wall_end)
    }

    /// Puts a session into its last phase, for at most `last_ms` milliseconds more. Returns the
    /// latest time, by the wall clock, at which an access token of the session was issued.
    pub(super) fn begin_end(&self, id: Uuid, now: Now, last_ms: u64) -> Option<u64> {
        let mut state = self.lock();
        let Family { phase, issued_at, .. } = *state.rows.get(&id)?;
        if phase == Phase::Live {
            state.enter(id, Phase::Ending, now.boot.saturating_add(last_ms));
        }
        Some(issued_at)
    }

    /// Whether there is such a session, live or in its last phase.
    pub(super) fn contains(&self, id: Uuid) -> bool {
        self.lock().rows.contains_key(&id)
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
    pub(super) fn list(&self, subject: &str, now: Now) -> Vec<SessionInfo> {
        let state = self.lock();
        let ids = state.by_subject.get(subject).map_or(&[][..], Vec::as_slice);
        let rows = ids.iter().filter_map(|id| Some((id, state.rows.get(id)?)));
        let mut live: Vec<_> = rows
            .filter(|(_, family)| family.phase == Phase::Live)
            .filter(|(_, family)| now.wall < family.wall.ends && now.boot < family.boot.ends)
            .collect();
        live.sort_unstable_by_key(|(_, family)| family.number);
        live.into_iter()
            .map(|(id, family)| SessionInfo {
                session: *id,
                started_at: family.wall.started,
                used_at: family.wall.used,
                expires_at: family.wall.ends,
            })
            .collect()
    }

    fn times(&self, started: u64, used: u64) -> Times {
        let after = |start: u64, ttl: u64| start.saturating_add(ttl.saturating_mul(1000));
        let ends = after(started, self.options.refresh_ttl).min(after(used, self.options.idle_ttl));
        Times { started, used, ends }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    /// Makes room for one more session of a subject, before anything changes.
    fn reserve(&mut self, subject: &str) -> std::result::Result<(), TryReserveError> {
        self.rows.try_reserve(1)?;
        self.ends.try_reserve()?;
        match self.by_subject.get_mut(subject) {
            Some(ids) => ids.try_reserve(1),
            None => self.by_subject.try_reserve(1),
        }
    }

    /// Adds a session for which there is room.
    fn add(&mut self, id: Uuid, mut family: Family) {
        family.number = self.started;
        self.started += 1;
        let ids = self.by_subject.entry(family.subject.clone()).or_default();
        family.place_in_subject = ids.len();
        ids.push(id);
        let ends_at = family.boot.ends;
        self.rows.insert(id, family);
        self.ends.insert(ends_at, id, note(&mut self.rows));
    }

    fn enter(&mut self, id: Uuid, phase: Phase, ends_at: u64) {
        let Some(family) = self.rows.get_mut(&id) else { return };
        family.phase = phase;
        family.boot.ends = ends_at;
        self.ends.change(family.place, ends_at, note(&mut self.rows));
    }

    fn remove(&mut self, id: Uuid) {
        let Some(family) = self.rows.remove(&id) else { return };
        self.ends.remove(family.place, note(&mut self.rows));
        let Some(ids) = self.by_subject.get_mut(&family.subject) else { return };
        #[cfg(test)]
        crate::testing::steps::step();
        ids.swap_remove(family.place_in_subject);
        match ids.get(family.place_in_subject) {
            Some(moved) => {
                if let Some(moved) = self.rows.get_mut(moved) {
                    moved.place_in_subject = family.place_in_subject;
                }
            }
            None if ids.is_empty() => drop(self.by_subject.remove(&family.subject)),
            None => {}
        }
    }
}

/// Notes the places in [`State::ends`] in the rows.
fn note(rows: &mut HashMap<Uuid, Family>) -> impl FnMut(Uuid, usize) {
    |id, place| {
        if let Some(family) = rows.get_mut(&id) {
            family.place = place;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::allocations::out_of_memory;
    use crate::testing::steps::steps_of;

    fn at(millis: u64) -> Now {
        Now { wall: millis, boot: millis }
    }

    /// The steps of starting `count` sessions, of refreshing each, and of starting as many again
    /// after these have expired and are pruned.
    fn steps(count: u32, subject: fn(u32) -> String) -> u64 {
        let limits = SessionLimits { max_sessions: count as usize, ..SessionLimits::default() };
        let (table, late) = (FamilyTable::new(limits), limits.refresh_ttl * 1000);
        let id = |number| Uuid::from_u128(u128::from(number));
        let steps = steps_of(|| {
            for number in 0..count {
                table.insert(id(number), &subject(number), "{}", at(0)).unwrap();
            }
            for number in 0..count {
                assert!(table.rotate(id(number), 0, at(1)).is_some());
            }
            for number in count..2 * count {
                table.insert(id(number), &subject(number), "{}", at(late)).unwrap();
            }
        });
        assert_eq!(table.lock().rows.len(), count as usize);
        steps
    }

    #[test]
    fn pruning_a_session_takes_no_more_steps_than_its_depth_in_a_heap() {
        for subject in [|_| "one".to_owned(), |number: u32| number.to_string()] {
            for (count, depth) in [(1_000, 10), (30_000, 15)] {
                let steps = steps(count, subject);
                assert!(steps <= 4 * u64::from(count) * depth, "{count}: {steps}");
            }
        }
    }

    #[test]
    fn a_session_without_memory_is_refused_and_leaves_nothing_behind() {
        for subject in [|_| "one".to_owned(), |number: u128| number.to_string()] {
            let table = FamilyTable::new(SessionLimits::default());
            let mut refused = 0;
            for number in 0..5000 {
                let (id, subject) = (Uuid::from_u128(number), subject(number));
                // Each of the tables grows at times of its own, also at the same time as others.
                for spared in 0..3 {
                    let started =
                        out_of_memory(4096, spared, || table.insert(id, &subject, "{}", at(0)));
                    let Err(error) = started else { break };
                    assert_eq!(error.code, Code::SessionFull);
                    assert_eq!(table.present(id, 0, at(1), 1), Presented::Unknown);
                    refused += 1;
                }
                if table.lock().rows.len() as u128 == number {
                    table.insert(id, &subject, "{}", at(0)).unwrap();
                }
                let state = table.lock();
                let of_subjects = state.by_subject.values().map(Vec::len).sum::<usize>();
                assert_eq!(
                    (of_subjects as u128, state.ends.len() as u128),
                    (number + 1, number + 1)
                );
                assert!(state.by_subject.values().all(|ids| !ids.is_empty()));
            }
            assert!(refused > 10, "{refused}");
        }
    }

    #[test]
    fn the_sessions_of_a_subject_are_listed_in_the_order_of_their_start() {
        let table = FamilyTable::new(SessionLimits::default());
        // In the order of their ids they would be listed the other way round.
        let id = |number| Uuid::from_u128(100_u128 - number);
        for number in 0..10 {
            table.insert(id(number), "alice", "{}", at(0)).unwrap();
        }
        for gone in [0, 4, 9] {
            table.remove(id(gone));
        }
        table.insert(id(10), "alice", "{}", at(0)).unwrap();
        let listed: Vec<_> = table.list("alice", at(1)).iter().map(|info| info.session).collect();
        assert_eq!(listed, [1, 2, 3, 5, 6, 7, 8, 10].map(id));
        for number in 0..11 {
            table.remove(id(number));
        }
        let state = table.lock();
        assert!(state.rows.is_empty() && state.by_subject.is_empty());
        assert_eq!(state.ends.first(), None);
    }
}
