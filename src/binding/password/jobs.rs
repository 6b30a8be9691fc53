//! The jobs of `hash`, `verify` and `deriveKey`.

use napi::Env;

use super::job::PoolJob;
use crate::binding::args::Result;
use crate::binding::args::out::{self, LocalValue};
use crate::binding::secret::SecretBuffer;
use crate::password::pool::Delivery;
use crate::password::{Cancel, Digest, HashJob, Tag, VerifyJob};
use crate::secret::Secret;

/// A hash whose result is the tag alone.
pub(super) struct RawHash(pub HashJob);

impl PoolJob for RawHash {
    type Output = Tag;
    type Js = LocalValue;

    fn memory_len(&self) -> u64 {
        self.0.memory_len()
    }

    fn run(self, delivery: &mut Delivery<Tag>, cancel: &Cancel) {
        self.0.run_raw(cancel, |tag| delivery.send(tag));
    }

    fn convert(env: &Env, tag: Tag) -> Result<LocalValue> {
        out::buffer(env, &tag)
    }
}

/// A hash whose result is a digest.
pub(super) struct DigestHash(pub HashJob);

impl PoolJob for DigestHash {
    type Output = Digest;
    type Js = LocalValue;

    fn memory_len(&self) -> u64 {
        self.0.memory_len()
    }

    fn run(self, delivery: &mut Delivery<Digest>, cancel: &Cancel) {
        self.0.run(cancel, |digest| delivery.send(digest));
    }

    fn convert(env: &Env, digest: Digest) -> Result<LocalValue> {
        out::string(env, &digest.to_string())
    }
}

/// A hash whose result is a secret.
pub(super) struct DerivedKey(pub HashJob);

impl PoolJob for DerivedKey {
    type Output = Secret;
    type Js = LocalValue;

    fn memory_len(&self) -> u64 {
        self.0.memory_len()
    }

    fn run(self, delivery: &mut Delivery<Secret>, cancel: &Cancel) {
        self.0.run_secret(cancel, |key| delivery.send(key));
    }

    fn convert(env: &Env, key: Secret) -> Result<LocalValue> {
        out::carrier(env, SecretBuffer::make(|| Ok(key))?)
    }
}

impl PoolJob for VerifyJob {
    type Output = bool;
    type Js = bool;

    fn memory_len(&self) -> u64 {
        Self::memory_len(self)
    }

    fn run(self, delivery: &mut Delivery<bool>, cancel: &Cancel) {
        Self::run(self, cancel, |matches| delivery.send(matches));
    }

    fn convert(_env: &Env, matches: bool) -> Result<bool> {
        Ok(matches)
    }
}
