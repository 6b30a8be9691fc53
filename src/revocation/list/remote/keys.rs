//! The keys that all machines of a list have: of fingerprints, and of the marks of rows.

use ring::digest::{SHA256, digest};
use ring::{hkdf, hmac};
use zeroize::Zeroizing;

use super::row::{
    Found, KEY_ID_BYTES, MARK_BYTES, MARKED_LEN, PLAIN_BYTES, ROW_LEN, ReadRows, bytes_of, decoded,
    encode_onto, entry_of, key_id_of,
};
use crate::error::{Code, Error, Result};
use crate::id::random_bytes;
use crate::revocation::fingerprint::{Fingerprinter, KEYS_LEN};
use crate::revocation::list::state::Entry;
use crate::secret::{Depth, Locked, Secret, TraceGuard, ct_eq};

/// The shortest key of a caller, in bytes.
const MIN_KEY_LEN: usize = 32;

const SALT: &[u8] = b"@nodesec/native redis revocations 1";

/// The keys of a list across machines.
///
/// A caller's key is expanded by HKDF to keys of fingerprints and a key of marks. Then a server,
/// and others that can write to it, learn no id and revoke nothing. Without a key the machines draw
/// keys of fingerprints and have them on the server. Anybody could compute hashes without a key for
/// guessed ids, and make collisions of `SipHash` under keys that everybody knows.
pub struct RemoteKeys {
    fingerprinter: Fingerprinter,
    /// Tells the keys of fingerprints from others.
    id: [u8; KEY_ID_BYTES],
    mark: Option<Locked<hmac::Key>>,
    is_provisional: bool,
}

impl RemoteKeys {
    /// Derives the keys of a list whose names begin with `prefix`, so that no row of it is valid
    /// under another. Fails with `ERR_OUT_OF_RANGE` if `key` is too short.
    pub fn derive(key: &Secret, prefix: &str) -> Result<Self> {
        if key.len() < MIN_KEY_LEN {
            let message = format!("key must have at least {MIN_KEY_LEN} bytes");
            return Err(Error::new(Code::OutOfRange, message));
        }
        let (keys, mark) = TraceGuard::run(Depth::Cipher, |trace| {
            let root = hkdf::Salt::new(hkdf::HKDF_SHA256, SALT).extract(key.expose(trace));
            let mut keys = Zeroizing::new(vec![0; KEYS_LEN]);
            let info = [&b"fingerprints "[..], prefix.as_bytes()];
            let derived = root.expand(&info, FingerprintKeys);
            derived.and_then(|derived| derived.fill(&mut keys)).map_err(|_| underivable())?;
            let info = [&b"mark "[..], prefix.as_bytes()];
            let mark = root.expand(&info, hmac::HMAC_SHA256).map(hmac::Key::from);
            Ok::<_, Error>((keys, Locked::new(mark.map_err(|_| underivable())?)?))
        })?;
        Ok(Self { mark: Some(mark), ..Self::shared(&keys)? })
    }

    /// Uses keys of fingerprints that are on the server. Fails with `ERR_REVOCATION_STORE` if they
    /// have another length.
    pub fn shared(keys: &[u8]) -> Result<Self> {
        let fingerprinter = Fingerprinter::new(keys).ok_or_else(|| {
            let message = "the server has no keys of fingerprints of this release; use the release \
                           that wrote them, or another prefix";
            Error::new(Code::RevocationStore, message)
        })?;
        let mut id = [0; KEY_ID_BYTES];
        id.copy_from_slice(&digest(&SHA256, keys).as_ref()[..KEY_ID_BYTES]);
        Ok(Self { fingerprinter, id, mark: None, is_provisional: false })
    }

    /// Keys for a list that waits for those on the server. It takes no revocations under them.
    pub fn provisional() -> Result<Self> {
        let mut keys = Zeroizing::new(vec![0; KEYS_LEN]);
        random_bytes(&mut keys)?;
        Ok(Self { is_provisional: true, ..Self::shared(&keys)? })
    }

    pub(super) fn is_provisional(&self) -> bool {
        self.is_provisional
    }

    pub(super) fn fingerprinter(&self) -> &Fingerprinter {
        &self.fingerprinter
    }

    /// Whether both make the same fingerprints, as far as their ids tell.
    pub(super) fn is(&self, other: &Self) -> bool {
        self.id == other.id && self.mark.is_some() == other.mark.is_some()
    }

    /// Reads texts, separated by commas. A text may have several rows.
    pub(super) fn read(&self, texts: &str) -> ReadRows {
        let mut read = ReadRows::default();
        let texts = texts.split(',').filter(|text| !text.is_empty()).map(str::as_bytes);
        match &self.mark {
            None => {
                for text in texts {
                    read_rows::<ROW_LEN>(text, &mut read, |text, read| {
                        self.take(decoded(text), read);
                    });
                }
            }
            // One guard for all, because it takes longer than a mark.
            Some(mark) => TraceGuard::run(Depth::Hmac, |trace| {
                let mark = mark.expose(trace);
                for text in texts {
                    read_rows::<MARKED_LEN>(text, &mut read, |text, read| {
                        self.take(genuine(text, mark), read);
                    });
                }
            }),
        }
        read
    }

    fn take(&self, row: Option<[u8; PLAIN_BYTES]>, read: &mut ReadRows) {
        let Found { forged, foreign, newer, .. } = &mut read.counts;
        match row {
            None => *forged += 1,
            Some(row) => match entry_of(&row) {
                None => *newer += 1,
                Some(_) if key_id_of(&row) != self.id => *foreign += 1,
                Some(entry) => read.entries.push(entry),
            },
        }
    }

    /// The texts of rows, one after another.
    pub(super) fn write(&self, entries: &[Entry]) -> String {
        let rows = entries.iter().map(|entry| bytes_of(entry, self.id));
        let mut text = String::with_capacity(entries.len() * MARKED_LEN);
        match &self.mark {
            None => rows.for_each(|row| encode_onto(&mut text, &row)),
            Some(mark) => TraceGuard::run(Depth::Hmac, |trace| {
                let mark = mark.expose(trace);
                for row in rows {
                    encode_onto(&mut text, &row);
                    encode_onto(&mut text, &hmac::sign(mark, &row).as_ref()[..MARK_BYTES]);
                }
            }),
        }
        text
    }
}

/// The row of a text, if its mark is right.
fn genuine(text: &[u8], mark: &hmac::Key) -> Option<[u8; PLAIN_BYTES]> {
    let bytes = decoded::<{ PLAIN_BYTES + MARK_BYTES }>(text)?;
    let (row, own) = bytes.split_first_chunk()?;
    ct_eq(own, &hmac::sign(mark, row).as_ref()[..MARK_BYTES]).then_some(*row)
}

/// Calls `each` with the rows of a text. A text of another length is one row, which is none.
fn read_rows<const LEN: usize>(
    text: &[u8],
    read: &mut ReadRows,
    mut each: impl FnMut(&[u8], &mut ReadRows),
) {
    if text.len().is_multiple_of(LEN) {
        text.chunks_exact(LEN).for_each(|row| each(row, read));
    } else {
        each(text, read);
    }
}

/// The length of the keys of fingerprints.
struct FingerprintKeys;

impl hkdf::KeyType for FingerprintKeys {
    fn len(&self) -> usize {
        KEYS_LEN
    }
}

fn underivable() -> Error {
    Error::new(Code::Internal, "the keys of a list across machines cannot be derived")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::revocation::fingerprint::Fingerprint;
    use crate::revocation::list::state::Kind;

    fn entry(id: u64) -> Entry {
        let fingerprint = Fingerprint { id, rest: 7 };
        Entry { kind: Kind::Id, fingerprint, value: 1_700_000_000, scoped: false }
    }

    fn of(byte: u8) -> RemoteKeys {
        under(byte, "nodesec:revocations")
    }

    fn under(byte: u8, prefix: &str) -> RemoteKeys {
        RemoteKeys::derive(&Secret::copy_from(&[byte; 32]).unwrap(), prefix).unwrap()
    }

    #[test]
    fn equal_keys_make_equal_fingerprints_and_read_each_others_rows() {
        let (one, other) = (of(1), of(1));
        assert!(one.is(&other));
        let entries: Vec<_> = (0..5).map(entry).collect();
        let text = one.write(&entries);
        assert_eq!(text.len(), 5 * MARKED_LEN);
        let read = other.read(&format!("{},{}", &text[..MARKED_LEN], &text[MARKED_LEN..]));
        assert_eq!((read.entries, read.counts), (entries, Found::default()));
    }

    #[test]
    fn a_row_under_another_key_or_without_a_mark_is_forged() {
        let plain = RemoteKeys::shared(&[7; KEYS_LEN]).unwrap();
        let copied = under(1, "shop").write(&[entry(1)]);
        for text in [of(2).write(&[entry(1)]), copied, plain.write(&[entry(1)]), "AYEB".into()] {
            let ReadRows { entries, counts } = of(1).read(&text);
            assert_eq!((entries.len(), counts), (0, Found { forged: 1, ..Found::default() }));
        }
    }

    #[test]
    fn each_changed_character_of_a_marked_row_makes_it_forged() {
        let keys = of(1);
        let text = keys.write(&[entry(1)]);
        for at in 0..text.len() {
            let mut changed = text.clone().into_bytes();
            changed[at] = if changed[at] == b'A' { b'B' } else { b'A' };
            let read = keys.read(str::from_utf8(&changed).unwrap());
            assert_eq!((read.entries.len(), read.counts.forged), (0, 1), "{at}");
        }
    }

    #[test]
    fn rows_under_other_shared_keys_are_foreign_and_rows_of_later_releases_are_newer() {
        let [one, other] = [7, 8].map(|byte| RemoteKeys::shared(&[byte; KEYS_LEN]).unwrap());
        assert!(!one.is(&other));
        let counts = one.read(&other.write(&[entry(1), entry(2)])).counts;
        assert_eq!(counts, Found { foreign: 2, ..Found::default() });
        let later = format!("Ag{}", &one.write(&[entry(1)])[2..]);
        assert_eq!(one.read(&later).counts, Found { newer: 1, ..Found::default() });
    }

    #[test]
    fn a_short_key_and_keys_of_another_length_are_refused() {
        let short = Secret::copy_from(&[1; 31]).unwrap();
        assert_eq!(RemoteKeys::derive(&short, "p").err().unwrap().code, Code::OutOfRange);
        let other = RemoteKeys::shared(&[1; KEYS_LEN - 1]).err().unwrap();
        assert_eq!(other.code, Code::RevocationStore);
    }
}
