//! Changes of bytes, for tests of readers.

use super::random::Random;

/// Bytes on which readers decide: tags, lengths, the marks of PEM and JSON, white space.
const POOL: &[u8] =
    b"\0\x01\x02\x03\x04\x05\x06\x30\xa0\xa1\x7f\x80\x81\x82\x84\xff-\n\r \t=AZ:\\\"";

/// Changes bytes in one to four places, also to parts of others.
pub(crate) fn mutate(random: &mut Random, bytes: &mut Vec<u8>, others: &[&[u8]]) {
    for _ in 0..=random.below(4) {
        let (place, length) = (random.below(bytes.len()), random.below(40));
        let end = (place + length).min(bytes.len());
        match random.below(8) {
            0 => bytes.truncate(place),
            1 => drop(bytes.drain(place..end)),
            2 => bytes.extend_from_within(place..end),
            3 => {
                let other = random.pick(others);
                let start = random.below(other.len());
                let part = &other[start..(start + length).min(other.len())];
                bytes.splice(place..end, part.iter().copied());
            }
            4 => bytes.insert(place, random.pick(POOL)),
            5 => bytes[place..end].fill(random.pick(POOL)),
            // The structure is in the first bytes.
            6 if !bytes.is_empty() => {
                let near = random.below(bytes.len().min(40));
                bytes[near] = random.pick(POOL);
            }
            _ if !bytes.is_empty() => bytes[place] ^= 1 << random.below(8),
            _ => {}
        }
    }
}
