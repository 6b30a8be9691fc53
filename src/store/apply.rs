//! Applies changes to the database and to the head, within a transaction.

use super::batch::RecordChange;
use super::engine::Engine;
use super::fault::corrupt;
use super::head::Head;
use super::keys::Keys;
use super::row::{Entry, Position, Sequence};
use crate::error::Result;

/// A transaction that is being filled.
pub(super) struct Transaction<'a> {
    engine: &'a mut dyn Engine,
    keys: &'a Keys,
    head: Head,
    sequence: Sequence,
    rows: usize,
    is_changed: bool,
}

impl<'a> Transaction<'a> {
    /// Goes on behind a head, in a transaction of the engine that has begun.
    pub(super) fn new(engine: &'a mut dyn Engine, keys: &'a Keys, head: Head) -> Result<Self> {
        let sequence = head.next()?;
        Ok(Self { engine, keys, head, sequence, rows: 0, is_changed: false })
    }

    /// The number that the transaction will have.
    pub(super) fn sequence(&self) -> Sequence {
        self.sequence
    }

    /// Whether every record is as expected.
    pub(super) fn allows(&mut self, changes: &[RecordChange]) -> Result<bool> {
        for change in changes {
            let found = self.engine.record(&change.name)?.map(|(position, _)| position);
            if !change.expected.allows(found) {
                return Ok(false);
            }
        }
        Ok(true)
    }

    /// Adds entries.
    pub(super) fn append(&mut self, entries: &[Entry]) -> Result<()> {
        if entries.is_empty() {
            return Ok(());
        }
        self.engine.append(Position::new(self.sequence, self.rows), entries)?;
        for entry in entries {
            let summand = self.keys.entry(Position::new(self.sequence, self.rows), entry);
            self.head.live = self.head.live.wrapping_add(summand);
            self.head.appended = self.head.appended.wrapping_add(summand);
            self.rows += 1;
        }
        self.head.entries += entries.len() as u64;
        self.is_changed = true;
        Ok(())
    }

    /// Makes, replaces or deletes a record with any present value. Returns its new place.
    pub(super) fn change(&mut self, change: &RecordChange) -> Result<Position> {
        let position = Position::new(self.sequence, self.rows);
        self.rows += 1;
        if let Some((old, sealed)) = self.engine.record(&change.name)? {
            self.subtract(self.keys.record(&change.name, old, &sealed));
            self.head.records = count_down(self.head.records)?;
            if change.value.is_none() {
                self.engine.remove_record(&change.name)?;
            }
            self.is_changed = true;
        }
        if let Some(value) = &change.value {
            let sealed = self.keys.seal(&change.name, position, value)?;
            self.engine.put_record(&change.name, position, &sealed)?;
            let summand = self.keys.record(&change.name, position, &sealed);
            self.head.live = self.head.live.wrapping_add(summand);
            self.head.records += 1;
            self.is_changed = true;
        }
        Ok(position)
    }

    /// Deletes the entries that still exist, and returns their number.
    pub(super) fn delete(&mut self, positions: &[Position]) -> Result<u64> {
        let (mut count, mut sum) = (0, 0_u128);
        self.engine.remove(positions, &mut |position, entry| {
            count += 1;
            sum = sum.wrapping_add(self.keys.entry(position, entry));
            Ok(())
        })?;
        self.subtract(sum);
        let entries = self.head.entries.checked_sub(count);
        self.head.entries = entries.ok_or_else(|| corrupt("it has more entries than it counts"))?;
        self.is_changed |= count > 0;
        Ok(count)
    }

    /// Commits, unless nothing was changed. Returns the head of the last transaction and the number
    /// of rows that were added.
    pub(super) fn commit(mut self) -> Result<(Head, usize)> {
        if !self.is_changed {
            self.engine.rollback();
            return Ok((self.head, 0));
        }
        self.head.sequence = self.sequence;
        self.engine.set_head(&self.head.to_bytes(self.keys))?;
        self.engine.commit()?;
        Ok((self.head, self.rows))
    }

    fn subtract(&mut self, summand: u128) {
        self.head.live = self.head.live.wrapping_sub(summand);
    }
}

fn count_down(count: u64) -> Result<u64> {
    count.checked_sub(1).ok_or_else(|| corrupt("it has more records than it counts"))
}
