//! Handles of one store in one process.

use std::sync::{Arc, mpsc};
use std::thread;

use super::*;
use crate::store::Durability;

#[test]
fn two_handles_of_one_directory_are_one_store_with_one_state() {
    let folder = Folder::new();
    let path = folder.path("store");
    let one = open(&path).unwrap();
    commit(&one, 0..10).unwrap();
    let other = thread::scope(|scope| {
        let indirect = path.join("..").join("store");
        scope.spawn(move || open(&indirect).unwrap()).join().unwrap()
    });
    assert!(Arc::ptr_eq(&one.state::<Rows>().unwrap(), &other.state::<Rows>().unwrap()));
    assert_eq!(other.stats().unwrap().openers, 2);
    assert_eq!(one.epoch(), other.epoch());
    assert!(one.state::<()>().is_none());
    one.close();
    one.close();
    assert_eq!(one.stats().unwrap_err().code, Code::StoreClosed);
    commit(&other, [10]).unwrap();
    assert_eq!(other.stats().unwrap().openers, 1);
    drop(other);
    assert_eq!(values_in(&path), (0..11).collect::<Vec<_>>());
}

#[test]
fn another_key_or_other_options_are_refused_and_leave_the_store_open() {
    let folder = Folder::new();
    let path = folder.path("store");
    let store = open(&path).unwrap();
    let other_key = |options| Store::open(&path, &key(2), options, || Box::new(()));
    assert_eq!(other_key(options()).err().unwrap().code, Code::StoreKey);
    let others = [
        StoreOptions { busy: Duration::from_secs(1), ..options() },
        StoreOptions { durability: Durability::Process, ..options() },
        StoreOptions { allow_filesystem: true, ..options() },
    ];
    for other in others {
        assert_eq!(open_with(&path, other).err().unwrap().code, Code::InvalidArgValue);
    }
    commit(&store, [1]).unwrap();
    store.close();
    assert_eq!(other_key(options()).err().unwrap().code, Code::StoreKey);
    for other in others {
        open_with(&path, other).unwrap().close();
    }
    assert_eq!(values_in(&path), [1]);
}

#[test]
fn options_and_keys_out_of_range_are_refused_before_a_directory_is_made() {
    let folder = Folder::new();
    let path = folder.path("store");
    for busy in [Duration::ZERO, Duration::from_millis(600_001), Duration::MAX] {
        let refused = open_with(&path, StoreOptions { busy, ..options() });
        assert_eq!(refused.err().unwrap().code, Code::OutOfRange);
    }
    for page_size in [0, 256, 513, 131_072, u32::MAX] {
        let refused = open_with(&path, StoreOptions { page_size, ..options() });
        assert_eq!(refused.err().unwrap().code, Code::OutOfRange);
    }
    let short = Secret::copy_from(&[1; 31]).unwrap();
    let refused = Store::open(&path, &short, options(), || Box::new(()));
    assert_eq!(refused.err().unwrap().code, Code::OutOfRange);
    assert!(!path.exists());
}

#[test]
fn closing_writes_what_waits_and_refuses_what_comes_later() {
    let folder = Folder::new();
    let path = folder.path("store");
    let store = open(&path).unwrap();
    let (tell, told) = mpsc::channel();
    for value in 0..1000 {
        let tell = tell.clone();
        store.commit(batch([value]), Box::new(move |result| tell.send(result).unwrap())).unwrap();
    }
    store.close();
    assert_eq!(told.try_iter().flatten().count(), 1000);
    let waiter = Box::new(|_| panic!("the waiter must not be called"));
    assert_eq!(store.commit(batch([1]), waiter).unwrap_err().code, Code::StoreClosed);
    let mut follower = store.follower();
    let follow = store.entries_after(&mut follower, 1, &mut |_, _| {});
    assert_eq!(follow.unwrap_err().code, Code::StoreClosed);
    assert_eq!(store.record(b"1").unwrap_err().code, Code::StoreClosed);
    assert_eq!(store.backup(&folder.path("copy")).unwrap_err().code, Code::StoreClosed);
    assert_eq!(values_in(&path).len(), 1000);
}

#[test]
fn a_waiter_may_drop_the_last_handle_and_the_store_opens_again() {
    let folder = Folder::new();
    let path = folder.path("store");
    let store = Arc::new(open(&path).unwrap());
    let (tell, told) = mpsc::channel();
    let own = store.clone();
    let waiter = Box::new(move |result| {
        drop(own);
        tell.send(result).unwrap();
    });
    store.commit(batch([1]), waiter).unwrap();
    drop(store);
    told.recv_timeout(WAIT).unwrap().unwrap();
    assert_eq!(values_in(&path), [1]);
}

/// Uses the store as long as something else has a share of it.
struct User(Arc<()>);

impl Replay for User {
    fn entry(&mut self, _: Position, _: &Entry) -> Result<()> {
        Ok(())
    }

    fn record(&mut self, _: &SealedRecord<'_>) -> Result<()> {
        Ok(())
    }

    fn is_used(&self) -> bool {
        Arc::strong_count(&self.0) > 1
    }
}

#[test]
fn a_store_that_was_dropped_closes_when_its_last_user_goes_and_opens_with_other_options() {
    let folder = Folder::new();
    let path = folder.path("store");
    let open = |busy| {
        let user = Arc::new(());
        let of_store = user.clone();
        let options = StoreOptions { busy: Duration::from_secs(busy), ..options() };
        let store = Store::open(&path, &key(1), options, || Box::new(User(of_store)));
        store.map(|store| (store, user))
    };
    let (store, user) = open(2).unwrap();
    commit(&store, [1]).unwrap();
    drop(store);
    assert_eq!(open(3).err().unwrap().code, Code::InvalidArgValue, "it is used");
    drop(user);
    let (store, user) = open(3).unwrap();
    commit(&store, [2]).unwrap();
    drop((store, user));
    // The last connection removes the log.
    let is_closed = (0..300).any(|_| {
        thread::sleep(Duration::from_millis(100));
        !path.join("store.db-wal").exists()
    });
    assert!(is_closed, "nobody opens it again");
    assert_eq!(values_in(&path), [1, 2]);
}

#[cfg(target_os = "linux")]
#[test]
fn closing_waits_for_a_backup_that_runs_and_refuses_later_ones() {
    use crate::os::{Native, Storage};
    let folder = Folder::new();
    let (path, copy) = (folder.path("store"), folder.path("copy"));
    let store = open(&path).unwrap();
    commit(&store, 0..60_000).unwrap();
    let id = Native::file_id(&path.join("store.db")).unwrap();
    thread::scope(|scope| {
        let backup = scope.spawn(|| store.backup(&copy));
        while !copy.join("store.db").exists() {
            thread::yield_now();
        }
        store.close();
        assert!(!Native::has_descriptor(id));
        // It was either whole or not begun.
        let result = backup.join().unwrap();
        assert!(result.is_ok_and(|()| copy.join("epoch").exists()));
    });
    assert_eq!(values_in(&copy).len(), 60_000);
    assert_eq!(store.backup(&folder.path("late")).unwrap_err().code, Code::StoreClosed);
}

#[test]
fn a_waiter_that_panics_fails_the_others_and_the_store_opens_again() {
    let folder = Folder::new();
    let path = folder.path("store");
    let store = open(&path).unwrap();
    store.commit(batch([1]), Box::new(|_| panic!("a defect of a waiter"))).unwrap();
    let later = store.commit_and_wait(batch([2]), WAIT);
    assert!(later.is_err_and(|error| error.code == Code::StoreClosed));
    assert_eq!(store.failing(), Some(Code::StoreOpen));
    store.close();
    assert_eq!(values_in(&path)[0], 1);
}

#[test]
fn threads_that_open_and_close_one_store_lose_nothing() {
    let folder = Folder::new();
    let path = folder.path("store");
    thread::scope(|scope| {
        for thread in 0..8 {
            let path = &path;
            scope.spawn(move || {
                for round in 0..10 {
                    let store = open(path).unwrap();
                    commit(&store, [thread * 10 + round]).unwrap();
                    if round % 2 == 0 {
                        store.close();
                    }
                }
            });
        }
    });
    assert_eq!(values_in(&path), (0..80).collect::<Vec<_>>());
}
