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
