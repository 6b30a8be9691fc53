//! The rows of a list in the log of a store.

use super::state::{Entry, Kind};
use crate::error::{Code, Error, Result};
use crate::revocation::fingerprint::Fingerprint;
use crate::revocation::terms::MAX_CLOCK_TOLERANCE;
use crate::store;

/// The number of a [`Row::MakeRoom`] among the kinds.
const MAKE_ROOM: u8 = 64;

/// Added to the kind of an entry that applies to one issuer only.
pub(super) const SCOPED: u8 = 128;

/// A row.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Row {
    /// An entry is added, or the value of one is raised.
    Entry(Entry),
    /// Tokens issued until `now` (milliseconds) are refused, so entries about them are dropped.
    MakeRoom {
        now: u64,
        /// The longest life of a token, in seconds.
        max_token_ttl: u64,
    },
}

impl Row {
    /// The row as the log has it. It is needed until the proven time has passed `until`, in
    /// seconds.
    pub(super) fn to_stored(self, max_token_ttl: u64) -> store::Entry {
        match self {
            Self::Entry(Entry { kind, fingerprint, value, scoped }) => store::Entry {
                kind: kind as u8 | if scoped { SCOPED } else { 0 },
                key: halves(fingerprint.id, fingerprint.rest),
                value,
                until: kind.needed_until(value, max_token_ttl).unwrap_or(u64::MAX),
            },
            Self::MakeRoom { now, max_token_ttl } => store::Entry {
                kind: MAKE_ROOM,
                key: halves(max_token_ttl, 0),
                value: now,
                until: (now / 1000)
                    .saturating_add(max_token_ttl)
                    .saturating_add(2 * MAX_CLOCK_TOLERANCE),
            },
        }
    }

    /// Reads a row. Fails with `ERR_STORE_OPEN` for one of another release.
    pub(super) fn of(stored: &store::Entry) -> Result<Self> {
        let (first, second) = stored.key.split_at(8);
        let [id, rest] = [first, second].map(|half| half.iter().rev().copied().fold(0, append));
        if stored.kind == MAKE_ROOM {
            return Ok(Self::MakeRoom { now: stored.value, max_token_ttl: id });
        }
        let kind = Kind::ALL.get(usize::from(stored.kind & !SCOPED)).ok_or_else(|| {
            let message = "a later release of this package wrote the store; use that release";
            Error::new(Code::StoreOpen, message)
        })?;
        Ok(Self::Entry(Entry {
            kind: *kind,
            fingerprint: Fingerprint { id, rest },
            value: stored.value,
            scoped: stored.kind & SCOPED != 0,
        }))
    }
}

fn halves(first: u64, second: u64) -> [u8; 16] {
    (u128::from(first) | u128::from(second) << 64).to_le_bytes()
}

fn append(number: u64, byte: u8) -> u64 {
    number << 8 | u64::from(byte)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_row_is_read_as_it_was_written() {
        let fingerprint = Fingerprint { id: u64::MAX - 7, rest: 0x0102_0304_0506_0708 };
        for kind in Kind::ALL {
            for (value, scoped) in [(0, false), (1_700_000_000, true), (u64::MAX, false)] {
                let row = Row::Entry(Entry { kind, fingerprint, value, scoped });
                assert_eq!(Row::of(&row.to_stored(3600)).unwrap(), row);
            }
        }
        let row = Row::MakeRoom { now: 1_700_000_000_123, max_token_ttl: 3600 };
        assert_eq!(Row::of(&row.to_stored(1)).unwrap(), row);
    }

    #[test]
    fn the_numbers_of_kinds_are_those_of_the_first_release_with_a_store() {
        let entry = |kind| {
            let fingerprint = Fingerprint { id: 1, rest: 2 };
            Row::Entry(Entry { kind, fingerprint, value: 0, scoped: true }).to_stored(0)
        };
        let numbers = Kind::ALL.map(|kind| entry(kind).kind);
        assert_eq!(numbers, [128, 129, 130, 131, 132, 133, 134, 135]);
        assert_eq!(entry(Kind::Id).key, [1, 0, 0, 0, 0, 0, 0, 0, 2, 0, 0, 0, 0, 0, 0, 0]);
    }

    #[test]
    fn a_row_of_a_later_release_is_an_error() {
        for kind in [8, 63, 65, 127, 136, 255] {
            let stored = store::Entry { kind, key: [0; 16], value: 0, until: 0 };
            assert_eq!(Row::of(&stored).unwrap_err().code, Code::StoreOpen);
        }
    }
}
