//! Recognizes hashes of schemes that this crate does not read, or that are not enabled. No password
//! matches them; all other texts that are no digest are an error, because the caller has passed
//! the wrong thing.

use base64ct::{Base64, Base64Unpadded, Base64Url, Base64UrlUnpadded, Encoding};

use super::params::Algorithm;

/// Lengths of digests in Base64, in bytes: MD5, SHA-1 and SHA-2, and those with salts.
const LENGTHS: [usize; 13] = [8, 16, 20, 24, 28, 30, 32, 36, 40, 48, 49, 61, 64];

/// Lengths of digests in base64url, or in Base64 without its padding: those of SHA-2.
const LENGTHS_OF_SHA2: [usize; 3] = [32, 48, 64];

/// Digits of the shortest digest in hexadecimal, that of old databases, and of MD5, from which on
/// any length is a digest's.
const HEX_DIGITS: (usize, usize) = (16, 32);

/// The first characters of longer hashes in Base64: those of ASP.NET Identity, version 3, and of
/// files of the program `scrypt`, which begin with its name and a NUL.
const BASE64_BEGINNINGS: [&str; 2] = ["AQAAAA", "c2NyeXB0A"];

/// The longest name of a scheme or an encoder, in bytes.
const MAX_NAME: usize = 48;

/// The least bytes after a name in colons, which may be anything.
const MIN_AFTER_NAME: usize = 16;

/// Whether a text looks like the hash of another scheme, or marks a user without a password.
pub(super) fn is_foreign(text: &str) -> bool {
    if begins_as_argon2(text) {
        return false;
    }
    let is_printable = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_graphic());
    let has_form = is_printable
        && (is_mark(text)
            || is_in_braces(text)
            || is_named(text)
            || is_in_colons(text)
            || is_after_dollar(text)
            || is_lotus(text)
            || text.starts_with("grub.pbkdf2.")
            || is_counted(text)
            || is_hex(text)
            || is_hex_after_prefix(text)
            || has_digest(text)
            || is_base64(text)
            || is_des(text));
    has_form || is_salted(text)
}

/// An Argon2 digest that is damaged, or whose first `$` is missing.
fn begins_as_argon2(text: &str) -> bool {
    let parts = text.strip_prefix('$').unwrap_or(text).split_once('$');
    parts.is_some_and(|(name, _)| Algorithm::from_name(name).is_some())
}

/// A digest whose salt has any characters, also spaces and letters that are not ASCII, or that has
/// a space itself.
fn is_salted(text: &str) -> bool {
    if text.starts_with('$') || text.chars().any(char::is_control) {
        return false;
    }
    let is_digest = |part: &str| is_hex(part) || is_base64(part);
    // `md5$salt$digest` of Django.
    let has_name = || {
        let parts = text.split_once('$').filter(|(name, _)| is_name(name));
        let tag = parts.and_then(|(_, rest)| rest.rsplit_once('$'));
        tag.is_some_and(|(_, tag)| is_digest(tag))
    };
    // `digest{salt}` of Symfony and of old Spring Security, `digest{name}` of Bugzilla.
    let has_braces = || {
        let parts = text.strip_suffix('}').and_then(|text| text.split_once('{'));
        parts.is_some_and(|(tag, salt)| !salt.is_empty() && (is_digest(tag) || has_digest(tag)))
    };
    // `digest:salt` and `salt:digest`.
    let has_colon = || {
        text.split_once(':').is_some_and(|(tag, _)| is_digest(tag))
            || text.rsplit_once(':').is_some_and(|(_, tag)| is_digest(tag))
    };
    // `{x-issha, 1024}digest` of SAP.
    let is_in_braces = || {
        let parts = text.strip_prefix('{').and_then(|text| text.split_once('}'));
        parts.is_some_and(|(names, tag)| names.split(", ").all(is_name) && is_digest(tag))
    };
    has_name() || has_braces() || has_colon() || is_in_braces() || is_base64_twice(text)
}

/// Salt and digest in padded Base64, one after the other (Umbraco) or with a space between (Solr).
fn is_base64_twice(text: &str) -> bool {
    let Some(start) = text.find('=') else { return false };
    let padding = text[start..].bytes().take_while(|byte| *byte == b'=').count();
    let (salt, tag) = text.split_at(start + padding);
    is_base64(salt) && is_base64(tag.strip_prefix(' ').unwrap_or(tag))
}

/// `!` and `*`, with which Django and Unix mark a user without a password. Hashes of `MySQL` begin
/// like that, too.
fn is_mark(text: &str) -> bool {
    text.starts_with(['!', '*'])
}

/// `{SCHEME}…` of LDAP, Dovecot and Spring Security.
fn is_in_braces(text: &str) -> bool {
    let parts = text.strip_prefix('{').and_then(|text| text.split_once('}'));
    parts.is_some_and(|(name, rest)| is_name(name) && !rest.is_empty())
}

/// `scheme$…` of Django and Werkzeug.
fn is_named(text: &str) -> bool {
    text.split_once('$').is_some_and(|(name, rest)| is_name(name) && !rest.is_empty())
}

/// `:bcrypt:10:…` of `MediaWiki` and `#jbcrypt:$2a$…` of Jenkins.
fn is_in_colons(text: &str) -> bool {
    let in_colons = |text: &str, beginning: &str| {
        text.split_once(':').is_some_and(|(name, rest)| {
            is_name(name) && rest.starts_with(beginning) && rest.len() >= MIN_AFTER_NAME
        })
    };
    text.strip_prefix(':').is_some_and(|text| in_colons(text, ""))
        || text.strip_prefix('#').is_some_and(|text| in_colons(text, "$"))
}

/// `$HMACSHA512:210000:…` of Jenkins, and `$H\2y$…` of phpBB, which hashed an old hash again.
fn is_after_dollar(text: &str) -> bool {
    let Some(rest) = text.strip_prefix('$') else { return false };
    let is_twice = rest.split_once('$').is_some_and(|(names, rest)| {
        names.contains('\\') && names.split('\\').all(is_name) && !rest.is_empty()
    });
    is_twice || is_counted(rest)
}

/// `(G…)` and `(H…)` of Lotus Domino.
fn is_lotus(text: &str) -> bool {
    let inside = text.strip_prefix('(').and_then(|text| text.strip_suffix(')'));
    let is_base64 = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'/');
    inside.is_some_and(|inside| {
        inside.len() >= 20 && inside.starts_with(['G', 'H']) && inside.bytes().all(is_base64)
    })
}

/// `sha1:64000:18:…`: a name and a number.
fn is_counted(text: &str) -> bool {
    let mut parts = text.split(':');
    let (name, number) = (parts.next().unwrap_or(""), parts.next().unwrap_or(""));
    let is_number = !number.is_empty() && number.bytes().all(|byte| byte.is_ascii_digit());
    // A time begins with a digit.
    let is_name = is_name(name) && name.starts_with(|first: char| first.is_ascii_alphabetic());
    is_name && is_number && parts.next().is_some_and(|rest| !rest.is_empty())
}

/// A digest in hexadecimal.
fn is_hex(text: &str) -> bool {
    let (shortest, any_from) = HEX_DIGITS;
    let is_hex = text.bytes().all(|byte| byte.is_ascii_hexdigit());
    is_hex && text.len().is_multiple_of(2) && (text.len() == shortest || text.len() >= any_from)
}

/// `0x0100…` of SQL Server and `md5…` of `PostgreSQL`.
fn is_hex_after_prefix(text: &str) -> bool {
    let is_hex = |digits: &str| digits.len() >= HEX_DIGITS.1 && is_hex(digits);
    ["0x", "md5"].iter().any(|prefix| text.strip_prefix(prefix).is_some_and(is_hex))
}

/// Several parts with a digest among them: `salt:hash`, `hash.salt`, `:B:salt:hash`.
fn has_digest(text: &str) -> bool {
    let between_hex = [':', '.', ',', ';', '|', '#', '-', '$'];
    let has_hex = || text.split(between_hex).any(is_hex);
    let has_base64 = || text.split([':', ',', ';', '|', '#']).any(is_base64);
    // A token has parts without padding.
    let has_padded = || text.split(['.', '$']).any(|part| part.ends_with('=') && is_base64(part));
    text.contains(between_hex) && (has_hex() || has_base64() || has_padded())
}

/// A digest in Base64. Without padding, or in base64url, a word could be one, too.
fn is_base64(text: &str) -> bool {
    if let Ok(bytes) = Base64::decode_vec(text) {
        let is_long = BASE64_BEGINNINGS.iter().any(|beginning| text.starts_with(beginning));
        return is_long || LENGTHS.contains(&bytes.len());
    }
    if text.ends_with('=') {
        return Base64Url::decode_vec(text).is_ok_and(|bytes| LENGTHS.contains(&bytes.len()));
    }
    let has = |is: fn(&u8) -> bool| text.as_bytes().iter().any(is);
    has(u8::is_ascii_uppercase)
        && has(u8::is_ascii_lowercase)
        && Base64Unpadded::decode_vec(text)
            .or_else(|_| Base64UrlUnpadded::decode_vec(text))
            .is_ok_and(|bytes| LENGTHS_OF_SHA2.contains(&bytes.len()))
}

/// The traditional hash of Unix with DES, or the extended one of BSD, which begins with `_`.
fn is_des(text: &str) -> bool {
    let is_base64 = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'/');
    match text.strip_prefix('_') {
        Some(rest) => rest.len() == 19 && rest.bytes().all(is_base64),
        None => text.len() == 13 && text.bytes().all(is_base64),
    }
}

fn is_name(text: &str) -> bool {
    let is_part = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.:+@/=|".contains(&byte);
    (1..=MAX_NAME).contains(&text.len()) && text.bytes().all(is_part)
}

#[cfg(test)]
mod tests;
