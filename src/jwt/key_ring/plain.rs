//! The content of a ring as bytes, before they are sealed.
//!
//! Format 2 is `format (1) ‖ maxTokenTtl (8) ‖ jwksMaxAge (8) ‖ alg ‖ rotateEvery (8) ‖ version
//! (8) ‖ times ‖ spent ids ‖ number of keys (4)`, then for each key `state (1) ‖ since (8) ‖ alg ‖
//! kid ‖ material (1) ‖ length (4) ‖ bytes`. Numbers are big-endian, and times are in seconds.
//! `alg` and `kid` are a length (2) and UTF-8. `rotateEvery` is 0 for never, and always in a sealed
//! ring. `times` is a length (4) and the proven time, or nothing in a sealed ring. The spent ids
//! are their number (4) and 16 bytes each. The state of a key that the ring made has the bit 128.
//! The material of a revoked key is nothing (0). The material of a next or active key, and of every
//! HMAC key, is its original (1): the secret or PKCS#8. The material of any other key is its public
//! JWK (2).
//!
//! Format 1 has no `rotateEvery`, version, times and spent ids, and no bit 128.

use std::sync::Arc;

use super::book::Book;
use super::entries::RingEntries;
use super::entry::{Origin, RingEntry};
use super::options::{MAX_RING_KEYS, RingOptions};
use super::spent::{SpentId, SpentIds, no_memory};
use super::state::{KeyInfo, KeyState};
use crate::error::{Code, Error, Result};
use crate::jwt::algorithm::Algorithm;
use crate::jwt::key::key::Key;
use crate::secret::{Depth, Secret, TraceGuard, ct_eq};

const FORMAT_1: u8 = 1;
const FORMAT_2: u8 = 2;
const STATES: [KeyState; 4] =
    [KeyState::Next, KeyState::Active, KeyState::Retired, KeyState::Revoked];
const MADE: u8 = 128;
const NOTHING: u8 = 0;
const ORIGINAL: u8 = 1;
const PUBLIC_JWK: u8 = 2;

/// The content of a ring.
pub(super) struct Plain {
    pub options: RingOptions,
    /// The number of changes so far; 0 in a sealed ring.
    pub version: u64,
    /// The proven time; empty in a sealed ring.
    pub times: Vec<u8>,
    pub entries: RingEntries,
}

/// Writes the content of a ring into protected memory. `ERR_SECRET_EXHAUSTED` without room for it.
pub(super) fn write(
    book: &Book,
    rotate_every: Option<u64>,
    version: u64,
    times: &[u8],
) -> Result<Secret> {
    let options = RingOptions { rotate_every, ..*book.options() };
    let mut head = write_head(&options, version, times)?;
    let spent = book.spent().as_slice();
    head.extend(length(spent.len())?);
    head.extend(spent.as_flattened());
    head.extend(length(book.entries().len())?);
    let mut pieces = vec![Piece::Open(head)];
    for entry in book.entries() {
        write_entry(&mut pieces, entry)?;
    }
    // The originals are copied from their slots straight into this one.
    TraceGuard::run(Depth::Registers, |trace| {
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
    })
}

/// Reads the content of a ring. A key that `known` has is taken from there and not parsed again.
/// `ERR_SECRET_SEAL` if it has another format, `ERR_JWT_KEY` if a key is invalid.
pub(super) fn read(plain: &Secret, known: &[RingEntry]) -> Result<Plain> {
    TraceGuard::run(Depth::Registers, |trace| read_bytes(plain.expose(trace), known, trace))
}

fn read_bytes(plain: &[u8], known: &[RingEntry], trace: &TraceGuard) -> Result<Plain> {
    let mut reader = Reader(plain);
    let format = reader.byte()?;
    if !matches!(format, FORMAT_1 | FORMAT_2) {
        return Err(unreadable());
    }
    let (max_token_ttl, jwks_max_age) = (reader.number()?, reader.number()?);
    let algorithm = reader.algorithm()?;
    let mut options = RingOptions { algorithm, max_token_ttl, jwks_max_age, rotate_every: None };
    let (mut version, mut times, mut spent) = (0, Vec::new(), SpentIds::default());
    if format == FORMAT_2 {
        options.rotate_every = Some(reader.number()?).filter(|every| *every > 0);
        version = reader.number()?;
        let len = reader.length()?;
        times = reader.take(len)?.to_vec();
        spent = reader.spent()?;
    }
    let keys = reader.length()?;
    if keys > MAX_RING_KEYS {
        return Err(unreadable());
    }
    let mut list = Vec::new();
    list.try_reserve(keys).map_err(|_| no_memory())?;
    for _ in 0..keys {
        list.push(read_entry(&mut reader, known, trace)?);
    }
    if !reader.0.is_empty() {
        return Err(unreadable());
    }
    Ok(Plain { options, version, times, entries: RingEntries::new(list, spent) })
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

fn write_head(options: &RingOptions, version: u64, times: &[u8]) -> Result<Vec<u8>> {
    let mut head = vec![FORMAT_2];
    head.extend(options.max_token_ttl.to_be_bytes());
    head.extend(options.jwks_max_age.to_be_bytes());
    write_text(&mut head, options.algorithm.name())?;
    head.extend(options.rotate_every.unwrap_or(0).to_be_bytes());
    head.extend(version.to_be_bytes());
    head.extend(length(times.len())?);
    head.extend(times);
    Ok(head)
}

fn write_entry<'a>(pieces: &mut Vec<Piece<'a>>, entry: &'a RingEntry) -> Result<()> {
    let KeyInfo { kid, algorithm, state, since } = &entry.info;
    let number = STATES.iter().position(|known| known == state).unwrap_or_default();
    let made = if entry.origin == Origin::Made { MADE } else { 0 };
    let mut open = vec![u8::try_from(number).unwrap_or_default() | made];
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

fn read_entry(
    reader: &mut Reader<'_>,
    known: &[RingEntry],
    trace: &TraceGuard,
) -> Result<RingEntry> {
    let byte = reader.byte()?;
    let origin = if byte & MADE == 0 { Origin::Added } else { Origin::Made };
    let state = *STATES.get(usize::from(byte & !MADE)).ok_or_else(unreadable)?;
    let since = reader.number()?;
    let algorithm = reader.algorithm()?;
    let kid = reader.text()?.to_owned();
    let (material, len) = (reader.byte()?, reader.length()?);
    let bytes = reader.take(len)?;
    let info = KeyInfo { kid, algorithm, state, since };
    let same = known
        .iter()
        .find(|entry| (&entry.info.kid, entry.info.algorithm) == (&info.kid, info.algorithm));
    let key = match material {
        NOTHING if state == KeyState::Revoked => None,
        ORIGINAL => match same.and_then(|entry| original_of(entry, bytes, trace)) {
            Some(key) => Some(key),
            None if algorithm.is_symmetric() => {
                Some(Arc::new(Key::from_secret(bytes, algorithm, Some(&info.kid))?))
            }
            None => Some(Arc::new(Key::from_pkcs8(bytes, algorithm, Some(&info.kid))?)),
        },
        PUBLIC_JWK if state == KeyState::Retired => {
            let json = std::str::from_utf8(bytes).map_err(|_| unreadable())?;
            Some(match same.and_then(|entry| public_of(entry, json)) {
                Some(key) => key,
                None => Arc::new(Key::from_public_jwk(json, algorithm, Some(&info.kid))?),
            })
        }
        _ => return Err(unreadable()),
    };
    Ok(match (key, same) {
        // The public half is not derived again either.
        (Some(key), Some(same)) if is_same(same.signing.as_ref(), &key) => RingEntry {
            verifying: same.verifying.clone(),
            ..RingEntry::new(info, Some(key), origin)
        },
        (key, _) => RingEntry::new(info, key, origin),
    })
}

/// The key of an entry, if these bytes are its original.
fn original_of(entry: &RingEntry, bytes: &[u8], trace: &TraceGuard) -> Option<Arc<Key>> {
    let key = entry.signing.as_ref().or(entry.verifying.as_ref())?;
    ct_eq(key.original()?.expose(trace), bytes).then(|| key.clone())
}

/// The public key of an entry, if this is its JWK.
fn public_of(entry: &RingEntry, json: &str) -> Option<Arc<Key>> {
    let key = entry.verifying.as_ref()?;
    (key.public_jwk()? == json).then(|| key.clone())
}

fn is_same(one: Option<&Arc<Key>>, other: &Arc<Key>) -> bool {
    one.is_some_and(|one| Arc::ptr_eq(one, other))
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

    fn spent(&mut self) -> Result<SpentIds> {
        let len = self.length()?.checked_mul(size_of::<SpentId>()).ok_or_else(unreadable)?;
        let (ids, _) = self.take(len)?.as_chunks();
        SpentIds::restored(ids)?.ok_or_else(unreadable)
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
