//! A cache of headers, byte for byte, of tokens whose signature has been verified. Their key and
//! type need not be read again until the keys change.

use std::sync::{Arc, PoisonError, RwLock, Weak};

use crate::jwt::key::key::Key;
use crate::jwt::token::compact::MAX_HEADER_LEN;

/// The most headers that a verifier caches. When there are more, the cache starts again empty.
const MAX_HEADERS: usize = 64;

/// The headers that one verifier caches.
#[derive(Default)]
pub(crate) struct VerifiedHeaders(RwLock<Headers>);

#[derive(Default)]
struct Headers {
    /// The epoch of the keys when the headers were read.
    epoch: u64,
    known: Vec<VerifiedHeader>,
}

struct VerifiedHeader {
    segment: Box<[u8]>,
    /// Weak, so that a verifier keeps no key that its ring has dropped.
    key: Weak<Key>,
    usable_until: u64,
}

impl VerifiedHeaders {
    /// The key of a cached header, and until when it may be used, in seconds since 1970. `None` if
    /// the header is not cached, the keys have changed, or that time has come.
    pub(crate) fn get(&self, segment: &[u8], epoch: u64, now: u64) -> Option<(Arc<Key>, u64)> {
        let headers = self.0.read().unwrap_or_else(PoisonError::into_inner);
        let header = headers.known.iter().find(|known| *known.segment == *segment)?;
        let is_valid = headers.epoch == epoch && now < header.usable_until;
        let key = if is_valid { header.key.upgrade() } else { None };
        key.map(|key| (key, header.usable_until))
    }

    /// Caches the header of a token that has just been verified with this key. A header of unusual
    /// length is not cached, so that a verifier never holds more than half a megabyte of them.
    pub(super) fn insert(&self, segment: &[u8], epoch: u64, key: &Arc<Key>, usable_until: u64) {
        if segment.len() > MAX_HEADER_LEN {
            return;
        }
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
