//! The indexes of the table, and who is admitted.

use super::admission::Admission;
use super::*;
use crate::session::change::Change;
use crate::session::limits::OnLimit;
use crate::session::refresh_token::Step;
use crate::testing::allocations::out_of_memory;
use crate::testing::steps::steps_of;

fn at(millis: u32) -> Stamp {
    Stamp { wall: millis.into(), boot: millis.into() }
}

fn family(subject: &str, number: u64, now: Stamp) -> Family {
    Family {
        subject: subject.into(),
        claims: "{}".into(),
        meta: None,
        secret: [0; 32],
        current: Step::default(),
        previous: 0,
        number,
        phase: Phase::Live,
        started: now,
        used: now,
        issued_at: now.wall,
        linger: 0,
        is_of_this_boot: true,
        position: Position::START,
    }
}

fn start(table: &mut Table, id: Uuid, subject: &str, now: Stamp) -> Result<Vec<Uuid>> {
    table.prune(now, 16, &mut Vec::new());
    match table.admit(subject, id, now, &mut Vec::new())? {
        Admission::Admitted { number, instead_of } => {
            for id in &instead_of {
                table.remove(*id);
            }
            let result = table.put(id, family(subject, number, now));
            table.started(subject, id, &instead_of);
            result.map(|()| instead_of)
        }
        Admission::Waits => panic!(),
    }
}

fn id(number: u32) -> Uuid {
    Uuid::from_u128(number.into())
}

fn listed(table: &Table, subject: &str) -> Vec<Uuid> {
    table.of(subject, 0, u64::MAX).map(|(id, _)| id).collect()
}

/// The steps of starting `count` sessions, of refreshing each, and of starting as many again
/// after these have expired and are pruned.
fn steps(count: u32, subject: fn(u32) -> String) -> u64 {
    let limits = SessionLimits {
        max_sessions: count as usize,
        max_sessions_per_subject: count as usize,
        ..SessionLimits::default()
    };
    let (mut table, late) = (Table::new(limits), u32::try_from(limits.refresh_ttl).unwrap());
    let steps = steps_of(|| {
        for number in 0..count {
            start(&mut table, id(number), &subject(number), at(0)).unwrap();
        }
        for number in 0..count {
            let family = table.get(id(number)).unwrap();
            let next = family.rotated(family.current, at(1), Change::default()).unwrap();
            assert!(table.swap(id(number), &family, next).unwrap());
        }
        for number in count..2 * count {
            start(&mut table, id(number), &subject(number), at(late * 1000)).unwrap();
        }
    });
    assert_eq!((table.rows.len(), table.held), (count as usize, count as usize));
    steps
}

#[test]
fn pruning_a_session_takes_no_more_steps_than_its_depth_in_a_heap() {
    for subject in [|_| "one".to_owned(), |number: u32| number.to_string()] {
        for (count, depth) in [(1_000, 10), (30_000, 15)] {
            let steps = steps(count, subject);
            assert!(steps <= 4 * u64::from(count) * depth, "{count}: {steps}");
        }
    }
}

#[test]
fn a_session_without_memory_is_refused_and_leaves_nothing_behind() {
    for subject in [|_| "one".to_owned(), |number: u32| number.to_string()] {
        let mut table = Table::new(SessionLimits::default());
        let mut refused = 0;
        for number in 0..5000 {
            let (id, subject) = (id(number), subject(number));
            // Each of the tables grows at times of its own, also at the same time as others.
            for spared in 0..3 {
                let started =
                    out_of_memory(4096, spared, || start(&mut table, id, &subject, at(0)));
                let Err(error) = started else { break };
                assert_eq!(error.code, Code::SessionFull);
                assert_eq!(table.get(id), None);
                refused += 1;
            }
            if table.rows.len() == number as usize {
                start(&mut table, id, &subject, at(0)).unwrap();
            }
            let of_subjects = table.by_subject.values().map(|of| of.sessions.len());
            let lens = (of_subjects.sum::<usize>(), table.ends.len(), table.held);
            let len = number as usize + 1;
            assert_eq!((lens, table.starting.len()), ((len, len, len), 0));
            assert!(table.by_subject.values().all(|of| !of.sessions.is_empty()));
        }
        assert!(refused > 10, "{refused}");
    }
}

#[test]
fn the_sessions_of_a_subject_are_listed_in_the_order_of_their_start() {
    let mut table = Table::new(SessionLimits::default());
    // In the order of their ids they would be listed the other way round.
    let id = |number: u32| id(100 - number);
    for number in 0..10 {
        start(&mut table, id(number), "alice", at(0)).unwrap();
    }
    for gone in [0, 4, 9] {
        table.remove(id(gone));
    }
    start(&mut table, id(10), "alice", at(0)).unwrap();
    assert_eq!(listed(&table, "alice"), [1, 2, 3, 5, 6, 7, 8, 10].map(id));
    for number in 0..11 {
        table.remove(id(number));
    }
    assert!(table.rows.is_empty() && table.by_subject.is_empty());
    assert_eq!(table.ends.first(), None);
}

#[test]
fn sessions_that_are_about_to_start_count_as_well() {
    for on_limit in [OnLimit::Reject, OnLimit::EndOldest] {
        let limits =
            SessionLimits { max_sessions_per_subject: 2, on_limit, ..SessionLimits::default() };
        let mut table = Table::new(limits);
        start(&mut table, id(1), "alice", at(0)).unwrap();
        let admit =
            |table: &mut Table, number| table.admit("alice", id(number), at(1), &mut Vec::new());
        let second = admit(&mut table, 2).unwrap();
        assert_eq!(second, Admission::Admitted { number: 1, instead_of: vec![] });
        if on_limit == OnLimit::Reject {
            assert_eq!(admit(&mut table, 3).unwrap_err().code, Code::SessionLimit);
            table.started("alice", id(2), &[]);
            continue;
        }
        let third = admit(&mut table, 3).unwrap();
        assert_eq!(third, Admission::Admitted { number: 2, instead_of: vec![id(1)] });
        assert_eq!(admit(&mut table, 4).unwrap(), Admission::Waits);
        // The third one fails, so the first one stays.
        table.started("alice", id(3), &[id(1)]);
        let fourth = admit(&mut table, 4).unwrap();
        assert_eq!(fourth, Admission::Admitted { number: 3, instead_of: vec![id(1)] });
    }
}

#[test]
fn a_session_that_a_reader_has_added_before_its_start_is_settled_counts_once() {
    let limits =
        SessionLimits { max_sessions: 2, max_sessions_per_subject: 2, ..SessionLimits::default() };
    let mut table = Table::new(limits);
    let first = table.admit("alice", id(1), at(0), &mut Vec::new()).unwrap();
    assert_eq!(first, Admission::Admitted { number: 0, instead_of: vec![] });
    table.put(id(1), family("alice", 0, at(0))).unwrap();
    let second = table.admit("alice", id(2), at(0), &mut Vec::new()).unwrap();
    assert_eq!(second, Admission::Admitted { number: 1, instead_of: vec![] });
    let third = table.admit("alice", id(3), at(0), &mut Vec::new()).unwrap_err();
    assert_eq!(third.code, Code::SessionFull);
    table.started("alice", id(1), &[]);
    table.started("alice", id(2), &[]);
    assert!(table.admit("alice", id(3), at(0), &mut Vec::new()).is_ok());
}

#[test]
fn a_subject_at_its_limit_gets_the_place_of_a_session_that_expired_while_others_wait_to_be_pruned()
{
    let limits = SessionLimits { max_sessions_per_subject: 1, ..SessionLimits::default() };
    let mut table = Table::new(limits);
    for number in 0..100 {
        start(&mut table, id(number), &format!("other {number}"), at(0)).unwrap();
    }
    start(&mut table, id(100), "alice", at(1)).unwrap();
    let error = start(&mut table, id(101), "alice", at(2)).unwrap_err();
    assert_eq!(error.code, Code::SessionLimit);
    let late = at(1 + u32::try_from(limits.refresh_ttl).unwrap() * 1000);
    start(&mut table, id(101), "alice", late).unwrap();
    assert_eq!(listed(&table, "alice"), [id(101)]);
}

#[test]
fn a_start_that_is_rejected_does_not_look_at_all_sessions_of_its_subject() {
    let limits = SessionLimits { max_sessions_per_subject: 1000, ..SessionLimits::default() };
    let mut table = Table::new(limits);
    for number in 0..1000 {
        start(&mut table, id(number), "alice", at(number)).unwrap();
    }
    let of = &table.by_subject["alice"];
    assert_eq!(of.soonest, i64::try_from(limits.refresh_ttl).unwrap() * 1000);
    // The first one is refreshed, so it is no longer the one that ends first.
    let family = table.get(id(0)).unwrap();
    let next = Family {
        started: at(5000),
        ..family.rotated(family.current, at(5000), Change::default()).unwrap()
    };
    assert!(table.swap(id(0), &family, next).unwrap());
    let now = at(u32::try_from(limits.refresh_ttl).unwrap() * 1000);
    assert_eq!(start(&mut table, id(1000), "alice", now).unwrap_err().code, Code::SessionLimit);
    assert_eq!(table.by_subject["alice"].soonest, now.boot + 1);
}
