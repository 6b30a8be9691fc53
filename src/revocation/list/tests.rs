use std::time::Duration;

use super::*;
use crate::clock::ManualClock;
use crate::revocation::table::EntryTable;

const NOW: u64 = 1_700_000_000;

fn list(limits: ListLimits) -> (RevocationList, Arc<ManualClock>) {
    let clock = Arc::new(ManualClock::at(NOW));
    (RevocationList::new(limits, clock.clone()).unwrap(), clock)
}

fn id(id: &str) -> Query<'_> {
    Query { id: Some(id), issued_at: Some(0.0), ..Query::default() }
}

#[test]
fn each_kind_of_entry_refuses_its_own_tokens_only() {
    let (list, _) = list(ListLimits::default());
    let all = Query {
        issuer: Some("i"),
        id: Some("x"),
        session: Some("x"),
        subject: Some("x"),
        issued_at: Some(1.0),
        kid: Some("x"),
    };
    assert!(!list.is_revoked(&all).unwrap());
    list.revoke_session("x", NOW + 10, Scope::Any).unwrap();
    assert!(list.is_revoked(&all).unwrap());
    let others = Query { session: None, ..all };
    assert!(!list.is_revoked(&others).unwrap());
    list.revoke_key("x").unwrap();
    assert!(list.is_revoked(&others).unwrap());
    assert!(!list.is_revoked(&Query { kid: None, ..others }).unwrap());
    assert_eq!(list.read().len(), 2);
}

#[test]
fn an_entry_of_one_issuer_refuses_no_token_of_another() {
    let (list, _) = list(ListLimits::default());
    list.revoke_id("x", NOW + 10, Scope::Issuer("a")).unwrap();
    assert!(list.is_revoked(&Query { issuer: Some("a"), ..id("x") }).unwrap());
    assert!(!list.is_revoked(&Query { issuer: Some("b"), ..id("x") }).unwrap());
    assert!(!list.is_revoked(&id("x")).unwrap());
    list.revoke_id("x", NOW + 10, Scope::Any).unwrap();
    assert!(list.is_revoked(&Query { issuer: Some("b"), ..id("x") }).unwrap());
    list.revoke_id("c", NOW, Scope::Issuer("ab")).unwrap();
    assert!(!list.is_revoked(&Query { issuer: Some("a"), ..id("bc") }).unwrap());
}

#[test]
fn subjects_are_refused_up_to_a_second() {
    let (list, _) = list(ListLimits::default());
    let issued = |issued_at| Query { subject: Some("u"), issued_at, ..Query::default() };
    list.revoke_subject("u", NOW, Scope::Any).unwrap();
    list.revoke_subject("u", NOW - 50, Scope::Any).unwrap();
    for (issued_at, revoked) in [(0.0, true), (0.9, true), (1.0, false), (-1.0, true)] {
        let query = issued(Some(1_700_000_000.0 + issued_at));
        assert_eq!(list.is_revoked(&query).unwrap(), revoked, "{issued_at}");
    }
    assert!(list.is_revoked(&issued(None)).unwrap());
}

#[test]
fn entries_stay_until_expiry_and_tolerance_have_passed_and_no_longer() {
    let (list, clock) = list(ListLimits::default());
    list.revoke_id("x", NOW + 100, Scope::Any).unwrap();
    clock.advance(Duration::from_secs(100 + MAX_CLOCK_TOLERANCE));
    list.revoke_id("y", NOW + 1000, Scope::Any).unwrap();
    assert!(list.is_revoked(&id("x")).unwrap());
    clock.advance(Duration::from_secs(60));
    list.revoke_id("z", NOW + 1000, Scope::Any).unwrap();
    assert!(!list.is_revoked(&id("x")).unwrap());
    assert_eq!(list.read().len(), 2);
}

#[test]
fn revoking_again_extends_and_never_shortens() {
    let (list, clock) = list(ListLimits::default());
    for expires_at in [NOW + 5000, NOW + 100] {
        list.revoke_id("x", expires_at, Scope::Any).unwrap();
    }
    clock.advance(Duration::from_secs(4000));
    list.revoke_id("y", NOW + 9000, Scope::Any).unwrap();
    assert!(list.is_revoked(&id("x")).unwrap());
    clock.advance(Duration::from_secs(2000));
    list.revoke_id("z", NOW + 9000, Scope::Any).unwrap();
    assert!(!list.is_revoked(&id("x")).unwrap());
}

#[test]
fn a_clock_set_ahead_forgets_nothing() {
    let (list, clock) = list(ListLimits::default());
    list.revoke_id("x", NOW + 100, Scope::Any).unwrap();
    clock.set(NOW * 2);
    list.revoke_id("y", NOW + 100, Scope::Any).unwrap();
    clock.set(NOW);
    assert!(list.is_revoked(&id("x")).unwrap());
}

#[test]
fn keys_stay_revoked() {
    let (list, clock) = list(ListLimits::default());
    list.revoke_key("k").unwrap();
    clock.advance(Duration::from_secs(10 * 365 * 24 * 3600));
    list.revoke_id("y", NOW, Scope::Any).unwrap();
    assert!(list.is_revoked(&Query { kid: Some("k"), ..Query::default() }).unwrap());
}

#[test]
fn a_full_list_fails_and_revokes_nothing() {
    let (list, _) = list(ListLimits { max_entries: 2, ..ListLimits::default() });
    list.revoke_id("a", NOW + 10, Scope::Any).unwrap();
    list.revoke_id("b", NOW + 10, Scope::Any).unwrap();
    list.revoke_id("b", NOW + 20, Scope::Any).unwrap();
    assert_eq!(list.revoke_id("c", NOW, Scope::Any).unwrap_err().code, Code::RevocationFull);
    assert!(!list.is_revoked(&id("c")).unwrap());
    assert!(list.is_revoked(&id("a")).unwrap());
}

#[test]
fn a_full_list_may_refuse_everything_older() {
    let on_full = OnFull::RejectOlder;
    let (list, clock) = list(ListLimits { max_entries: 2, on_full, ..ListLimits::default() });
    list.revoke_id("a", NOW + 10, Scope::Any).unwrap();
    list.revoke_session("s", NOW + 10, Scope::Any).unwrap();
    list.revoke_id("c", NOW + 10, Scope::Any).unwrap();
    let issued = |id, issued_at| Query { id: Some(id), issued_at, ..Query::default() };
    assert!(list.is_revoked(&issued("a", Some(1_700_000_000.0))).unwrap());
    assert!(list.is_revoked(&issued("never", None)).unwrap());
    assert!(!list.is_revoked(&issued("new", Some(1_700_000_001.0))).unwrap());
    assert!(list.is_revoked(&issued("c", Some(1_700_000_001.0))).unwrap());
    clock.advance(Duration::from_secs(1));
    list.revoke_session("t", NOW, Scope::Any).unwrap();
    assert_eq!(list.revoke_session("u", NOW, Scope::Any).unwrap_err().code, Code::RevocationFull);
    assert_eq!(list.stats().rejects_issued_until, NOW + 1);
}

#[test]
fn every_call_of_a_closed_list_fails() {
    let (list, _) = list(ListLimits::default());
    list.close();
    assert_eq!(list.is_revoked(&id("x")).unwrap_err().code, Code::RevocationClosed);
    assert_eq!(list.revoke_key("x").unwrap_err().code, Code::RevocationClosed);
}

#[test]
fn refusing_older_tokens_covers_those_that_a_tolerant_verifier_accepts() {
    let on_full = OnFull::RejectOlder;
    let (list, _) = list(ListLimits { max_entries: 1, on_full, ..ListLimits::default() });
    list.revoke_id("a", NOW + 100, Scope::Any).unwrap();
    list.revoke_id("b", NOW + 100, Scope::Any).unwrap();
    // Registered after the revocation, the tolerance still counts.
    list.tolerate(30);
    let ahead = Query { id: Some("a"), issued_at: Some(1_700_000_020.0), ..Query::default() };
    assert!(list.is_revoked(&ahead).unwrap());
}

#[test]
fn a_list_that_finds_no_room_changes_nothing() {
    let on_full = OnFull::RejectOlder;
    let (list, _) = list(ListLimits { max_entries: 2, on_full, ..ListLimits::default() });
    list.revoke_session("s", NOW + 100, Scope::Any).unwrap();
    list.revoke_key("k").unwrap();
    assert_eq!(list.revoke_id("a", NOW, Scope::Any).unwrap_err().code, Code::RevocationFull);
    assert_eq!((list.stats().rejects_issued_until, list.read().len()), (0, 2));
}

#[test]
fn the_wheel_holds_one_hash_per_entry() {
    let on_full = OnFull::RejectOlder;
    let (list, _) = list(ListLimits { max_entries: 10, on_full, ..ListLimits::default() });
    for n in 0..1000 {
        list.revoke_id("the same", NOW + n * 60, Scope::Any).unwrap();
        list.revoke_id(&n.to_string(), NOW + n * 60, Scope::Any).unwrap();
    }
    assert!(list.read().tables.iter().map(EntryTable::places).sum::<usize>() <= 10);
}

#[test]
fn subjects_refused_up_to_a_future_time_stay() {
    let on_full = OnFull::RejectOlder;
    let (list, _) = list(ListLimits { max_entries: 1, on_full, ..ListLimits::default() });
    list.revoke_subject("u", NOW + 1000, Scope::Any).unwrap();
    assert_eq!(list.revoke_id("a", NOW, Scope::Any).unwrap_err().code, Code::RevocationFull);
    assert_eq!(list.stats().rejects_issued_until, 0);
    let later = Query { subject: Some("u"), issued_at: Some(1_700_000_900.0), ..Query::default() };
    assert!(list.is_revoked(&later).unwrap());
}
