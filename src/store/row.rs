//! The rows of a store, and their places in the log.

/// The number of a transaction, from 1.
pub type Sequence = u64;

/// The most rows of a transaction.
pub const MAX_ROWS: usize = 2000;

/// The bits of a position that number the rows of a transaction.
const INDEX_BITS: u32 = 11;

/// The place of a row in the log: its transaction, then its index there.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Position(u64);

impl Position {
    /// Before the first row.
    pub const START: Self = Self(0);
    /// The last transaction that positions can number.
    pub(super) const MAX_SEQUENCE: Sequence = (1 << (63 - INDEX_BITS)) - 1;

    /// The place of a row. `index` is below [`MAX_ROWS`].
    pub(super) const fn new(sequence: Sequence, index: usize) -> Self {
        Self(sequence << INDEX_BITS | index as u64)
    }

    /// The last place of a transaction, which no row has.
    pub const fn end_of(sequence: Sequence) -> Self {
        Self(sequence << INDEX_BITS | ((1 << INDEX_BITS) - 1))
    }

    /// The transaction.
    pub const fn sequence(self) -> Sequence {
        self.0 >> INDEX_BITS
    }

    /// The place as a database stores it.
    pub(super) const fn to_i64(self) -> i64 {
        self.0.cast_signed()
    }

    /// The place that a database stores; `None` if no row can have it.
    pub(super) fn from_i64(stored: i64) -> Option<Self> {
        u64::try_from(stored).ok().map(Self)
    }

    /// The place as bytes, for hashes.
    pub(super) const fn to_bytes(self) -> [u8; 8] {
        self.0.to_le_bytes()
    }
}

/// A row of the append-only log. The store does not interpret it, except for `until`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Entry {
    /// The kind of entry.
    pub kind: u8,
    /// The fingerprint of its subject.
    pub key: [u8; 16],
    /// Its value.
    pub value: u64,
    /// The time at which it may be deleted, in a unit of the caller; `u64::MAX` for never.
    pub until: u64,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn positions_order_rows_by_transaction_and_index_up_to_the_last_transaction() {
        let places = [
            Position::START,
            Position::new(1, 0),
            Position::new(1, MAX_ROWS - 1),
            Position::end_of(1),
            Position::new(2, 0),
            Position::new(Position::MAX_SEQUENCE, MAX_ROWS - 1),
            Position::end_of(Position::MAX_SEQUENCE),
        ];
        assert!(places.is_sorted_by(|one, other| one < other));
        for place in places {
            assert_eq!(Position::from_i64(place.to_i64()), Some(place));
        }
        assert_eq!(places[5].sequence(), Position::MAX_SEQUENCE);
        assert_eq!(Position::from_i64(-1), None);
    }
}
