//! Reads rows of the stream and of the log from any bytes: see [`crate::fuzz`].

use std::sync::Arc;

use super::RevocationList;
use super::remote::{Found, RemoteKeys, RemoteTerms};
use super::row::Row;
use crate::clock::TestClock;
use crate::error::Code;
use crate::revocation::{ListLimits, OnFull};
use crate::store;

const NOW: u64 = 1_700_000_000_000;

/// Applies texts of the stream to a list without room for many. The first bytes are also a row of
/// the log. Returns whether the list took a row of the stream.
pub(crate) fn stream_rows(bytes: &[u8]) -> bool {
    log_row(bytes);
    let Ok(texts) = std::str::from_utf8(bytes) else { return false };
    let list = list();
    let Ok(found) = list.apply_remote(texts).inspect_err(|error| {
        assert_eq!(error.code, Code::RevocationFull, "{error}");
    }) else {
        return false;
    };
    assert!(found.added <= texts.len() as u64 / 40);
    list.needs_remote(texts).expect("a list on a server");
    // The rows that the list has are read by another, and by itself as known.
    list.doubt_remote().expect("a list on a server");
    if let Some(batch) = list.take_remote(64, true).expect("a list on a server") {
        let again = self::list().apply_remote(&batch.rows).expect("room");
        assert_eq!((again.forged, again.foreign, again.newer), (0, 0, 0));
        let known = list.apply_remote(&batch.rows).expect("room");
        assert_eq!(known, Found::default());
    }
    found.added > 0
}

fn list() -> RevocationList {
    let limits =
        ListLimits { max_entries: 16, on_full: OnFull::RejectOlder, ..ListLimits::default() };
    let list = RevocationList::new(limits, Arc::new(TestClock::at(NOW))).expect("a list");
    let keys = RemoteKeys::shared(&[7; 112]).expect("keys");
    let terms = RemoteTerms { max_staleness: 1000, answers_from_memory: false };
    list.attach_remote(keys, terms, Box::new(|| true)).expect("an empty list");
    list.confirm_remote(RevocationList::remote_now()).expect("a list on a server");
    list
}

fn log_row(bytes: &[u8]) {
    let Some((head, rest)) = bytes.split_first_chunk::<17>() else { return };
    let Some((value, _)) = rest.split_first_chunk() else { return };
    let mut key = [0; 16];
    key.copy_from_slice(&head[1..]);
    let stored = store::Entry { kind: head[0], key, value: u64::from_le_bytes(*value), until: 0 };
    match Row::of(&stored) {
        Ok(row) => {
            let again = row.to_stored(3600);
            assert_eq!((again.kind, again.value), (stored.kind, stored.value));
            assert_eq!(Row::of(&again).expect("its own row"), row);
        }
        Err(error) => assert_eq!(error.code, Code::StoreOpen, "{error}"),
    }
}
