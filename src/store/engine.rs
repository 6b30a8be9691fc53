//! The database below a store, as a trait, so that it can be replaced.

use std::path::Path;

use super::row::{Entry, Position};
use crate::error::Result;

/// Gets the entries of a scan.
pub(super) type VisitEntry<'a> = &'a mut dyn FnMut(Position, &Entry) -> Result<()>;
/// Gets the records of a scan: name, position, encrypted value.
pub(super) type VisitRecord<'a> = &'a mut dyn FnMut(&[u8], Position, &[u8]) -> Result<()>;

/// One connection to the database of a store. Its errors have the codes `ERR_STORE_…`.
pub(super) trait Engine: Send {
    /// Begins a transaction that writes. Returns `false` at once if another connection has one.
    fn begin(&mut self) -> Result<bool>;

    /// Begins a transaction that reads one state of the database.
    fn begin_reading(&mut self) -> Result<()>;

    /// Makes the transaction durable. If it fails, the transaction was rolled back.
    fn commit(&mut self) -> Result<()>;

    /// Ends the transaction, if there is one, without its changes.
    fn rollback(&mut self);

    /// A number that changes when another connection has committed.
    fn change_counter(&mut self) -> Result<i64>;

    /// The head and the key check; `None` if the database has no head.
    fn head(&mut self) -> Result<Option<(Vec<u8>, Vec<u8>)>>;

    /// Replaces the head.
    fn set_head(&mut self, head: &[u8]) -> Result<()>;

    /// Visits at most `limit` entries behind a position, in their order.
    fn entries(&mut self, after: Position, limit: usize, visit: VisitEntry<'_>) -> Result<()>;

    /// Adds entries at `first` and the positions that follow it.
    fn append(&mut self, first: Position, entries: &[Entry]) -> Result<()>;

    /// Deletes the entries that still exist, and gives them to `removed`.
    fn remove(&mut self, positions: &[Position], removed: VisitEntry<'_>) -> Result<()>;

    /// Visits at most `limit` records that changed last behind a position, in that order.
    fn records(&mut self, after: Position, limit: usize, visit: VisitRecord<'_>) -> Result<()>;

    /// The place and the encrypted value of a record.
    fn record(&mut self, name: &[u8]) -> Result<Option<(Position, Vec<u8>)>>;

    /// Makes or replaces a record.
    fn put_record(&mut self, name: &[u8], position: Position, sealed: &[u8]) -> Result<()>;

    /// Deletes a record.
    fn remove_record(&mut self, name: &[u8]) -> Result<()>;

    /// Writes one state of the database to an empty file.
    fn copy_to(&mut self, path: &Path) -> Result<()>;
}

/// Reads in one state of the database.
pub(super) fn reading<T>(
    engine: &mut dyn Engine,
    body: impl FnOnce(&mut dyn Engine) -> Result<T>,
) -> Result<T> {
    engine.rollback();
    engine.begin_reading()?;
    let result = body(engine);
    engine.rollback();
    result
}
