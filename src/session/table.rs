//! The table of sessions in memory, with indexes by subject and by end.

use std::collections::{BTreeSet, HashMap, HashSet, TryReserveError};
use std::sync::Arc;

use uuid::Uuid;

use super::ends::Ends;
use super::family::{Family, Phase, Stamp};
use super::limits::{OnLimit, SessionLimits};
use crate::error::{Code, Error, Result};
use crate::store::{Position, Sequence};

/// The most sessions that the start of one ends.
const ENDED_PER_START: usize = 200;

/// The rows of sessions.
pub(super) struct Table {
    limits: SessionLimits,
    rows: HashMap<Uuid, Slot>,
    by_subject: HashMap<Arc<str>, OfSubject>,
    /// The end of each row, soonest first.
    ends: Ends,
    /// The rows that count as sessions.
    held: usize,
    /// The sessions that are about to be added.
    starting: usize,
    /// Higher than the numbers of all sessions so far.
    next_number: u64,
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
    starting: usize,
    leaving: usize,
    /// No session is over before this time, by the boot clock.
    soonest: i64,
}

/// The answer to a session that wants to start.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Admission {
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
    pub(super) fn new(limits: SessionLimits) -> Self {
        Self {
            limits,
            rows: HashMap::new(),
            by_subject: HashMap::new(),
            ends: Ends::default(),
            held: 0,
            starting: 0,
            next_number: 0,
        }
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

    /// Decides whether a subject may have another session, and counts it if so. Expired sessions
    /// that it removes are added to `over`.
    pub(super) fn admit(
        &mut self,
        subject: &str,
        now: Stamp,
        over: &mut Vec<(Uuid, Position)>,
    ) -> Result<Admission> {
        let SessionLimits { max_sessions, max_sessions_per_subject, .. } = self.limits;
        if self.held + self.starting >= max_sessions {
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
        for id in &instead_of {
            self.set_leaving(*id, true);
        }
        self.starting += 1;
        self.of_subject(&Arc::from(subject)).starting += 1;
        let number = self.next_number;
        self.next_number += 1;
        Ok(Admission::Admitted { number, instead_of })
    }

    /// Follows an admission, after the session was added or not.
    pub(super) fn started(&mut self, subject: &str, instead_of: &[Uuid]) {
        for id in instead_of {
            self.set_leaving(*id, false);
        }
        self.starting -= 1;
        if let Some(of) = self.by_subject.get_mut(subject) {
            of.starting -= 1;
            self.forget_if_empty(subject);
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
        let before = std::mem::replace(&mut slot.family, family.clone());
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
        let of = self.of_subject(&family.subject);
        of.sessions.insert((family.number, id));
        of.note_end(over_at);
    }

    fn unlink(&mut self, id: Uuid, family: &Family) {
        #[cfg(test)]
        crate::testing::steps::step();
        self.held -= 1;
        let was_leaving =
            self.rows.get_mut(&id).is_some_and(|slot| std::mem::take(&mut slot.is_leaving));
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
mod tests {
    use super::super::refresh_token::Step;
    use super::*;
    use crate::testing::allocations::out_of_memory;
    use crate::testing::steps::steps_of;

    fn at(millis: u32) -> Stamp {
        Stamp { wall: millis.into(), boot: millis.into() }
    }

    fn family(subject: &str, number: u64, now: Stamp) -> Family {
        Family {
            subject: subject.into(),
            claims: "{}".into(),
            meta: None,
            secret: [0; 32],
            current: Step::default(),
            previous: 0,
            number,
            phase: Phase::Live,
            started: now,
            used: now,
            issued_at: now.wall,
            linger: 0,
            is_of_this_boot: true,
            position: Position::START,
        }
    }

    fn start(table: &mut Table, id: Uuid, subject: &str, now: Stamp) -> Result<Vec<Uuid>> {
        table.prune(now, 16, &mut Vec::new());
        match table.admit(subject, now, &mut Vec::new())? {
            Admission::Admitted { number, instead_of } => {
                for id in &instead_of {
                    table.remove(*id);
                }
                let result = table.put(id, family(subject, number, now));
                table.started(subject, &instead_of);
                result.map(|()| instead_of)
            }
            Admission::Waits => panic!(),
        }
    }

    fn id(number: u32) -> Uuid {
        Uuid::from_u128(number.into())
    }

    fn listed(table: &Table, subject: &str) -> Vec<Uuid> {
        table.of(subject, 0, u64::MAX).map(|(id, _)| id).collect()
    }

    /// The steps of starting `count` sessions, of refreshing each, and of starting as many again
    /// after these have expired and are pruned.
    fn steps(count: u32, subject: fn(u32) -> String) -> u64 {
        let limits = SessionLimits {
            max_sessions: count as usize,
            max_sessions_per_subject: count as usize,
            ..SessionLimits::default()
        };
        let (mut table, late) = (Table::new(limits), u32::try_from(limits.refresh_ttl).unwrap());
        let steps = steps_of(|| {
            for number in 0..count {
                start(&mut table, id(number), &subject(number), at(0)).unwrap();
            }
            for number in 0..count {
                let family = table.get(id(number)).unwrap();
                let next = family.rotated(family.current, at(1), Default::default()).unwrap();
                assert!(table.swap(id(number), &family, next).unwrap());
            }
            for number in count..2 * count {
                start(&mut table, id(number), &subject(number), at(late * 1000)).unwrap();
            }
        });
        assert_eq!((table.rows.len(), table.held), (count as usize, count as usize));
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
        for subject in [|_| "one".to_owned(), |number: u32| number.to_string()] {
            let mut table = Table::new(SessionLimits::default());
            let mut refused = 0;
            for number in 0..5000 {
                let (id, subject) = (id(number), subject(number));
                // Each of the tables grows at times of its own, also at the same time as others.
                for spared in 0..3 {
                    let started =
                        out_of_memory(4096, spared, || start(&mut table, id, &subject, at(0)));
                    let Err(error) = started else { break };
                    assert_eq!(error.code, Code::SessionFull);
                    assert_eq!(table.get(id), None);
                    refused += 1;
                }
                if table.rows.len() == number as usize {
                    start(&mut table, id, &subject, at(0)).unwrap();
                }
                let of_subjects = table.by_subject.values().map(|of| of.sessions.len());
                let lens = (of_subjects.sum::<usize>(), table.ends.len(), table.held);
                let len = number as usize + 1;
                assert_eq!((lens, table.starting), ((len, len, len), 0));
                assert!(table.by_subject.values().all(|of| !of.sessions.is_empty()));
            }
            assert!(refused > 10, "{refused}");
        }
    }

    #[test]
    fn the_sessions_of_a_subject_are_listed_in_the_order_of_their_start() {
        let mut table = Table::new(SessionLimits::default());
        // In the order of their ids they would be listed the other way round.
        let id = |number: u32| id(100 - number);
        for number in 0..10 {
            start(&mut table, id(number), "alice", at(0)).unwrap();
        }
        for gone in [0, 4, 9] {
            table.remove(id(gone));
        }
        start(&mut table, id(10), "alice", at(0)).unwrap();
        assert_eq!(listed(&table, "alice"), [1, 2, 3, 5, 6, 7, 8, 10].map(id));
        for number in 0..11 {
            table.remove(id(number));
        }
        assert!(table.rows.is_empty() && table.by_subject.is_empty());
        assert_eq!(table.ends.first(), None);
    }

    #[test]
    fn sessions_that_are_about_to_start_count_as_well() {
        for on_limit in [OnLimit::Reject, OnLimit::EndOldest] {
            let limits =
                SessionLimits { max_sessions_per_subject: 2, on_limit, ..SessionLimits::default() };
            let mut table = Table::new(limits);
            start(&mut table, id(1), "alice", at(0)).unwrap();
            let admit = |table: &mut Table| table.admit("alice", at(1), &mut Vec::new());
            let second = admit(&mut table).unwrap();
            assert_eq!(second, Admission::Admitted { number: 1, instead_of: vec![] });
            if on_limit == OnLimit::Reject {
                assert_eq!(admit(&mut table).unwrap_err().code, Code::SessionLimit);
                table.started("alice", &[]);
                continue;
            }
            let third = admit(&mut table).unwrap();
            assert_eq!(third, Admission::Admitted { number: 2, instead_of: vec![id(1)] });
            assert_eq!(admit(&mut table).unwrap(), Admission::Waits);
            // The third one fails, so the first one stays.
            table.started("alice", &[id(1)]);
            let fourth = admit(&mut table).unwrap();
            assert_eq!(fourth, Admission::Admitted { number: 3, instead_of: vec![id(1)] });
        }
    }

    #[test]
    fn a_subject_at_its_limit_gets_the_place_of_a_session_that_expired_while_others_wait_to_be_pruned()
     {
        let limits = SessionLimits { max_sessions_per_subject: 1, ..SessionLimits::default() };
        let mut table = Table::new(limits);
        for number in 0..100 {
            start(&mut table, id(number), &format!("other {number}"), at(0)).unwrap();
        }
        start(&mut table, id(100), "alice", at(1)).unwrap();
        let error = start(&mut table, id(101), "alice", at(2)).unwrap_err();
        assert_eq!(error.code, Code::SessionLimit);
        let late = at(1 + u32::try_from(limits.refresh_ttl).unwrap() * 1000);
        start(&mut table, id(101), "alice", late).unwrap();
        assert_eq!(listed(&table, "alice"), [id(101)]);
    }

    #[test]
    fn a_start_that_is_rejected_does_not_look_at_all_sessions_of_its_subject() {
        let limits = SessionLimits { max_sessions_per_subject: 1000, ..SessionLimits::default() };
        let mut table = Table::new(limits);
        for number in 0..1000 {
            start(&mut table, id(number), "alice", at(number)).unwrap();
        }
        let of = &table.by_subject["alice"];
        assert_eq!(of.soonest, i64::try_from(limits.refresh_ttl).unwrap() * 1000);
        // The first one is refreshed, so it is no longer the one that ends first.
        let family = table.get(id(0)).unwrap();
        let next = Family {
            started: at(5000),
            ..family.rotated(family.current, at(5000), Default::default()).unwrap()
        };
        assert!(table.swap(id(0), &family, next).unwrap());
        let now = at(u32::try_from(limits.refresh_ttl).unwrap() * 1000);
        assert_eq!(start(&mut table, id(1000), "alice", now).unwrap_err().code, Code::SessionLimit);
        assert_eq!(table.by_subject["alice"].soonest, now.boot + 1);
    }
}
