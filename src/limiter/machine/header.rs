//! The first page of the file, as words in the byte order of the machine.
//!
//! | words | content |
//! |---|---|
//! | 0 to 11 | fixed: see [`word`] |
//! | 12 | SipHash-1-3 of the words before, under the secret of the fingerprints |
//! | 16 to 20 | read by every call, and seldom written |
//! | 24, 32 | counters |
//! | 64, 128, 192 | sets of limits: the first one, and two that take turns |
//!
//! A set is 11 words for each of four limits: limit and burst, the window in milliseconds, the
//! length of the name and whether it is strict, and the name; then a SipHash-1-3 of these words and
//! the generation of the limits. The set that is not in use is written first, and the generation,
//! which selects it, afterwards, so a writer that is killed changes nothing.

use std::sync::atomic::{AtomicU64, Ordering};

use crate::limiter::fingerprint::Fingerprinter;
use crate::limiter::limit::{Limit, Limits, MAX_LIMITS, checked};
use crate::limiter::on_full::OnFull;
use crate::limiter::quota::{Algorithm, Quota};
use crate::limiter::table::check_max_keys;

/// The length of the header, in words: a page.
pub(super) const LEN: usize = 512;

/// `NSlimit` and the version of the file, which also shows the byte order.
pub(super) const MAGIC: u64 = u64::from_be_bytes(*b"NSlimit\x01");

/// Places of words.
pub(super) mod word {
    pub(in super::super) const MAGIC: usize = 0;
    /// Bytes of the file.
    pub(in super::super) const FILE_LEN: usize = 1;
    pub(in super::super) const MAX_KEYS: usize = 2;
    /// The number of limits, the algorithm and `onFull`, as bytes from the lowest.
    pub(in super::super) const SHAPE: usize = 3;
    /// The secret of the fingerprints.
    pub(in super::super) const KEY: usize = 4;
    /// The start of the machine, a text of up to 48 bytes.
    pub(in super::super) const BOOT: usize = 6;
    pub(in super::super) const CHECKSUM: usize = 12;
    /// How often the limits were changed.
    pub(in super::super) const GENERATION: usize = 16;
    /// How far behind its buckets a key has ever been.
    pub(in super::super) const WALK: usize = 17;
    /// No key behind its buckets has a larger word.
    pub(in super::super) const WALK_UNTIL: usize = 18;
    /// No overflow cell has a larger word.
    pub(in super::super) const OVERFLOW_UNTIL: usize = 19;
    /// No block ends later.
    pub(in super::super) const BLOCK_UNTIL: usize = 20;
    pub(in super::super) const EVICTIONS: usize = 24;
    pub(in super::super) const OVERFLOWS: usize = 32;
    /// The limits with which the file was made.
    pub(in super::super) const FIRST_SET: usize = 64;
    /// The limits of an even and of an odd generation.
    pub(in super::super) const SETS: [usize; 2] = [128, 192];
}

const BOOT_LEN: usize = 48;
const LIMIT_LEN: usize = 11;
const SET_LEN: usize = MAX_LIMITS * LIMIT_LEN;

/// The parameters of a file. They do not change.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Shape {
    pub max_keys: usize,
    pub limits: usize,
    pub algorithm: Algorithm,
    pub on_full: OnFull,
}

/// The fixed words.
pub(super) struct Fixed {
    pub file_len: u64,
    pub shape: Shape,
    pub key: [u8; 16],
    pub boot: String,
}

/// By the number of each in a file.
const ON_FULL: [OnFull; 3] = [OnFull::Evict, OnFull::Deny, OnFull::Allow];

impl Fixed {
    /// The words of a header with these limits.
    pub(super) fn encode(&self, limits: &Limits) -> [u64; LEN] {
        let mut words = [0; LEN];
        let shape = self.shape;
        let is_fixed = shape.algorithm == Algorithm::FixedWindow;
        let on_full = ON_FULL.iter().position(|known| *known == shape.on_full).unwrap_or(0);
        words[word::MAGIC] = MAGIC;
        words[word::FILE_LEN] = self.file_len;
        words[word::MAX_KEYS] = shape.max_keys as u64;
        words[word::SHAPE] =
            shape.limits as u64 | u64::from(is_fixed) << 8 | (on_full as u64) << 16;
        put(&mut words[word::KEY..], &self.key);
        let boot = self.boot.as_bytes();
        put(&mut words[word::BOOT..], &boot[..boot.len().min(BOOT_LEN)]);
        let fingerprinter = Fingerprinter::with_key(self.key);
        words[word::CHECKSUM] = checksum(&fingerprinter, &words[..word::CHECKSUM]);
        for start in [word::FIRST_SET, word::SETS[0]] {
            let set = encode_set(limits, &fingerprinter, 0);
            words[start..start + set.len()].copy_from_slice(&set);
        }
        words
    }

    /// The fixed words of a header, if it is one of this version.
    pub(super) fn decode(words: &[u64]) -> Option<Self> {
        let boot: [u64; BOOT_LEN / 8] = *words.get(word::BOOT..)?.first_chunk()?;
        let key = bytes(words.get(word::KEY..word::BOOT)?);
        let key: [u8; 16] = key.try_into().ok()?;
        let sum = checksum(&Fingerprinter::with_key(key), words.get(..word::CHECKSUM)?);
        if words[word::MAGIC] != MAGIC || *words.get(word::CHECKSUM)? != sum {
            return None;
        }
        let [limits, algorithm, on_full, ..] = words[word::SHAPE].to_le_bytes();
        let shape = Shape {
            max_keys: usize::try_from(words[word::MAX_KEYS]).ok()?,
            limits: usize::from(limits),
            algorithm: if algorithm == 0 { Algorithm::Gcra } else { Algorithm::FixedWindow },
            on_full: *ON_FULL.get(usize::from(on_full))?,
        };
        if !(1..=MAX_LIMITS).contains(&shape.limits) || check_max_keys(shape.max_keys).is_err() {
            return None;
        }
        let boot = String::from_utf8(bytes(&boot)).ok()?.trim_end_matches('\0').to_owned();
        Some(Self { file_len: words[word::FILE_LEN], shape, key, boot })
    }
}

/// The words of a set of limits.
pub(super) fn encode_set(
    limits: &Limits,
    fingerprinter: &Fingerprinter,
    generation: u64,
) -> [u64; SET_LEN + 1] {
    let mut words = [0; SET_LEN + 1];
    for (limit, words) in limits.iter().zip(words.chunks_exact_mut(LIMIT_LEN)) {
        let (quota, name) = (limit.quota(), limit.name());
        words[0] = u64::from(quota.limit()) | u64::from(quota.burst()) << 32;
        words[1] = quota.window_ms();
        words[2] = name.len() as u64 | u64::from(quota.is_strict()) << 32;
        put(&mut words[3..], name.as_bytes());
    }
    words[SET_LEN] = set_checksum(fingerprinter, &words[..SET_LEN], generation);
    words
}

/// The limits of a set that lies at `start`, if it is whole.
pub(super) fn decode_set(
    header: &[AtomicU64],
    start: usize,
    shape: &Shape,
    fingerprinter: &Fingerprinter,
    generation: u64,
) -> Option<Limits> {
    let words = header.get(start..=start + SET_LEN)?;
    let words: Vec<u64> = words.iter().map(|word| word.load(Ordering::Acquire)).collect();
    if words[SET_LEN] != set_checksum(fingerprinter, &words[..SET_LEN], generation) {
        return None;
    }
    let mut limits = Vec::new();
    for words in words.chunks_exact(LIMIT_LEN).take(shape.limits) {
        let [limit, burst] = [words[0] & u64::from(u32::MAX), words[0] >> 32].map(u32::try_from);
        let (limit, burst) = (limit.ok()?, burst.ok()?);
        let quota = match (shape.algorithm, words[2] >> 32) {
            (Algorithm::FixedWindow, _) => Quota::fixed_window(limit, words[1]),
            (Algorithm::Gcra, 0) => Quota::new(limit, words[1], Some(burst)),
            (Algorithm::Gcra, _) => Quota::strict(limit, words[1], Some(burst)),
        };
        let name = bytes(&words[3..]);
        let len = usize::try_from(words[2] & u64::from(u32::MAX)).ok()?;
        let name = std::str::from_utf8(name.get(..len)?).ok()?;
        limits.push(Limit::new(name, quota.ok()?).ok()?);
    }
    checked(limits).ok()
}

/// Makes the fixed words and the checksums of a changed file right, so that its form decides.
#[cfg(any(test, feature = "fuzz"))]
pub(super) fn mended(words: &mut [u64], boot: &str) {
    words[word::MAGIC] = MAGIC;
    words[word::FILE_LEN] = words.len() as u64 * 8;
    words[word::BOOT..word::CHECKSUM].fill(0);
    put(&mut words[word::BOOT..word::CHECKSUM], boot.as_bytes());
    let mut key = [0; 16];
    key.copy_from_slice(&bytes(&words[word::KEY..word::BOOT]));
    let fingerprinter = Fingerprinter::with_key(key);
    words[word::CHECKSUM] = checksum(&fingerprinter, &words[..word::CHECKSUM]);
    let generation = words[word::GENERATION];
    let present = word::SETS[usize::from(generation & 1 == 1)];
    for (start, generation) in [(word::FIRST_SET, 0), (present, generation)] {
        let end = start + SET_LEN;
        words[end] = set_checksum(&fingerprinter, &words[start..end], generation);
    }
}

fn set_checksum(fingerprinter: &Fingerprinter, words: &[u64], generation: u64) -> u64 {
    checksum(fingerprinter, words) ^ generation
}

fn checksum(fingerprinter: &Fingerprinter, words: &[u64]) -> u64 {
    fingerprinter.checksum(&bytes(words))
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
