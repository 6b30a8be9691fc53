//! Merges versions of a ring that were made apart, after a server has lost one of them. The merged
//! version verifies with each key that either has signed with, and each revoked key stays revoked.

use super::book::Book;
use super::entries::RingEntries;
use super::entry::RingEntry;
use super::options::MAX_RING_KEYS;
use super::spent::no_memory;
use super::state::KeyState;
use crate::error::Result;

/// The keys of both books. Where each has a key that signs, or one that is to sign, that of `main`
/// stays, and the other retires `now`. The period is that of `main`. If `main` may have forgotten
/// keys of `other`, those of `other` that it no longer has stay away. `ERR_KEYRING_FULL` if they
/// are too many.
pub(super) fn merged(main: &Book, other: &Book, has_forgotten: bool, now: u64) -> Result<Book> {
    let mut spent = main.spent().clone();
    if !spent.extend(other.spent()) {
        return Err(no_memory());
    }
    let mut list = main.entries().to_vec();
    for theirs in other.entries() {
        match list.iter_mut().find(|entry| entry.info.kid == theirs.info.kid) {
            Some(own) if own.info.algorithm == theirs.info.algorithm => later_of(own, theirs),
            Some(_) => {}
            // A key is forgotten when its last token has expired, and not before.
            None if has_forgotten && theirs.last_use(main.options()) <= now => {}
            None => list.push(theirs.clone()),
        }
    }
    list.retain(|entry| !spent.has(&entry.info.kid));
    for state in [KeyState::Active, KeyState::Next] {
        // Those of `main` come first.
        let several = list.iter_mut().filter(|entry| entry.info.state == state).skip(1);
        several.for_each(|entry| entry.set(KeyState::Retired, now));
    }
    if list.len() > MAX_RING_KEYS {
        return Err(no_memory());
    }
    Ok(Book::restored(*main.options(), RingEntries::new(list, spent)))
}

/// Leaves the later of two states of a key.
fn later_of(own: &mut RingEntry, theirs: &RingEntry) {
    if own.info.state == theirs.info.state {
        own.info.since = own.info.since.max(theirs.info.since);
    } else if rank(own.info.state) < rank(theirs.info.state) {
        *own = theirs.clone();
    }
}

const fn rank(state: KeyState) -> u8 {
    match state {
        KeyState::Next => 0,
        KeyState::Active => 1,
        KeyState::Retired => 2,
        KeyState::Revoked => 3,
    }
}
