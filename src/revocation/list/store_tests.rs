//! Lists on a store.

use std::path::Path;
use std::sync::mpsc;
use std::time::Duration;

use super::*;
use crate::clock::ManualClock;
use crate::revocation::{Query, Revocation, Scope, StoredList};
use crate::secret::Secret;
use crate::store::{Batch, Expected, RecordChange, Store, StoreOptions, Told};
use crate::testing::folder::Folder;

const NOW: u64 = 1_700_000_000;

/// A store, the clock of its list, and the list.
struct Opened {
    store: Arc<Store>,
    clock: Arc<ManualClock>,
    list: Arc<RevocationList>,
}

fn open_with(path: &Path, limits: ListLimits, clock: Arc<ManualClock>, allows: bool) -> Opened {
    let key = Secret::copy_from(&[7; 32]).unwrap();
    let make = || Box::new(StoredList::new(clock.clone(), allows)) as _;
    let store = Arc::new(Store::open(path, &key, StoreOptions::default(), make).unwrap());
    let stored = store.state::<StoredList>().unwrap();
    stored.prepare(&store).unwrap();
    let list = stored.list(&store, limits, clock.clone()).unwrap().unwrap();
    Opened { store, clock, list }
}

fn open(path: &Path) -> Opened {
    open_with(path, ListLimits::default(), Arc::new(ManualClock::at(NOW)), false)
}

/// For callers that do not wait for others.
fn told_all() -> Told {
    Arc::new(|| ())
}

fn session(sid: &str) -> Query<'_> {
    Query { session: Some(sid), issued_at: Some(1.0), ..Query::default() }
}

#[test]
fn every_kind_of_revocation_is_there_after_the_store_was_opened_again() {
    let folder = Folder::new();
    let path = folder.path("store");
    let (issuer, other) = (Scope::Issuer("issuer"), Some("other"));
    let token = Query { issuer: Some("issuer"), issued_at: Some(5.0), ..Query::default() };
    let cases = [
        (Revocation::id("a", NOW, Scope::Any), Query { id: Some("a"), ..token }),
        (Revocation::id("b", NOW, issuer), Query { id: Some("b"), ..token }),
        (Revocation::session("a", NOW, Scope::Any), Query { session: Some("a"), ..token }),
        (Revocation::ended_session("b", NOW), Query { session: Some("b"), ..token }),
        (Revocation::subject("a", 5, issuer), Query { subject: Some("a"), ..token }),
        (Revocation::subject_now("b", Scope::Any), Query { subject: Some("b"), ..token }),
        (Revocation::key("a"), Query { kid: Some("a"), ..token }),
    ];
    let opened = open(&path);
    for (revocation, query) in &cases {
        assert!(!opened.list.is_revoked(query).unwrap(), "{revocation:?}");
        opened.list.revoke(revocation).unwrap();
        assert!(opened.list.is_revoked(query).unwrap(), "{revocation:?}");
    }
    let stats = opened.list.stats();
    opened.store.close();
    let again = open(&path);
    for (revocation, query) in &cases {
        assert!(again.list.is_revoked(query).unwrap(), "{revocation:?}");
    }
    assert_eq!(again.list.stats(), stats);
    for id in ["b", "c"] {
        let query = Query { id: Some(id), issuer: other, ..token };
        assert!(!again.list.is_revoked(&query).unwrap(), "{id}");
    }
    assert!(!again.list.is_revoked(&token).unwrap());
    again.list.revoke(&Revocation::all_now(issuer)).unwrap();
    again.list.revoke(&Revocation::all(4, Scope::Any)).unwrap();
    again.store.close();
    let last = open(&path);
    assert!(last.list.is_revoked(&token).unwrap());
    assert!(!last.list.is_revoked(&Query { issuer: other, ..token }).unwrap());
    let older = Query { issuer: other, issued_at: Some(4.0), ..token };
    assert!(last.list.is_revoked(&older).unwrap());
}

#[test]
fn the_latest_time_counts_of_a_subject_that_is_revoked_twice() {
    let folder = Folder::new();
    let subject = |issued_at| Query { subject: Some("s"), issued_at, ..Query::default() };
    for until in [1000, 3000, 2000] {
        let opened = open(&folder.path("store"));
        opened.list.revoke(&Revocation::subject("s", until, Scope::Any)).unwrap();
        opened.store.close();
    }
    let opened = open(&folder.path("store"));
    assert!(opened.list.is_revoked(&subject(Some(3000.0))).unwrap());
    assert!(!opened.list.is_revoked(&subject(Some(3001.0))).unwrap());
    assert_eq!(opened.list.stats().subjects, 1);
    // The third revocation changed nothing, so nothing was written for it.
    assert_eq!(opened.store.stats().unwrap().entries, 2);
}

#[test]
fn a_revocation_that_does_not_wait_is_refused_from_its_result_on() {
    let folder = Folder::new();
    let Opened { list, store: _store, .. } = open(&folder.path("store"));
    let (tell, told) = mpsc::channel();
    for number in 0..500 {
        let tell = tell.clone();
        let done = Box::new(move |result: Result<()>| tell.send((number, result)).unwrap());
        let sid = number.to_string();
        list.revoke_later(&Revocation::session(&sid, NOW, Scope::Any), done, &told_all());
    }
    for _ in 0..500 {
        let (number, result) = told.recv_timeout(Duration::from_secs(30)).unwrap();
        result.unwrap();
        assert!(list.is_revoked(&session(&number.to_string())).unwrap(), "{number}");
    }
}

#[test]
fn lists_on_one_store_are_one_and_agree_about_their_options() {
    let folder = Folder::new();
    let Opened { store, clock, list } = open(&folder.path("store"));
    let stored = store.state::<StoredList>().unwrap();
    let again = |limits| stored.list(&store, limits, clock.clone()).unwrap();
    let same = again(ListLimits::default()).unwrap();
    assert!(Arc::ptr_eq(&list, &same));
    assert!(again(ListLimits { max_entries: 7, ..ListLimits::default() }).is_none());
    let other = Arc::new(ManualClock::at(NOW));
    assert!(stored.list(&store, ListLimits::default(), other).unwrap().is_none());
}

/// Revokes without waiting, and returns how many revocations were written.
fn revoke_at_once<'a>(
    list: &Arc<RevocationList>,
    revocations: impl Iterator<Item = Revocation<'a>>,
) -> usize {
    let (tell, told) = mpsc::channel();
    for revocation in revocations {
        let tell = tell.clone();
        let done = Box::new(move |result: Result<()>| tell.send(result).unwrap());
        list.revoke_later(&revocation, done, &told_all());
    }
    drop(tell);
    let results = told.iter().inspect(|result| {
        let code = result.as_ref().err().map(|error| error.code);
        assert!(matches!(code, None | Some(Code::RevocationFull)), "{result:?}");
    });
    results.flatten().count()
}

#[test]
fn revocations_that_wait_for_the_store_count_among_the_most_entries() {
    let ids: Vec<_> = (0..346).map(|number| number.to_string()).collect();
    let sessions = || ids.iter().map(|id| Revocation::session(id, NOW + 900, Scope::Any));
    let tokens = || ids.iter().map(|id| Revocation::id(id, NOW + 900, Scope::Any));
    let folder = Folder::new();
    let clock = || Arc::new(ManualClock::at(NOW));
    let limits = ListLimits { max_entries: 10, ..ListLimits::default() };
    let opened = open_with(&folder.path("refuses"), limits, clock(), false);
    assert_eq!(revoke_at_once(&opened.list, sessions()), 10);
    assert_eq!(opened.list.read().len(), 10);
    // To revoke again needs no room.
    assert_eq!(revoke_at_once(&opened.list, sessions().take(10)), 10);
    let limits = ListLimits { on_full: OnFull::RejectOlder, ..limits };
    let opened = open_with(&folder.path("makes room"), limits, clock(), false);
    assert_eq!(revoke_at_once(&opened.list, tokens()), 346);
    assert!(opened.list.read().len() <= 10);
    for id in &ids {
        let token = Query { id: Some(id), issued_at: Some(1.0), ..Query::default() };
        assert!(opened.list.is_revoked(&token).unwrap(), "{id}");
    }
    let log = opened.list.log().unwrap();
    let waiting = log.waiting();
    assert_eq!((waiting.len(), waiting.has_forgotten()), (0, false));
}

#[test]
fn the_stored_tolerance_is_the_largest_of_all_processes() {
    let folder = Folder::new();
    let opened = open(&folder.path("store"));
    opened.list.tolerate(5);
    opened.list.revoke(&Revocation::session("a", NOW, Scope::Any)).unwrap();
    // As another process stores it.
    let record = replayed::time_record(opened.list.proven_time(), 300);
    let change = RecordChange {
        name: replayed::TIME_RECORD.to_vec(),
        expected: Expected::Anything,
        value: Some(record.into()),
    };
    let batch = Batch { records: vec![change], ..Batch::default() };
    opened.store.commit_and_wait(batch, Duration::from_secs(30)).unwrap();
    opened.clock.advance(Duration::from_secs(61));
    opened.list.revoke(&Revocation::session("b", NOW, Scope::Any)).unwrap();
    assert_eq!(opened.list.tolerance.load(Ordering::Relaxed), 300);
    opened.store.close();
    let again = open(&folder.path("store"));
    assert_eq!(again.list.tolerance.load(Ordering::Relaxed), 300);
}

/// A verifier may have the list when nobody else has it or the store any more.
#[test]
fn a_store_without_handles_stays_open_for_its_list_until_it_is_closed() {
    let folder = Folder::new();
    let Opened { list, clock, .. } = open(&folder.path("store"));
    list.revoke(&Revocation::session("a", NOW, Scope::Any)).unwrap();
    let again = open_with(&folder.path("store"), ListLimits::default(), clock, false);
    assert!(Arc::ptr_eq(&list, &again.list));
    assert_eq!(again.store.stats().unwrap().openers, 1);
    again.store.close();
    assert_eq!(list.is_revoked(&session("a")).unwrap_err().code, Code::StoreClosed);
}

#[test]
fn a_closed_store_is_an_error_and_never_a_list_without_entries() {
    let folder = Folder::new();
    for allows in [false, true] {
        let clock = Arc::new(ManualClock::at(NOW));
        let opened = open_with(&folder.path("store"), ListLimits::default(), clock, allows);
        opened.list.revoke(&Revocation::session("a", NOW, Scope::Any)).unwrap();
        opened.store.close();
        for sid in ["a", "b"] {
            assert_eq!(opened.list.is_revoked(&session(sid)).unwrap_err().code, Code::StoreClosed);
        }
        let revoked = opened.list.revoke(&Revocation::session("b", NOW, Scope::Any));
        assert_eq!(revoked.unwrap_err().code, Code::StoreClosed);
        let stored = opened.store.state::<StoredList>().unwrap();
        let new = stored.list(&opened.store, ListLimits::default(), opened.clock.clone());
        assert_eq!(new.err().unwrap().code, Code::StoreClosed);
        let (tell, told) = mpsc::channel();
        let done = Box::new(move |result| tell.send(result).unwrap());
        opened.list.revoke_later(&Revocation::key("b"), done, &told_all());
        let later: Result<()> = told.recv().unwrap();
        assert_eq!(later.unwrap_err().code, Code::StoreClosed);
    }
}

#[test]
fn a_list_that_made_room_refuses_older_tokens_after_it_was_opened_again() {
    let folder = Folder::new();
    let limits = ListLimits { max_entries: 3, on_full: OnFull::RejectOlder, max_token_ttl: 900 };
    let open = || {
        let clock = Arc::new(ManualClock::at(NOW));
        open_with(&folder.path("store"), limits, clock, false)
    };
    let opened = open();
    for id in ["a", "b", "c", "d"] {
        opened.list.revoke(&Revocation::id(id, NOW + 900, Scope::Any)).unwrap();
    }
    let stats = opened.list.stats();
    assert_eq!((stats.ids, stats.rejects_issued_until), (1, NOW));
    opened.store.close();
    let again = open();
    assert_eq!(again.list.stats(), stats);
    #[expect(clippy::cast_precision_loss, reason = "a time of this century")]
    for (issued_at, is_revoked) in [(NOW, true), (NOW + 1, false)] {
        let token = Query { id: Some("e"), issued_at: Some(issued_at as f64), ..Query::default() };
        assert_eq!(again.list.is_revoked(&token).unwrap(), is_revoked);
    }
}

#[test]
fn listeners_hear_the_revocations_of_their_own_process_as_local_and_once() {
    let folder = Folder::new();
    let Opened { list, .. } = open(&folder.path("store"));
    let (tell, told) = mpsc::channel();
    let tell = std::sync::Mutex::new(tell);
    list.listen(Box::new(move |revoked: &[Revoked]| {
        for each in revoked {
            tell.lock().unwrap().send(*each).unwrap();
        }
        true
    }));
    for _ in 0..2 {
        list.revoke(&Revocation::session("a", NOW, Scope::Any)).unwrap();
    }
    let revoked = Revoked { field: Field::Session, until: Some(NOW), origin: Origin::Local };
    assert_eq!(told.try_iter().collect::<Vec<_>>(), [revoked]);
}

#[test]
fn rows_go_when_their_time_has_been_proven_and_the_proven_time_survives() {
    const DAY: u64 = 86_400;
    let folder = Folder::new();
    let clock = Arc::new(ManualClock::at(NOW));
    let open = || open_with(&folder.path("store"), ListLimits::default(), clock.clone(), false);
    let opened = open();
    opened.list.tolerate(77);
    opened.list.revoke(&Revocation::session("short", NOW + 60, Scope::Any)).unwrap();
    opened.list.revoke(&Revocation::session("long", NOW + 30 * DAY, Scope::Any)).unwrap();
    let rows = |opened: &Opened| {
        opened.store.close();
        let again = open();
        let entries = again.store.stats().unwrap().entries;
        (again, entries)
    };
    // A clock that was set ahead proves nothing, and the row stays.
    clock.set(NOW + 365 * DAY);
    opened.list.revoke(&Revocation::session("ahead", NOW, Scope::Any)).unwrap();
    let (opened, entries) = rows(&opened);
    assert_eq!(entries, 3);
    clock.set(NOW);
    for _ in 0..5 {
        clock.advance(Duration::from_secs(1800));
        opened.list.revoke(&Revocation::session("later", NOW + DAY, Scope::Any)).unwrap();
        opened.list.revoke(&Revocation::session("latest", NOW + 2 * DAY, Scope::Any)).unwrap();
    }
    clock.advance(Duration::from_secs(3600));
    opened.list.revoke(&Revocation::session("last", NOW + DAY, Scope::Any)).unwrap();
    let (opened, entries) = rows(&opened);
    assert_eq!(entries, 4, "long, later, latest and last");
    assert!(opened.list.is_revoked(&session("long")).unwrap());
    assert_eq!(opened.list.tolerance.load(Ordering::Relaxed), 77);
    assert!(opened.list.proven_time().proven > NOW * 1000);
}
