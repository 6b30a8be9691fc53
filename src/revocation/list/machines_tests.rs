//! Lists that several machines share, in one process: rows are handed from one to the other.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use super::RevocationList;
use super::remote::{Found, RemoteKeys, RemoteTerms};
use crate::clock::ManualClock;
use crate::error::{Code, Error, Result};
use crate::revocation::{ListLimits, OnFull, Query, Revocation, Scope};
use crate::secret::Secret;

const NOW: u64 = 1_700_000_000;
const TERMS: RemoteTerms = RemoteTerms { max_staleness: 60_000, answers_from_memory: false };

fn keys() -> RemoteKeys {
    RemoteKeys::derive(&Secret::copy_from(&[7; 32]).unwrap(), "p").unwrap()
}

fn list_of(limits: ListLimits) -> Arc<RevocationList> {
    let list = RevocationList::new(limits, Arc::new(ManualClock::at(NOW))).unwrap();
    list.attach_remote(keys(), TERMS, Box::new(|| true)).unwrap();
    list.confirm_remote(RevocationList::remote_now()).unwrap();
    Arc::new(list)
}

fn list() -> Arc<RevocationList> {
    list_of(ListLimits::default())
}

fn is_revoked(list: &RevocationList, id: &str) -> Result<bool> {
    list.is_revoked(&Query { id: Some(id), issued_at: Some(1.0), ..Query::default() })
}

/// Revokes an id, and returns where its result comes.
fn revoke(list: &Arc<RevocationList>, id: &str) -> Arc<Mutex<Vec<Result<()>>>> {
    let results = Arc::new(Mutex::new(Vec::new()));
    let of_done = results.clone();
    let done = Box::new(move |result| of_done.lock().unwrap().push(result));
    let revocation = Revocation::id(id, NOW + 600, Scope::Any);
    list.revoke_later(&revocation, done, &(Arc::new(|| ()) as _));
    results
}

#[test]
fn a_row_of_one_list_is_refused_by_another_and_its_caller_waits_for_the_server() {
    let (one, other) = (list(), list());
    let results = revoke(&one, "a");
    assert!(is_revoked(&one, "a").unwrap());
    assert!(!is_revoked(&other, "a").unwrap());
    let batch = one.take_remote(64, false).unwrap().unwrap();
    assert_eq!((batch.count, batch.lasting.len()), (1, 0));
    assert!(results.lock().unwrap().is_empty());
    one.settle_remote(batch.number, &Ok(())).unwrap();
    assert_eq!(*results.lock().unwrap(), [Ok(())]);
    let found = other.apply_remote(&batch.rows).unwrap();
    assert_eq!(found, Found { added: 1, ..Found::default() });
    assert!(is_revoked(&other, "a").unwrap());
    // A list reads its own rows, too.
    assert_eq!(one.apply_remote(&batch.rows).unwrap().added, 0);
    assert_eq!(one.count_remote().unwrap(), (0, 0));
}

#[test]
fn a_refused_row_stays_here_and_is_published_again() {
    let (one, other) = (list(), list());
    let results = revoke(&one, "a");
    let batch = one.take_remote(64, false).unwrap().unwrap();
    one.settle_remote(batch.number, &Err(Error::new(Code::RevocationStore, "full"))).unwrap();
    assert_eq!(results.lock().unwrap()[0].as_ref().unwrap_err().code, Code::RevocationStore);
    assert!(is_revoked(&one, "a").unwrap());
    assert_eq!(one.count_remote().unwrap(), (0, 1));
    let again = one.take_remote(64, true).unwrap().unwrap();
    one.settle_remote(again.number, &Ok(())).unwrap();
    assert_eq!(one.count_remote().unwrap(), (0, 0));
    other.apply_remote(&again.rows).unwrap();
    assert!(is_revoked(&other, "a").unwrap());
}

#[test]
fn only_entries_that_a_server_lacks_are_published_again() {
    let (one, other) = (list(), list());
    for id in ["a", "b", "c"] {
        revoke(&one, id);
    }
    let batch = one.take_remote(64, false).unwrap().unwrap();
    one.settle_remote(batch.number, &Ok(())).unwrap();
    one.doubt_remote().unwrap();
    assert_eq!(one.count_remote().unwrap(), (0, 3));
    let row = batch.rows.len() / 3;
    one.apply_remote(&batch.rows[..row]).unwrap();
    let missing = one.take_remote(64, true).unwrap().unwrap();
    assert_eq!(missing.count, 2);
    other.apply_remote(&missing.rows).unwrap();
    let known = ["a", "b", "c"].map(|id| is_revoked(&other, id).unwrap());
    assert_eq!(known, [false, true, true]);
}

#[test]
fn a_row_with_a_lower_value_does_not_stand_for_the_higher_one() {
    let (one, other) = (list(), list());
    one.revoke(&Revocation::subject("s", NOW - 100, Scope::Any)).unwrap();
    let lower = one.take_remote(64, false).unwrap().unwrap();
    one.revoke(&Revocation::subject("s", NOW, Scope::Any)).unwrap();
    one.doubt_remote().unwrap();
    one.apply_remote(&lower.rows).unwrap();
    let higher = one.take_remote(64, true).unwrap().unwrap();
    other.apply_remote(&lower.rows).unwrap();
    other.apply_remote(&higher.rows).unwrap();
    let at = |issued_at: u64| Query {
        subject: Some("s"),
        #[expect(clippy::cast_precision_loss, reason = "small")]
        issued_at: Some(issued_at as f64),
        ..Query::default()
    };
    assert!(other.is_revoked(&at(NOW)).unwrap());
    assert!(!other.is_revoked(&at(NOW + 1)).unwrap());
}

#[test]
fn keys_and_sessions_that_outlive_every_token_are_lasting() {
    let list = list();
    let end = NOW + list.max_token_ttl();
    list.revoke(&Revocation::key("k")).unwrap();
    list.revoke(&Revocation::session("short", end, Scope::Any)).unwrap();
    list.revoke(&Revocation::session("long", end + 1000, Scope::Any)).unwrap();
    list.revoke(&Revocation::subject_now("s", Scope::Any)).unwrap();
    list.revoke(&Revocation::all_now(Scope::Any)).unwrap();
    let batch = list.take_remote(64, false).unwrap().unwrap();
    assert_eq!((batch.count, batch.lasting), (5, vec![0, 2]));
}

#[test]
fn a_list_that_was_not_read_yet_refuses_and_takes_no_revocations_under_provisional_keys() {
    let list = Arc::new(
        RevocationList::new(ListLimits::default(), Arc::new(ManualClock::at(NOW))).unwrap(),
    );
    list.attach_remote(RemoteKeys::provisional().unwrap(), TERMS, Box::new(|| true)).unwrap();
    assert_eq!(is_revoked(&list, "a").unwrap_err().code, Code::RevocationStale);
    let results = revoke(&list, "a");
    assert_eq!(results.lock().unwrap()[0].as_ref().unwrap_err().code, Code::RevocationStore);
    let revocation = Revocation::key("k");
    assert_eq!(list.revoke(&revocation).unwrap_err().code, Code::RevocationStore);
    assert_eq!(list.stats().ids, 0);
    list.detach_remote().unwrap();
    list.attach_remote(keys(), TERMS, Box::new(|| true)).unwrap();
    assert_eq!(list.revoke(&revocation), Ok(()));
}

#[test]
fn a_list_with_entries_gets_no_other_keys_and_no_second_publisher() {
    let list = list();
    revoke(&list, "a");
    let again =
        |keys| list.attach_remote(keys, TERMS, Box::new(|| true)).map(drop).map_err(|e| e.code);
    assert_eq!(again(keys()), Err(Code::InvalidArgValue));
    list.detach_remote().unwrap();
    let other = RemoteKeys::derive(&Secret::copy_from(&[8; 32]).unwrap(), "p").unwrap();
    assert_eq!(again(other), Err(Code::InvalidArgValue));
    assert_eq!(again(keys()), Ok(()));
    let local = RevocationList::new(ListLimits::default(), Arc::new(ManualClock::at(NOW))).unwrap();
    local.revoke(&Revocation::key("k")).unwrap();
    let refused = local.attach_remote(keys(), TERMS, Box::new(|| true)).unwrap_err();
    assert_eq!(refused.code, Code::InvalidArgValue);
    assert!(!local.is_remote());
}

#[test]
fn callers_get_an_error_when_the_publisher_ends() {
    let list = list();
    let waiting = revoke(&list, "a");
    let sent = list.take_remote(64, false).unwrap().unwrap();
    let queued = revoke(&list, "b");
    list.detach_remote().unwrap();
    let late = revoke(&list, "c");
    for results in [waiting, queued, late] {
        let code = results.lock().unwrap()[0].as_ref().unwrap_err().code;
        assert_eq!(code, Code::RevocationStore);
    }
    list.settle_remote(sent.number, &Ok(())).unwrap();
    assert!(["a", "b", "c"].iter().all(|id| is_revoked(&list, id).unwrap()));
}

#[test]
fn a_publisher_that_has_ended_without_a_word_is_noticed_by_the_next_revocation() {
    let list = RevocationList::new(ListLimits::default(), Arc::new(ManualClock::at(NOW))).unwrap();
    let calls = Arc::new(AtomicUsize::new(0));
    let of_wake = calls.clone();
    let wake = Box::new(move || of_wake.fetch_add(1, Ordering::Relaxed) == 0);
    list.attach_remote(keys(), TERMS, wake).unwrap();
    let list = Arc::new(list);
    let first = revoke(&list, "a");
    drop(list.take_remote(64, false));
    let second = revoke(&list, "b");
    for results in [first, second] {
        let code = results.lock().unwrap()[0].as_ref().unwrap_err().code;
        assert_eq!(code, Code::RevocationStore);
    }
    assert_eq!(calls.load(Ordering::Relaxed), 2);
}

#[test]
fn rows_of_others_make_room_or_fail_as_revocations_of_this_process_do() {
    let full = |on_full| list_of(ListLimits { max_entries: 2, on_full, ..ListLimits::default() });
    let source = list();
    for id in ["a", "b", "c"] {
        revoke(&source, id);
    }
    let rows = source.take_remote(64, false).unwrap().unwrap().rows;
    let error = full(OnFull::Error).apply_remote(&rows).unwrap_err();
    assert_eq!(error.code, Code::RevocationFull);
    let older = full(OnFull::RejectOlder);
    assert_eq!(older.apply_remote(&rows).unwrap().added, 3);
    assert!(["a", "b", "c"].iter().all(|id| is_revoked(&older, id).unwrap()));
    assert_eq!(older.stats().rejects_issued_until, NOW);
}

#[test]
fn a_closed_list_fails_and_its_callers_still_get_results() {
    let list = list();
    let results = revoke(&list, "a");
    let batch = list.take_remote(64, false).unwrap().unwrap();
    list.close();
    list.settle_remote(batch.number, &Ok(())).unwrap();
    assert_eq!(*results.lock().unwrap(), [Ok(())]);
    assert_eq!(list.apply_remote(&batch.rows).unwrap_err().code, Code::RevocationClosed);
    assert_eq!(is_revoked(&list, "a").unwrap_err().code, Code::RevocationClosed);
}

#[test]
fn a_thread_that_ends_detaches_the_list_that_it_has_attached_and_no_later_one() {
    let list = RevocationList::new(ListLimits::default(), Arc::new(ManualClock::at(NOW))).unwrap();
    let attach = || list.attach_remote(keys(), TERMS, Box::new(|| true));
    let ended = attach().unwrap();
    assert_eq!(attach().unwrap_err().code, Code::InvalidArgValue);
    ended.end();
    let closed = attach().unwrap();
    list.detach_remote().unwrap();
    let present = attach().unwrap();
    closed.end();
    assert_eq!(attach().unwrap_err().code, Code::InvalidArgValue);
    present.end();
    assert!(attach().is_ok());
}
