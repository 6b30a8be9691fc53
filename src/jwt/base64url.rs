//! Base64url without padding (RFC 4648 section 5, RFC 7515 appendix C), strict: no padding, no
//! white space, and the unused bits of the last character must be zero, so that one byte string
//! has one text.
//!
//! Our own because it is a large part of a token's cost: whole groups of characters from tables, in
//! both directions. Not constant-time; it only ever sees what is public.

const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

/// Marks a character outside the alphabet: above the 24 bits of a group.
const INVALID: u32 = 1 << 31;

/// The two characters of 12 bits.
static PAIRS: [[u8; 2]; 4096] = {
    let mut table = [[0; 2]; 4096];
    let mut bits = 0;
    while bits < 4096 {
        table[bits] = [ALPHABET[bits >> 6], ALPHABET[bits & 63]];
        bits += 1;
    }
    table
};

/// A character's bits at each of the four places of a group.
#[expect(clippy::cast_possible_truncation, reason = "six bits")]
static VALUES: [[u32; 256]; 4] = {
    let mut table = [[INVALID; 256]; 4];
    let mut place = 0;
    while place < 4 {
        let mut value = 0;
        while value < 64 {
            table[place][ALPHABET[value] as usize] = (value as u32) << (18 - 6 * place);
            value += 1;
        }
        place += 1;
    }
    table
};

/// Characters that `bytes` bytes take.
pub const fn encoded_len(bytes: usize) -> usize {
    bytes / 3 * 4 + [0, 2, 3][bytes % 3]
}

/// Appends the text of `bytes`.
pub fn encode_into(bytes: &[u8], out: &mut Vec<u8>) {
    let start = out.len();
    out.resize(start + encoded_len(bytes.len()), 0);
    let (groups, last) = out[start..].as_chunks_mut::<4>();
    let (triples, rest) = bytes.as_chunks::<3>();
    for (group, &[a, b, c]) in groups.iter_mut().zip(triples) {
        let bits = usize::from(a) << 16 | usize::from(b) << 8 | usize::from(c);
        let [high, low] = [PAIRS[bits >> 12], PAIRS[bits & 0xfff]];
        *group = [high[0], high[1], low[0], low[1]];
    }
    match *rest {
        [a] => last.copy_from_slice(&PAIRS[usize::from(a) << 4]),
        [a, b] => {
            let bits = usize::from(a) << 10 | usize::from(b) << 2;
            let [first, second] = PAIRS[bits >> 6];
            last.copy_from_slice(&[first, second, ALPHABET[bits & 63]]);
        }
        _ => {}
    }
}

/// The text of `bytes`.
pub fn encode(bytes: &[u8]) -> String {
    let mut out = Vec::new();
    encode_into(bytes, &mut out);
    out.into_iter().map(char::from).collect()
}

/// Replaces the contents of `out` with the bytes of `text`; `None` when it is not canonical.
pub fn decode_into(text: &[u8], out: &mut Vec<u8>) -> Option<()> {
    let (groups, rest) = text.as_chunks::<4>();
    let tail = match rest.len() {
        0 => 0,
        1 => return None,
        characters => characters - 1,
    };
    out.clear();
    out.resize(groups.len() * 3 + tail, 0);
    let (triples, last) = out.as_chunks_mut::<3>();
    let bits = |group: &[u8]| {
        let values =
            VALUES.iter().zip(group).map(|(table, &character)| table[usize::from(character)]);
        values.fold(0, |bits, value| bits | value)
    };
    let mut seen = 0;
    for (triple, group) in triples.iter_mut().zip(groups) {
        let bits = bits(group);
        seen |= bits;
        let [_, a, b, c] = bits.to_be_bytes();
        *triple = [a, b, c];
    }
    let tail_bits = bits(rest);
    last.copy_from_slice(&tail_bits.to_be_bytes()[1..=tail]);
    // The bits of the last characters that no byte takes must be zero.
    let unused = tail_bits & (0x00ff_ffff >> (8 * tail));
    ((seen | tail_bits) & INVALID == 0 && (tail == 0 || unused == 0)).then_some(())
}

/// The bytes of `text`; `None` when it is not canonical.
pub fn decode(text: &[u8]) -> Option<Vec<u8>> {
    let mut out = Vec::new();
    decode_into(text, &mut out)?;
    Some(out)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn round_trips_and_agrees_with_the_library() {
        use ::base64::Engine as _;
        use ::base64::engine::general_purpose::URL_SAFE_NO_PAD;

        let mut bytes = Vec::new();
        for step in 0..300_u32 {
            let text = encode(&bytes);
            assert_eq!(text, URL_SAFE_NO_PAD.encode(&bytes));
            assert_eq!(text.len(), encoded_len(bytes.len()));
            assert_eq!(decode(text.as_bytes()).as_deref(), Some(&bytes[..]));
            bytes.push((step.wrapping_mul(2_654_435_761) >> 24) as u8);
        }
    }

    #[test]
    fn every_character_in_every_place() {
        use ::base64::Engine as _;
        use ::base64::engine::general_purpose::URL_SAFE_NO_PAD;

        for length in 1..=8 {
            for place in 0..length {
                for character in 0..=255 {
                    let mut text = vec![b'A'; length];
                    text[place] = character;
                    assert_eq!(
                        decode(&text),
                        URL_SAFE_NO_PAD.decode(&text).ok(),
                        "{length} {place} {character}"
                    );
                }
            }
        }
    }
}
