//! Lists under a clock that is wrong.

use std::time::Duration;

use super::*;
use crate::clock::ManualClock;
use crate::id::uuid_v7;
use crate::revocation::{Query, Revocation, Scope};

const NOW: u64 = 1_700_000_000;
const HOUR: u64 = 3600;
const DAY: u64 = 24 * HOUR;

fn list(limits: ListLimits) -> (RevocationList, Arc<ManualClock>) {
    let clock = Arc::new(ManualClock::at(NOW));
    (RevocationList::new(limits, clock.clone()).unwrap(), clock)
}

/// Whether a token of this subject, issued at this second with a `jti` of ours, is refused.
fn refuses(list: &RevocationList, issued_at: u32, millis: u64) -> bool {
    let jti = uuid_v7(u64::from(issued_at) * 1000 + millis).unwrap().to_string();
    let token = Query {
        id: Some(&jti),
        subject: Some("u"),
        issuer: Some("i"),
        issued_at: Some(f64::from(issued_at)),
        ..Query::default()
    };
    list.is_revoked(&token).unwrap()
}

fn second(seconds: u64) -> u32 {
    u32::try_from(seconds).unwrap()
}

type Revoke = fn(&RevocationList) -> Result<()>;

const NOW_FORMS: [Revoke; 4] = [
    |list| list.revoke(&Revocation::subject_now("u", Scope::Any)),
    |list| list.revoke(&Revocation::subject_now("u", Scope::Issuer("i"))),
    |list| list.revoke(&Revocation::all_now(Scope::Any)),
    |list| list.revoke(&Revocation::all_now(Scope::Issuer("i"))),
];

#[test]
fn a_clock_that_was_wrong_for_some_calls_removes_no_entry() {
    for wrong in [NOW + 40 * DAY, NOW + 4000 * DAY, 0, NOW - DAY] {
        let (list, clock) = list(ListLimits { max_token_ttl: 600, ..ListLimits::default() });
        clock.advance(Duration::from_secs(2 * HOUR));
        let now = NOW + 2 * HOUR;
        list.revoke(&Revocation::id("x", now + 100, Scope::Any)).unwrap();
        list.revoke(&Revocation::subject("u", now, Scope::Any)).unwrap();
        clock.set(wrong);
        for n in 0..100 {
            list.revoke(&Revocation::id(&n.to_string(), now + 100, Scope::Any)).unwrap();
        }
        clock.advance(Duration::from_secs(HOUR - 1));
        list.revoke(&Revocation::id("later", now + 100, Scope::Any)).unwrap();
        clock.set(now);
        list.revoke(&Revocation::id("again right", now + 100, Scope::Any)).unwrap();
        assert_eq!(list.read().len(), 104, "{wrong}");
        assert!(refuses(&list, second(now), 0), "{wrong}");
    }
}

#[test]
fn a_list_made_while_the_clock_is_ahead_forgets_nothing_when_it_is_set_right() {
    let (list, clock) = list(ListLimits::default());
    // In truth it is 40 days earlier.
    let truth = NOW - 40 * DAY;
    list.revoke(&Revocation::id("x", truth + 4 * HOUR, Scope::Any)).unwrap();
    clock.advance(Duration::from_secs(HOUR - 1));
    list.revoke(&Revocation::id("y", truth + 4 * HOUR, Scope::Any)).unwrap();
    clock.set(truth + HOUR);
    for _ in 0..3 {
        clock.advance(Duration::from_secs(HOUR));
        list.revoke(&Revocation::id("z", truth + 4 * HOUR, Scope::Any)).unwrap();
        assert_eq!(list.read().len(), 3);
    }
    clock.advance(Duration::from_secs(3 * HOUR));
    list.revoke(&Revocation::id("w", truth + 9 * HOUR, Scope::Any)).unwrap();
    assert_eq!(list.read().len(), 1);
}

#[test]
fn a_clock_that_was_set_back_lets_no_token_pass_that_was_issued_before_the_call() {
    for (revoke, back) in NOW_FORMS
        .into_iter()
        .flat_map(|revoke| [1, 5, 60, 299, HOUR, DAY, 400 * DAY].map(|back| (revoke, back)))
    {
        let (list, clock) = list(ListLimits::default());
        clock.advance(Duration::from_millis(10_700));
        let issued = second(NOW + 10);
        clock.set(NOW + 10 - back);
        revoke(&list).unwrap();
        assert!(refuses(&list, issued, 700), "{back}");
        // The clock is set right, or it catches up.
        clock.set(NOW + 10);
        assert!(refuses(&list, issued, 700), "{back}");
        assert!(!refuses(&list, issued + 1, 0), "{back}");
        assert!(!refuses(&list, issued, 701), "{back}");
    }
}

#[test]
fn a_token_of_a_clock_that_was_shortly_ahead_does_not_pass_either() {
    for (revoke, ahead) in
        NOW_FORMS.into_iter().flat_map(|revoke| [1, 5, 300].map(|ahead| (revoke, ahead)))
    {
        let (list, clock) = list(ListLimits::default());
        clock.set(NOW + ahead);
        let issued = second(clock.unix_seconds());
        clock.set(NOW);
        revoke(&list).unwrap();
        assert!(refuses(&list, issued, 0), "{ahead}");
        clock.advance(Duration::from_secs(ahead + 1));
        assert!(!refuses(&list, issued + 1, 0), "{ahead}");
    }
}

#[test]
fn a_moment_that_is_given_is_exact_whatever_the_clock_shows() {
    for wrong in [NOW - 5, NOW - DAY, NOW + 40 * DAY] {
        let (list, clock) = list(ListLimits::default());
        clock.set(wrong);
        list.revoke(&Revocation::subject("u", NOW, Scope::Any)).unwrap();
        list.revoke(&Revocation::all(NOW - 10, Scope::Issuer("i"))).unwrap();
        // The whole second is refused, because the moment has no milliseconds.
        assert!(refuses(&list, second(NOW), 999), "{wrong}");
        assert!(!refuses(&list, second(NOW + 1), 0), "{wrong}");
        clock.set(NOW);
        assert!(refuses(&list, second(NOW), 999), "{wrong}");
        assert!(!refuses(&list, second(NOW + 1), 0), "{wrong}");
    }
}

#[test]
fn a_full_list_refuses_no_future_tokens_by_a_clock_that_was_set_ahead() {
    let on_full = OnFull::RejectOlder;
    let (list, clock) = list(ListLimits { max_entries: 1, on_full, ..ListLimits::default() });
    list.revoke(&Revocation::id("a", NOW + DAY, Scope::Any)).unwrap();
    clock.set(NOW + 40 * DAY);
    let error = list.revoke(&Revocation::id("b", NOW + DAY, Scope::Any)).unwrap_err();
    assert_eq!(error.code, Code::RevocationFull);
    assert!(error.message.contains("set ahead"), "{error}");
    clock.set(NOW);
    assert!(list.is_revoked(&Query { id: Some("a"), ..Query::default() }).unwrap());
    assert!(!refuses(&list, second(NOW + 1), 0));
    list.revoke(&Revocation::id("b", NOW + DAY, Scope::Any)).unwrap();
    assert_eq!(list.stats().rejects_issued_until, NOW);
    // If the clock is set back, the tokens of the time before are refused.
    clock.advance(Duration::from_secs(100));
    clock.set(NOW - DAY);
    list.revoke(&Revocation::id("c", NOW + DAY, Scope::Any)).unwrap();
    assert_eq!(list.stats().rejects_issued_until, NOW + 100);
}

#[test]
fn a_jump_that_lasts_for_an_hour_is_believed() {
    let on_full = OnFull::RejectOlder;
    let (list, clock) = list(ListLimits { max_entries: 2, on_full, ..ListLimits::default() });
    list.revoke(&Revocation::key("k")).unwrap();
    list.revoke(&Revocation::id("a", NOW + 100 * DAY, Scope::Any)).unwrap();
    clock.set(NOW + 40 * DAY);
    list.revoke(&Revocation::id("b", NOW + 40 * DAY, Scope::Any)).unwrap_err();
    clock.advance(Duration::from_secs(HOUR));
    list.revoke(&Revocation::id("b", NOW + 40 * DAY, Scope::Any)).unwrap();
    assert_eq!(list.stats().rejects_issued_until, NOW + 40 * DAY + HOUR);
}
