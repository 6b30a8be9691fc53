//! Which token works: voided ones, those ahead of their session, and forgeries; fresh claims; the
//! limit of a subject.

use super::*;
use crate::session::refresh_token::Codec;

fn retrying(grace: u64) -> SessionLimits {
    SessionLimits { grace, retry_until_used: true, ..SessionLimits::default() }
}

#[test]
fn after_the_grace_the_previous_token_gets_another_successor_until_one_is_used() {
    in_both_places(|place| {
        for grace in [0, 30] {
            let fixture = Fixture::new(place, retrying(grace));
            let first = fixture.start();
            let lost = fixture.rotate(&first);
            fixture.pass(grace);
            let other = fixture.rotate(&first);
            assert_ne!(other.refresh_token, lost.refresh_token);
            if grace > 0 {
                // The grace begins anew with the other successor.
                let Refreshed::Replayed(again) = fixture.refresh(&first) else { panic!() };
                assert_eq!(again.refresh_token, other.refresh_token);
            }
            fixture.pass(3600);
            let third = fixture.rotate(&first);
            let next = fixture.rotate(&third);
            // The successor was used, so the first token is old.
            assert_eq!(fixture.refresh(&first), Refreshed::Reuse(Fixture::ended(&first)));
            assert_eq!(fixture.refresh(&next), Refreshed::Unknown);
            assert_eq!(fixture.verify(&next), Err(Rejection::Revoked));
        }
    });
}

#[test]
fn a_token_that_a_retry_has_voided_is_reuse() {
    in_both_places(|place| {
        for used in [false, true] {
            let fixture = Fixture::new(place, retrying(0));
            let first = fixture.start();
            // Two parties hold the first token; each gets a successor of its own.
            let one = fixture.rotate(&first);
            let mut other = fixture.rotate(&first);
            if used {
                other = fixture.rotate(&other);
            }
            assert_eq!(fixture.refresh(&one), Refreshed::Reuse(Fixture::ended(&first)));
            assert_eq!(fixture.refresh(&other), Refreshed::Unknown);
        }
    });
}

#[test]
fn without_retry_until_used_a_token_after_its_grace_is_reuse() {
    in_both_places(|place| {
        let fixture = Fixture::new(place, SessionLimits { grace: 0, ..SessionLimits::default() });
        let first = fixture.start();
        fixture.rotate(&first);
        assert_eq!(fixture.refresh(&first), Refreshed::Reuse(Fixture::ended(&first)));
    });
}

#[test]
fn the_key_alone_makes_no_token_and_ends_nothing() {
    in_both_places(|place| {
        let fixture = Fixture::new(place, SessionLimits::default());
        let pair = fixture.start();
        let codec: &Codec = fixture.sessions.shared.codec().unwrap();
        let genuine = codec.decode(&pair.refresh_token).unwrap();
        for generation in [0, 1, 7, u32::MAX] {
            let step = refresh_token::Step { generation, variant: 0 };
            let secret = refresh_token::SessionSecret::random().unwrap();
            let forged = codec.encode(&refresh_token::RefreshToken { step, secret, ..genuine });
            assert_eq!(fixture.try_refresh(&forged).unwrap(), Refreshed::Unknown);
            let ended = fixture.done(|| fixture.sessions.end_by_refresh_token(&forged)).unwrap();
            assert_eq!(ended, None);
        }
        assert!(fixture.verify(&pair).is_ok());
        fixture.rotate(&pair);
    });
}

#[test]
fn the_row_has_only_a_hash_of_the_secret() {
    let fixture = Fixture::new(Place::Memory, SessionLimits::default());
    let pair = fixture.start();
    let token = fixture.sessions.shared.codec().unwrap().decode(&pair.refresh_token).unwrap();
    let family = fixture.sessions.shared.get(pair.session).unwrap().unwrap();
    assert_eq!(family.secret, token.secret.hash());
    let bytes = crate::jwt::base64url::decode(pair.refresh_token.as_bytes()).unwrap();
    let row = stored_row::encode(&family, &[0; 16]);
    let secret = &bytes[25..41];
    assert!(!row.windows(secret.len()).any(|window| window == secret));
}

#[test]
fn a_refresh_replaces_the_claims_and_the_meta_data_from_here_on() {
    in_both_places(|place| {
        let fixture = Fixture::new(place, SessionLimits::default());
        let started = fixture
            .done(|| fixture.sessions.start("alice", r#"{"role":"admin"}"#, Some(r#"{"n":1}"#)));
        let first = started.unwrap().pair;
        let meta = || fixture.list("alice")[0].meta.as_deref().map(str::to_owned);
        assert_eq!(
            (&fixture.claims(&first)["role"], meta().unwrap()),
            (&"admin".into(), r#"{"n":1}"#.into())
        );
        let change = Change { claims: Some(r#"{"role":"user"}"#), meta: None };
        let demoted = fixture.change(&first.refresh_token, change).unwrap();
        let Refreshed::Rotated(second) = demoted else { panic!() };
        let Refreshed::Replayed(again) = fixture.refresh(&first) else { panic!() };
        let third = fixture.rotate(&second);
        for pair in [&second, &again, &third] {
            assert_eq!(fixture.claims(pair)["role"], "user");
        }
        assert_eq!(meta().unwrap(), r#"{"n":1}"#);
        // A token that was just rotated brings fresh claims as well.
        let change = Change { claims: Some("{}"), meta: Some(r#"{"n":2}"#) };
        let replayed = fixture.change(&second.refresh_token, change).unwrap();
        let Refreshed::Replayed(bare) = replayed else { panic!() };
        for pair in [&bare, &fixture.rotate(&third)] {
            assert_eq!(fixture.claims(pair).get("role"), None);
        }
        assert_eq!(meta().unwrap(), r#"{"n":2}"#);
    });
}

#[test]
fn a_caller_that_asks_learns_the_subject_of_a_token_that_works_and_changes_nothing() {
    in_both_places(|place| {
        let fixture = Fixture::new(place, SessionLimits::default());
        let ask =
            |token: &str, change| fixture.done(|| fixture.sessions.refresh(token, change, true));
        let asked = |pair: &TokenPair| ask(&pair.refresh_token, Change::default()).unwrap();
        let subject = Refreshed::Asks("alice".into());
        let first = fixture.start();
        assert_eq!(asked(&first), subject);
        let change = Change { claims: Some("[]"), meta: None };
        assert_eq!(ask(&first.refresh_token, change).unwrap_err().code, Code::JwtClaim);
        let change = Change { claims: None, meta: Some(r#"{"n":1}"#) };
        assert_eq!(ask(&first.refresh_token, change).unwrap(), subject);
        assert_eq!(fixture.list("alice")[0].meta, None);
        let second = fixture.rotate(&first);
        assert_eq!(asked(&first), subject);
        assert_eq!(asked(&second), subject);
        let third = fixture.rotate(&second);
        // A token that does not work is refused at once.
        assert_eq!(asked(&first), Refreshed::Reuse(Fixture::ended(&first)));
        assert_eq!(asked(&third), Refreshed::Unknown);
        assert_eq!(ask("no token", Change::default()).unwrap(), Refreshed::Unknown);
    });
}

#[test]
fn claims_and_meta_data_that_are_refused_use_no_token_up() {
    in_both_places(|place| {
        let fixture = Fixture::new(place, SessionLimits { grace: 0, ..SessionLimits::default() });
        let pair = fixture.start();
        let claims = [r#"{"sub":"x"}"#, r#"{"sid":1}"#, r#"{"exp":1}"#, "[]", "{", ""];
        for claims in claims {
            let change = Change { claims: Some(claims), meta: None };
            let error = fixture.change(&pair.refresh_token, change).unwrap_err();
            assert_eq!(error.code, Code::JwtClaim, "{claims}");
        }
        let long = format!(r#"{{"a":"{}"}}"#, "x".repeat(4096));
        let nested = format!(r#"{{"a":{}{}}}"#, "[".repeat(32), "]".repeat(32));
        for (meta, code) in [
            ("[]", Code::InvalidArgValue),
            ("{", Code::InvalidArgValue),
            ("1", Code::InvalidArgValue),
            (r#"{"a":"\ud800"}"#, Code::InvalidArgValue),
            (&nested, Code::InvalidArgValue),
            (&long, Code::OutOfRange),
        ] {
            let change = Change { claims: None, meta: Some(meta) };
            let error = fixture.change(&pair.refresh_token, change).unwrap_err();
            assert_eq!(error.code, code, "{meta}");
            let error = fixture.done(|| fixture.sessions.start("bob", "{}", Some(meta)));
            assert_eq!(error.unwrap_err().code, code, "{meta}");
        }
        assert!(fixture.list("bob").is_empty());
        fixture.rotate(&pair);
    });
}

#[test]
fn one_subject_cannot_have_more_sessions_than_its_limit() {
    in_both_places(|place| {
        let limits = SessionLimits { max_sessions_per_subject: 2, ..SessionLimits::default() };
        let fixture = Fixture::new(place, limits);
        let first = fixture.start();
        fixture.start();
        let error = fixture.try_start("alice", "{}").unwrap_err();
        assert_eq!(error.code, Code::SessionLimit);
        fixture.try_start("bob", "{}").unwrap();
        fixture.end(first.session).unwrap();
        fixture.start();
        assert_eq!(fixture.list("alice").len(), 2);
    });
}

#[test]
fn the_oldest_session_of_a_subject_ends_for_a_new_one() {
    in_both_places(|place| {
        let on_limit = OnLimit::EndOldest;
        let limits =
            SessionLimits { max_sessions_per_subject: 2, on_limit, ..SessionLimits::default() };
        let fixture = Fixture::new(place, limits);
        let pairs: Vec<_> = (0..4)
            .map(|number: usize| {
                let started = fixture.done(|| fixture.sessions.start("alice", "{}", None)).unwrap();
                assert_eq!(started.ended.len(), usize::from(number >= 2));
                fixture.pass(1);
                // A refresh makes no session younger.
                fixture.rotate(&started.pair)
            })
            .collect();
        for (number, pair) in pairs.iter().enumerate() {
            assert_eq!(fixture.verify(pair).is_ok(), number >= 2, "{number}");
            let is_live = matches!(fixture.refresh(pair), Refreshed::Rotated(_));
            assert_eq!(is_live, number >= 2, "{number}");
        }
        assert_eq!(fixture.list("alice").len(), 2);
    });
}

#[test]
fn all_of_many_sessions_end_in_parts_and_those_that_start_meanwhile_stay() {
    in_both_places(|place| {
        let fixture = Fixture::new(place, SessionLimits::default());
        let before: Vec<_> = (0..300).map(|_| fixture.start()).collect();
        let all = Arc::new(fixture.sessions.end_all("alice"));
        assert!(fixture.done(|| fixture.sessions.end_some(&all)).unwrap());
        assert!(!fixture.list("alice").is_empty());
        fixture.pass(1);
        let after = fixture.start();
        let mut parts = 1;
        while fixture.done(|| fixture.sessions.end_some(&all)).unwrap() {
            parts += 1;
        }
        assert_eq!(parts, 3);
        for pair in &before {
            assert_eq!(fixture.verify(pair), Err(Rejection::Revoked));
        }
        let left: Vec<_> = fixture.list("alice").iter().map(|info| info.session).collect();
        assert_eq!(left, [after.session]);
        fixture.rotate(&after);
    });
}
