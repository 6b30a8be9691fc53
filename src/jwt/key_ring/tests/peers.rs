//! Stores for tests, and their ring as several processes have it. Several `StoredRing`s on one
//! store know nothing of each other, as if they were in several processes.

use std::path::Path;

use super::*;
use crate::jwt::key_ring::stored::StoredRing;
use crate::store::{Store, StoreOptions};
use crate::testing::folder::Folder;

pub(super) const START: u64 = 1_700_000_000;
pub(super) const HOUR: u64 = 3600;
pub(super) const DAY: u64 = 24 * HOUR;

pub(super) fn store_at(path: &Path) -> Arc<Store> {
    store_with(path, StoreOptions::default())
}

pub(super) fn store_with(path: &Path, options: StoreOptions) -> Arc<Store> {
    let key = Secret::copy_from(&[7; 32]).unwrap();
    let make = || Box::new(StoredRing::new(false)) as _;
    Arc::new(Store::open(path, &key, options, make).unwrap())
}

/// The ring as another process has it.
pub(super) fn peer(store: &Store, clock: &Arc<ManualClock>) -> Arc<KeyRing> {
    StoredRing::new(false).open(store, &RingOverrides::default(), clock.clone()).unwrap()
}

/// A new store, and the ring of two processes that begin with these options.
pub(super) fn two_peers(
    folder: &Folder,
    given: &RingOverrides,
) -> (Arc<Store>, Arc<ManualClock>, [Arc<KeyRing>; 2]) {
    let store = store_at(&folder.path("store"));
    let clock = Arc::new(ManualClock::at(START));
    let one = StoredRing::new(false).open(&store, given, clock.clone()).unwrap();
    let other = peer(&store, &clock);
    (store, clock, [one, other])
}

pub(super) fn eddsa() -> RingOverrides {
    RingOverrides { algorithm: Some(ALGORITHM), ..RingOverrides::default() }
}

pub(super) fn rotating() -> RingOverrides {
    RingOverrides { rotate_every: Some(HOUR), ..eddsa() }
}
