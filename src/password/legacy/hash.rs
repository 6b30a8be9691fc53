//! A hash of another scheme: its limits, its memory, and the comparison with a password.

use super::bcrypt::{self, Bcrypt};
use super::ceilings::Ceilings;
use super::pbkdf2::{self, Pbkdf2};
use super::salted::{self, Salted};
use super::scrypt::Scrypt;
use crate::error::Result;
use crate::password::limits::DigestLimits;
use crate::password::phc::{Digest, malformed};

/// The content of a text that belongs to one of the schemes.
#[derive(Clone, Debug)]
pub(crate) enum ParsedLegacy {
    /// A hash of another scheme.
    Legacy(LegacyHash),
    /// An Argon2 digest with another tool's name, such as Django's `argon2$argon2id$…`.
    Argon2(Digest),
    /// Django's mark of a user without a password: `!` and any text.
    Unusable,
}

impl ParsedLegacy {
    /// Parses an Argon2 digest to which another tool has added its own name.
    pub(super) fn argon2(text: &str) -> Result<Self> {
        let digest = Digest::parse(text)?;
        digest
            .map(Self::Argon2)
            .ok_or_else(|| malformed("its prefix says Argon2, but it is not an Argon2 digest"))
    }
}

/// A hash of another scheme.
#[derive(Clone, Debug)]
pub enum LegacyHash {
    /// bcrypt.
    Bcrypt(Bcrypt),
    /// scrypt, RFC 7914.
    Scrypt(Scrypt),
    /// PBKDF2, RFC 8018.
    Pbkdf2(Pbkdf2),
    /// One HMAC.
    Salted(Salted),
}

impl LegacyHash {
    /// Fails with `ERR_PASSWORD_LIMIT`, before any work, if the hash asks for more than the limits
    /// allow.
    pub fn check(&self, limits: &DigestLimits, ceilings: &Ceilings) -> Result<()> {
        match self {
            Self::Bcrypt(hash) => hash.check(ceilings),
            Self::Scrypt(hash) => hash.check(limits, ceilings),
            Self::Pbkdf2(hash) => hash.check(ceilings),
            // Its work is that of reading the password.
            Self::Salted(_) => Ok(()),
        }
    }

    /// Bytes of working memory. Never 0, because the queue never refuses a job of 0 bytes as busy.
    pub fn memory_len(&self) -> u64 {
        match self {
            Self::Bcrypt(_) => bcrypt::MEMORY_LEN,
            Self::Scrypt(hash) => hash.memory_len(),
            Self::Pbkdf2(_) => pbkdf2::MEMORY_LEN,
            Self::Salted(_) => salted::MEMORY_LEN,
        }
    }

    /// Whether the scheme changes this spelling of the password before it hashes it. A new hash of
    /// it would shut out the other spellings, which match this one.
    pub fn respells(&self, password: &[u8]) -> bool {
        match self {
            Self::Bcrypt(hash) => hash.respells(password),
            Self::Scrypt(hash) => hash.respells(password),
            Self::Pbkdf2(_) | Self::Salted(_) => false,
        }
    }

    /// Whether the password matches this hash; the comparison takes constant time. Fails with
    /// `ERR_PASSWORD_MEMORY` if the memory is not available.
    ///
    /// No password matches that only NUL bytes of padding tell from a shorter one, after the same
    /// work: a new hash of it would shut the shorter one out.
    pub fn matches(&self, password: &[u8]) -> Result<bool> {
        let (matches, is_padded) = match self {
            Self::Bcrypt(hash) => (hash.matches(password), hash.pads(password)),
            // HMAC, by which these begin, pads its key with NUL bytes (RFC 2104 section 2).
            Self::Scrypt(hash) => (hash.matches(password)?, password.ends_with(&[0])),
            Self::Pbkdf2(hash) => (hash.matches(password), password.ends_with(&[0])),
            // Here the password is HMAC's message.
            Self::Salted(hash) => (hash.matches(password), false),
        };
        Ok(matches && !is_padded)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::password::legacy::{better_auth, pbkdf2, scrypt};

    #[test]
    fn only_a_password_that_its_scheme_changes_is_another_spelling() {
        let stored = format!("{}:{}", "0a".repeat(16), "0b".repeat(64));
        let normalizing = LegacyHash::Scrypt(better_auth::parse(&stored).unwrap().unwrap());
        let (nfd, nfc) = ("e\u{301}".as_bytes(), "\u{e9}".as_bytes());
        assert!(normalizing.respells(nfd) && normalizing.respells("\u{fb01}".as_bytes()));
        for same in [nfc, b"", b"\xff", b" a b "] {
            assert!(!normalizing.respells(same), "{same:?}");
        }
        let phc = |name: &str| format!("${name}$c2FsdA$AAAAAAAAAAAAAAAAAAAAAA");
        let plain = [
            LegacyHash::Scrypt(scrypt::parse(&phc("scrypt$ln=4,r=1,p=1")).unwrap().unwrap()),
            LegacyHash::Pbkdf2(pbkdf2::parse(&phc("pbkdf2$i=1000")).unwrap().unwrap()),
        ];
        assert!(plain.iter().all(|hash| !hash.respells(nfd)));
    }
}
