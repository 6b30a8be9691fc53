//! Recognizes hashes of schemes that this crate does not read, or that are not enabled. No password
//! matches them; all other texts that are no digest are an error, because the caller has passed
//! the wrong thing.

use base64ct::{Base64, Encoding};

use super::params::Algorithm;

/// Lengths of the digests of old databases, MD5, SHA-1 and SHA-2, and of those with salts, in
/// bytes.
const LENGTHS: [usize; 12] = [8, 16, 20, 24, 28, 30, 32, 40, 48, 49, 61, 64];

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
            || is_long_hex(text)
            || is_salted_hex(text)
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
    is_name(name) && is_number && parts.next().is_some_and(|rest| !rest.is_empty())
}

/// `0x0100…` of SQL Server.
fn is_long_hex(text: &str) -> bool {
    text.strip_prefix("0x")
        .is_some_and(|text| text.len() >= 48 && text.bytes().all(|byte| byte.is_ascii_hexdigit()))
}

/// A digest in hexadecimal.
fn is_hex(text: &str) -> bool {
    let is_hex = text.bytes().all(|byte| byte.is_ascii_hexdigit());
    is_hex && text.len().is_multiple_of(2) && LENGTHS.contains(&(text.len() / 2))
}

/// `salt:hash` or `hash:salt`, with the hash in hexadecimal.
fn is_salted_hex(text: &str) -> bool {
    let parts = text.split_once(':');
    parts.is_some_and(|(a, b)| !a.is_empty() && !b.is_empty() && (is_hex(a) || is_hex(b)))
}

/// A digest in padded Base64; one of ASP.NET Identity has any length.
fn is_base64(text: &str) -> bool {
    Base64::decode_vec(text)
        .is_ok_and(|bytes| text.starts_with("AQAAAA") || LENGTHS.contains(&bytes.len()))
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
            "rqXexS6ZhobKA",
            "_J9..XXXXb1y.YgmNbbM",
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
        ] {
            assert!(!is_foreign(text), "{text}");
        }
    }
}
