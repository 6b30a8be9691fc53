//! The changes of a store, and their results.

use zeroize::Zeroizing;

use super::row::{Entry, MAX_ROWS, Position, Sequence};
use crate::error::{Code, Error, Result};

/// The longest name of a record, in bytes.
pub const MAX_NAME_LEN: usize = 255;

/// The longest value of a record, in bytes.
pub const MAX_VALUE_LEN: usize = 1 << 20;

/// Changes that are made together. If a record is not as expected, nothing is changed.
///
/// More than [`MAX_ROWS`] entries become several transactions, in their order; a batch with records
/// must fit into one.
#[derive(Debug, Default)]
pub struct Batch {
    /// Entries to add to the log.
    pub entries: Vec<Entry>,
    /// Records to make, replace or delete.
    pub records: Vec<RecordChange>,
}

/// A change of a record.
#[derive(Debug)]
pub struct RecordChange {
    /// The name: 1 to [`MAX_NAME_LEN`] bytes, which are stored as they are.
    pub name: Vec<u8>,
    /// The condition for the change.
    pub expected: Expected,
    /// The new value, at most [`MAX_VALUE_LEN`] bytes, which is stored encrypted; `None` deletes
    /// the record.
    pub value: Option<Zeroizing<Vec<u8>>>,
}

/// A condition for a change of a record.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Expected {
    /// There is none.
    Anything,
    /// There is no such record.
    Absent,
    /// The record was last changed at this place.
    At(Position),
}

impl Expected {
    pub(super) fn allows(self, found: Option<Position>) -> bool {
        match self {
            Self::Anything => true,
            Self::Absent => found.is_none(),
            Self::At(position) => found == Some(position),
        }
    }
}

/// The result of a change.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Commit {
    /// It is durable, and other processes can see it.
    Done(Receipt),
    /// A record was not as expected, and nothing was changed.
    Conflict,
}

/// The places of a change in the log.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Receipt {
    /// The last transaction of the change.
    pub sequence: Sequence,
    /// The place of each record of the batch.
    pub records: Vec<Position>,
    /// The number of entries that were deleted.
    pub deleted: u64,
}

impl Batch {
    /// The number of rows.
    pub(super) fn rows(&self) -> usize {
        self.entries.len().saturating_add(self.records.len())
    }

    /// The bytes of its records.
    pub(super) fn bytes(&self) -> usize {
        self.records.iter().fold(0, |sum, change| {
            sum + change.name.len() + change.value.as_ref().map_or(0, |value| value.len())
        })
    }

    /// Fails with `ERR_OUT_OF_RANGE` if a limit is exceeded.
    pub(super) fn check(&self) -> Result<()> {
        let refuse = |message: String| Err(Error::new(Code::OutOfRange, message));
        if !self.records.is_empty() && self.rows() > MAX_ROWS {
            return refuse(format!("a batch with records has at most {MAX_ROWS} rows"));
        }
        for RecordChange { name, value, .. } in &self.records {
            if name.is_empty() || name.len() > MAX_NAME_LEN {
                return refuse(format!("the name of a record has 1 to {MAX_NAME_LEN} bytes"));
            }
            if value.as_ref().is_some_and(|value| value.len() > MAX_VALUE_LEN) {
                return refuse(format!("a record has at most {MAX_VALUE_LEN} bytes"));
            }
        }
        Ok(())
    }
}
