//! Changes, their results, and what is found of them later.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Barrier, mpsc};
use std::thread;

use zeroize::Zeroizing;

use super::*;
use crate::store::database::Database;
use crate::store::engine::Engine;
use crate::store::{Expected, MAX_NAME_LEN, MAX_ROWS, MAX_VALUE_LEN, Receipt, RecordChange, Told};

fn change(name: &[u8], expected: Expected, value: Option<&[u8]>) -> Batch {
    let value = value.map(|value| Zeroizing::new(value.to_vec()));
    let change = RecordChange { name: name.to_vec(), expected, value };
    Batch { entries: Vec::new(), records: vec![change] }
}

/// Makes a change, and returns the place of its first record; `None` for a conflict.
fn put(store: &Store, batch: Batch) -> Option<Position> {
    match store.commit_and_wait(batch, WAIT).unwrap() {
        Commit::Done(receipt) => receipt.records.first().copied(),
        Commit::Conflict => None,
    }
}

/// Deletes entries through the writer, and returns how many.
fn deleted(call: impl FnOnce(crate::store::Waiter) -> Result<()>) -> u64 {
    let (tell, told) = mpsc::sync_channel(1);
    call(Box::new(move |result| tell.send(result).unwrap())).unwrap();
    match told.recv_timeout(WAIT).unwrap().unwrap() {
        Commit::Done(receipt) => receipt.deleted,
        Commit::Conflict => panic!("deletions cannot conflict"),
    }
}

#[test]
fn every_field_of_every_entry_is_found_again_after_the_store_was_closed() {
    let folder = Folder::new();
    let path = folder.path("store");
    let store = open(&path).unwrap();
    let extreme = Entry { kind: 255, key: [0xff; 16], value: u64::MAX, until: u64::MAX };
    let zero = Entry { kind: 0, key: [0; 16], value: 0, until: 0 };
    let entries = vec![extreme, zero, entry(7)];
    let batch = Batch { entries: entries.clone(), records: Vec::new() };
    let done = store.commit_and_wait(batch, WAIT).unwrap();
    let sequence = store.epoch();
    assert_eq!(done, Commit::Done(Receipt { sequence, ..Receipt::default() }));
    store.close();
    let store = open(&path).unwrap();
    let rows = store.state::<Rows>().unwrap();
    assert_eq!(rows.entries.iter().map(|(_, entry)| *entry).collect::<Vec<_>>(), entries);
    assert!(rows.entries.iter().all(|(position, _)| position.sequence() == sequence));
    assert_eq!(store.epoch(), sequence);
}

#[test]
fn more_than_2000_entries_become_several_transactions_and_all_are_found() {
    let folder = Folder::new();
    let path = folder.path("store");
    let store = open(&path).unwrap();
    let before = store.epoch();
    assert_eq!(commit(&store, 0..5001).unwrap(), before + 3);
    let stats = store.stats().unwrap();
    assert_eq!((stats.transactions, stats.rows, stats.entries), (3, 5001, 5001));
    assert_eq!(stats.largest_group, MAX_ROWS as u64);
    assert!(stats.bytes > 5001 * 40);
    store.close();
    assert_eq!(values_in(&path), (0..5001).collect::<Vec<_>>());
}

#[test]
fn an_empty_batch_is_done_without_a_transaction() {
    let folder = Folder::new();
    let store = open(&folder.path("store")).unwrap();
    let before = store.epoch();
    assert_eq!(commit(&store, []).unwrap(), before);
    assert_eq!((store.epoch(), store.stats().unwrap().transactions), (before, 0));
}

#[test]
fn batches_of_64_threads_share_transactions() {
    let folder = Folder::new();
    let path = folder.path("store");
    let store = open(&path).unwrap();
    let start = Barrier::new(64);
    let told = AtomicUsize::new(0);
    thread::scope(|scope| {
        for thread in 0..64 {
            let (store, start, told) = (&store, &start, &told);
            scope.spawn(move || {
                start.wait();
                for round in 0..10 {
                    let sequence = commit(store, [thread * 10 + round]).unwrap();
                    assert!(store.epoch() >= sequence, "the epoch comes before the result");
                    told.fetch_add(1, Ordering::Relaxed);
                }
            });
        }
    });
    assert_eq!(told.into_inner(), 640);
    let stats = store.stats().unwrap();
    assert_eq!((stats.rows, stats.batches), (640, 640));
    assert!(stats.transactions < 320, "{} transactions", stats.transactions);
    store.close();
    assert_eq!(values_in(&path), (0..640).collect::<Vec<_>>());
}

#[test]
fn a_record_is_replaced_only_by_a_caller_who_knows_its_last_place() {
    let folder = Folder::new();
    let path = folder.path("store");
    let store = open(&path).unwrap();
    let first = put(&store, change(b"ring", Expected::Absent, Some(b"one"))).unwrap();
    assert_eq!(put(&store, change(b"ring", Expected::Absent, Some(b"two"))), None);
    let second = put(&store, change(b"ring", Expected::At(first), Some(b"two"))).unwrap();
    assert!(second > first);
    assert_eq!(put(&store, change(b"ring", Expected::At(first), None)), None);
    let (place, value) = store.record(b"ring").unwrap().unwrap();
    assert_eq!((place, value.as_slice()), (second, &b"two"[..]));
}

#[test]
fn a_batch_with_an_unexpected_record_changes_nothing_and_its_neighbours_are_written() {
    let folder = Folder::new();
    let path = folder.path("store");
    let store = open(&path).unwrap();
    put(&store, change(b"taken", Expected::Absent, Some(b"1"))).unwrap();
    let results: Vec<_> = (0..50_u64)
        .map(|number| {
            let mut batch = change(b"taken", Expected::Absent, Some(b"2"));
            if number % 2 == 0 {
                batch.records[0].name = format!("free {number}").into_bytes();
            }
            batch.entries.push(entry(number));
            let (tell, told) = mpsc::sync_channel(1);
            store.commit(batch, Box::new(move |result| tell.send(result).unwrap())).unwrap();
            told
        })
        .collect();
    for (number, told) in results.iter().enumerate() {
        let result = told.recv_timeout(WAIT).unwrap().unwrap();
        assert_eq!(result == Commit::Conflict, number % 2 == 1, "{number}");
    }
    store.close();
    let store = open(&path).unwrap();
    let rows = store.state::<Rows>().unwrap();
    assert_eq!(rows.values(), (0..50).step_by(2).collect::<Vec<_>>());
    assert_eq!(rows.records.len(), 26);
    assert!(rows.records.contains(&(b"taken".to_vec(), b"1".to_vec())));
}

#[test]
fn a_deleted_record_is_gone_and_can_be_made_again() {
    let folder = Folder::new();
    let path = folder.path("store");
    let store = open(&path).unwrap();
    let place = put(&store, change(b"a", Expected::Absent, Some(b""))).unwrap();
    assert_eq!(store.record(b"a").unwrap().unwrap().1.len(), 0);
    put(&store, change(b"a", Expected::At(place), None)).unwrap();
    assert_eq!(store.record(b"a").unwrap(), None);
    assert_eq!(put(&store, change(b"a", Expected::At(place), Some(b"1"))), None);
    put(&store, change(b"a", Expected::Absent, Some(b"3"))).unwrap();
    assert_eq!(store.stats().unwrap().records, 1);
    store.close();
    assert_eq!(open(&path).unwrap().state::<Rows>().unwrap().records, [(b"a".into(), b"3".into())]);
}

#[test]
fn records_within_the_limits_are_kept_and_beyond_them_refused_without_a_call_of_the_waiter() {
    let folder = Folder::new();
    let path = folder.path("store");
    let store = open(&path).unwrap();
    let (name, value) = (vec![0xff; MAX_NAME_LEN], vec![7; MAX_VALUE_LEN]);
    put(&store, change(&name, Expected::Absent, Some(&value))).unwrap();
    assert_eq!(**store.record(&name).unwrap().unwrap().1, *value);
    let too_long = [vec![1; MAX_NAME_LEN + 1], Vec::new()];
    let mut refused: Vec<Batch> =
        too_long.iter().map(|name| change(name, Expected::Anything, Some(b"1"))).collect();
    refused.push(change(b"1", Expected::Anything, Some(&vec![7; MAX_VALUE_LEN + 1])));
    let mut large = change(b"1", Expected::Anything, Some(b"1"));
    large.entries = vec![entry(1); MAX_ROWS];
    refused.push(large);
    for batch in refused {
        let waiter = Box::new(|_| panic!("the waiter must not be called"));
        assert_eq!(store.commit(batch, waiter).unwrap_err().code, Code::OutOfRange);
    }
    let mut fitting = change(b"1", Expected::Anything, Some(b"1"));
    fitting.entries = vec![entry(1); MAX_ROWS - 1];
    put(&store, fitting).unwrap();
    store.close();
    assert_eq!(values_in(&path).len(), MAX_ROWS - 1);
}

#[test]
fn the_files_never_contain_a_records_value() {
    let folder = Folder::new();
    let path = folder.path("store");
    let store = open(&path).unwrap();
    let value = b"a value that must not be readable";
    put(&store, change(b"a name that is", Expected::Absent, Some(value))).unwrap();
    let files = fs::read_dir(&path).unwrap().map(|file| fs::read(file.unwrap().path()).unwrap());
    let bytes = files.collect::<Vec<_>>().concat();
    let holds = |text: &[u8]| bytes.windows(text.len()).any(|part| part == text);
    assert!(holds(b"a name that is"));
    assert!(!holds(value));
    assert!(!holds(&[1; 32]), "nor the key");
}

#[test]
fn expired_entries_are_deleted_in_bulk_and_the_others_stay() {
    let folder = Folder::new();
    let path = folder.path("store");
    let store = open(&path).unwrap();
    commit(&store, 0..9000).unwrap();
    assert_eq!(deleted(|waiter| store.delete_expired(4999, waiter)), 5000);
    assert_eq!(deleted(|waiter| store.delete_expired(4999, waiter)), 0);
    assert_eq!(store.stats().unwrap().entries, 4000);
    store.close();
    let store = open(&path).unwrap();
    let rows = store.state::<Rows>().unwrap();
    assert_eq!(rows.values(), (5000..9000).collect::<Vec<_>>());
    let positions: Vec<_> = rows.entries[..3000].iter().map(|(position, _)| *position).collect();
    let twice = [&positions[..], &positions[..]].concat();
    assert_eq!(deleted(|waiter| store.delete(twice, waiter)), 3000);
    store.close();
    assert_eq!(values_in(&path), (8000..9000).collect::<Vec<_>>());
}

#[test]
fn changes_that_wait_for_the_lock_of_another_process_are_limited() {
    let folder = Folder::new();
    let path = folder.path("store");
    let store = open_with(&path, StoreOptions { busy: Duration::from_secs(3), ..options() });
    let store = store.unwrap();
    let mut other = Database::open(&path.join("store.db"), &options(), true).unwrap();
    assert!(other.begin().unwrap());
    let (tell, told) = mpsc::channel();
    let add = |rows: usize| {
        let tell = tell.clone();
        let batch = Batch { entries: vec![entry(1); rows], records: Vec::new() };
        store.commit(batch, Box::new(move |result| tell.send(result).unwrap()))
    };
    for _ in 0..2 {
        add(1 << 19).unwrap();
        // Time for the writer to take it out of the queue.
        thread::sleep(Duration::from_millis(50));
    }
    let refused = add(1).unwrap_err();
    assert_eq!(refused.code, Code::StoreBusy);
    assert!(refused.message.contains("too many changes"), "{refused}");
    for _ in 0..2 {
        assert_eq!(told.recv_timeout(WAIT).unwrap().unwrap_err().code, Code::StoreBusy);
    }
    other.rollback();
    add(1).unwrap();
    told.recv_timeout(WAIT).unwrap().unwrap();
}

#[test]
fn each_caller_of_a_transaction_learns_once_after_the_last_result_that_all_are_there() {
    let folder = Folder::new();
    let path = folder.path("store");
    let store = open(&path).unwrap();
    // Holds the transaction up until all have asked for it.
    let mut other = Database::open(&path.join("store.db"), &options(), true).unwrap();
    assert!(other.begin().unwrap());
    let (tell, told) = mpsc::channel();
    let callers = ["a", "b"].map(|caller| -> Told {
        let tell = tell.clone();
        Arc::new(move || tell.send(format!("all of {caller}")).unwrap())
    });
    for (value, caller) in [0, 0, 1].into_iter().enumerate() {
        let tell = tell.clone();
        let waiter = Box::new(move |result: Result<Commit>| {
            assert!(matches!(result, Ok(Commit::Done(_))));
            tell.send(format!("result {value}")).unwrap();
        });
        store.commit_soon(batch([value as u64]), waiter, callers[caller].clone()).unwrap();
    }
    drop((tell, callers));
    store.begin_commit();
    other.rollback();
    let told: Vec<_> = told.iter().collect();
    assert_eq!(told, ["result 0", "result 1", "result 2", "all of a", "all of b"]);
    assert_eq!(store.stats().unwrap().transactions, 1);
}
