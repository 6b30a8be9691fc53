//! Verdicts about tokens.

use super::Verdict::{Ahead, Current, JustRotated, Retried, Reused};
use super::*;
use crate::session::refresh_token::SessionSecret;

const LIMITS: SessionLimits = SessionLimits {
    refresh_ttl: 1000,
    idle_ttl: 400,
    grace: 30,
    retry_until_used: false,
    max_sessions: 10,
    max_sessions_per_subject: 10,
    on_limit: crate::session::OnLimit::Reject,
};

fn at(wall: u64, boot: i64) -> Stamp {
    Stamp { wall, boot }
}

fn family(secret: &SessionSecret) -> Family {
    Family {
        subject: "alice".into(),
        claims: "{}".into(),
        meta: None,
        secret: secret.hash(),
        current: Step { generation: 5, variant: 3 },
        previous: 2,
        number: 0,
        phase: Phase::Live,
        started: at(1_000_000, 0),
        used: at(1_000_000, 0),
        issued_at: 1_000_000,
        linger: 0,
        is_of_this_boot: true,
        position: Position::START,
    }
}

fn verdict(
    family: &Family,
    secret: SessionSecret,
    (generation, variant): (u32, u32),
    now: Stamp,
    limits: &SessionLimits,
) -> Verdict {
    let step = Step { generation, variant };
    family.judge(&RefreshToken { session: uuid::Uuid::nil(), step, secret }, now, limits)
}

#[test]
fn every_step_of_a_token_has_its_verdict() {
    let secret = SessionSecret::random().unwrap();
    let family = family(&secret);
    let retrying = SessionLimits { retry_until_used: true, ..LIMITS };
    let (early, late) = (at(1_029_999, 29_999), at(1_030_000, 30_000));
    let steps = [(5, 3), (5, 2), (5, 4), (6, 0), (u32::MAX, 0), (4, 2), (4, 1), (4, 3), (3, 2)];
    let last = [Ahead, Ahead, Ahead];
    for (now, limits, previous) in [
        (early, &LIMITS, JustRotated),
        (late, &LIMITS, Reused),
        (early, &retrying, JustRotated),
        (late, &retrying, Retried),
    ] {
        let found = steps.map(|step| verdict(&family, secret, step, now, limits));
        let older = [previous, Reused, Reused, Reused];
        assert_eq!(found[..2], [Current, Reused]);
        assert_eq!((&found[2..5], &found[5..]), (&last[..], &older[..]));
    }
    let other = SessionSecret::random().unwrap();
    assert!(
        steps
            .iter()
            .all(|step| { verdict(&family, other, *step, early, &LIMITS) == Verdict::Unknown })
    );
}

#[test]
fn the_boot_clock_ends_a_session_and_the_wall_clock_only_refuses() {
    let secret = SessionSecret::random().unwrap();
    let family = family(&secret);
    let of = |now| verdict(&family, secret, (5, 3), now, &LIMITS);
    assert_eq!(of(at(1_399_999, 399_999)), Verdict::Current);
    assert_eq!(of(at(1_400_000, 399_999)), Verdict::SeemsExpired);
    assert_eq!(of(at(0, 400_000)), Verdict::Expired);
}

#[test]
fn after_a_start_of_the_machine_the_grace_has_to_last_by_both_clocks() {
    let secret = SessionSecret::random().unwrap();
    let family = Family { is_of_this_boot: false, ..family(&secret) };
    let of = |now| verdict(&family, secret, (4, 2), now, &LIMITS);
    assert_eq!(of(at(1_029_999, 29_999)), Verdict::JustRotated);
    assert_eq!(of(at(1_030_000, 29_999)), Verdict::Reused);
    assert_eq!(of(at(1_000_000, 30_000)), Verdict::Reused);
}

#[test]
fn a_session_without_a_later_step_does_not_rotate() {
    let secret = SessionSecret::random().unwrap();
    let last = Step { generation: u32::MAX, variant: u32::MAX };
    let family = Family { current: last, ..family(&secret) };
    assert_eq!(family.rotated(last, at(0, 0), Change::default()), None);
    assert_eq!(family.retried(at(0, 0), Change::default()), None);
}
