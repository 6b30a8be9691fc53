use std::time::Duration;

use super::*;
use crate::clock::ManualClock;
use crate::id::uuid_v7;
use crate::revocation::terms::MAX_CLOCK_TOLERANCE;
use crate::revocation::{Query, Revocation, Scope};
use crate::testing::allocations::out_of_memory;
use crate::testing::steps::steps_of;

const NOW: u64 = 1_700_000_000;
/// How long entries stay beyond their time, until that is proven.
const HOUR: u64 = 3600;

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
    list.revoke(&Revocation::session("x", NOW + 10, Scope::Any)).unwrap();
    assert!(list.is_revoked(&all).unwrap());
    let others = Query { session: None, ..all };
    assert!(!list.is_revoked(&others).unwrap());
    list.revoke(&Revocation::key("x")).unwrap();
    assert!(list.is_revoked(&others).unwrap());
    assert!(!list.is_revoked(&Query { kid: None, ..others }).unwrap());
    assert_eq!(list.read().len(), 2);
}

#[test]
fn an_entry_of_one_issuer_refuses_no_token_of_another() {
    let (list, _) = list(ListLimits::default());
    list.revoke(&Revocation::id("x", NOW + 10, Scope::Issuer("a"))).unwrap();
    assert!(list.is_revoked(&Query { issuer: Some("a"), ..id("x") }).unwrap());
    assert!(!list.is_revoked(&Query { issuer: Some("b"), ..id("x") }).unwrap());
    assert!(!list.is_revoked(&id("x")).unwrap());
    list.revoke(&Revocation::id("x", NOW + 10, Scope::Any)).unwrap();
    assert!(list.is_revoked(&Query { issuer: Some("b"), ..id("x") }).unwrap());
    list.revoke(&Revocation::id("c", NOW, Scope::Issuer("ab"))).unwrap();
    assert!(!list.is_revoked(&Query { issuer: Some("a"), ..id("bc") }).unwrap());
}

#[test]
fn subjects_are_refused_up_to_a_second() {
    let (list, _) = list(ListLimits::default());
    let issued = |issued_at| Query { subject: Some("u"), issued_at, ..Query::default() };
    list.revoke(&Revocation::subject("u", NOW, Scope::Any)).unwrap();
    list.revoke(&Revocation::subject("u", NOW - 50, Scope::Any)).unwrap();
    for (issued_at, revoked) in [(0.0, true), (0.9, true), (1.0, false), (-1.0, true)] {
        let query = issued(Some(1_700_000_000.0 + issued_at));
        assert_eq!(list.is_revoked(&query).unwrap(), revoked, "{issued_at}");
    }
    assert!(list.is_revoked(&issued(None)).unwrap());
}

#[test]
fn entries_stay_until_expiry_and_tolerance_have_passed_for_an_hour_and_no_longer() {
    let (list, clock) = list(ListLimits::default());
    list.revoke(&Revocation::id("x", NOW + 100, Scope::Any)).unwrap();
    clock.advance(Duration::from_secs(100 + MAX_CLOCK_TOLERANCE + HOUR));
    list.revoke(&Revocation::id("y", NOW + 1000, Scope::Any)).unwrap();
    assert!(list.is_revoked(&id("x")).unwrap());
    clock.advance(Duration::from_secs(60));
    list.revoke(&Revocation::id("z", NOW + 1000, Scope::Any)).unwrap();
    assert!(!list.is_revoked(&id("x")).unwrap());
    assert_eq!(list.read().len(), 2);
}

#[test]
fn revoking_again_extends_and_never_shortens() {
    let (list, clock) = list(ListLimits::default());
    for expires_at in [NOW + 5000, NOW + 100] {
        list.revoke(&Revocation::id("x", expires_at, Scope::Any)).unwrap();
    }
    clock.advance(Duration::from_secs(4000));
    list.revoke(&Revocation::id("y", NOW + 9000, Scope::Any)).unwrap();
    assert!(list.is_revoked(&id("x")).unwrap());
    clock.advance(Duration::from_secs(2000 + HOUR));
    list.revoke(&Revocation::id("z", NOW + 9000, Scope::Any)).unwrap();
    assert!(!list.is_revoked(&id("x")).unwrap());
}

#[test]
fn a_clock_set_ahead_forgets_nothing() {
    let (list, clock) = list(ListLimits::default());
    list.revoke(&Revocation::id("x", NOW + 100, Scope::Any)).unwrap();
    clock.set(NOW * 2);
    list.revoke(&Revocation::id("y", NOW + 100, Scope::Any)).unwrap();
    clock.set(NOW);
    assert!(list.is_revoked(&id("x")).unwrap());
}

#[test]
fn keys_stay_revoked() {
    let (list, clock) = list(ListLimits::default());
    list.revoke(&Revocation::key("k")).unwrap();
    clock.advance(Duration::from_secs(10 * 365 * 24 * 3600));
    list.revoke(&Revocation::id("y", NOW, Scope::Any)).unwrap();
    assert!(list.is_revoked(&Query { kid: Some("k"), ..Query::default() }).unwrap());
}

#[test]
fn a_full_list_fails_and_revokes_nothing() {
    let (list, _) = list(ListLimits { max_entries: 2, ..ListLimits::default() });
    list.revoke(&Revocation::id("a", NOW + 10, Scope::Any)).unwrap();
    list.revoke(&Revocation::id("b", NOW + 10, Scope::Any)).unwrap();
    list.revoke(&Revocation::id("b", NOW + 20, Scope::Any)).unwrap();
    assert_eq!(
        list.revoke(&Revocation::id("c", NOW, Scope::Any)).unwrap_err().code,
        Code::RevocationFull
    );
    assert!(!list.is_revoked(&id("c")).unwrap());
    assert!(list.is_revoked(&id("a")).unwrap());
}

#[test]
fn a_full_list_may_refuse_everything_older() {
    let on_full = OnFull::RejectOlder;
    let (list, clock) = list(ListLimits { max_entries: 2, on_full, ..ListLimits::default() });
    list.revoke(&Revocation::id("a", NOW + 10, Scope::Any)).unwrap();
    list.revoke(&Revocation::session("s", NOW + 10, Scope::Any)).unwrap();
    list.revoke(&Revocation::id("c", NOW + 10, Scope::Any)).unwrap();
    let issued = |id, issued_at| Query { id: Some(id), issued_at, ..Query::default() };
    assert!(list.is_revoked(&issued("a", Some(1_700_000_000.0))).unwrap());
    assert!(list.is_revoked(&issued("never", None)).unwrap());
    assert!(!list.is_revoked(&issued("new", Some(1_700_000_001.0))).unwrap());
    assert!(list.is_revoked(&issued("c", Some(1_700_000_001.0))).unwrap());
    clock.advance(Duration::from_secs(1));
    list.revoke(&Revocation::session("t", NOW, Scope::Any)).unwrap();
    assert_eq!(
        list.revoke(&Revocation::session("u", NOW, Scope::Any)).unwrap_err().code,
        Code::RevocationFull
    );
    assert_eq!(list.stats().rejects_issued_until, NOW + 1);
}

#[test]
fn a_list_that_made_room_accepts_a_token_whose_id_proves_that_it_was_issued_later() {
    let on_full = OnFull::RejectOlder;
    let (list, clock) = list(ListLimits { max_entries: 1, on_full, ..ListLimits::default() });
    list.tolerate(30);
    clock.advance(Duration::from_millis(400));
    list.revoke(&Revocation::id("a", NOW + 100, Scope::Any)).unwrap();
    list.revoke(&Revocation::id("b", NOW + 100, Scope::Any)).unwrap();
    let refuses = |millis: u64, issued_at: u64| {
        let id = uuid_v7(millis).unwrap().to_string();
        #[expect(clippy::cast_precision_loss, reason = "a time of this century")]
        let issued_at = Some(issued_at as f64);
        list.is_revoked(&Query { id: Some(&id), issued_at, ..Query::default() }).unwrap()
    };
    let room = NOW * 1000 + 400;
    assert!(refuses(room, NOW));
    assert!(!refuses(room + 1, NOW));
    assert!(!refuses(room + 20_000, NOW + 20));
    // An id that does not fit the second of issue proves nothing.
    assert!(refuses(room + 20_000, NOW) && refuses(room + 1, NOW + 1));
    assert_eq!(list.stats().rejects_issued_until, NOW + 30);
}

#[test]
fn an_id_from_a_clock_that_is_ahead_stays_refused_when_a_list_makes_room() {
    let on_full = OnFull::RejectOlder;
    let id_at = |millis: u64| uuid_v7(NOW * 1000 + millis).unwrap().to_string();
    // The clock of the issuer is ahead by so much; then the last time that is refused.
    for (ahead, refused) in [(3000, 3000), (90_000, 5000)] {
        let (list, _) = list(ListLimits { max_entries: 1, on_full, ..ListLimits::default() });
        list.tolerate(5);
        list.revoke(&Revocation::id(&id_at(ahead), NOW + 900, Scope::Any)).unwrap();
        list.revoke(&Revocation::id("b", NOW + 900, Scope::Any)).unwrap();
        let refuses = |millis: u64| {
            #[expect(clippy::cast_precision_loss, reason = "a time of this century")]
            let issued_at = Some((NOW + millis / 1000) as f64);
            let id = id_at(millis);
            list.is_revoked(&Query { id: Some(&id), issued_at, ..Query::default() }).unwrap()
        };
        assert!(refuses(refused) && !refuses(refused + 1), "{ahead}");
    }
}

#[test]
fn a_subject_refused_up_to_a_time_ahead_stays_when_a_list_makes_room() {
    let on_full = OnFull::RejectOlder;
    let (list, _) = list(ListLimits { max_entries: 2, on_full, ..ListLimits::default() });
    list.revoke(&Revocation::subject("u", NOW + 120, Scope::Any)).unwrap();
    for id in ["a", "b", "c"] {
        list.revoke(&Revocation::id(id, NOW + 100, Scope::Any)).unwrap();
    }
    assert_eq!(list.stats().rejects_issued_until, NOW);
    for (ahead, is_refused) in [(1, true), (120, true), (121, false)] {
        #[expect(clippy::cast_precision_loss, reason = "a time of this century")]
        let issued_at = Some((NOW + ahead) as f64);
        let token = Query { subject: Some("u"), issued_at, ..Query::default() };
        assert_eq!(list.is_revoked(&token).unwrap(), is_refused, "{ahead}");
    }
}

#[test]
fn every_call_of_a_closed_list_fails() {
    let (list, _) = list(ListLimits::default());
    list.close();
    assert_eq!(list.is_revoked(&id("x")).unwrap_err().code, Code::RevocationClosed);
    assert_eq!(list.revoke(&Revocation::key("x")).unwrap_err().code, Code::RevocationClosed);
}

#[test]
fn refusing_older_tokens_covers_those_that_a_tolerant_verifier_accepts() {
    let on_full = OnFull::RejectOlder;
    let (list, _) = list(ListLimits { max_entries: 1, on_full, ..ListLimits::default() });
    list.revoke(&Revocation::id("a", NOW + 100, Scope::Any)).unwrap();
    list.revoke(&Revocation::id("b", NOW + 100, Scope::Any)).unwrap();
    // Registered after the revocation, the tolerance still counts.
    list.tolerate(30);
    let ahead = Query { id: Some("a"), issued_at: Some(1_700_000_020.0), ..Query::default() };
    assert!(list.is_revoked(&ahead).unwrap());
}

#[test]
fn a_list_that_finds_no_room_changes_nothing() {
    let on_full = OnFull::RejectOlder;
    let (list, _) = list(ListLimits { max_entries: 2, on_full, ..ListLimits::default() });
    list.revoke(&Revocation::session("s", NOW + 100, Scope::Any)).unwrap();
    list.revoke(&Revocation::key("k")).unwrap();
    assert_eq!(
        list.revoke(&Revocation::id("a", NOW, Scope::Any)).unwrap_err().code,
        Code::RevocationFull
    );
    assert_eq!((list.stats().rejects_issued_until, list.read().len()), (0, 2));
}

#[test]
fn the_wheel_holds_one_hash_per_entry() {
    let on_full = OnFull::RejectOlder;
    let (list, _) = list(ListLimits { max_entries: 10, on_full, ..ListLimits::default() });
    for n in 0..1000 {
        list.revoke(&Revocation::id("the same", NOW + n * 60, Scope::Any)).unwrap();
        list.revoke(&Revocation::id(&n.to_string(), NOW + n * 60, Scope::Any)).unwrap();
    }
    assert!(list.read().tables.iter().map(EntryTable::places).sum::<usize>() <= 10);
}

#[test]
fn subjects_refused_up_to_a_future_time_stay() {
    let on_full = OnFull::RejectOlder;
    let (list, _) = list(ListLimits { max_entries: 1, on_full, ..ListLimits::default() });
    list.revoke(&Revocation::subject("u", NOW + 1000, Scope::Any)).unwrap();
    assert_eq!(
        list.revoke(&Revocation::id("a", NOW, Scope::Any)).unwrap_err().code,
        Code::RevocationFull
    );
    assert_eq!(list.stats().rejects_issued_until, 0);
    let later = Query { subject: Some("u"), issued_at: Some(1_700_000_900.0), ..Query::default() };
    assert!(list.is_revoked(&later).unwrap());
}

#[test]
fn a_full_list_that_refuses_older_tokens_looks_at_no_entry_that_stays() {
    const ENTRIES: u64 = 20_000;
    type Fill = fn(&RevocationList, &str) -> Result<()>;
    let fills: [(u64, Fill); 4] = [
        // Room for one id at a time, and for none.
        (ENTRIES - 1, |list, id| list.revoke(&Revocation::session(id, NOW + 100, Scope::Any))),
        (ENTRIES, |list, id| list.revoke(&Revocation::session(id, NOW + 100, Scope::Any))),
        (ENTRIES - 1, |list, id| list.revoke(&Revocation::subject(id, NOW + 9000, Scope::Any))),
        // Each is revoked again, for longer, so that its first place in the wheel is wrong.
        (ENTRIES, |list, id| {
            list.revoke(&Revocation::subject(id, NOW, Scope::Any))?;
            list.revoke(&Revocation::subject(id, NOW + 9000, Scope::Any))
        }),
    ];
    let max_entries = usize::try_from(ENTRIES).unwrap();
    for (count, fill) in fills {
        let on_full = OnFull::RejectOlder;
        let (list, _) = list(ListLimits { max_entries, on_full, ..ListLimits::default() });
        let steps = steps_of(|| {
            for n in 0..count {
                fill(&list, &n.to_string()).unwrap();
            }
            for n in 0..ENTRIES {
                let made =
                    list.revoke(&Revocation::id(&format!("later {n}"), NOW + 100, Scope::Any));
                assert_eq!(made.is_ok(), count < ENTRIES, "{n}");
            }
        });
        assert!(steps <= 20 * ENTRIES, "{steps}");
        assert_eq!(list.read().len() as u64, ENTRIES);
    }
}

#[test]
fn a_list_that_made_room_fills_again_without_a_look_at_what_was_removed() {
    const ENTRIES: u64 = 1 << 17;
    let (max_entries, on_full) = (usize::try_from(ENTRIES).unwrap(), OnFull::RejectOlder);
    let (list, clock) = list(ListLimits { max_entries, on_full, ..ListLimits::default() });
    let steps = steps_of(|| {
        for n in 0..4 * ENTRIES {
            if n % 1000 == 0 {
                clock.advance(Duration::from_secs(1));
            }
            list.revoke(&Revocation::subject(&n.to_string(), NOW + n / 1000, Scope::Any)).unwrap();
        }
    });
    assert!(steps <= 40 * ENTRIES, "{steps}");
    assert!(list.stats().rejects_issued_until > NOW);
}

#[test]
fn a_revocation_without_memory_fails_and_changes_nothing() {
    type Revoke = fn(&RevocationList, &str) -> Result<()>;
    let revocations: [Revoke; 3] = [
        // All in one minute of the wheel, or each in one of its own.
        |list, id| list.revoke(&Revocation::id(id, NOW + 100, Scope::Any)),
        |list, id| {
            list.revoke(&Revocation::id(
                id,
                NOW + id.parse::<u64>().unwrap() * 60,
                Scope::Issuer("i"),
            ))
        },
        // Subjects of the last minute stay when the list makes room.
        |list, id| list.revoke(&Revocation::subject(id, NOW - 60, Scope::Any)),
    ];
    for revoke in revocations {
        for max_entries in [1000, 10_000] {
            let on_full = OnFull::RejectOlder;
            let (list, _) = list(ListLimits { max_entries, on_full, ..ListLimits::default() });
            let mut refused = 0;
            for n in 0..5000 {
                let id = n.to_string();
                for spared in 0..4 {
                    let before = list.stats();
                    let Err(error) = out_of_memory(1024, spared, || revoke(&list, &id)) else {
                        break;
                    };
                    assert_eq!(error.code, Code::RevocationFull);
                    assert_eq!(list.stats(), before);
                    refused += 1;
                }
                let before = list.read().len();
                revoke(&list, &id).unwrap();
                let state = list.read();
                assert!(state.len() <= before + 1);
                assert_eq!(state.tables.iter().map(EntryTable::places).sum::<usize>(), state.len());
            }
            assert!(refused > 10, "{refused}");
            assert_eq!(list.stats().rejects_issued_until > 0, max_entries == 1000);
            let newest = Query { issuer: Some("i"), subject: Some("4999"), ..id("4999") };
            assert!(list.is_revoked(&newest).unwrap());
        }
    }
}

#[test]
fn all_tokens_of_an_issuer_or_of_any_are_refused_up_to_a_time_of_issue() {
    let token = |issuer, issued_at| Query { issuer, issued_at, id: Some("t"), ..Query::default() };
    let (list, _) = list(ListLimits { max_entries: 3, ..ListLimits::default() });
    list.revoke(&Revocation::all(NOW - 100, Scope::Issuer("a"))).unwrap();
    let at = |issuer, ahead: f64| {
        list.is_revoked(&token(issuer, Some(1_700_000_000.0 + ahead))).unwrap()
    };
    for (issuer, ahead, revoked) in [
        (Some("a"), -100.0, true),
        (Some("a"), -99.1, true),
        (Some("a"), -99.0, false),
        (Some("b"), -100.0, false),
        (Some(""), -100.0, false),
        (None, -100.0, false),
    ] {
        assert_eq!(at(issuer, ahead), revoked, "{issuer:?} {ahead}");
    }
    assert!(list.is_revoked(&token(Some("a"), None)).unwrap());
    assert!(!list.is_revoked(&token(Some("b"), None)).unwrap());
    // An earlier time changes nothing, and takes no more room.
    list.revoke(&Revocation::all(NOW - 200, Scope::Issuer("a"))).unwrap();
    assert!(at(Some("a"), -100.0));
    list.revoke(&Revocation::all(NOW - 50, Scope::Any)).unwrap();
    for issuer in [Some("a"), Some("b"), Some(""), None] {
        assert_eq!([at(issuer, -50.0), at(issuer, -49.0)], [true, false], "{issuer:?}");
    }
    assert_eq!((list.stats().all, list.read().len()), (2, 2));
    list.revoke(&Revocation::all(0, Scope::Issuer("c"))).unwrap();
    assert_eq!(
        list.revoke(&Revocation::all(NOW, Scope::Issuer("d"))).unwrap_err().code,
        Code::RevocationFull
    );
}

#[test]
fn a_revocation_of_all_tokens_stays_for_the_longest_life_of_a_token() {
    let limits = ListLimits { max_token_ttl: 600, ..ListLimits::default() };
    for revoke in [
        |list: &RevocationList| list.revoke(&Revocation::all(NOW, Scope::Issuer("i"))),
        |list: &RevocationList| list.revoke(&Revocation::all_now(Scope::Any)),
    ] {
        let (list, clock) = list(limits);
        revoke(&list).unwrap();
        let old = Query { issuer: Some("i"), issued_at: Some(1_700_000_000.0), ..id("t") };
        for passed in [600, MAX_CLOCK_TOLERANCE, HOUR] {
            clock.advance(Duration::from_secs(passed));
            list.revoke(&Revocation::id("x", NOW, Scope::Any)).unwrap();
            assert!(list.is_revoked(&old).unwrap(), "{passed}");
        }
        clock.advance(Duration::from_secs(MAX_CLOCK_TOLERANCE + 60));
        list.revoke(&Revocation::id("x", NOW, Scope::Any)).unwrap();
        assert!(!list.is_revoked(&old).unwrap());
        assert_eq!((list.stats().all, list.read().all_issued_until), (0, 0));
    }
}

#[test]
fn a_listener_hears_of_each_revocation_without_its_id() {
    let on_full = OnFull::RejectOlder;
    let limits = ListLimits { max_entries: 6, max_token_ttl: 600, on_full };
    let (list, _) = list(limits);
    let (tell, heard) = std::sync::mpsc::channel();
    let id = list.listen(Box::new(move |revoked: &[Revoked]| {
        revoked.iter().all(|each| tell.send((each.field.name(), each.until, each.origin)).is_ok())
    }));
    list.revoke(&Revocation::id("x", NOW + 10, Scope::Any)).unwrap();
    // Revoked again, it is refused until the later of both times.
    list.revoke(&Revocation::id("x", NOW + 5, Scope::Any)).unwrap();
    list.revoke(&Revocation::session("x", NOW + 20, Scope::Issuer("i"))).unwrap();
    list.revoke(&Revocation::subject_now("x", Scope::Any)).unwrap();
    list.revoke(&Revocation::key("x")).unwrap();
    list.revoke(&Revocation::all(NOW - 1, Scope::Any)).unwrap();
    list.revoke(&Revocation::ended_session("y", NOW + 30)).unwrap();
    let mut events = vec![
        ("id", Some(NOW + 10)),
        ("id", Some(NOW + 10)),
        ("session", Some(NOW + 20)),
        ("subject", Some(NOW + 600)),
        ("key", None),
        ("all", Some(NOW + 599)),
        ("session", Some(NOW + 30)),
    ];
    // To make room, all tokens issued until now are refused.
    list.revoke(&Revocation::session("z", NOW + 40, Scope::Any)).unwrap();
    events.extend([("all", Some(NOW + 600)), ("session", Some(NOW + 40))]);
    list.unlisten(id);
    list.revoke(&Revocation::key("y")).unwrap();
    let heard: Vec<_> = heard.iter().collect();
    let told = events.into_iter().map(|(name, until)| (name, until, Origin::Local));
    assert_eq!(heard, told.collect::<Vec<_>>());
}

#[test]
fn a_revocation_that_fails_is_not_told() {
    let (list, _) = list(ListLimits { max_entries: 1, ..ListLimits::default() });
    list.revoke(&Revocation::key("k")).unwrap();
    list.listen(Box::new(|_| panic!()));
    list.revoke(&Revocation::key("l")).unwrap_err();
    list.close();
    list.revoke(&Revocation::key("k")).unwrap_err();
}

#[test]
fn a_full_list_removes_an_expired_entry_behind_any_number_of_others() {
    const ENTRIES: u64 = 5000;
    let max_entries = usize::try_from(ENTRIES).unwrap();
    let (list, clock) = list(ListLimits { max_entries, ..ListLimits::default() });
    for n in 1..ENTRIES {
        // Each is revoked for longer later, so that its first place in the wheel is wrong.
        list.revoke(&Revocation::id(&n.to_string(), NOW, Scope::Any)).unwrap();
        list.revoke(&Revocation::id(&n.to_string(), NOW + 100_000, Scope::Any)).unwrap();
    }
    list.revoke(&Revocation::id("first", NOW + 600, Scope::Any)).unwrap();
    assert_eq!(
        list.revoke(&Revocation::id("x", NOW + 1, Scope::Any)).unwrap_err().code,
        Code::RevocationFull
    );
    clock.advance(Duration::from_secs(3 * HOUR));
    list.revoke(&Revocation::id("x", NOW + 100_000, Scope::Any)).unwrap();
    assert!(!list.is_revoked(&id("first")).unwrap());
    assert!((1..ENTRIES).all(|n| list.is_revoked(&id(&n.to_string())).unwrap()));
}
