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

/// Bytes of an entry as it is stored and hashed.
pub(super) const ENTRY_LEN: usize = 33;

impl Entry {
    /// The entry as it is stored and hashed. One column of SQLite is read in half the time of four.
    pub(super) fn to_bytes(self) -> [u8; ENTRY_LEN] {
        let mut bytes = [0; ENTRY_LEN];
        bytes[0] = self.kind;
        bytes[1..17].copy_from_slice(&self.key);
        bytes[17..25].copy_from_slice(&self.value.to_le_bytes());
        bytes[25..].copy_from_slice(&self.until.to_le_bytes());
        bytes
    }

    /// The inverse of [`Self::to_bytes`]; `None` for another length.
    pub(super) fn of_bytes(bytes: &[u8]) -> Option<Self> {
        let (&[kind], rest) = bytes.split_first_chunk()?;
        let (&key, rest) = rest.split_first_chunk()?;
        let (&value, rest) = rest.split_first_chunk()?;
        let until = rest.try_into().ok()?;
        let [value, until] = [value, until].map(u64::from_le_bytes);
        Some(Self { kind, key, value, until })
    }
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

    #[test]
    fn an_entry_is_read_from_its_own_bytes_and_from_no_other_number_of_bytes() {
        let entry =
            Entry { kind: 7, key: *b"0123456789abcdef", value: 1 << 40 | 3, until: 1 << 63 };
        let bytes = entry.to_bytes();
        assert_eq!(bytes[..3], [7, b'0', b'1']);
        assert_eq!(bytes[17..], [3, 0, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 128]);
        assert_eq!(Entry::of_bytes(&bytes), Some(entry));
        for len in 0..ENTRY_LEN {
            assert_eq!(Entry::of_bytes(&bytes[..len]), None, "{len}");
        }
        assert_eq!(Entry::of_bytes(&[&bytes[..], &[0]].concat()), None);
    }
}
