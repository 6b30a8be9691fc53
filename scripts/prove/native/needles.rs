//! Searches for many byte strings in one pass.

use std::collections::HashMap;
use std::io::{self, Read};

/// The minimum length of a string. 64 bits are enough that no string is found by chance.
const MIN_LEN: usize = 8;
/// The number of bytes read from a file at a time.
const CHUNK: usize = 4 << 20;
/// Zeros are skipped in steps of this many bytes.
const PAGE: usize = 4096;

/// The strings, and a filter over their first four bytes. Nearly all other bytes fail the filter.
pub(crate) struct Needles {
    strings: Vec<Vec<u8>>,
    by_head: HashMap<u32, Vec<u32>>,
    filter: Vec<u64>,
    longest: usize,
}

/// With 64 bits per word the filter has 2^18 bits, which stay in the CPU's cache.
const FILTER_WORDS_LOG2: u32 = 12;

/// A string that was found, and the place where it begins.
pub(crate) struct Found {
    pub needle: u32,
    pub at: usize,
}

impl Needles {
    /// `None` if a string is too short, or if there is none.
    pub(crate) fn new(strings: Vec<Vec<u8>>) -> Option<Self> {
        let mut by_head = HashMap::<u32, Vec<u32>>::new();
        let mut filter = vec![0; 1 << FILTER_WORDS_LOG2];
        for (index, string) in (0_u32..).zip(&strings) {
            let head = head(string).filter(|_| string.len() >= MIN_LEN)?;
            let (word, bit) = filter_place(head);
            filter[word] |= 1_u64 << bit;
            by_head.entry(head).or_default().push(index);
        }
        let longest = strings.iter().map(Vec::len).max()?;
        Some(Self { strings, by_head, filter, longest })
    }

    /// Starts a search at place 0.
    pub(crate) fn search(&self) -> Search<'_> {
        Search { needles: self, bytes: Vec::new(), start: 0, hits: Vec::new() }
    }

    /// Calls `found` for every place where a whole string lies within `bytes`.
    fn find(&self, bytes: &[u8], mut found: impl FnMut(usize, u32)) {
        let finds_zeros = self.by_head.contains_key(&0);
        for start in (0..bytes.len()).step_by(PAGE) {
            // The first four bytes of a string may begin in this page and end in the next.
            let page = &bytes[start..bytes.len().min(start + PAGE + 3)];
            // A process never writes to most of the memory that it reserves.
            if !finds_zeros && page.iter().all(|byte| *byte == 0) {
                continue;
            }
            for (offset, window) in page.windows(4).enumerate() {
                let head = u32::from_le_bytes([window[0], window[1], window[2], window[3]]);
                let (word, bit) = filter_place(head);
                if self.filter[word] >> bit & 1 == 0 {
                    continue;
                }
                for index in self.by_head.get(&head).into_iter().flatten() {
                    if bytes[start + offset..].starts_with(&self.strings[*index as usize]) {
                        found(start + offset, *index);
                    }
                }
            }
        }
    }
}

/// A search over bytes that arrive in pieces. It also finds a string that spans two pieces.
pub(crate) struct Search<'a> {
    needles: &'a Needles,
    /// The last bytes received, for strings that continue in the next piece.
    bytes: Vec<u8>,
    /// The place of the first of `bytes`.
    start: usize,
    pub hits: Vec<Found>,
}

impl Search<'_> {
    /// Continues at another place. No string spans the gap.
    pub(crate) fn jump(&mut self, place: usize) {
        self.bytes.clear();
        self.start = place;
    }

    /// Searches the next bytes.
    pub(crate) fn feed(&mut self, bytes: &[u8]) {
        // The carried bytes are fewer than the longest string. A string that ends within them has
        // been reported before and is skipped below.
        let carried = self.bytes.len();
        self.bytes.extend_from_slice(bytes);
        let (needles, start, hits) = (self.needles, self.start, &mut self.hits);
        needles.find(&self.bytes, |at, needle| {
            if at + needles.strings[needle as usize].len() > carried {
                hits.push(Found { needle, at: start + at });
            }
        });
        let done = self.bytes.len().saturating_sub(needles.longest - 1);
        self.bytes.drain(..done);
        self.start += done;
    }

    /// Searches all bytes of a reader. Returns their number.
    pub(crate) fn all(&mut self, mut reader: impl Read) -> io::Result<usize> {
        let mut chunk = vec![0; CHUNK];
        let mut total = 0;
        loop {
            let read = reader.read(&mut chunk)?;
            if read == 0 {
                return Ok(total);
            }
            total += read;
            self.feed(&chunk[..read]);
        }
    }
}

fn head(string: &[u8]) -> Option<u32> {
    string.first_chunk().map(|head| u32::from_le_bytes(*head))
}

fn filter_place(head: u32) -> (usize, u32) {
    // Knuth's multiplicative hash: the highest bits are mixed best.
    let hash = head.wrapping_mul(0x9e37_79b1) >> (32 - FILTER_WORDS_LOG2 - 6);
    ((hash >> 6) as usize, hash & 63)
}
