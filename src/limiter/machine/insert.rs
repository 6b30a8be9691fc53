//! Gives a slot to a key that has none: see [`super::owner`] for the steps.

use std::sync::LazyLock;
use std::sync::atomic::AtomicU64;
use std::sync::atomic::Ordering::{Relaxed, SeqCst};

use super::header::word;
use super::locate::Look;
use super::owner::{CLAIM, owner, tag};
use super::seen::Seen;
use super::table::{Table, Target};
use crate::limiter::buckets::Words;
use crate::limiter::layout::{Place, WAYS};
use crate::limiter::limit::Limit;
use crate::limiter::room::{Room, Search};
use crate::limiter::state::Moment;
use crate::limiter::view::{BLOCK, View};

/// The result of an insertion.
pub(super) enum Inserted {
    /// It has a slot with its state.
    Done,
    /// Another process was at work: try again, perhaps with the slot that the key has.
    Again(Option<(Target, u64)>),
    /// All slots are taken. The word at which one may be free.
    Full(u64),
}

/// A newcomer.
pub(super) struct Newcomer<'a> {
    pub table: &'a Table,
    pub limits: &'a [Limit],
    pub fingerprint: u64,
    /// Its first state.
    pub words: &'a Words,
    /// Whether a key in debt may be forgotten.
    pub may_forget: bool,
    pub now: Moment,
}

impl Newcomer<'_> {
    /// Gives the newcomer the best slot.
    #[cold]
    pub(super) fn insert(&self) -> Inserted {
        match self.room() {
            Room::Free(place) => self.claim(place, false),
            Room::Victim(place) => self.claim(place, true),
            Room::None(until) => Inserted::Full(until),
            Room::Grow => Inserted::Full(self.now.word),
        }
    }

    /// The best slot.
    pub(super) fn room(&self) -> Room {
        let search = Search {
            buckets: &Seen { table: self.table, now: self.now },
            limits: self.limits,
            may_grow: false,
            may_forget: self.may_forget,
            now: self.now,
        };
        search.run(self.fingerprint)
    }

    /// Gives the newcomer a slot that has expired, or any slot.
    pub(super) fn claim(&self, place: Place, even_live: bool) -> Inserted {
        let (table, tag) = (self.table, tag(self.fingerprint));
        let seen = Seen { table, now: self.now };
        let control = table.control(place);
        // Read the control word before the others: they change before it does.
        let before = control.load(SeqCst);
        let is_live = before & CLAIM == 0 && seen.until(place) > self.now.word;
        if is_live && !even_live {
            return Inserted::Again(None);
        }
        let former = seen.fingerprint(place);
        let evicts = is_live && former & BLOCK == 0 && former | BLOCK != tag | BLOCK;
        if place.walk > 0 {
            table.raise(word::WALK, place.walk as u64);
            let until = self.words.iter().copied().max().unwrap_or(0);
            table.raise(word::WALK_UNTIL, until);
        }
        let owner = owner(tag, number());
        let claim = CLAIM | owner;
        if control.compare_exchange(before, claim, SeqCst, SeqCst).is_err() {
            return Inserted::Again(None);
        }
        if evicts {
            table.count(word::EVICTIONS);
        }
        self.finish(place, claim, owner)
    }

    /// Completes a claim.
    pub(super) fn finish(&self, place: Place, claim: u64, owner: u64) -> Inserted {
        let table = self.table;
        let control = table.control(place);
        let is_lost = || control.load(SeqCst) != claim;
        if !replace(table.at(place.index), owner, is_lost) {
            return Inserted::Again(None);
        }
        for column in 1..table.layout.limits {
            let word = table.at(place.index + WAYS * (1 + column));
            if !replace(word, self.words[column], is_lost) {
                return Inserted::Again(None);
            }
        }
        if let Some(other) = self.other_slot(place) {
            table.drop_claim(place, claim, number());
            return Inserted::Again(Some(other));
        }
        match control.compare_exchange(claim, self.words[0] & !CLAIM, SeqCst, SeqCst) {
            Ok(_) => Inserted::Done,
            Err(_) => Inserted::Again(None),
        }
    }

    /// The slot that the newcomer has beside a claimed one. Takes other claims for it away.
    fn other_slot(&self, mine: Place) -> Option<(Target, u64)> {
        let (table, tag) = (self.table, tag(self.fingerprint));
        let seen = Seen { table, now: self.now };
        let (first, second) = table.layout.choices(self.fingerprint);
        let further = (1..=table.walk()).map(|walk| (table.layout.after(second, walk), walk));
        for (bucket, walk) in [(first, 0), (second, 0)].into_iter().chain(further) {
            for lane in 0..WAYS {
                let place = seen.place(bucket, lane, walk);
                if place.index == mine.index {
                    continue;
                }
                loop {
                    match table.look(place, tag) {
                        Look::Owned(target, word) => return Some((target, word)),
                        Look::Claimed(claim) if !table.drop_claim(place, claim, number()) => {}
                        Look::Claimed(_) | Look::Other => break,
                    }
                }
            }
        }
        None
    }
}

/// Writes a word of a claimed slot, unless the claim is lost.
fn replace(word: &AtomicU64, after: u64, is_lost: impl Fn() -> bool) -> bool {
    loop {
        let before = word.load(SeqCst);
        // Only now: a word that is read later may be that of the next owner.
        if is_lost() {
            return false;
        }
        if before == after || word.compare_exchange(before, after, SeqCst, SeqCst).is_ok() {
            return true;
        }
    }
}

/// A number of 15 bits that this process has not used lately. Other processes begin elsewhere, and
/// a slot would have to get the same number for the same key while a process stands still between
/// two steps.
fn number() -> u64 {
    static NEXT: LazyLock<AtomicU64> =
        LazyLock::new(|| AtomicU64::new(u64::from(std::process::id()).wrapping_mul(0x9e37_79b9)));
    NEXT.fetch_add(1, Relaxed) & 0x7fff
}
