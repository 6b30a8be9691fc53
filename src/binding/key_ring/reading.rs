//! Reads the arguments that several calls of key rings have.

use std::sync::Arc;

use napi::Env;
use napi::bindgen_prelude::Unknown;

use crate::binding::args::{Arg, Result};
use crate::jwt::{HEAD_LEN, Key, KeyRing, MAX_KID_LEN};

/// The ring of the façade object on which a method was called.
pub(super) fn this(env: &Env, ring: &Unknown<'_>) -> Result<Arc<KeyRing>> {
    Arg::new(env, ring, "this").handle()
}

pub(super) fn read_key(env: &Env, key: &Unknown<'_>) -> Result<Arc<Key>> {
    Arg::new(env, key, "key").handle()
}

pub(super) fn read_kid(env: &Env, kid: &Unknown<'_>) -> Result<String> {
    Arg::new(env, kid, "kid").string(1..=MAX_KID_LEN)
}

/// The bytes that name a version of a ring on a server.
pub(super) fn read_head(env: &Env, head: &Unknown<'_>) -> Result<Vec<u8>> {
    Arg::new(env, head, "head").bytes(0..=HEAD_LEN)
}
