//! Headers of tokens whose signature has been verified, byte for byte: what they say of key and
//! type need not be read again until the keys change.

use std::sync::{Arc, PoisonError, RwLock, Weak};

use crate::jwt::key::key::Key;

/// How many headers a verifier remembers. One more, and it begins anew.
const MAX_HEADERS: usize = 64;

/// The headers that one verifier remembers.
#[derive(Default)]
pub(super) struct VerifiedHeaders(RwLock<Headers>);

#[derive(Default)]
struct Headers {
    /// That of the keys when the headers were read.
    epoch: u64,
    known: Vec<VerifiedHeader>,
}

struct VerifiedHeader {
    segment: Box<[u8]>,
    /// A verifier keeps no key that its ring has let go of.
    key: Weak<Key>,
    usable_until: u64,
}

impl VerifiedHeaders {
    /// The key of a header that is known, and until when, in seconds since 1970, it may be used;
    /// nothing when the keys have changed or that time has come.
    pub(super) fn get(&self, segment: &[u8], epoch: u64, now: u64) -> Option<(Arc<Key>, u64)> {
        let headers = self.0.read().unwrap_or_else(PoisonError::into_inner);
        let header = headers.known.iter().find(|known| *known.segment == *segment)?;
        let is_valid = headers.epoch == epoch && now < header.usable_until;
        let key = if is_valid { header.key.upgrade() } else { None };
        key.map(|key| (key, header.usable_until))
    }

    /// Remembers the header of a token that has just been verified with this key.
    pub(super) fn insert(&self, segment: &[u8], epoch: u64, key: &Arc<Key>, usable_until: u64) {
        let header =
            VerifiedHeader { segment: segment.into(), key: Arc::downgrade(key), usable_until };
        let mut headers = self.0.write().unwrap_or_else(PoisonError::into_inner);
        if headers.epoch != epoch || headers.known.len() >= MAX_HEADERS {
            *headers = Headers { epoch, known: Vec::new() };
        }
        headers.known.retain(|known| known.segment != header.segment);
        headers.known.push(header);
    }
}
