//! Reads all rows of a store, and proves that they are the rows that were written.

use std::any::Any;
use std::sync::mpsc;
use std::{mem, thread};

use super::engine::{Engine, reading};
use super::fault::{cannot_open, corrupt};
use super::follower::Appended;
use super::head::Head;
use super::keys::Keys;
use super::record::SealedRecord;
use super::row::{Entry, Position};
use crate::error::{Code, Error, Result};

/// The entries that a state gets at a time.
const AT_A_TIME: usize = 1024;

/// The number of entries from which a second thread is worth its start.
const MANY: u64 = 16 * 1024;

/// How many times [`AT_A_TIME`] may be read before the state has taken them.
const READ_AHEAD: usize = 8;

/// Builds the state in memory that a process keeps of a store: it gets every row when the process
/// opens the store, before any handle is given out.
pub trait Replay: Any + Send + Sync {
    /// Learns the number of entries that will follow.
    fn expect(&mut self, _: u64) {}

    /// Gets an entry, in the order of positions.
    fn entry(&mut self, position: Position, entry: &Entry) -> Result<()>;

    /// Gets the next entries, all or many at a time.
    fn entries(&mut self, entries: &[(Position, Entry)]) -> Result<()> {
        entries.iter().try_for_each(|(position, entry)| self.entry(*position, entry))
    }

    /// Gets a record, after all entries, in the order of their last changes.
    fn record(&mut self, record: &SealedRecord<'_>) -> Result<()>;

    /// Gets the entries that this process has committed, on the thread of the writer: after they
    /// are durable, and before the epoch tells of them. It must not wait for the store.
    fn committed(&self, _: &Appended<'_>) {}

    /// Has the chance to read what other processes have committed, twice a second, on the thread of
    /// the writer.
    fn looked(&self) {}

    /// Whether an object without a handle needs the store: it then stays open when its last handle
    /// is dropped, until a handle is closed.
    fn is_used(&self) -> bool {
        false
    }

    /// Learns that this process has closed the store.
    fn closed(&self) {}
}

/// Two states of one store.
impl<A: Replay, B: Replay> Replay for (A, B) {
    fn expect(&mut self, entries: u64) {
        self.0.expect(entries);
        self.1.expect(entries);
    }

    fn entry(&mut self, position: Position, entry: &Entry) -> Result<()> {
        self.0.entry(position, entry)?;
        self.1.entry(position, entry)
    }

    fn entries(&mut self, entries: &[(Position, Entry)]) -> Result<()> {
        self.0.entries(entries)?;
        self.1.entries(entries)
    }

    fn record(&mut self, record: &SealedRecord<'_>) -> Result<()> {
        self.0.record(record)?;
        self.1.record(record)
    }

    fn committed(&self, appended: &Appended<'_>) {
        self.0.committed(appended);
        self.1.committed(appended);
    }

    fn looked(&self) {
        self.0.looked();
        self.1.looked();
    }

    fn is_used(&self) -> bool {
        self.0.is_used() || self.1.is_used()
    }

    fn closed(&self) {
        self.0.closed();
        self.1.closed();
    }
}

/// Keeps nothing.
impl Replay for () {
    fn entry(&mut self, _: Position, _: &Entry) -> Result<()> {
        Ok(())
    }

    fn record(&mut self, _: &SealedRecord<'_>) -> Result<()> {
        Ok(())
    }
}

/// Reads all rows in one state of the database. Fails with `ERR_STORE_CORRUPT` if their number or
/// their sum is not the one of the head.
pub(super) fn replay(engine: &mut dyn Engine, keys: &Keys, state: &mut dyn Replay) -> Result<Head> {
    reading(engine, |engine| {
        let head = Head::read(engine, keys)?;
        state.expect(head.entries);
        let mut rows = RowSum::default();
        if head.entries < MANY {
            rows.add_entries(engine, keys, &mut |batch| state.entries(&batch))?;
        } else {
            on_thread(state, |take| rows.add_entries(engine, keys, take))?;
        }
        rows.add_records(engine, keys, state)?;
        rows.compare(&head)?;
        Ok(head)
    })
}

/// Compares all rows with a head of the same state.
pub(super) fn compare(engine: &mut dyn Engine, keys: &Keys, head: &Head) -> Result<()> {
    let mut rows = RowSum::default();
    rows.add_entries(engine, keys, &mut |_| Ok(()))?;
    rows.add_records(engine, keys, &mut ())?;
    rows.compare(head)
}

/// Entries in their order.
type Entries = Vec<(Position, Entry)>;

/// Gets the next entries.
type Take<'a> = &'a mut dyn FnMut(Entries) -> Result<()>;

/// Has `state` take entries on another thread while `read` reads them, which takes as long.
fn on_thread(state: &mut dyn Replay, read: impl FnOnce(Take<'_>) -> Result<()>) -> Result<()> {
    let (give, given) = mpsc::sync_channel::<Entries>(READ_AHEAD);
    thread::scope(|scope| {
        let take = move || given.into_iter().try_for_each(|entries| state.entries(&entries));
        let name = thread::Builder::new().name("nodesec-replay".into());
        let taker = name.spawn_scoped(scope, take).map_err(|error| {
            cannot_open(format!("the system gives no thread ({error}); raise the limit"))
        })?;
        // If the other thread has ended, it says why.
        let stopped = || Error::new(Code::Internal, "the entries were not taken");
        let result = read(&mut |entries| give.send(entries).map_err(|_| stopped()));
        drop(give);
        taker.join().unwrap_or_else(|_| Err(stopped())).and(result)
    })
}

/// The number and the keyed sum of rows.
#[derive(Default)]
struct RowSum {
    entries: u64,
    records: u64,
    sum: u128,
}

impl RowSum {
    /// Adds all entries, and gives them to `take`.
    fn add_entries(&mut self, engine: &mut dyn Engine, keys: &Keys, take: Take<'_>) -> Result<()> {
        let mut batch = Vec::with_capacity(AT_A_TIME);
        engine.entries(Position::START, usize::MAX, &mut |position, entry| {
            self.entries += 1;
            self.sum = self.sum.wrapping_add(keys.entry(position, entry));
            batch.push((position, *entry));
            if batch.len() < AT_A_TIME {
                return Ok(());
            }
            take(mem::replace(&mut batch, Vec::with_capacity(AT_A_TIME)))
        })?;
        take(batch)
    }

    /// Adds all records, and gives them to `state`.
    fn add_records(
        &mut self,
        engine: &mut dyn Engine,
        keys: &Keys,
        state: &mut dyn Replay,
    ) -> Result<()> {
        engine.records(Position::START, usize::MAX, &mut |name, position, sealed| {
            self.records += 1;
            self.sum = self.sum.wrapping_add(keys.record(name, position, sealed));
            state.record(&SealedRecord { name, position, sealed, keys })
        })
    }

    /// Fails with `ERR_STORE_CORRUPT` if the head has other rows.
    fn compare(&self, head: &Head) -> Result<()> {
        if (self.entries, self.records, self.sum) == (head.entries, head.records, head.live) {
            return Ok(());
        }
        Err(corrupt("its rows are not the ones that were written"))
    }
}
