//! Seals a ring, for storage or for other processes, and opens it again.
//!
//! The seal is the one of [`crate::secret`], with a kind of its own. The plaintext in format 1 is
//! `format (1) ‖ maxTokenTtl (8) ‖ jwksMaxAge (8) ‖ alg ‖ number of keys (4)`, then for each key
//! `state (1) ‖ since (8) ‖ alg ‖ kid ‖ material (1) ‖ length (4) ‖ bytes`. Numbers are big-endian,
//! and times are in seconds. `alg` and `kid` are a length (2) and UTF-8. The material of a revoked
//! key is nothing (0). The material of a next or active key, and of every HMAC key, is its original
//! (1): the secret or PKCS#8. The material of any other key is its public JWK (2).

use std::sync::Arc;

use super::book::{Book, RingEntry};
use super::options::{MAX_RING_KEYS, RingOptions};
use super::ring::KeyRing;
use super::state::{KeyInfo, KeyState};
use crate::clock::Clock;
use crate::error::{Code, Error, Result};
use crate::jwt::algorithm::Algorithm;
use crate::jwt::key::key::Key;
use crate::secret::{Depth, SealKind, Secret, TraceGuard};

const FORMAT: u8 = 1;
const STATES: [KeyState; 4] =
    [KeyState::Next, KeyState::Active, KeyState::Retired, KeyState::Revoked];
const NOTHING: u8 = 0;
const ORIGINAL: u8 = 1;
const PUBLIC_JWK: u8 = 2;

/// Options that may differ from the sealed ones when a ring is opened. `None` keeps the sealed
/// value.
#[derive(Clone, Copy, Debug, Default)]
pub struct RingOverrides {
    /// See [`RingOptions`].
    pub algorithm: Option<Algorithm>,
    /// See [`RingOptions`].
    pub max_token_ttl: Option<u64>,
    /// See [`RingOptions`].
    pub jwks_max_age: Option<u64>,
    /// This option is never sealed, because at most one of the processes that open a ring may
    /// rotate it.
    pub rotate_every: Option<u64>,
}

impl RingOverrides {
    /// Whether `options` have every value that is given here.
    pub fn agree_with(&self, options: &RingOptions) -> bool {
        self.algorithm.is_none_or(|own| own == options.algorithm)
            && self.max_token_ttl.is_none_or(|own| own == options.max_token_ttl)
            && self.jwks_max_age.is_none_or(|own| own == options.jwks_max_age)
            && self.rotate_every.is_none_or(|own| Some(own) == options.rotate_every)
    }
}

impl KeyRing {
    /// Seals the ring with its private keys. Only `key`, which has 32 bytes or more, opens it.
    /// Errors: `ERR_SECRET_EXHAUSTED`, `ERR_RANDOM`.
    pub fn seal(&self, key: &Secret) -> Result<Vec<u8>> {
        let book = self.read();
        let mut pieces = vec![Piece::Open(head(&self.options, book.entries().len())?)];
        for entry in book.entries() {
            write_entry(&mut pieces, entry)?;
        }
        // The originals are copied from their slots straight into this one.
        let plain = TraceGuard::run(Depth::Registers, |trace| {
            let length = pieces.iter().map(|piece| piece.bytes(trace).len()).sum();
            Secret::filled(length, |slot| {
                let mut rest = slot;
                for piece in &pieces {
                    let bytes = piece.bytes(trace);
                    let (room, after) = rest.split_at_mut(bytes.len());
                    room.copy_from_slice(bytes);
                    rest = after;
                }
                Ok(())
            })
        })?;
        plain.seal(key, SealKind::Ring, b"")
    }

    /// Opens a ring that [`KeyRing::seal`] sealed. `ERR_SECRET_SEAL` if the seal does not open, or
    /// if the plaintext has another format; `ERR_OUT_OF_RANGE` if the options do not fit together;
    /// `ERR_JWT_KEY` if a key in it is invalid.
    pub fn unseal(
        sealed: &[u8],
        key: &Secret,
        overrides: RingOverrides,
        clock: Arc<dyn Clock>,
    ) -> Result<Arc<Self>> {
        let plain = Secret::unseal(sealed, key, SealKind::Ring, b"")?;
        TraceGuard::run(Depth::Registers, |trace| {
            Self::read_plain(plain.expose(trace), overrides, clock)
        })
    }

    fn read_plain(
        plain: &[u8],
        overrides: RingOverrides,
        clock: Arc<dyn Clock>,
    ) -> Result<Arc<Self>> {
        let mut reader = Reader(plain);
        if reader.byte()? != FORMAT {
            return Err(unreadable());
        }
        let (max_token_ttl, jwks_max_age) = (reader.number()?, reader.number()?);
        let algorithm = reader.algorithm()?;
        let options = RingOptions {
            algorithm: overrides.algorithm.unwrap_or(algorithm),
            max_token_ttl: overrides.max_token_ttl.unwrap_or(max_token_ttl),
            jwks_max_age: overrides.jwks_max_age.unwrap_or(jwks_max_age),
            rotate_every: overrides.rotate_every,
        };
        let mut book = Book::new(options);
        let keys = reader.length()?;
        if keys > MAX_RING_KEYS {
            return Err(unreadable());
        }
        book.reserve(keys)?;
        for _ in 0..keys {
            let (info, key) = read_entry(&mut reader)?;
            book.restore(info, key);
        }
        if !reader.0.is_empty() {
            return Err(unreadable());
        }
        Self::with(book, options, clock)
    }
}

/// A part of the plaintext.
enum Piece<'a> {
    Open(Vec<u8>),
    Secret(&'a Secret),
}

impl Piece<'_> {
    fn bytes<'a>(&'a self, trace: &'a TraceGuard) -> &'a [u8] {
        match self {
            Self::Open(bytes) => bytes,
            Self::Secret(secret) => secret.expose(trace),
        }
    }
}

fn head(options: &RingOptions, keys: usize) -> Result<Vec<u8>> {
    let mut head = vec![FORMAT];
    head.extend(options.max_token_ttl.to_be_bytes());
    head.extend(options.jwks_max_age.to_be_bytes());
    write_text(&mut head, options.algorithm.name())?;
    head.extend(length(keys)?);
    Ok(head)
}

fn write_entry<'a>(pieces: &mut Vec<Piece<'a>>, entry: &'a RingEntry) -> Result<()> {
    let KeyInfo { kid, algorithm, state, since } = &entry.info;
    let number = STATES.iter().position(|known| known == state).unwrap_or_default();
    let mut open = vec![u8::try_from(number).unwrap_or_default()];
    open.extend(since.to_be_bytes());
    write_text(&mut open, algorithm.name())?;
    write_text(&mut open, kid)?;
    let key = entry.signing.as_ref().or(entry.verifying.as_ref());
    if let Some(original) = key.and_then(|key| key.original()) {
        open.push(ORIGINAL);
        open.extend(length(original.len())?);
        pieces.extend([Piece::Open(open), Piece::Secret(original)]);
        return Ok(());
    }
    let jwk = key.and_then(|key| key.public_jwk());
    open.push(if jwk.is_some() { PUBLIC_JWK } else { NOTHING });
    let jwk = jwk.unwrap_or_default();
    open.extend(length(jwk.len())?);
    open.extend(jwk.as_bytes());
    pieces.push(Piece::Open(open));
    Ok(())
}

fn read_entry(reader: &mut Reader<'_>) -> Result<(KeyInfo, Option<Arc<Key>>)> {
    let state = *STATES.get(usize::from(reader.byte()?)).ok_or_else(unreadable)?;
    let since = reader.number()?;
    let algorithm = reader.algorithm()?;
    let kid = reader.text()?.to_owned();
    let (material, len) = (reader.byte()?, reader.length()?);
    let bytes = reader.take(len)?;
    let key = match material {
        NOTHING if state == KeyState::Revoked => None,
        ORIGINAL if algorithm.is_symmetric() => {
            Some(Key::from_secret(bytes, algorithm, Some(&kid))?)
        }
        ORIGINAL => Some(Key::from_pkcs8(bytes, algorithm, Some(&kid))?),
        PUBLIC_JWK if state == KeyState::Retired => {
            let json = std::str::from_utf8(bytes).map_err(|_| unreadable())?;
            Some(Key::from_public_jwk(json, algorithm, Some(&kid))?)
        }
        _ => return Err(unreadable()),
    };
    Ok((KeyInfo { kid, algorithm, state, since }, key.map(Arc::new)))
}

fn write_text(out: &mut Vec<u8>, text: &str) -> Result<()> {
    out.extend(u16::try_from(text.len()).map_err(|_| too_large())?.to_be_bytes());
    out.extend(text.as_bytes());
    Ok(())
}

fn length(length: usize) -> Result<[u8; 4]> {
    Ok(u32::try_from(length).map_err(|_| too_large())?.to_be_bytes())
}

/// The bytes that have not been read yet.
struct Reader<'a>(&'a [u8]);

impl<'a> Reader<'a> {
    fn take(&mut self, len: usize) -> Result<&'a [u8]> {
        let (taken, rest) = self.0.split_at_checked(len).ok_or_else(unreadable)?;
        self.0 = rest;
        Ok(taken)
    }

    fn array<const N: usize>(&mut self) -> Result<[u8; N]> {
        self.take(N)?.try_into().map_err(|_| unreadable())
    }

    fn byte(&mut self) -> Result<u8> {
        Ok(self.array::<1>()?[0])
    }

    fn number(&mut self) -> Result<u64> {
        Ok(u64::from_be_bytes(self.array()?))
    }

    fn length(&mut self) -> Result<usize> {
        usize::try_from(u32::from_be_bytes(self.array()?)).map_err(|_| unreadable())
    }

    fn text(&mut self) -> Result<&'a str> {
        let len = u16::from_be_bytes(self.array()?);
        std::str::from_utf8(self.take(usize::from(len))?).map_err(|_| unreadable())
    }

    fn algorithm(&mut self) -> Result<Algorithm> {
        Algorithm::named(self.text()?).ok_or_else(unreadable)
    }
}

fn unreadable() -> Error {
    Error::new(
        Code::SecretSeal,
        "the sealed ring has a format that this version does not support; update @nodesec/native",
    )
}

fn too_large() -> Error {
    Error::new(Code::OutOfRange, "the ring is too large to seal; use fewer keys")
}
