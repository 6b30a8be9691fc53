//! Access tokens (RFC 9068) and JWT-SVIDs: the demands on them beyond those on a JWT.

use serde_json::json;

use super::*;
use crate::spiffe::TrustDomain;

const ACCESS: &str = r#""iss":"i","aud":"a","sub":"s","client_id":"c","jti":"j""#;

fn access_token(options: &mut VerifierOptions) {
    options.kind = TokenKind::access_token();
    options.issuer = one_of(&["i"]);
    options.audience = one_of(&["a"]);
}

fn svid(options: &mut VerifierOptions) {
    options.kind = TokenKind::jwt_svid(TrustDomain::parse("example.org").unwrap());
    options.audience = one_of(&["a"]);
}

/// The verdict on a genuine access token with this `typ` and this payload.
fn judge_access(typ: &str, payload: &str) -> Result<(), Rejection> {
    let world = World::with(Algorithm::Es256, access_token);
    let header = format!(r#"{{"alg":"ES256"{typ}}}"#);
    world.verify(&token(&world.key, &header, payload)).map(|_| ())
}

/// The verdict on a genuine JWT-SVID with this addition to its header and this subject.
fn judge_svid(header: &str, subject: &str) -> Result<(), Rejection> {
    let world = World::with(Algorithm::Es256, svid);
    let header = format!(r#"{{"alg":"ES256"{header}}}"#);
    world
        .verify(&token(&world.key, &header, &payload(&format!(r#""aud":["a"]{subject}"#))))
        .map(|_| ())
}

#[test]
fn access_tokens_say_what_they_are() {
    let judge = |typ: &str| judge_access(typ, &payload(ACCESS));
    assert_eq!(judge(r#","typ":"at+jwt""#), Ok(()));
    assert_eq!(judge(r#","typ":"application/at+jwt""#), Ok(()));
    assert_eq!(judge(""), Err(Rejection::Claim(Claim::Type, Reason::Missing)));
    for other in ["JWT", "at", "jwt", "application/jwt", "id+jwt", ""] {
        let mismatch = Rejection::Claim(Claim::Type, Reason::Mismatch);
        assert_eq!(judge(&format!(r#","typ":"{other}""#)), Err(mismatch), "{other}");
    }
}

#[test]
fn access_tokens_have_all_their_claims() {
    let world = World::with(Algorithm::Es256, access_token);
    let all: serde_json::Value = serde_json::from_str(&payload(ACCESS)).unwrap();
    let judge =
        |claims: &serde_json::Value| judge_access(r#","typ":"at+jwt""#, &claims.to_string());
    for claim in ["iss", "exp", "aud", "sub", "client_id", "iat", "jti"] {
        let mut some = all.clone();
        some.as_object_mut().unwrap().remove(claim);
        let missing = world.verifier.named_claim(judge(&some).unwrap_err());
        assert_eq!(missing, Some((claim, Reason::Missing)));
        let mut some = all.clone();
        some[claim] = json!([1]);
        assert!(matches!(judge(&some), Err(Rejection::Claim(_, Reason::Type))), "{claim}");
    }
    for mistyped in [json!(null), json!(7), json!(["c"]), json!({})] {
        let mut some = all.clone();
        some["client_id"] = mistyped;
        assert_eq!(judge(&some), Err(Rejection::Claim(Claim::Client, Reason::Type)));
    }
    let escaped = payload(ACCESS).replace(r#""client_id":"c""#, r#""client\u005fid":7"#);
    let mistyped = Rejection::Claim(Claim::Client, Reason::Type);
    assert_eq!(judge_access(r#","typ":"at+jwt""#, &escaped), Err(mistyped));
    for claim in ["iss", "aud"] {
        let mut some = all.clone();
        some[claim] = json!("x");
        assert!(matches!(judge(&some), Err(Rejection::Claim(_, Reason::Mismatch))), "{claim}");
    }
}

#[test]
fn other_tokens_may_have_any_client() {
    assert_eq!(World::new(Algorithm::Es256).judge(&payload(r#""client_id":7"#)), Ok(()));
}

#[test]
fn more_claims_may_be_required_of_access_tokens() {
    let world = World::with(Algorithm::Es256, |options| {
        access_token(options);
        options.required_claims = vec!["scope".into(), "jti".into()];
    });
    let judge = |payload: &str| {
        world.verify(&token(&world.key, r#"{"alg":"ES256","typ":"at+jwt"}"#, payload)).map(|_| ())
    };
    assert_eq!(judge(&payload(&format!(r#"{ACCESS},"scope":"read""#))), Ok(()));
    let missing = world.verifier.named_claim(judge(&payload(ACCESS)).unwrap_err());
    assert_eq!(missing, Some(("scope", Reason::Missing)));
}

#[test]
fn nothing_that_a_kind_demands_is_waived() {
    let built = |change: &dyn Fn(&mut VerifierOptions)| {
        let mut options = lax(KeySource::Keys(vec![Arc::new(key(Algorithm::Es256))]));
        change(&mut options);
        code(Verifier::new(options, Arc::new(ManualClock::at(NOW))))
    };
    assert_eq!((built(&access_token), built(&svid)), (None, None));
    let refused = Some(Code::InvalidArgValue);
    let waive = |kind: fn(&mut VerifierOptions)| {
        built(&|options| {
            kind(options);
            options.audience = Expected::Anything;
        })
    };
    assert_eq!((waive(access_token), waive(svid)), (refused, refused));
    let nobody = |options: &mut VerifierOptions| {
        access_token(options);
        options.issuer = Expected::Anything;
    };
    assert_eq!(built(&nobody), refused);
}

#[test]
fn neither_kind_lives_for_ever() {
    let endless = |options: &mut VerifierOptions| {
        svid(options);
        options.require_expiry = false;
    };
    let world = World::with(Algorithm::Es256, endless);
    let claims = r#"{"sub":"spiffe://example.org/a","aud":"a"}"#;
    let judged = world.verify(&token(&world.key, r#"{"alg":"ES256"}"#, claims));
    assert_eq!(judged, Err(Rejection::Claim(Claim::Expiry, Reason::Missing)));
}

#[test]
fn svids_have_only_three_header_parameters() {
    let judge = |header: &str| judge_svid(header, r#","sub":"spiffe://example.org/a""#);
    assert_eq!(judge(""), Ok(()));
    let kid = format!(r#","kid":"{}""#, key(Algorithm::Es256).kid());
    assert_eq!(judge(&kid), Ok(()));
    assert_eq!(judge(r#","typ":"JWT""#), Ok(()));
    assert_eq!(judge(r#","typ":"JOSE""#), Ok(()));
    for typ in ["jwt", "at+jwt", "application/JWT", ""] {
        let mismatch = Rejection::Claim(Claim::Type, Reason::Mismatch);
        assert_eq!(judge(&format!(r#","typ":"{typ}""#)), Err(mismatch), "{typ}");
    }
    for more in [
        r#","jku":"https://example.org""#,
        r#","jwk":{}"#,
        r#","x5u":"u""#,
        r#","x5c":[]"#,
        r#","x5t":"t""#,
        r#","cty":"JWT""#,
        r#","private":1"#,
        r#","":1"#,
        r#","\u006aku":"u""#,
    ] {
        assert_eq!(judge(more), Err(Malformation::OtherParameter.into()), "{more}");
    }
    assert_eq!(judge(r#","crit":["exp"]"#), Err(Rejection::Critical));
    // A header that has been seen before is refused the second time as well.
    let world = World::with(Algorithm::Es256, svid);
    let again = token(&world.key, r#"{"alg":"ES256","jku":"u"}"#, &payload(""));
    for _ in 0..2 {
        assert_eq!(world.verify(&again), Err(Malformation::OtherParameter.into()));
    }
}

#[test]
fn svids_are_signed_with_three_families_only() {
    let subject = payload(r#""aud":"a","sub":"spiffe://example.org/a""#);
    for algorithm in Algorithm::ALL {
        let world = World::with(algorithm, svid);
        let expected = match algorithm.name() {
            "HS256" | "HS384" | "HS512" | "EdDSA" | "Ed25519" => Err(Rejection::Algorithm),
            _ => Ok(()),
        };
        let header = format!(r#"{{"alg":"{}"}}"#, algorithm.name());
        let token = token(&world.key, &header, &subject);
        assert_eq!(world.verify(&token).map(|_| ()), expected, "{header}");
        if expected.is_err() {
            // The refusal comes before the check of the signature and of the rest of the header.
            let forged = format!("{}AAAA", &token[..token.len() - 4]);
            assert_eq!(world.verify(&forged), Err(Rejection::Algorithm));
        }
    }
    let world = World::with(Algorithm::Es256, svid);
    let unsigned = token(&world.key, r#"{"alg":"none","jku":"u"}"#, &subject);
    assert_eq!(world.verify(&unsigned), Err(Rejection::Algorithm));
}

#[test]
fn svids_are_of_workloads_of_the_trust_domain() {
    let judge = |subject: &str| judge_svid("", &format!(r#","sub":{subject}"#));
    assert_eq!(judge(r#""spiffe://example.org/a""#), Ok(()));
    assert_eq!(judge(r#""spiffe:\/\/example.org\/\u0061""#), Ok(()));
    assert_eq!(judge_svid("", ""), Err(Rejection::Claim(Claim::Subject, Reason::Missing)));
    assert_eq!(judge("7"), Err(Rejection::Claim(Claim::Subject, Reason::Type)));
    for other in [
        "",
        "a",
        "spiffe://example.org",
        "spiffe://example.org/",
        "spiffe://sub.example.org/a",
        "spiffe://example.org.evil/a",
        "spiffe://example.com/a",
        "spiffe://EXAMPLE.org/a",
        "SPIFFE://example.org/a",
        "spiffe://example.org/%61",
        "spiffe://example.org/a/../b",
        "spiffe://example.org:443/a",
        "https://example.org/a",
    ] {
        let mismatch = Rejection::Claim(Claim::Subject, Reason::Mismatch);
        assert_eq!(judge(&format!("\"{other}\"")), Err(mismatch), "{other}");
    }
}

#[test]
fn svids_are_for_someone() {
    let world = World::with(Algorithm::Es256, svid);
    let judge = |members: &str| {
        let payload = payload(&format!(r#""sub":"spiffe://example.org/a"{members}"#));
        world.verify(&token(&world.key, r#"{"alg":"ES256"}"#, &payload)).map(|_| ())
    };
    assert_eq!(judge(r#","aud":["b","a"]"#), Ok(()));
    assert_eq!(judge(""), Err(Rejection::Claim(Claim::Audience, Reason::Missing)));
    for other in [r#""b""#, "[]", r#"["b"]"#] {
        let mismatch = Rejection::Claim(Claim::Audience, Reason::Mismatch);
        assert_eq!(judge(&format!(r#","aud":{other}"#)), Err(mismatch), "{other}");
    }
}

#[test]
fn a_bundle_without_keys_refuses_every_token() {
    let mut options = lax(KeySource::Keys(vec![]));
    svid(&mut options);
    let verifier = Verifier::new(options, Arc::new(ManualClock::at(NOW))).unwrap();
    let key = key(Algorithm::Es256);
    for (header, rejection) in [
        (r#"{"alg":"ES256"}"#.to_owned(), Rejection::Nameless),
        (header(&key), Rejection::KeyNotFound),
    ] {
        let token = token(&key, &header, &payload(r#""sub":"spiffe://example.org/a","aud":"a""#));
        assert_eq!(verify(&verifier, &token), Err(rejection));
    }
}
