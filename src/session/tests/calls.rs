//! Each call, in memory and on a store.

use super::*;
use crate::revocation::ListLimits;

#[test]
fn a_session_carries_its_claims_through_rotation() {
    in_both_places(|place| {
        let fixture = Fixture::new(place, SessionLimits::default());
        let first = fixture.try_start("al\"ice", r#"{"role":"admin"}"#).unwrap();
        let second = fixture.rotate(&first);
        assert_eq!(first.session, second.session);
        assert_ne!(first.refresh_token, second.refresh_token);
        let payload: serde_json::Value =
            serde_json::from_str(&fixture.verify(&second).unwrap()).unwrap();
        assert_eq!(payload["sub"], "al\"ice");
        assert_eq!(payload["role"], "admin");
        assert_eq!(payload["sid"], second.session.to_string());
    });
}

#[test]
fn within_grace_the_same_successor_is_given_again() {
    in_both_places(|place| {
        let fixture = Fixture::new(place, SessionLimits::default());
        let first = fixture.start();
        let second = fixture.rotate(&first);
        fixture.pass(29);
        let Refreshed::Replayed(again) = fixture.refresh(&first) else { panic!() };
        assert_eq!(again.refresh_token, second.refresh_token);
        assert!(fixture.verify(&again).is_ok());
        fixture.rotate(&second);
    });
}

#[test]
fn reuse_ends_the_session_and_its_access_tokens() {
    in_both_places(|place| {
        for seconds in [0, 31] {
            let fixture = Fixture::new(place, SessionLimits::default());
            let first = fixture.start();
            let second = fixture.rotate(&first);
            let newest = if seconds == 0 { fixture.rotate(&second) } else { second };
            fixture.pass(seconds);
            assert_eq!(fixture.refresh(&first), Refreshed::Reuse(Fixture::ended(&first)));
            assert_eq!(fixture.refresh(&newest), Refreshed::Unknown);
            assert_eq!(fixture.verify(&newest), Err(Rejection::Revoked));
        }
    });
}

#[test]
fn forgeries_end_nothing() {
    in_both_places(|place| {
        let fixture = Fixture::new(place, SessionLimits::default());
        let pair = fixture.start();
        let stranger = Fixture::new(place, SessionLimits::default()).start();
        assert_eq!(fixture.refresh(&stranger), Refreshed::Unknown);
        assert_eq!(fixture.try_refresh("").unwrap(), Refreshed::Unknown);
        assert!(fixture.verify(&pair).is_ok());
        fixture.rotate(&pair);
    });
}

#[test]
fn sessions_expire_when_idle_and_when_old() {
    in_both_places(|place| {
        let fixture = Fixture::new(
            place,
            SessionLimits { refresh_ttl: 1000, idle_ttl: 400, ..SessionLimits::default() },
        );
        let idle = fixture.start();
        fixture.pass(400);
        assert_eq!(fixture.refresh(&idle), Refreshed::Expired(Fixture::ended(&idle)));
        assert_eq!(fixture.refresh(&idle), Refreshed::Unknown);
        let mut old = fixture.start();
        for _ in 0..3 {
            fixture.pass(300);
            old = fixture.rotate(&old);
        }
        fixture.pass(100);
        assert_eq!(fixture.refresh(&old), Refreshed::Expired(Fixture::ended(&old)));
    });
}

#[test]
fn ending_one_leaves_the_others() {
    in_both_places(|place| {
        let fixture = Fixture::new(place, SessionLimits::default());
        let (one, two) = (fixture.start(), fixture.start());
        fixture.end(one.session).unwrap();
        assert_eq!(fixture.verify(&one), Err(Rejection::Revoked));
        assert_eq!(fixture.refresh(&one), Refreshed::Unknown);
        assert!(fixture.verify(&two).is_ok());
        assert_eq!(fixture.list("alice").len(), 1);
    });
}

#[test]
fn ending_all_spares_a_session_started_in_the_same_second() {
    in_both_places(|place| {
        let fixture = Fixture::new(place, SessionLimits::default());
        let (one, two) = (fixture.start(), fixture.start());
        let other = fixture.try_start("bob", "{}").unwrap();
        fixture.end_all("alice").unwrap();
        let after = fixture.start();
        for ended in [one, two] {
            assert_eq!(fixture.verify(&ended), Err(Rejection::Revoked));
            assert_eq!(fixture.refresh(&ended), Refreshed::Unknown);
        }
        assert!(fixture.verify(&after).is_ok());
        assert!(fixture.verify(&other).is_ok());
        assert_eq!(fixture.list("alice").len(), 1);
    });
}

#[test]
fn claims_that_collide_start_nothing() {
    in_both_places(|place| {
        let fixture = Fixture::new(place, SessionLimits::default());
        for claims in [r#"{"sub":"x"}"#, r#"{"sid":"x"}"#, r#"{"exp":1}"#, "[]", "{"] {
            let error = fixture.try_start("alice", claims).unwrap_err();
            assert_eq!(error.code, Code::JwtClaim, "{claims}");
        }
        assert!(fixture.list("alice").is_empty());
    });
}

#[test]
fn a_full_table_fails_and_expired_sessions_leave_it() {
    in_both_places(|place| {
        let options =
            SessionLimits { max_sessions: 2, refresh_ttl: 600, ..SessionLimits::default() };
        let fixture = Fixture::new(place, options);
        fixture.start();
        fixture.start();
        let full = fixture.try_start("alice", "{}").unwrap_err();
        assert_eq!(full.code, Code::SessionFull);
        fixture.pass(660);
        fixture.start();
        assert_eq!(fixture.list("alice").len(), 1);
    });
}

#[test]
fn a_session_that_could_not_be_revoked_can_still_be_ended() {
    in_both_places(|place| {
        let fixture = Fixture::with(
            place,
            SessionLimits::default(),
            ListLimits { max_entries: 1, ..ListLimits::default() },
        );
        let first = fixture.start();
        let newest = fixture.rotate(&fixture.rotate(&first));
        fixture
            .revocations
            .revoke(&Revocation::id("something else", NOW + 60, Scope::Any))
            .unwrap();
        for _ in 0..2 {
            let error = fixture.try_refresh(&first.refresh_token).unwrap_err();
            assert_eq!(error.code, Code::RevocationFull);
        }
        let error = fixture.try_refresh(&newest.refresh_token).unwrap_err();
        assert_eq!(error.code, Code::RevocationFull);
        // Once there is room again, any token of the session still reveals the reuse. Another
        // session that starts meanwhile does not displace it.
        fixture.start();
        fixture.pass(299);
        fixture
            .revocations
            .revoke(&Revocation::id("something else", NOW + 60, Scope::Any))
            .unwrap();
        assert!(fixture.try_refresh(&newest.refresh_token).is_err());
    });
}

#[test]
fn a_refresh_that_cannot_sign_leaves_its_token_valid() {
    in_both_places(|place| {
        let fixture = Fixture::new(place, SessionLimits { grace: 0, ..SessionLimits::default() });
        let pair = fixture.start();
        let kid = fixture.ring.signing_key().unwrap().kid().to_owned();
        fixture.ring.revoke(&kid).unwrap();
        let error = fixture.try_refresh(&pair.refresh_token).unwrap_err();
        assert_eq!(error.code, Code::KeyringNoActiveKey);
        fixture
            .ring
            .add(&Arc::new(Key::generate(Algorithm::Hs256, None, None).unwrap()), None)
            .unwrap();
        fixture.rotate(&pair);
    });
}

#[test]
fn idle_sessions_make_room_for_new_ones() {
    in_both_places(|place| {
        let options = SessionLimits { max_sessions: 1, idle_ttl: 10, ..SessionLimits::default() };
        let fixture = Fixture::new(place, options);
        let pair = fixture.start();
        fixture.pass(9);
        fixture.rotate(&pair);
        fixture.pass(9);
        assert_eq!(fixture.try_start("bob", "{}").unwrap_err().code, Code::SessionFull);
        fixture.pass(1);
        fixture.try_start("bob", "{}").unwrap();
        assert!(fixture.list("alice").is_empty());
    });
}

#[test]
fn of_two_threads_with_one_token_one_rotates_and_both_get_the_same_successor() {
    in_both_places(|place| {
        let fixture = Fixture::new(place, SessionLimits::default());
        let pair = fixture.start();
        let results: Vec<_> = std::thread::scope(|scope| {
            let threads: Vec<_> = (0..8).map(|_| scope.spawn(|| fixture.refresh(&pair))).collect();
            threads.into_iter().map(|thread| thread.join().unwrap()).collect()
        });
        let mut rotated = 0;
        let successors: std::collections::HashSet<_> = results
            .into_iter()
            .map(|result| match result {
                Refreshed::Rotated(next) => {
                    rotated += 1;
                    next.refresh_token
                }
                Refreshed::Replayed(next) => next.refresh_token,
                other => panic!("{other:?}"),
            })
            .collect();
        assert_eq!((rotated, successors.len()), (1, 1));
    });
}

#[test]
fn a_session_that_could_not_be_ended_does_not_refresh() {
    in_both_places(|place| {
        let fixture = Fixture::with(
            place,
            SessionLimits::default(),
            ListLimits { max_entries: 1, ..ListLimits::default() },
        );
        let pair = fixture.start();
        fixture
            .revocations
            .revoke(&Revocation::id("something else", NOW + 60, Scope::Any))
            .unwrap();
        assert_eq!(fixture.end(pair.session).unwrap_err().code, Code::RevocationFull);
        let error = fixture.try_refresh(&pair.refresh_token).unwrap_err();
        assert_eq!(error.code, Code::RevocationFull);
        assert!(fixture.list("alice").is_empty());
        fixture.end_all("alice").unwrap_err();
    });
}

#[test]
fn a_logout_finds_room_where_older_tokens_may_be_refused() {
    in_both_places(|place| {
        use crate::revocation::OnFull::RejectOlder;
        let limits = ListLimits { max_entries: 3, on_full: RejectOlder, ..ListLimits::default() };
        let fixture = Fixture::with(place, SessionLimits::default(), limits);
        for _ in 0..10 {
            let pair = fixture.start();
            fixture.end(pair.session).unwrap();
            assert_eq!(fixture.verify(&pair), Err(Rejection::Revoked));
        }
        fixture.pass(1);
        assert!(fixture.verify(&fixture.start()).is_ok());
    });
}

#[test]
fn a_clock_that_is_wrong_for_some_calls_ends_no_session() {
    in_both_places(|place| {
        let day = 24 * 3600;
        for wrong in [NOW + 40 * day, NOW + 60, NOW - 60, 1] {
            let fixture = Fixture::new(place, SessionLimits::default());
            let (pair, other) = (fixture.start(), fixture.start());
            let rotated = fixture.rotate(&other);
            fixture.clock.set(wrong);
            fixture.try_start("bob", "{}").unwrap();
            fixture.list("alice");
            // A token that was just rotated is not a copy, also if the clock is wrong.
            let seems = fixture.refresh(&other);
            let expired = Refreshed::Expired(Fixture::ended(&other));
            assert!(
                matches!(seems, Refreshed::Replayed(_)) || seems == expired,
                "{wrong} {seems:?}"
            );
            fixture.clock.set(NOW);
            assert_eq!(fixture.list("alice").len(), 2, "{wrong}");
            assert!(matches!(fixture.refresh(&other), Refreshed::Replayed(_)), "{wrong}");
            for live in [&pair, &rotated] {
                assert!(fixture.verify(live).is_ok(), "{wrong}");
                fixture.rotate(live);
            }
        }
    });
}

#[test]
fn a_clock_that_was_set_back_prolongs_neither_a_session_nor_its_grace() {
    in_both_places(|place| {
        let options = SessionLimits { refresh_ttl: 1000, ..SessionLimits::default() };
        let fixture = Fixture::new(place, options);
        let (pair, other) = (fixture.start(), fixture.start());
        let newer = fixture.rotate(&pair);
        fixture.pass(31);
        fixture.clock.set(NOW);
        assert_eq!(fixture.refresh(&pair), Refreshed::Reuse(Fixture::ended(&pair)));
        assert_eq!(fixture.refresh(&newer), Refreshed::Unknown);
        fixture.pass(1000 - 31);
        fixture.clock.set(NOW);
        assert_eq!(fixture.refresh(&other), Refreshed::Expired(Fixture::ended(&other)));
        assert_eq!(fixture.refresh(&other), Refreshed::Unknown);
    });
}

#[test]
fn a_session_ended_by_a_clock_that_is_behind_stays_ended() {
    in_both_places(|place| {
        let day = 24 * 3600;
        for (issued, ended) in [(NOW, NOW - 5), (NOW, NOW - day), (NOW + 40 * day, NOW)] {
            let fixture = Fixture::new(place, SessionLimits::default());
            fixture.clock.set(issued);
            let pair = fixture.start();
            fixture.clock.set(ended);
            fixture.end(pair.session).unwrap();
            // As the clock comes to show the time of issue again, others are revoked.
            for _ in 0..3 {
                fixture.clock.set(issued);
                fixture.pass(99);
                fixture
                    .revocations
                    .revoke(&Revocation::id("other", issued + day, Scope::Any))
                    .unwrap();
                fixture.clock.set(issued);
                assert_eq!(fixture.verify(&pair), Err(Rejection::Revoked), "{issued} {ended}");
            }
        }
    });
}
