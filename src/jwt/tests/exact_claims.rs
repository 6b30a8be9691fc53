//! Claims that must have exact values.

use super::*;

fn text_value(text: &str) -> ClaimValue {
    ClaimValue::String(text.into())
}

fn world(claims: &[(&str, &[ClaimValue])]) -> World {
    World::with(Algorithm::Hs256, |options| options.exact_claims = exact(claims).unwrap())
}

fn exact(claims: &[(&str, &[ClaimValue])]) -> Result<ExactClaims, Error> {
    let claim = |(name, values): &(&str, &[ClaimValue])| ExactClaim {
        name: (*name).into(),
        values: values.to_vec(),
    };
    ExactClaims::new(claims.iter().map(claim).collect())
}

/// The claim and the fault for which a token with these members is refused.
fn fault<'w>(world: &'w World, members: &str) -> Option<(&'w str, Reason)> {
    let rejection = world.judge(&payload(members)).err()?;
    assert_eq!(rejection.code(), Code::JwtClaim);
    Some(world.verifier.named_claim(rejection).unwrap())
}

#[test]
fn a_claim_has_exactly_one_of_its_values() {
    let values = [text_value("a/\u{e9}"), ClaimValue::Number(1.5), ClaimValue::Boolean(true)];
    let world = world(&[("x", &values)]);
    for same in [r#""a/é""#, r#""\u0061\/\u00e9""#, "1.5", "15e-1", "1.50", "0.15E+1", "true"] {
        assert_eq!(fault(&world, &format!(r#""x":{same}"#)), None, "{same}");
    }
    assert_eq!(fault(&world, r#""\u0078":true"#), None);
    for other in [
        r#""A/é""#,
        r#""a/é ""#,
        r#""a/e\u0301""#,
        r#""""#,
        r#""1.5""#,
        r#""true""#,
        "false",
        "1",
        "-1.5",
        "1.5000001",
        "1e400",
        r#"["a/é"]"#,
        "[true]",
        r#"{"a":true}"#,
        "{}",
        "[]",
    ] {
        let mismatch = Some(("x", Reason::Inexact));
        assert_eq!(fault(&world, &format!(r#""x":{other}"#)), mismatch, "{other}");
    }
    for none in ["", r#""x":null"#, r#""X":true"#, r#""y":{"x":true}"#, r#""y":["x",true]"#] {
        assert_eq!(fault(&world, none), Some(("x", Reason::Missing)), "{none}");
    }
}

#[test]
fn numbers_are_compared_as_json_parse_reads_them() {
    let world =
        world(&[("n", &[ClaimValue::Number(0.0), ClaimValue::Number(9_007_199_254_740_991.0)])]);
    for same in ["0", "-0", "0.0", "0e5", "1e-400", "9007199254740991", "9007199254740991.0"] {
        assert_eq!(fault(&world, &format!(r#""n":{same}"#)), None, "{same}");
    }
    for other in ["1", "9007199254740992", "9007199254740990", "-9007199254740991"] {
        assert_eq!(fault(&world, &format!(r#""n":{other}"#)), Some(("n", Reason::Inexact)));
    }
}

#[test]
fn every_claim_of_the_list_counts_and_the_first_fault_is_named() {
    let names: Vec<_> = (0..MAX_EXACT).map(|n| format!("c{n}")).collect();
    let yes = [ClaimValue::Boolean(true)];
    let claims: Vec<_> = names.iter().map(|name| (name.as_str(), &yes[..])).collect();
    let world = world(&claims);
    let members = |wrong: Option<usize>, value: &str| {
        let member = |(n, name): (usize, &String)| {
            let value = if wrong == Some(n) { value } else { "true" };
            format!("\"{name}\":{value}")
        };
        names.iter().enumerate().map(member).collect::<Vec<_>>().join(",")
    };
    assert_eq!(fault(&world, &members(None, "")), None);
    for (n, name) in names.iter().enumerate() {
        let mismatch = Some((name.as_str(), Reason::Inexact));
        assert_eq!(fault(&world, &members(Some(n), "false")), mismatch);
        let missing = Some((name.as_str(), Reason::Missing));
        assert_eq!(fault(&world, &members(Some(n), "null")), missing);
    }
}

#[test]
fn the_kinds_of_tokens_and_required_claims_are_still_checked() {
    let world = World::with(Algorithm::Hs256, |options| {
        options.exact_claims =
            exact(&[("sub", &[text_value("s")]), ("use", &[text_value("u")])]).unwrap();
        options.required_claims = vec!["client".into()];
    });
    assert_eq!(fault(&world, r#""sub":"s","use":"u","client":1"#), None);
    assert_eq!(fault(&world, r#""sub":"s","use":"u""#), Some(("client", Reason::Missing)));
    assert_eq!(fault(&world, r#""sub":"t","use":"u","client":1"#), Some(("sub", Reason::Inexact)));
    let typed = world.judge(&payload(r#""sub":7,"use":"u","client":1"#));
    assert_eq!(typed, Err(Rejection::Claim(Claim::Subject, Reason::Type)));
}

#[test]
fn a_claim_with_an_option_of_its_own_is_refused() {
    for (name, option) in [
        ("iss", "issuer"),
        ("aud", "audience"),
        ("exp", "requireExp"),
        ("iat", "maxAge"),
        ("nbf", "clockTolerance"),
    ] {
        let error = exact(&[("ok", &[]), (name, &[text_value("x")])]).err().unwrap();
        assert_eq!(error.code, Code::InvalidArgValue);
        assert_eq!(
            error.message,
            format!("claims must not name \"{name}\"; use the option {option}")
        );
    }
    for name in ["sub", "jti", "sid", "client_id", "typ", "ISS", "iss "] {
        assert!(exact(&[(name, &[text_value("x")])]).is_ok(), "{name}");
    }
    let many = vec![ExactClaim { name: "x".into(), values: vec![] }; usize::from(MAX_EXACT) + 1];
    assert_eq!(code(ExactClaims::new(many)), Some(Code::OutOfRange));
}

/// A client that learns that its token has expired fetches another one.
#[test]
fn expiry_issuer_and_audience_are_named_before_an_exact_claim() {
    let world = World::with(Algorithm::Hs256, |options| {
        options.exact_claims = exact(&[("use", &[text_value("u")])]).unwrap();
        options.issuer = one_of(&["i"]);
    });
    let wrong = r#""use":"x""#;
    assert_eq!(world.judge(&format!(r#"{{"exp":{NOW},{wrong}}}"#)), Err(Rejection::Expired));
    let missing = Err(Rejection::Claim(Claim::Issuer, Reason::Missing));
    assert_eq!(world.judge(&payload(wrong)), missing);
    let exact = Err(Rejection::Exact(0, Reason::Inexact));
    assert_eq!(world.judge(&payload(&format!(r#"{wrong},"iss":"i""#))), exact);
}

#[test]
fn an_exact_id_session_or_subject_is_compared_as_well() {
    for name in ["jti", "sid", "sub", "client_id", "typ"] {
        let world = world(&[(name, &[text_value("x/y")])]);
        assert_eq!(fault(&world, &format!(r#""{name}":"x\/y""#)), None);
        assert_eq!(fault(&world, &format!(r#""{name}":"x""#)), Some((name, Reason::Inexact)));
        assert_eq!(fault(&world, ""), Some((name, Reason::Missing)));
    }
}
