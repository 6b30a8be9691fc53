//! Reads all rows of a store, and proves that they are the rows that were written.

use std::any::Any;

use super::engine::{Engine, reading};
use super::fault::corrupt;
use super::follower::Appended;
use super::head::Head;
use super::keys::Keys;
use super::record::SealedRecord;
use super::row::{Entry, Position};
use crate::error::Result;

/// The entries that a state gets at a time: few enough for the first cache of a processor.
const AT_A_TIME: usize = 128;

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

    /// Gets the entries that this process has committed, on the thread of the writer: after they are
    /// durable, and before the epoch tells of them. It must not wait for the store.
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
    let mut rows = Vec::with_capacity(AT_A_TIME);
    let mut take = |rows: &mut Vec<_>| -> Result<()> {
        entries += rows.len() as u64;
        for (position, entry) in &*rows {
            sum = sum.wrapping_add(keys.entry(*position, entry));
        }
        state.entries(rows)?;
        rows.clear();
        Ok(())
    };
    engine.entries(Position::START, usize::MAX, &mut |position, entry| {
        rows.push((position, *entry));
        if rows.len() < AT_A_TIME { Ok(()) } else { take(&mut rows) }
    })?;
    take(&mut rows)?;
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
