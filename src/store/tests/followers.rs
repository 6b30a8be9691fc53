//! Readers that follow the log.

use super::*;
use crate::store::database::Database;
use crate::store::engine::Engine;

/// Follows to the end in steps, and returns the values.
fn follow(store: &Store, follower: &mut crate::store::Follower, limit: usize) -> Result<Vec<u64>> {
    let mut values = Vec::new();
    loop {
        let before = values.len();
        let visit = &mut |_: Position, entry: &Entry| values.push(entry.value);
        let is_complete = store.entries_after(follower, limit, visit)?;
        assert!(values.len() - before <= limit);
        if is_complete {
            assert_eq!(follower.sequence(), store.epoch());
            return Ok(values);
        }
    }
}

/// Changes the database behind the back of the store, as damage would.
fn change_rows(path: &Path, change: impl FnOnce(&mut Database)) {
    let mut engine = Database::open(&path.join("store.db"), &options(), true).unwrap();
    assert!(engine.begin().unwrap());
    change(&mut engine);
    engine.commit().unwrap();
}

#[test]
fn a_follower_sees_each_row_once_and_in_order_whatever_its_steps() {
    let folder = Folder::new();
    let store = open(&folder.path("store")).unwrap();
    for limit in [1, 7, 2000, usize::MAX] {
        let mut follower = store.follower();
        let known = follow(&store, &mut follower, limit).unwrap();
        assert!(known.is_sorted());
        let next = known.len() as u64;
        commit(&store, next..next + 2500).unwrap();
        commit(&store, [next + 2500]).unwrap();
        let seen = follow(&store, &mut follower, limit).unwrap();
        assert_eq!(seen, (next..next + 2501).collect::<Vec<_>>());
        assert!(follow(&store, &mut follower, limit).unwrap().is_empty());
    }
}

#[test]
fn a_follower_in_the_middle_of_a_transaction_does_not_know_it() {
    let folder = Folder::new();
    let store = open(&folder.path("store")).unwrap();
    let mut follower = store.follower();
    let before = follower.sequence();
    commit(&store, 0..10).unwrap();
    assert!(!store.entries_after(&mut follower, 5, &mut |_, _| {}).unwrap());
    assert_eq!(follower.sequence(), before);
    assert!(store.entries_after(&mut follower, 6, &mut |_, _| {}).unwrap());
    assert_eq!(follower.sequence(), before + 1);
}

#[test]
fn rows_that_were_deleted_in_the_meantime_are_no_damage() {
    let folder = Folder::new();
    let store = open(&folder.path("store")).unwrap();
    let mut follower = store.follower();
    commit(&store, 0..3000).unwrap();
    let (tell, told) = std::sync::mpsc::channel();
    store.delete_expired(999, Box::new(move |result| tell.send(result).unwrap())).unwrap();
    told.recv_timeout(WAIT).unwrap().unwrap();
    assert_eq!(follow(&store, &mut follower, 500).unwrap(), (1000..3000).collect::<Vec<_>>());
    commit(&store, [3000]).unwrap();
    assert_eq!(follow(&store, &mut follower, 500).unwrap(), [3000]);
}

#[test]
fn a_follower_notices_a_row_that_vanished_and_the_store_stays_failing() {
    let folder = Folder::new();
    let path = folder.path("store");
    let store = open(&path).unwrap();
    let mut follower = store.follower();
    let sequence = commit(&store, 0..10).unwrap();
    change_rows(&path, |engine| {
        engine.remove(&[Position::new(sequence, 3)], &mut |_, _| Ok(())).unwrap();
    });
    assert_eq!(follow(&store, &mut follower, 100).unwrap_err().code, Code::StoreCorrupt);
    assert_eq!(store.failing(), Some(Code::StoreCorrupt));
    store.close();
    assert_eq!(refusal(&path), Code::StoreCorrupt);
}

#[test]
fn a_follower_notices_a_row_that_was_changed_moved_or_added() {
    let damages: [fn(&mut Database, Sequence); 3] = [
        |engine, sequence| {
            engine.remove(&[Position::new(sequence, 3)], &mut |_, _| Ok(())).unwrap();
            engine.append(Position::new(sequence, 3), &[entry(1000)]).unwrap();
        },
        |engine, sequence| {
            engine.remove(&[Position::new(sequence, 3)], &mut |_, _| Ok(())).unwrap();
            engine.append(Position::new(sequence, 13), &[entry(3)]).unwrap();
        },
        |engine, sequence| engine.append(Position::new(sequence, 10), &[entry(3)]).unwrap(),
    ];
    for damage in damages {
        let folder = Folder::new();
        let path = folder.path("store");
        let store = open(&path).unwrap();
        let mut follower = store.follower();
        let sequence = commit(&store, 0..10).unwrap();
        change_rows(&path, |engine| damage(engine, sequence));
        assert_eq!(follow(&store, &mut follower, 100).unwrap_err().code, Code::StoreCorrupt);
    }
}

#[test]
fn records_are_followed_by_their_last_change() {
    use crate::store::{Expected, RecordChange};
    let folder = Folder::new();
    let store = open(&folder.path("store")).unwrap();
    let put = |name: &str, value: &str| {
        let value = Some(value.as_bytes().to_vec().into());
        let change = RecordChange { name: name.into(), expected: Expected::Anything, value };
        let batch = Batch { entries: Vec::new(), records: vec![change] };
        store.commit_and_wait(batch, WAIT).unwrap();
    };
    let follow = |after: &mut Position| {
        let mut seen = Vec::new();
        loop {
            let visit = &mut |record: &SealedRecord<'_>| {
                seen.push(String::from_utf8(record.open()?.to_vec()).unwrap());
                Ok(())
            };
            let (next, is_complete) = store.records_after(*after, 2, visit).unwrap();
            *after = next;
            if is_complete {
                return seen;
            }
        }
    };
    let mut place = Position::START;
    for name in ["a", "b", "c", "d", "e"] {
        put(name, name);
    }
    assert_eq!(follow(&mut place), ["a", "b", "c", "d", "e"]);
    put("b", "b again");
    put("f", "f");
    put("b", "b for the third time");
    assert_eq!(follow(&mut place), ["f", "b for the third time"]);
    assert!(follow(&mut place).is_empty());
}

#[test]
fn a_follower_finds_an_epoch_that_counts_transactions_which_are_not_there() {
    use std::io::{Seek, SeekFrom, Write};
    let folder = Folder::new();
    let path = folder.path("store");
    let store = open(&path).unwrap();
    commit(&store, [1]).unwrap();
    let mut follower = store.follower();
    assert_eq!(follow(&store, &mut follower, 10).unwrap(), [1]);
    let mut file = fs::File::options().write(true).open(path.join("epoch")).unwrap();
    file.seek(SeekFrom::Start(8)).unwrap();
    file.write_all(&(store.epoch() + 1).to_ne_bytes()).unwrap();
    let looked = store.entries_after(&mut follower, 10, &mut |_, _| {});
    assert_eq!(looked.unwrap_err().code, Code::StoreCorrupt);
    assert_eq!(store.failing(), Some(Code::StoreCorrupt));
}
