//! The times of a genuine token: each rule at its limit, to the millisecond.

use super::*;

/// Verifies a genuine token at a moment in milliseconds.
fn at(world: &World, members: &str, unix_millis: u64) -> Result<(), Rejection> {
    world.set_millis(unix_millis);
    world.judge(&format!("{{{members}}}"))
}

#[test]
fn expiry_is_the_first_moment_that_is_refused() {
    for (tolerance, members, first_refused) in [
        (0, format!("\"exp\":{NOW}"), NOW * 1000),
        (1, format!("\"exp\":{NOW}"), NOW * 1000 + 1000),
        (300, format!("\"exp\":{NOW}"), NOW * 1000 + 300_000),
        (0, format!("\"exp\":{NOW}.25"), NOW * 1000 + 250),
        (5, format!("\"exp\":{NOW}.25"), NOW * 1000 + 5250),
        (0, "\"exp\":17e8".into(), NOW * 1000),
    ] {
        let world = World::with(Algorithm::Hs256, |options| {
            options.clock_tolerance = Tolerance::of(tolerance);
        });
        assert_eq!(at(&world, &members, first_refused - 1), Ok(()), "{members} {tolerance}");
        for late in [0, 1, 1000] {
            let verdict = at(&world, &members, first_refused + late);
            assert_eq!(verdict, Err(Rejection::Expired), "{members} {tolerance}");
        }
    }
}

#[test]
fn not_before_and_issued_at_are_the_first_moments_that_are_accepted() {
    for (claim, early) in
        [("nbf", Rejection::NotActive), ("iat", Rejection::Claim(Claim::IssuedAt, Reason::Future))]
    {
        for (tolerance, value, first_accepted) in [
            (0, format!("{NOW}"), NOW * 1000),
            (1, format!("{NOW}"), NOW * 1000 - 1000),
            (300, format!("{NOW}"), NOW * 1000 - 300_000),
            (0, format!("{NOW}.25"), NOW * 1000 + 250),
        ] {
            let world = World::with(Algorithm::Hs256, |options| {
                options.clock_tolerance = Tolerance::of(tolerance);
            });
            let members = format!("\"exp\":{LATER},\"{claim}\":{value}");
            for before in [1, 1000] {
                let verdict = at(&world, &members, first_accepted - before);
                assert_eq!(verdict, Err(early), "{members} {tolerance}");
            }
            assert_eq!(at(&world, &members, first_accepted), Ok(()), "{members} {tolerance}");
            assert_eq!(at(&world, &members, first_accepted + 1), Ok(()), "{members} {tolerance}");
        }
    }
}

#[test]
fn a_token_of_just_max_age_is_the_first_that_is_refused() {
    let members = format!("\"exp\":{LATER},\"iat\":{NOW}");
    for (tolerance, max_age) in [(0, 60), (5, 60), (5, 0), (300, 1)] {
        let world = World::with(Algorithm::Hs256, |options| {
            options.clock_tolerance = Tolerance::of(tolerance);
            options.max_age = Some(max_age);
        });
        let first_refused = (NOW + max_age + tolerance) * 1000;
        assert_eq!(at(&world, &members, first_refused - 1), Ok(()), "{tolerance} {max_age}");
        for late in [0, 1, 1000] {
            let verdict = at(&world, &members, first_refused + late);
            assert_eq!(verdict, Err(Rejection::TooOld), "{tolerance} {max_age}");
        }
        // An earlier `exp` takes precedence.
        let short = format!("\"exp\":{},\"iat\":{NOW}", NOW - tolerance);
        assert_eq!(at(&world, &short, NOW * 1000), Err(Rejection::Expired));
        let missing = at(&world, &format!("\"exp\":{LATER}"), NOW * 1000);
        assert_eq!(missing, Err(Rejection::Claim(Claim::IssuedAt, Reason::NeededForAge)));
    }
    let world = World::with(Algorithm::Hs256, |options| options.max_age = Some(60));
    let fraction = format!("\"exp\":{LATER},\"iat\":{NOW}.25");
    assert_eq!(at(&world, &fraction, (NOW + 60) * 1000 + 249), Ok(()));
    assert_eq!(at(&world, &fraction, (NOW + 60) * 1000 + 250), Err(Rejection::TooOld));
}

#[test]
fn by_default_only_the_future_is_tolerated_and_only_for_five_seconds() {
    let world = World::with(Algorithm::Hs256, |options| {
        options.clock_tolerance = Tolerance::default();
        options.max_age = Some(60);
    });
    let now = NOW * 1000;
    for (members, moment, verdict) in [
        (format!("\"exp\":{NOW},\"iat\":{NOW}"), now - 1, Ok(())),
        (format!("\"exp\":{NOW},\"iat\":{NOW}"), now, Err(Rejection::Expired)),
        (format!("\"exp\":{LATER},\"iat\":{NOW}"), now + 60_000, Err(Rejection::TooOld)),
        (format!("\"exp\":{LATER},\"iat\":{NOW}"), now - 5000, Ok(())),
        (
            format!("\"exp\":{LATER},\"iat\":{NOW}"),
            now - 5001,
            Err(Rejection::Claim(Claim::IssuedAt, Reason::Future)),
        ),
        (format!("\"exp\":{LATER},\"iat\":1,\"nbf\":{NOW}"), now - 5001, Err(Rejection::NotActive)),
    ] {
        assert_eq!(at(&world, &members, moment), verdict, "{members} {moment}");
    }
}

#[test]
fn expiry_is_required_and_is_a_number_up_to_the_year_5138() {
    let world = World::new(Algorithm::Hs256);
    let missing = Err(Rejection::Claim(Claim::Expiry, Reason::Missing));
    assert_eq!(world.judge("{}"), missing);
    assert_eq!(world.judge(r#"{"EXP":9999999999,"exp ":9999999999}"#), missing);
    assert_eq!(world.judge(r#"{"\u0065xpx":9999999999,"\u0065x":9999999999}"#), missing);
    for exp in ["9999999999", "1e11", "100000000000", "1700000000.001"] {
        assert_eq!(world.judge(&format!("{{\"exp\":{exp}}}")), Ok(()), "{exp}");
    }
    for exp in ["0", "-1", "-1e300", "-0", "1e-300", "1700000000"] {
        let verdict = world.judge(&format!("{{\"exp\":{exp}}}"));
        assert_eq!(verdict, Err(Rejection::Expired), "{exp}");
    }
    let mistyped = Err(Rejection::Claim(Claim::Expiry, Reason::Type));
    for exp in
        ["\"9999999999\"", "null", "[9999999999]", "true", "{}", "1e400", "100000000001", "1e300"]
    {
        assert_eq!(world.judge(&format!("{{\"exp\":{exp}}}")), mistyped, "{exp}");
    }
}

#[test]
fn a_token_without_an_expiry_is_accepted_only_if_none_is_required() {
    for (require_expiry, verdict) in
        [(true, Err(Rejection::Claim(Claim::Expiry, Reason::Missing))), (false, Ok(()))]
    {
        let world = World::with(Algorithm::Hs256, |options| {
            options.require_expiry = require_expiry;
        });
        assert_eq!(world.judge("{}"), verdict);
        assert_eq!(world.judge(&format!("{{\"exp\":{NOW}}}")), Err(Rejection::Expired));
    }
}
