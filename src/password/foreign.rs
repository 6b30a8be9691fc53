//! Recognizes hashes of schemes that this crate does not read, or that are not enabled. No password
//! matches them; all other texts that are no digest are an error, because the caller has passed
//! the wrong thing.

use base64ct::{Base64, Encoding};

use super::params::Algorithm;

/// Lengths of digests in Base64, in bytes: MD5, SHA-1 and SHA-2, and those with salts.
const LENGTHS: [usize; 13] = [8, 16, 20, 24, 28, 30, 32, 36, 40, 48, 49, 61, 64];

/// Digits of the shortest digest in hexadecimal, that of old databases, and of MD5, from which on
/// any length is a digest's.
const HEX_DIGITS: (usize, usize) = (16, 32);

/// The first characters of longer hashes in Base64: those of ASP.NET Identity, version 3, and of
/// files of the program `scrypt`, which begin with its name and a NUL.
const BASE64_BEGINNINGS: [&str; 2] = ["AQAAAA", "c2NyeXB0A"];

/// The longest name of a scheme or an encoder, in bytes.
const MAX_NAME: usize = 48;

/// Whether a text looks like the hash of another scheme, or marks a user without a password.
pub(super) fn is_foreign(text: &str) -> bool {
    let is_printable = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_graphic());
    is_printable
        && (is_mark(text)
            || is_in_braces(text)
            || is_named(text)
            || text.starts_with("grub.pbkdf2.")
            || is_counted(text)
            || is_hex(text)
            || is_hex_after_prefix(text)
            || has_digest(text)
            || is_base64(text)
            || is_des(text))
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

/// `scheme$…` of Django and Werkzeug. The name of an Argon2 variant stands after a `$`: without it
/// the beginning is missing.
fn is_named(text: &str) -> bool {
    text.split_once('$').is_some_and(|(name, rest)| {
        is_name(name) && !rest.is_empty() && Algorithm::from_name(name).is_none()
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
    let between_hex = [':', '.', ',', ';', '|', '#', '-'];
    let has_hex = || text.split(between_hex).any(is_hex);
    let has_base64 = || text.split([':', ',', ';', '|', '#']).any(is_base64);
    text.contains(between_hex) && (has_hex() || has_base64())
}

/// A digest in padded Base64.
fn is_base64(text: &str) -> bool {
    let is_long = BASE64_BEGINNINGS.iter().any(|beginning| text.starts_with(beginning));
    Base64::decode_vec(text).is_ok_and(|bytes| is_long || LENGTHS.contains(&bytes.len()))
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
mod tests {
    use super::*;

    #[test]
    fn hashes_of_other_schemes_are_recognized() {
        for text in [
            "!",
            "!fDvlEPcFdWZhzzNUHw4b0N9xuD0",
            "*LK*",
            "*2470C0C06DEE42FD1618BB99005ADCA2EC9D1E19",
            "{SSHA}DkMTwBl+a/3DQTxCYEApdUtNXGgdUac3",
            "{noop}password",
            "{argon2@SpringSecurity_v5_8}$argon2id$v=19$m=16384,t=2,p=1$c2FsdA$AAAA",
            "{SHA512-CRYPT}$6$salt$hash",
            "sha1$salt$aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa",
            "unsalted_md5$$5f4dcc3b5aa765d61d8327deb882cf99",
            "pbkdf2_sha256$1000$seasalt$AAAA",
            "pbkdf2:sha256:600000$salt$aaaa",
            "scrypt:32768:8:1$salt$aaaa",
            "argon2$argon2id$v=19$m=8,t=1,p=1$c2FsdHNhbHQ$AAAA",
            "SCRAM-SHA-256$4096:c2FsdA==$AAAA:AAAA",
            "sha1:64000:18:c2FsdA==:AAAA",
            "5f4dcc3b5aa765d61d8327deb882cf99",
            "5BAA61E4C9B93F3F0682250B6CF8331B7EE68FD8",
            "5f4dcc3b5aa765d61d8327deb882cf99:salt",
            "0123456789abcdef0123456789abcdef:5f4dcc3b5aa765d61d8327deb882cf99",
            "X03MO1qnZdYdgyfeuILPmQ==",
            "AQAAAAEAACcQAAAAEAAAAAAAAAAAAAAAAAAAAACqqqqqqqqqqg==",
            "0x01004FC9594BE9B9A48AC37DA12E4D25EE4C236A28D2D74C4BEF",
            "grub.pbkdf2.sha512.25000.8A919252AA754E09.CA8E0D1FD977F894",
            "{FSHP1|16|480000}m9OaMwZASEmJkTLGeG9tbbqz",
            // PostgreSQL, MediaWiki, Lucia, Redis, RabbitMQ, CouchDB, the program scrypt, and the
            // snippets for Node's scrypt and PBKDF2.
            "md5bed128365216c019988915ed3add75fb",
            ":A:5f4dcc3b5aa765d61d8327deb882cf99",
            ":B:12ab:5f4dcc3b5aa765d61d8327deb882cf99",
            ":pbkdf2:sha512:30000:64:c2FsdHNhbHRzYWx0c2FsdA==:X03MO1qnZdYdgyfeuILPmQ==",
            "s2:c2FsdA:5f4dcc3b5aa765d61d8327deb882cf99",
            "#5e884898da28047151d0e56f8dc6292773603d0d6aabbdd62a11ef721d1542d8",
            "kI3GCqW5JLMJa4iX1lo7X4D6XbYqlLgxIs30+P6tENUV2POR",
            "-pbkdf2-5baa61e4c9b93f3f0682250b6cf8331b7ee68fd8,f00d,10",
            "c2NyeXB0AAwAAAAIAAAAAZ/+bp8gWcTZgEC7YQZeLLyxFeKRRdDkwbaGeFC0NkdUr/YFAWYwxdOH4i/1Npp7",
            "5f4dcc3b5aa765d61d8327deb882cf995f4dcc3b5aa765d6.73616c7473616c74",
            &"5f4dcc3b5aa765d6".repeat(64),
            "rqXexS6ZhobKA",
            "_/...lLDAxARksGCHin.",
        ] {
            assert!(is_foreign(text), "{text}");
        }
    }

    #[test]
    fn other_texts_are_not() {
        for text in [
            "",
            "$",
            "password",
            "correct horse battery staple",
            "argon2id$v=19$m=64,t=1,p=1$c29tZXNhbHQ$AAAAAAAAAAAAAAAAAAAAAA",
            "argon2id",
            "{}x",
            "{name}",
            "name$",
            "a b$c",
            "5f4dcc3b5aa765d61d8327deb882cf9",
            "5f4dcc3b5aa765d61d8327deb882cf99\n",
            "deadbeef",
            "undefined",
            "[object Object]",
            "user@example.com",
            "localhost:5432",
            "192.168.100.200",
            "550e8400-e29b-41d4-a716-446655440000",
            "https://service.example/users/17?sort=name",
            "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiJhIn0.c2ln",
            "{\"hash\":\"5f4d\"}",
            "123456789012345678",
            "2026-11-29T08:38:41.000Z",
        ] {
            assert!(!is_foreign(text), "{text}");
        }
    }
}
