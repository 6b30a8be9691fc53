//! The table of sessions in memory, with indexes by subject and by end.

pub(super) mod admission;

use std::collections::{BTreeSet, HashMap, HashSet, TryReserveError};
use std::mem;
use std::sync::Arc;

use uuid::Uuid;

use super::ends::Ends;
use super::family::{Family, Phase, Stamp};
use super::limits::SessionLimits;
use crate::error::{Code, Error, Result};
use crate::store::{Position, Sequence};

/// The rows of sessions.
pub(super) struct Table {
    limits: SessionLimits,
    rows: HashMap<Uuid, Slot>,
    by_subject: HashMap<Arc<str>, OfSubject>,
    /// The end of each row, soonest first.
    ends: Ends,
    /// The rows that count as sessions.
    held: usize,
    /// The sessions that were admitted and are not here yet.
    starting: HashSet<Uuid>,
    /// Higher than the numbers of all sessions so far.
    next_number: u64,
    is_closed: bool,
}

struct Slot {
    family: Arc<Family>,
    /// The row's place in `Table::ends`.
    place: usize,
    /// Whether another session waits for the end of this one.
    is_leaving: bool,
    /// Whether the store may have no such row any more.
    is_doubted: bool,
}

struct OfSubject {
    /// Number and id, so in the order of their starts.
    sessions: BTreeSet<(u64, Uuid)>,
    /// The number of those in `Table::starting`.
    starting: usize,
    leaving: usize,
    /// No session is over before this time, by the boot clock.
    soonest: i64,
}

impl Table {
    pub(super) fn new(limits: SessionLimits) -> Self {
        Self {
            limits,
            rows: HashMap::new(),
            by_subject: HashMap::new(),
            ends: Ends::default(),
            held: 0,
            starting: HashSet::new(),
            next_number: 0,
            is_closed: false,
        }
    }

    /// Gives up all rows, because their store is closed. Nothing must be added afterwards.
    pub(super) fn close(&mut self) -> Self {
        mem::replace(self, Self { is_closed: true, ..Self::new(self.limits) })
    }

    /// Whether it has given up its rows.
    pub(super) fn is_closed(&self) -> bool {
        self.is_closed
    }

    pub(super) fn get(&self, id: Uuid) -> Option<Arc<Family>> {
        self.rows.get(&id).map(|slot| slot.family.clone())
    }

    /// Notes that a row was not found as it is here, so that the store must be asked for it.
    pub(super) fn doubt(&mut self, id: Uuid) {
        if let Some(slot) = self.rows.get_mut(&id) {
            slot.is_doubted = true;
        }
    }

    /// Whether the store must be asked for a row.
    pub(super) fn is_doubted(&self, id: Uuid) -> bool {
        self.rows.get(&id).is_some_and(|slot| slot.is_doubted)
    }

    /// Whether the row of this place in the store, or a newer one, is here.
    pub(super) fn has(&self, id: Uuid, position: Position) -> bool {
        let slot = self.rows.get(&id).filter(|slot| !slot.is_doubted);
        slot.is_some_and(|slot| slot.family.position >= position)
    }

    /// Removes the rows of the first transactions of the store that are not among `seen`.
    pub(super) fn keep(&mut self, seen: &HashSet<Uuid>, until: Sequence) {
        let is_gone =
            |id: &Uuid, slot: &Slot| !seen.contains(id) && slot.family.position.sequence() <= until;
        let rows = self.rows.iter();
        let gone: Vec<_> = rows.filter(|(id, slot)| is_gone(id, slot)).map(|(id, _)| *id).collect();
        for id in gone {
            self.remove(id);
        }
    }

    /// Adds a row or replaces the one that there is, unless that is as new.
    pub(super) fn put(&mut self, id: Uuid, mut family: Family) -> Result<()> {
        if let Some((known, _)) = self.by_subject.get_key_value(&family.subject) {
            family.subject = known.clone();
        }
        let over_at = family.over_at(&self.limits);
        let family = Arc::new(family);
        let Some(slot) = self.rows.get_mut(&id) else {
            self.reserve(&family.subject).map_err(|_| no_memory())?;
            let (place, is_leaving, is_doubted) = (0, false, false);
            if family.is_held() {
                self.link(id, &family, over_at);
            }
            self.rows.insert(id, Slot { family, place, is_leaving, is_doubted });
            self.ends.insert(over_at, id, note(&mut self.rows));
            return Ok(());
        };
        if slot.family.position > family.position {
            return Ok(());
        }
        slot.is_doubted = false;
        let (place, is_held) = (slot.place, family.is_held());
        let before = mem::replace(&mut slot.family, family.clone());
        match (before.is_held(), is_held) {
            (true, false) => self.unlink(id, &before),
            (false, true) => self.link(id, &family, over_at),
            (true, true) if over_at < before.over_at(&self.limits) => {
                self.of_subject(&family.subject).note_end(over_at);
            }
            _ => {}
        }
        self.ends.change(place, over_at, note(&mut self.rows));
        Ok(())
    }

    /// Replaces a row, unless it has been replaced since it was read. Returns whether it was.
    pub(super) fn swap(&mut self, id: Uuid, read: &Arc<Family>, next: Family) -> Result<bool> {
        let is_same = self.rows.get(&id).is_some_and(|slot| Arc::ptr_eq(&slot.family, read));
        if is_same {
            self.put(id, next)?;
        }
        Ok(is_same)
    }

    /// Puts a live session into another phase, and returns its row as it was.
    pub(super) fn enter(
        &mut self,
        id: Uuid,
        phase: Phase,
        now: Stamp,
        linger: u64,
    ) -> Option<Arc<Family>> {
        let before = self.get(id)?;
        if before.phase == Phase::Live {
            // Without a new row it takes no memory.
            let _ = self.put(id, before.leaving(phase, now, linger));
        }
        Some(before)
    }

    pub(super) fn remove(&mut self, id: Uuid) -> Option<Arc<Family>> {
        let family = self.get(id)?;
        if family.is_held() {
            self.unlink(id, &family);
        }
        let slot = self.rows.remove(&id)?;
        self.ends.remove(slot.place, note(&mut self.rows));
        Some(family)
    }

    /// Removes at most `most` rows that are over, and adds them to `over`.
    pub(super) fn prune(&mut self, now: Stamp, most: usize, over: &mut Vec<(Uuid, Position)>) {
        for _ in 0..most {
            match self.ends.first() {
                Some((over_at, id)) if over_at <= now.boot => {
                    over.extend(self.remove(id).map(|family| (id, family.position)));
                }
                _ => break,
            }
        }
    }

    /// The sessions of a subject, oldest first, from a number on and below another.
    pub(super) fn of(
        &self,
        subject: &str,
        from: u64,
        below: u64,
    ) -> impl Iterator<Item = (Uuid, &Arc<Family>)> {
        let of = self.by_subject.get(subject);
        let range = (from, Uuid::nil())..(below.max(from), Uuid::nil());
        let ids = of.into_iter().flat_map(move |of| of.sessions.range(range.clone()));
        ids.filter_map(|(_, id)| Some((*id, &self.rows.get(id)?.family)))
    }

    /// A number that is higher than those of all sessions so far.
    pub(super) fn next_number(&self) -> u64 {
        self.next_number
    }

    /// Makes room for one more session of a subject, before anything changes.
    fn reserve(&mut self, subject: &str) -> std::result::Result<(), TryReserveError> {
        self.rows.try_reserve(1)?;
        self.ends.try_reserve()?;
        if self.by_subject.contains_key(subject) { Ok(()) } else { self.by_subject.try_reserve(1) }
    }

    fn of_subject(&mut self, subject: &Arc<str>) -> &mut OfSubject {
        self.by_subject.entry(subject.clone()).or_insert_with(|| OfSubject {
            sessions: BTreeSet::new(),
            starting: 0,
            leaving: 0,
            soonest: i64::MAX,
        })
    }

    fn link(&mut self, id: Uuid, family: &Family, over_at: i64) {
        self.held += 1;
        self.next_number = self.next_number.max(family.number.saturating_add(1));
        // It counts once: its start adds it, or a reader that has found it in the store.
        let was_starting = self.starting.remove(&id);
        let of = self.of_subject(&family.subject);
        of.starting -= usize::from(was_starting);
        of.sessions.insert((family.number, id));
        of.note_end(over_at);
    }

    fn unlink(&mut self, id: Uuid, family: &Family) {
        #[cfg(test)]
        crate::testing::steps::step();
        self.held -= 1;
        let was_leaving =
            self.rows.get_mut(&id).is_some_and(|slot| mem::take(&mut slot.is_leaving));
        if let Some(of) = self.by_subject.get_mut(&family.subject) {
            of.leaving -= usize::from(was_leaving);
            of.sessions.remove(&(family.number, id));
            self.forget_if_empty(&family.subject);
        }
    }

    fn forget_if_empty(&mut self, subject: &str) {
        let of = self.by_subject.get(subject);
        if of.is_some_and(|of| of.sessions.is_empty() && of.starting == 0) {
            self.by_subject.remove(subject);
        }
    }
}

impl OfSubject {
    fn note_end(&mut self, over_at: i64) {
        self.soonest = self.soonest.min(over_at);
    }
}

fn no_memory() -> Error {
    let message = "there is no memory for another session; lower maxSessions, or give the process \
                   more memory";
    Error::new(Code::SessionFull, message)
}

/// Notes the places in [`Table::ends`] in the rows.
fn note(rows: &mut HashMap<Uuid, Slot>) -> impl FnMut(Uuid, usize) {
    |id, place| {
        if let Some(slot) = rows.get_mut(&id) {
            slot.place = place;
        }
    }
}

#[cfg(test)]
mod tests;
