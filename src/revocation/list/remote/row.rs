//! The rows of a list as texts, which every client of a server hands over unchanged.
//!
//! A text is base64url of: the version (1 byte), the kind (1), the fingerprint (16), the value (8),
//! the id of the keys (4) and, under a key, a mark (18). Its first 24 characters name the entry.

use base64_simd::{AsOut, URL_SAFE_NO_PAD};

use crate::revocation::fingerprint::Fingerprint;
use crate::revocation::list::state::{Entry, Kind};

/// The version of the format.
const VERSION: u8 = 1;

/// Added to the kind of an entry that applies to one issuer only.
const SCOPED: u8 = 128;

/// The bytes of a row without its mark.
pub(super) const PLAIN_BYTES: usize = 30;
/// The bytes of a mark.
pub(super) const MARK_BYTES: usize = 18;
/// The bytes of the id of the keys.
pub(super) const KEY_ID_BYTES: usize = 4;

/// The characters of a row.
pub(super) const ROW_LEN: usize = PLAIN_BYTES / 3 * 4;
/// The characters of a row with a mark.
pub(super) const MARKED_LEN: usize = (PLAIN_BYTES + MARK_BYTES) / 3 * 4;

/// Rows that were read.
#[derive(Debug, Default)]
pub(in super::super) struct ReadRows {
    pub(in super::super) entries: Vec<Entry>,
    pub(in super::super) counts: Found,
}

/// The numbers of rows that were found.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Found {
    /// Rows that the list did not have.
    pub added: u64,
    /// Texts that are no rows, and rows without the mark of the key.
    pub forged: u64,
    /// Rows whose fingerprints were made with other keys.
    pub foreign: u64,
    /// Rows of a later release.
    pub newer: u64,
}

/// The bytes of a text; `None` if it is no base64url of so many bytes.
pub(super) fn decoded<const N: usize>(text: &[u8]) -> Option<[u8; N]> {
    let mut bytes = [0; N];
    if text.len() != N / 3 * 4 {
        return None;
    }
    URL_SAFE_NO_PAD.decode(text, bytes.as_mut_slice().as_out()).ok()?;
    Some(bytes)
}

/// Appends the text of bytes, whose number is a multiple of three.
pub(super) fn encode_onto(text: &mut String, bytes: &[u8]) {
    text.push_str(&URL_SAFE_NO_PAD.encode_to_string(bytes));
}

/// The bytes of an entry, before its mark.
pub(super) fn bytes_of(entry: &Entry, key_id: [u8; KEY_ID_BYTES]) -> [u8; PLAIN_BYTES] {
    let Entry { kind, fingerprint, value, scoped } = *entry;
    let mut bytes = [0; PLAIN_BYTES];
    bytes[0] = VERSION;
    bytes[1] = kind as u8 | if scoped { SCOPED } else { 0 };
    bytes[2..10].copy_from_slice(&fingerprint.id.to_le_bytes());
    bytes[10..18].copy_from_slice(&fingerprint.rest.to_le_bytes());
    bytes[18..26].copy_from_slice(&value.to_le_bytes());
    bytes[26..].copy_from_slice(&key_id);
    bytes
}

/// The id of the keys of a row.
pub(super) fn key_id_of(row: &[u8; PLAIN_BYTES]) -> &[u8] {
    &row[PLAIN_BYTES - KEY_ID_BYTES..]
}

/// The entry of a row; `None` for a row of a later release.
pub(super) fn entry_of(row: &[u8; PLAIN_BYTES]) -> Option<Entry> {
    let number =
        |at: usize| row[at..at + 8].iter().rev().fold(0, |all, b| all << 8 | u64::from(*b));
    let kind = Kind::ALL.get(usize::from(row[1] & !SCOPED)).filter(|_| row[0] == VERSION)?;
    Some(Entry {
        kind: *kind,
        fingerprint: Fingerprint { id: number(2), rest: number(10) },
        value: number(18),
        scoped: row[1] & SCOPED != 0,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_row_is_read_as_it_was_written() {
        let fingerprint = Fingerprint { id: u64::MAX - 7, rest: 0x0102_0304_0506_0708 };
        for kind in Kind::ALL {
            for (value, scoped) in [(0, false), (1_700_000_000, true), (u64::MAX, false)] {
                let entry = Entry { kind, fingerprint, value, scoped };
                let bytes = bytes_of(&entry, [1, 2, 3, 4]);
                assert_eq!(entry_of(&bytes), Some(entry));
                assert_eq!(key_id_of(&bytes), [1, 2, 3, 4]);
                let mut text = String::new();
                encode_onto(&mut text, &bytes);
                assert_eq!(text.len(), ROW_LEN);
                assert_eq!(decoded(text.as_bytes()), Some(bytes));
            }
        }
    }

    #[test]
    fn a_row_of_version_1_has_these_bytes_for_ever() {
        let fingerprint = Fingerprint { id: 1, rest: 2 };
        let entry = Entry { kind: Kind::Session, fingerprint, value: 3, scoped: true };
        let mut text = String::new();
        encode_onto(&mut text, &bytes_of(&entry, [9; 4]));
        assert_eq!(text, "AYEBAAAAAAAAAAIAAAAAAAAAAwAAAAAAAAAJCQkJ");
    }

    #[test]
    fn a_row_of_another_version_or_kind_is_of_a_later_release() {
        let fingerprint = Fingerprint { id: 1, rest: 2 };
        let entry = Entry { kind: Kind::Id, fingerprint, value: 3, scoped: false };
        let bytes = bytes_of(&entry, [0; 4]);
        for (at, value) in [(0, 0), (0, 2), (1, 8), (1, 127), (1, 136)] {
            let mut other = bytes;
            other[at] = value;
            assert_eq!(entry_of(&other), None, "{at} {value}");
        }
    }

    #[test]
    fn a_text_of_another_length_or_alphabet_is_no_row() {
        let mut text = String::new();
        encode_onto(&mut text, &[0xff; PLAIN_BYTES]);
        assert!(decoded::<PLAIN_BYTES>(text.as_bytes()).is_some());
        assert!(decoded::<PLAIN_BYTES>(&text.as_bytes()[1..]).is_none());
        assert!(decoded::<PLAIN_BYTES>(text.replacen('_', "/", 1).as_bytes()).is_none());
    }
}
