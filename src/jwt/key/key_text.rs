//! The bytes that a text may stand for, as people keep bytes in variables and configuration files:
//! with escapes, as hex, as base64, as a list of numbers; in quotes, or behind the name of the
//! encoding.
//!
//! A reading is only looked at, so it may be wrong: the caller asks whether it is a key file.

use crate::error::Result;
use crate::secret::{Encoding, Secret, TraceGuard};

/// The fewest digits or characters that are decoded: no key file has fewer.
const LEAST: usize = 40;
/// How many times a text is cut at a wrapping to look for hex behind it.
const WRAPPINGS: usize = 4;

/// Whether `is_wanted` holds for a reading of `text`. Errors as for [`Secret::copy_from`].
pub(super) fn any_reading(
    text: &[u8],
    trace: &TraceGuard,
    is_wanted: &mut dyn FnMut(&[u8]) -> Result<bool>,
) -> Result<bool> {
    for (mark, read) in [(b'\\', unescaped as fn(&[u8]) -> Result<Secret>), (b'%', url_decoded)] {
        if memchr::memchr(mark, text).is_some() && is_wanted(read(text)?.expose(trace))? {
            return Ok(true);
        }
    }
    Ok(is_wanted(numbers(text)?.expose(trace))?
        || any_hex(text, trace, is_wanted)?
        || any_base64(text, trace, is_wanted)?)
}

/// Replaces the escapes of JSON, of shells and of programming languages.
fn unescaped(text: &[u8]) -> Result<Secret> {
    Secret::filled_up_to(text.len(), |slot| {
        let mut rest = text;
        let mut length = 0;
        while let [first, after @ ..] = rest {
            (slot[length], rest) = match (first, after) {
                (b'\\', [b'n', after @ ..]) => (b'\n', after),
                (b'\\', [b'r', after @ ..]) => (b'\r', after),
                (b'\\', [b't', after @ ..]) => (b'\t', after),
                (b'\\', [b'x', high, low, after @ ..] | [b'u', _, _, high, low, after @ ..]) => {
                    (number(&[*high, *low], 16), after)
                }
                (b'\\', [a @ b'0'..=b'3', b, c, after @ ..]) => (number(&[*a, *b, *c], 8), after),
                (b'\\', [other, after @ ..]) | (other, after) => (*other, after),
            };
            length += 1;
        }
        Ok(length)
    })
}

/// Replaces the escapes of URLs and of forms.
fn url_decoded(text: &[u8]) -> Result<Secret> {
    Secret::filled_up_to(text.len(), |slot| {
        let mut rest = text;
        let mut length = 0;
        while let [first, after @ ..] = rest {
            (slot[length], rest) = match (first, after) {
                (b'%', [high, low, after @ ..]) => (number(&[*high, *low], 16), after),
                (b'+', after) => (b' ', after),
                (other, after) => (*other, after),
            };
            length += 1;
        }
        Ok(length)
    })
}

/// The byte that these digits stand for; any byte if they are none.
fn number(digits: &[u8], radix: u32) -> u8 {
    let value = digits.iter().fold(0, |value: u32, digit| {
        value * radix + char::from(*digit).to_digit(radix).unwrap_or(0)
    });
    u8::try_from(value).unwrap_or(0)
}

/// The bytes of a list of decimal numbers, as JSON and the printers of arrays write it. Strings are
/// skipped: names of members, and the indices that JSON gives a typed array. Negative numbers are
/// the upper half of the bytes. Empty if there is no such list.
fn numbers(text: &[u8]) -> Result<Secret> {
    Secret::filled_up_to(text.len() / 2 + 1, |slot| {
        let mut length = 0;
        // A quote may stand before JSON.
        let start = text.iter().position(|byte| b"[{".contains(byte)).unwrap_or_default();
        let text = &text[start..];
        // Every second part is within quotes.
        'text: for part in text.split(|byte| *byte == b'"').step_by(2) {
            for word in part.split(|byte| b" \t\r\n,;:[]{}".contains(byte)) {
                let word = std::str::from_utf8(word).unwrap_or("?");
                match word.parse::<i16>().ok().and_then(byte_of) {
                    Some(byte) => {
                        slot[length] = byte;
                        length += 1;
                    }
                    None if word.is_empty() => {}
                    None if length >= LEAST => break 'text,
                    None => length = 0,
                }
            }
        }
        Ok(if length < LEAST { 0 } else { length })
    })
}

fn byte_of(value: i16) -> Option<u8> {
    u8::try_from(value).ok().or_else(|| i8::try_from(value).ok().map(i8::cast_unsigned))
}

/// Whether `is_wanted` holds for the bytes of a hex dump, which may be wrapped: in quotes after a
/// letter, or behind a name.
fn any_hex(
    text: &[u8],
    trace: &TraceGuard,
    is_wanted: &mut dyn FnMut(&[u8]) -> Result<bool>,
) -> Result<bool> {
    let mut rest = text;
    for _ in 0..WRAPPINGS {
        let digits = hex_digits(rest)?;
        if digits.len() >= LEAST
            && let Some(bytes) = Secret::decoded(digits.expose(trace), Encoding::Hex)?
            && is_wanted(bytes.expose(trace))?
        {
            return Ok(true);
        }
        let Some(wrapping) = rest.iter().position(|byte| b"'\"`:=,".contains(byte)) else { break };
        rest = &rest[wrapping + 1..];
    }
    Ok(false)
}

/// The digits of a hex dump, without separators such as colons and white space, and without the
/// prefixes `0x` and `\x`. A word that is not hex ends the dump, or stands before it.
fn hex_digits(text: &[u8]) -> Result<Secret> {
    Secret::filled_up_to(text.len(), |slot| {
        let mut length = 0;
        for word in text.split(|byte| !byte.is_ascii_alphanumeric()) {
            let word = match word {
                [b'0', b'x' | b'X', digits @ ..] | [b'x' | b'X', digits @ ..] => digits,
                word => word,
            };
            if word.iter().all(u8::is_ascii_hexdigit) {
                slot[length..length + word.len()].copy_from_slice(word);
                length += word.len();
            } else if length >= LEAST {
                break;
            } else {
                length = 0;
            }
        }
        Ok(length)
    })
}

/// Whether `is_wanted` holds for what base64 or base64url in the text stands for: each run of its
/// characters, or all of them together, if they are lines in quotes.
fn any_base64(
    text: &[u8],
    trace: &TraceGuard,
    is_wanted: &mut dyn FnMut(&[u8]) -> Result<bool>,
) -> Result<bool> {
    let runs = base64_runs(text)?;
    let runs = runs.expose(trace);
    let is_long = |run: &&[u8]| run.len() >= LEAST;
    let mut decode = |run: &[u8]| match Secret::decoded(run, Encoding::Base64Url)? {
        Some(bytes) => is_wanted(bytes.expose(trace)),
        None => Ok(false),
    };
    for run in runs.split(|byte| *byte == b' ').filter(is_long) {
        if decode(run)? {
            return Ok(true);
        }
    }
    let mut all = runs.split(|byte| *byte == b' ').filter(|run| !run.is_empty());
    let Some(first) = all.position(|run| is_long(&run)) else { return Ok(false) };
    if all.next().is_none() {
        return Ok(false);
    }
    let joined = Secret::filled_up_to(runs.len(), |slot| {
        let mut length = 0;
        let all = runs.split(|byte| *byte == b' ').filter(|run| !run.is_empty());
        for run in all.skip(first) {
            slot[length..length + run.len()].copy_from_slice(run);
            length += run.len();
        }
        Ok(length)
    })?;
    decode(joined.expose(trace))
}

/// The runs of base64 in a text, as base64url with a space between them. White space and NUL do not
/// end a run.
fn base64_runs(text: &[u8]) -> Result<Secret> {
    Secret::filled_up_to(text.len(), |slot| {
        let mut length = 0;
        for byte in text.iter().filter(|byte| !is_skipped(**byte)) {
            slot[length] = match byte {
                b'+' => b'-',
                b'/' => b'_',
                b'-' | b'_' => *byte,
                other if other.is_ascii_alphanumeric() => *other,
                _ => b' ',
            };
            length += 1;
        }
        Ok(length)
    })
}

/// Whether the byte is white space or NUL, which is every other byte of ASCII text in UTF-16.
pub(super) fn is_skipped(byte: u8) -> bool {
    byte == 0 || byte.is_ascii_whitespace()
}
