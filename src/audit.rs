//! Keyed hashes, which stand for ids in the audit trail.
//!
//! An id has the same hash everywhere in the process, so that the events of one subject can be
//! found, and nobody without the key can tell whose they are. Without a key of the application's
//! the process draws its own.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use ring::hmac;

use crate::error::{Code, Error, Result};
use crate::secret::{Depth, Locked, Secret, TraceGuard, ct_eq};

/// The bytes of a hash.
pub const HASH_LEN: usize = 16;

/// The key with which a table of ids is hashed.
pub struct IdHasher(Mutex<Option<HashKey>>);

/// The hasher of the process.
pub static ID_HASHER: IdHasher = IdHasher::new();

#[derive(Clone)]
struct HashKey {
    key: Arc<Locked<hmac::Key>>,
    is_given: bool,
}

impl IdHasher {
    const fn new() -> Self {
        Self(Mutex::new(None))
    }

    /// The hash of an id of some kind: HMAC-SHA-256, truncated to 128 bits. Ids of different kinds
    /// have different hashes. Draws a key if there is none, which fails with
    /// `ERR_SECRET_EXHAUSTED` if the secure heap has no room.
    pub fn hash(&self, kind: &str, id: &[u8]) -> Result<[u8; HASH_LEN]> {
        let key = self.key()?;
        let tag = TraceGuard::run(Depth::Hmac, |trace| key.tag(trace, kind, id));
        let (hash, _) = tag.as_ref().split_first_chunk().ok_or_else(too_short)?;
        Ok(*hash)
    }

    /// Hashes with this key from now on. A key that the process has drawn is dropped. Fails with
    /// `ERR_INVALID_ARG_VALUE` if another key was given before.
    pub fn use_key(&self, secret: &Secret) -> Result<()> {
        let key = HashKey::new(secret, true)?;
        let mut current = self.lock();
        let given = current.as_ref().filter(|current| current.is_given);
        if given.is_some_and(|given| !given.equals(&key)) {
            return Err(Error::new(
                Code::InvalidArgValue,
                "key is another one than this process hashes with: every thread must give the \
                 same key, and a new key needs a new process",
            ));
        }
        *current = Some(key);
        Ok(())
    }

    fn key(&self) -> Result<HashKey> {
        let mut current = self.lock();
        if let Some(key) = &*current {
            return Ok(key.clone());
        }
        let key = HashKey::new(&Secret::random(32)?, false)?;
        Ok(current.insert(key).clone())
    }

    fn lock(&self) -> MutexGuard<'_, Option<HashKey>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl HashKey {
    fn new(secret: &Secret, is_given: bool) -> Result<Self> {
        let key = TraceGuard::run(Depth::Hmac, |trace| {
            Locked::new(hmac::Key::new(hmac::HMAC_SHA256, secret.expose(trace)))
        })?;
        Ok(Self { key: Arc::new(key), is_given })
    }

    /// Whether both hash alike. Nothing is hashed with the empty kind otherwise.
    fn equals(&self, other: &Self) -> bool {
        TraceGuard::run(Depth::Hmac, |trace| {
            let [own, others] = [self, other].map(|one| one.tag(trace, "", b""));
            ct_eq(own.as_ref(), others.as_ref())
        })
    }

    fn tag(&self, trace: &TraceGuard, kind: &str, id: &[u8]) -> hmac::Tag {
        let mut context = hmac::Context::with_key(self.key.expose(trace));
        context.update(kind.as_bytes());
        context.update(&[0]);
        context.update(id);
        context.sign()
    }
}

fn too_short() -> Error {
    Error::new(Code::Internal, "a tag of HMAC-SHA-256 is too short")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn secret(byte: u8) -> Secret {
        Secret::copy_from(&[byte; 32]).unwrap()
    }

    #[test]
    fn equal_ids_of_a_kind_have_one_hash_and_others_another() {
        let hasher = IdHasher::new();
        let hash = |kind, id: &str| hasher.hash(kind, id.as_bytes()).unwrap();
        assert_eq!(hash("subject", "u-1"), hash("subject", "u-1"));
        assert_ne!(hash("subject", "u-1"), hash("subject", "u-2"));
        assert_ne!(hash("subject", "u-1"), hash("session", "u-1"));
        assert_ne!(hash("subject", "u-1"), IdHasher::new().hash("subject", b"u-1").unwrap());
    }

    #[test]
    fn a_given_key_decides_the_hash_which_is_hmac_sha_256_of_kind_nul_and_id() {
        let hasher = IdHasher::new();
        let drawn = hasher.hash("subject", b"u-1").unwrap();
        hasher.use_key(&secret(1)).unwrap();
        let tag = hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, &[1; 32]), b"subject\0u-1");
        let hash = hasher.hash("subject", b"u-1").unwrap();
        assert_eq!(hash, tag.as_ref()[..HASH_LEN]);
        assert_ne!(hash, drawn);
    }

    #[test]
    fn a_second_key_is_refused_and_the_same_one_is_not() {
        let hasher = IdHasher::new();
        hasher.use_key(&secret(1)).unwrap();
        let hash = hasher.hash("subject", b"u-1").unwrap();
        hasher.use_key(&secret(1)).unwrap();
        assert_eq!(hasher.use_key(&secret(2)).unwrap_err().code, Code::InvalidArgValue);
        assert_eq!(hasher.hash("subject", b"u-1").unwrap(), hash);
    }
}
