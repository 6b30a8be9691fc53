//! The rows that a state gets: all rows when the store is opened, then those that its process
//! commits.

use std::sync::Mutex;

use super::*;
use crate::store::database::Database;
use crate::store::engine::Engine;
use crate::store::{Appended, Durability, Follower};

/// Enough entries for a second thread.
const MANY: u64 = 40_000;

/// Makes a store with [`MANY`] entries.
fn make_large(path: &Path) -> StoreOptions {
    let options = StoreOptions { durability: Durability::Process, ..options() };
    let store = open_with(path, options).unwrap();
    commit(&store, 0..MANY).unwrap();
    store.close();
    options
}

#[test]
fn a_state_gets_all_entries_of_a_large_store_in_their_order() {
    let folder = Folder::new();
    let path = folder.path("store");
    let options = make_large(&path);
    let store = open_with(&path, options).unwrap();
    let rows = store.state::<Rows>().unwrap();
    assert!(rows.entries.is_sorted_by_key(|(position, _)| *position));
    assert_eq!(rows.values(), (0..MANY).collect::<Vec<_>>());
}

#[test]
fn an_entry_that_is_missing_in_a_large_store_is_damage() {
    let folder = Folder::new();
    let path = folder.path("store");
    let options = make_large(&path);
    let mut engine = Database::open(&path.join("store.db"), &options, true).unwrap();
    let mut places = Vec::new();
    let visit = &mut |position, _: &Entry| {
        places.push(position);
        Ok(())
    };
    engine.entries(Position::START, 30_000, visit).unwrap();
    assert!(engine.begin().unwrap());
    engine.remove(&places[29_999..], &mut |_, _| Ok(())).unwrap();
    engine.commit().unwrap();
    drop(engine);
    let refused = open_with(&path, options).err().unwrap();
    assert_eq!(refused.code, Code::StoreCorrupt);
}

type Failure = fn() -> Result<()>;

/// A state that takes fewer entries than there are.
struct Refusing {
    left: u64,
    how: Failure,
}

impl Replay for Refusing {
    fn entry(&mut self, _: Position, _: &Entry) -> Result<()> {
        self.left -= 1;
        if self.left == 0 { (self.how)() } else { Ok(()) }
    }

    fn record(&mut self, _: &SealedRecord<'_>) -> Result<()> {
        panic!("there are no records");
    }
}

#[test]
fn a_state_that_fails_or_panics_fails_the_opening_and_leaves_the_store_as_it_was() {
    let folder = Folder::new();
    let path = folder.path("store");
    let options = make_large(&path);
    let fails = || Err(crate::error::Error::new(Code::RevocationFull, "a test"));
    let panics = || panic!("a defect of a state");
    let cases: [(Failure, _); 2] = [(fails, Code::RevocationFull), (panics, Code::Internal)];
    for (how, code) in cases {
        for left in [1, 1024, MANY] {
            let make = || Box::new(Refusing { left, how }) as _;
            let refused = Store::open(&path, &key(1), options, make).err().unwrap();
            assert_eq!(refused.code, code, "{left}");
        }
    }
    let store = open_with(&path, options).unwrap();
    assert_eq!(store.stats().unwrap().entries, MANY);
}

/// A state that reads what its process commits without the store.
#[derive(Default)]
struct Taking(Mutex<Taken>);

#[derive(Default)]
struct Taken {
    follower: Option<Follower>,
    values: Vec<u64>,
    missed: usize,
}

impl Replay for Taking {
    fn entry(&mut self, _: Position, _: &Entry) -> Result<()> {
        Ok(())
    }

    fn record(&mut self, _: &SealedRecord<'_>) -> Result<()> {
        Ok(())
    }

    fn committed(&self, appended: &Appended<'_>) {
        let mut taken = self.0.lock().unwrap();
        let follower = taken.follower.clone().unwrap();
        match appended.behind(&follower) {
            Some(entries) => {
                taken.values.extend(entries.map(|entry| entry.value));
                taken.follower = Some(appended.end());
            }
            None => taken.missed += 1,
        }
    }
}

#[test]
fn a_state_gets_what_its_process_commits_unless_it_has_missed_a_transaction_of_another() {
    use crate::store::apply::Transaction;
    use crate::store::head::Head;
    use crate::store::keys::Keys;
    let folder = Folder::new();
    let path = folder.path("store");
    let store = Store::open(&path, &key(1), options(), || Box::new(Taking::default())).unwrap();
    let taking = store.state::<Taking>().unwrap();
    let taken = || taking.0.lock().unwrap();
    taken().follower = Some(store.follower());
    commit(&store, 0..2500).unwrap();
    let sequence = commit(&store, [2500]).unwrap();
    assert_eq!(taken().values, (0..2501).collect::<Vec<_>>());
    assert_eq!(taken().follower.as_ref().unwrap().sequence(), sequence);

    let keys = Keys::derive(&key(1)).unwrap();
    let mut engine = Database::open(&path.join("store.db"), &options(), true).unwrap();
    assert!(engine.begin().unwrap());
    let head = Head::read(&mut engine, &keys).unwrap();
    let mut transaction = Transaction::new(&mut engine, &keys, head).unwrap();
    transaction.append(&[entry(2501)]).unwrap();
    transaction.commit().unwrap();

    commit(&store, [2502]).unwrap();
    assert_eq!(taken().values.len(), 2501);
    assert_eq!(taken().missed, 1);
    let (mut follower, mut seen) = (taken().follower.clone().unwrap(), Vec::new());
    store.entries_after(&mut follower, 10, &mut |_, entry| seen.push(entry.value)).unwrap();
    assert_eq!(seen, [2501, 2502]);
    taken().follower = Some(follower);
    commit(&store, [2503]).unwrap();
    assert_eq!(taken().values.last(), Some(&2503));
}
