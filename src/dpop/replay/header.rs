//! The words before the entries of a table, in the byte order of the machine.
//!
//! | words | content |
//! |---|---|
//! | 0 to 15 | fixed: see [`word`] |
//! | 16 | SipHash-2-4 of the words before, under the secret of the fingerprints |
//! | 24, 25 | the state of the table |

use siphasher::sip::SipHasher24;

use super::size::{MAX_ENTRIES, MIN_ENTRIES, slots_for};
use crate::error::{Code, Result};
use crate::id::random_bytes;
use crate::machine_file::{self, Subject};

/// The length of the header, in words: a page.
pub(super) const LEN: usize = 512;

/// `NSdpop`, a zero, and the version of the file, which also shows the byte order.
const MAGIC: u64 = u64::from_be_bytes(*b"NSdpop\0\x01");

pub(super) const SUBJECT: Subject = Subject {
    code: Code::DpopFile,
    name: "replay cache",
    elsewhere: "DpopReplayCache.shared",
    size: "maxEntries",
};

/// Places of words.
pub(super) mod word {
    pub(in super::super) const MAGIC: usize = 0;
    /// Bytes of the file.
    pub(in super::super) const FILE_LEN: usize = 1;
    pub(in super::super) const MAX_ENTRIES: usize = 2;
    /// The second since 1970 from which the times of entries count.
    pub(in super::super) const BASE: usize = 3;
    /// The secret of the fingerprints.
    pub(in super::super) const KEY: usize = 4;
    /// The key of the nonces.
    pub(in super::super) const NONCE_KEY: usize = 6;
    /// The start of the machine, a text of up to 48 bytes; empty in memory of the process.
    pub(in super::super) const BOOT: usize = 10;
    pub(in super::super) const CHECKSUM: usize = 16;
    /// The longest age of a proof that any checker accepts, in seconds.
    pub(in super::super) const LONGEST_AGE: usize = 24;
    /// Proofs that were made up to this second since [`BASE`] may have been forgotten.
    pub(in super::super) const FORGOTTEN: usize = 25;
}

const BOOT_LEN: usize = (word::CHECKSUM - word::BOOT) * 8;

/// The fixed words.
#[derive(Clone)]
pub(super) struct Fixed {
    pub max_entries: usize,
    pub base: u64,
    pub key: [u8; 16],
    pub nonce_key: [u8; 32],
    pub boot: String,
}

impl Fixed {
    /// The fixed words of a new table. Its times count from `now`. Every proof up to this second
    /// may have been used before: a predecessor may have ended in the same second.
    pub(super) fn new(max_entries: usize, now: u64, boot: String) -> Result<Self> {
        let (mut key, mut nonce_key) = ([0; 16], [0; 32]);
        random_bytes(&mut key)?;
        random_bytes(&mut nonce_key)?;
        Ok(Self { max_entries, base: now, key, nonce_key, boot })
    }

    /// The words of a new table.
    pub(super) fn encode(&self) -> [u64; LEN] {
        let mut words = [0; LEN];
        words[word::MAGIC] = MAGIC;
        words[word::FILE_LEN] = self.len() * 8;
        words[word::MAX_ENTRIES] = self.max_entries as u64;
        words[word::BASE] = self.base;
        put(&mut words[word::KEY..], &self.key);
        put(&mut words[word::NONCE_KEY..], &self.nonce_key);
        let boot = self.boot.as_bytes();
        put(&mut words[word::BOOT..], &boot[..boot.len().min(BOOT_LEN)]);
        words[word::CHECKSUM] = checksum(&self.key, &words[..word::CHECKSUM]);
        words
    }

    /// The length of the table with its header, in words.
    pub(super) fn len(&self) -> u64 {
        (LEN + slots_for(self.max_entries)) as u64
    }
}

impl machine_file::Fixed for Fixed {
    const SUBJECT: Subject = SUBJECT;
    const LEN: usize = LEN;

    fn decode(words: &[u64]) -> Option<Self> {
        let key: [u8; 16] = bytes(words.get(word::KEY..word::NONCE_KEY)?).try_into().ok()?;
        let sum = checksum(&key, words.get(..word::CHECKSUM)?);
        if words[word::MAGIC] != MAGIC || *words.get(word::CHECKSUM)? != sum {
            return None;
        }
        let boot = String::from_utf8(bytes(&words[word::BOOT..word::CHECKSUM])).ok()?;
        let fixed = Self {
            max_entries: usize::try_from(words[word::MAX_ENTRIES]).ok()?,
            base: words[word::BASE],
            key,
            nonce_key: bytes(&words[word::NONCE_KEY..word::BOOT]).try_into().ok()?,
            boot: boot.trim_end_matches('\0').to_owned(),
        };
        let is_sized = (MIN_ENTRIES..=MAX_ENTRIES).contains(&fixed.max_entries);
        (is_sized && words[word::FILE_LEN] == fixed.len() * 8).then_some(fixed)
    }

    fn file_len(&self) -> Option<u64> {
        Some(self.len() * 8)
    }

    fn boot(&self) -> &str {
        &self.boot
    }
}

fn checksum(key: &[u8; 16], words: &[u64]) -> u64 {
    SipHasher24::new_with_key(key).hash(&bytes(words))
}

fn put(words: &mut [u64], bytes: &[u8]) {
    for (word, bytes) in words.iter_mut().zip(bytes.chunks(8)) {
        let mut whole = [0; 8];
        whole[..bytes.len()].copy_from_slice(bytes);
        *word = u64::from_ne_bytes(whole);
    }
}

fn bytes(words: &[u64]) -> Vec<u8> {
    words.iter().flat_map(|word| word.to_ne_bytes()).collect()
}
