//! Header parameters of the caller: those that a JWT and a JWS may have, and those they may not.

use serde_json::{Value, json};

use super::issue::{bare, issuer};
use super::*;

fn with_header(members: &str) -> Result<Value, Error> {
    let overrides = Overrides { header: Some(members), ..Overrides::default() };
    let token = issue(&issuer(bare()), "{}", &overrides)?;
    Ok(serde_json::from_str(&decoded(&token)[0]).unwrap())
}

fn jws(members: &str, names_key: bool) -> Result<String, Error> {
    let token = sign_jws(&key(Algorithm::EdDsa), b"payload", names_key, members)?;
    Ok(String::from_utf8(token).unwrap())
}

#[test]
fn a_jwt_has_the_callers_members_behind_the_issuers() {
    let own = json!({ "alg": "HS256", "typ": "JWT", "kid": "hmac" });
    for empty in ["{}", " { } "] {
        assert_eq!(with_header(empty), Ok(own.clone()));
    }
    let header = with_header(r#"{"cty":"twilio-fpa;v=1", "x":{"y":[1]} }"#).unwrap();
    let mut expected = own;
    expected["cty"] = "twilio-fpa;v=1".into();
    expected["x"] = json!({ "y": [1] });
    assert_eq!(header, expected);
}

#[test]
fn a_member_that_a_jwt_must_not_get_is_refused_in_words() {
    let names = ["alg", "kid", "typ", "crit", "b64", "enc", "zip", "jwk", "jku", "x5c", "x5u"];
    for name in names {
        for text in [
            format!(r#"{{"{name}":"x"}}"#),
            format!(r#"{{"a":1,"\u00{:x}{}":"x"}}"#, name.as_bytes()[0], &name[1..]),
        ] {
            let error = with_header(&text).unwrap_err();
            assert_eq!(error.code, Code::InvalidArgValue);
            let start = format!("header must not have the member \"{name}\": ");
            assert!(error.message.starts_with(&start), "{}", error.message);
        }
    }
}

#[test]
fn members_that_no_verifier_would_read_are_refused() {
    let deep = format!(r#"{{"x":{}{}}}"#, "[".repeat(32), "]".repeat(32));
    let broken = ["", "null", "[]", "1", "{", r#"{"a":1,"a":2}"#, r#"{"a":"\ud800"}"#, &deep];
    for members in broken {
        assert_eq!(code(with_header(members)), Some(Code::InvalidArgValue), "{members}");
        assert_eq!(code(jws(members, true)), Some(Code::InvalidArgValue), "{members}");
    }
    assert_eq!(code(jws(r#"{"typ":7}"#, true)), Some(Code::InvalidArgValue));
    let long = |len: usize| with_header(&format!(r#"{{"cty":"{}"}}"#, "x".repeat(len)));
    assert_eq!(code(long(6144)), Some(Code::OutOfRange));
    let overrides = format!(r#"{{"cty":"{}"}}"#, "x".repeat(6000));
    let overrides = Overrides { header: Some(&overrides), ..Overrides::default() };
    let token = issue(&issuer(bare()), "{}", &overrides).unwrap();
    assert!(World::new(Algorithm::Hs256).verify(&token).is_ok());
}

#[test]
fn a_jws_has_any_payload_and_verifies() {
    let members =
        r#"{"typ":"dpop+jwt","jwk":{"kty":"OKP"},"x5c":["AAAA"],"url":"https://a.example"}"#;
    for algorithm in Algorithm::ALL {
        let key = Arc::new(key(algorithm));
        let keys = KeySource::Keys(vec![key.clone()]);
        for payload in [&b""[..], b"\x00\xff", b"{}", &vec![b'x'; 100_000]] {
            for names_key in [true, false] {
                let token = sign_jws(&key, payload, names_key, members).unwrap();
                let form = TokenForm { max_len: MAX_LONG_TOKEN_LEN, ..TokenForm::default() };
                let mut read = b"left over".to_vec();
                let verdict = verify_jws(&token, &keys, &[algorithm], form, &mut read);
                assert_eq!(verdict, Ok(()));
                assert_eq!(read, payload);
            }
        }
    }
    let [header, payload] = decoded(&jws(members, false).unwrap());
    assert_eq!(header, format!(r#"{{"alg":"EdDSA",{}"#, &members[1..]));
    assert_eq!(payload, "payload");
    let kid = key(Algorithm::EdDsa).kid().to_owned();
    let [header, _] = decoded(&jws("{}", true).unwrap());
    assert_eq!(header, format!(r#"{{"alg":"EdDSA","kid":"{kid}"}}"#));
}

#[test]
fn a_member_that_a_jws_must_not_get_is_refused_in_words() {
    let never = ["alg", "crit", "b64", "enc", "zip"].map(|name| (name, false));
    for (name, names_key) in never.into_iter().chain([("kid", true), (r"\u006bid", true)]) {
        let error = jws(&format!(r#"{{"{name}":"x"}}"#), names_key).unwrap_err();
        assert_eq!(error.code, Code::InvalidArgValue);
        let name = name.replace(r"\u006b", "k");
        let start = format!("header must not have the member \"{name}\": ");
        assert!(error.message.starts_with(&start), "{}", error.message);
    }
}

/// In ACME, the `kid` is the URL of the account (RFC 8555 section 6.2).
#[test]
fn a_header_that_does_not_name_the_key_may_have_a_kid_that_verifiers_read() {
    let longest = "é".repeat(MAX_KID_LEN / 2);
    for kid in ["https://ca.example/acct/1", "\\u0078", &longest, "x"] {
        let [header, _] = decoded(&jws(&format!(r#"{{"kid":"{kid}"}}"#), false).unwrap());
        assert_eq!(header, format!(r#"{{"alg":"EdDSA","kid":"{kid}"}}"#));
    }
    let long = format!("\"{longest}x\"");
    for kid in ["7", "null", "\"\"", "[]", "{}", &long] {
        let error = jws(&format!(r#"{{"kid":{kid}}}"#), false).unwrap_err();
        assert_eq!(error.code, Code::InvalidArgValue, "{kid}");
        assert!(error.message.contains("a string of 1 to 256 bytes"), "{}", error.message);
    }
}

/// RFC 9449 section 4.2: a proof must not contain a private key.
#[test]
fn no_private_key_gets_into_a_header() {
    for member in ["d", "p", "q", "dp", "dq", "qi", "oth", "k", "priv", r"\u0064"] {
        let error = jws(&format!(r#"{{"jwk":{{"kty":"x","{member}":"AA"}}}}"#), false).unwrap_err();
        assert_eq!(error.code, Code::InvalidArgValue);
        assert!(error.message.contains("must be a public key"), "{}", error.message);
    }
    for other in ["null", "1", "\"x\"", "[]", r#"[{"d":1}]"#] {
        let refused = jws(&format!(r#"{{"jwk":{other}}}"#), false);
        assert_eq!(code(refused), Some(Code::InvalidArgValue), "{other}");
    }
}

#[test]
fn a_jws_is_at_most_a_megabyte_and_signed_with_a_private_key() {
    let key = key(Algorithm::Hs256);
    let sign = |len: usize| sign_jws(&key, &vec![0; len], true, "{}");
    let longest = sign(786_300).unwrap();
    assert!(longest.len() <= MAX_LONG_TOKEN_LEN);
    for len in [786_400, MAX_LONG_TOKEN_LEN, 10 * MAX_LONG_TOKEN_LEN] {
        assert_eq!(code(sign(len)), Some(Code::OutOfRange), "{len}");
    }
    let long = format!(r#"{{"x":"{}"}}"#, "x".repeat(MAX_LONG_TOKEN_LEN));
    assert_eq!(code(sign_jws(&key, b"", true, &long)), Some(Code::OutOfRange));
    let public = super::key(Algorithm::Es256).public_jwk().unwrap();
    let public = Key::from_public_jwk(&public, Algorithm::Es256, None).unwrap();
    assert_eq!(code(sign_jws(&public, b"", true, "{}")), Some(Code::JwtKey));
}

#[test]
fn a_backdated_token_expires_as_late_as_another() {
    let backdated = |backdated| Overrides {
        backdated,
        expires_in: Some(600),
        not_before: Some(0),
        ..Overrides::default()
    };
    for seconds in [0, 60, u64::from(MAX_BACKDATING)] {
        let token = issue(&issuer(bare()), "{}", &backdated(seconds)).unwrap();
        let payload: Value = serde_json::from_str(&decoded(&token)[1]).unwrap();
        assert_eq!(payload, json!({ "iat": NOW - seconds, "exp": NOW + 600, "nbf": NOW }));
    }
    let token = issue(&issuer(bare()), "{}", &backdated(u64::MAX)).unwrap();
    assert!(decoded(&token)[1].starts_with(r#"{"iat":0,"#));
}
