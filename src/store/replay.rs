//! Reads all rows of a store, and proves that they are the rows that were written.

use std::any::Any;

use super::engine::{Engine, reading};
use super::fault::corrupt;
use super::head::Head;
use super::keys::Keys;
use super::record::SealedRecord;
use super::row::{Entry, Position};
use crate::error::Result;

/// Builds the state in memory that a process keeps of a store: it gets every row when the process
/// opens the store, before any handle is given out.
pub trait Replay: Any + Send + Sync {
    /// Gets an entry, in the order of positions.
    fn entry(&mut self, position: Position, entry: &Entry) -> Result<()>;

    /// Gets a record, after all entries, in the order of their last changes.
    fn record(&mut self, record: &SealedRecord<'_>) -> Result<()>;

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
    fn entry(&mut self, position: Position, entry: &Entry) -> Result<()> {
        self.0.entry(position, entry)?;
        self.1.entry(position, entry)
    }

    fn record(&mut self, record: &SealedRecord<'_>) -> Result<()> {
        self.0.record(record)?;
        self.1.record(record)
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
        compare(engine, keys, &head, state)?;
        Ok(head)
    })
}

/// Compares all rows with a head of the same state.
pub(super) fn compare(
    engine: &mut dyn Engine,
    keys: &Keys,
    head: &Head,
    state: &mut dyn Replay,
) -> Result<()> {
    let (mut entries, mut records, mut sum) = (0, 0, 0_u128);
    engine.entries(Position::START, usize::MAX, &mut |position, entry| {
        entries += 1;
        sum = sum.wrapping_add(keys.entry(position, entry));
        state.entry(position, entry)
    })?;
    engine.records(Position::START, usize::MAX, &mut |name, position, sealed| {
        records += 1;
        sum = sum.wrapping_add(keys.record(name, position, sealed));
        state.record(&SealedRecord { name, position, sealed, keys })
    })?;
    if (entries, records, sum) != (head.entries, head.records, head.live) {
        return Err(corrupt("its rows are not the ones that were written"));
    }
    Ok(())
}
