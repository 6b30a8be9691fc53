//! Keys that name the only issuer whose tokens they verify.

use serde_json::{Value, json};

use super::*;

const TEMPLATE: &str = "https://login.example/{tenantid}/v2.0";

/// The code of a token with this payload's members under a key with this member `issuer`.
fn code_of(issuer: &Value, members: &str) -> Option<Rejection> {
    let own = key(Algorithm::EdDsa);
    let mut jwk: Value = serde_json::from_str(&own.public_jwk().unwrap()).unwrap();
    jwk["issuer"] = issuer.clone();
    let public = Key::from_public_jwk(&jwk.to_string(), Algorithm::EdDsa, None).unwrap();
    // A ring stores the JWK of a public key, and must not lose the issuer.
    let stored = public.public_jwk().unwrap();
    let stored = Key::from_public_jwk(&stored, Algorithm::EdDsa, None).unwrap();
    let [one, two] = [public, stored].map(|key| {
        let keys = KeySource::Keys(vec![Arc::new(key).without_private()]);
        let options = VerifierOptions { cache_entries: 10, ..lax(keys) };
        let verifier = Verifier::new(options, Arc::new(ManualClock::at(NOW))).unwrap();
        let token = token(&own, &header(&own), &payload(members));
        let [first, again] = [(); 2].map(|()| verify(&verifier, &token).err());
        assert_eq!(first, again);
        first
    });
    assert_eq!(one, two);
    one
}

#[test]
fn a_key_with_an_issuer_verifies_only_tokens_of_that_issuer() {
    let missing = Some(Rejection::Claim(Claim::Issuer, Reason::Missing));
    let mismatch = Some(Rejection::KeyIssuer);
    let exact = json!("https://login.example/9188040d/v2.0");
    let template = json!(TEMPLATE);
    for (issuer, members, expected) in [
        (&exact, r#""iss":"https://login.example/9188040d/v2.0""#, None),
        (&exact, r#""iss":"https:\/\/login.example/9188040d/v2.0","tid":"other""#, None),
        (&exact, r#""iss":"https://login.example/9188040d/v2.0/""#, mismatch),
        (&exact, r#""iss":"https://login.example/a/v2.0","tid":"a""#, mismatch),
        (&exact, r#""tid":"9188040d""#, missing),
        (&template, r#""iss":"https://login.example/a/v2.0","tid":"a""#, None),
        (&template, r#""tid":"\u0061","iss":"https://login.example/a/v2.0""#, None),
        (&template, r#""iss":"https://login.example/a/v2.0","tid":"b""#, mismatch),
        (&template, r#""iss":"https://login.example/a/v2.0""#, mismatch),
        (&template, r#""iss":"https://login.example/a/v2.0","tid":["a"]"#, mismatch),
        (&template, r#""iss":"https://login.example/{tenantid}/v2.0""#, mismatch),
        (&template, r#""tid":"a""#, missing),
    ] {
        assert_eq!(code_of(issuer, members), expected, "{issuer} {members}");
    }
}

/// With `accessTokenAcceptedVersion` 1, the default of Microsoft, tokens have the older issuer.
#[test]
fn a_key_of_microsoft_verifies_tokens_of_both_versions_of_its_tenant() {
    let template = json!("https://login.microsoftonline.com/{tenantid}/v2.0");
    let own = json!("https://login.microsoftonline.com/9188040d/v2.0");
    let older = json!("https://sts.windows.net/a/");
    let government = json!("https://login.microsoftonline.us/{tenantid}/v2.0");
    let china = json!("https://login.partner.microsoftonline.cn/{tenantid}/v2.0");
    let mismatch = Some(Rejection::KeyIssuer);
    for (issuer, members, expected) in [
        (&own, r#""iss":"https://sts.windows.net/9188040d/""#, None),
        (&own, r#""iss":"https://sts.windows.net/9188040e/","tid":"9188040e""#, mismatch),
        (&own, r#""iss":"https://sts.windows.net/9188040d""#, mismatch),
        (&own, r#""iss":"https://sts.windows.net//""#, mismatch),
        (&template, r#""iss":"https://sts.windows.net/a/","tid":"a""#, None),
        (&template, r#""iss":"https://sts.windows.net/a/","tid":"b""#, mismatch),
        (&template, r#""iss":"https://sts.windows.net/a/""#, mismatch),
        (&template, r#""iss":"https://sts.windows.net//","tid":"""#, mismatch),
        (&older, r#""iss":"https://login.microsoftonline.com/a/v2.0""#, mismatch),
        (&government, r#""iss":"https://sts.windows.net/a/","tid":"a""#, None),
        (&government, r#""iss":"https://sts.windows.net/a/","tid":"b""#, mismatch),
        (&government, r#""iss":"https://sts.chinacloudapi.cn/a/","tid":"a""#, mismatch),
        (&china, r#""iss":"https://sts.chinacloudapi.cn/a/","tid":"a""#, None),
        (&china, r#""iss":"https://sts.windows.net/a/","tid":"a""#, mismatch),
        (&template, r#""iss":"https://sts.chinacloudapi.cn/a/","tid":"a""#, mismatch),
        (&json!("https://login.example/a/v2.0"), r#""iss":"https://sts.windows.net/a/""#, mismatch),
    ] {
        assert_eq!(code_of(issuer, members), expected, "{issuer} {members}");
    }
}

/// RFC 7517 section 4: members that are not understood are ignored.
#[test]
fn an_issuer_of_a_key_that_is_no_url_restricts_nothing() {
    for issuer in [json!("CN=Authority"), json!(""), json!(null), json!(7), json!(["https://a"])] {
        assert_eq!(code_of(&issuer, ""), None, "{issuer}");
        assert_eq!(code_of(&issuer, r#""iss":"https://b""#), None, "{issuer}");
    }
}

#[test]
fn two_entries_of_a_set_with_the_same_key_and_two_issuers_are_both_left_out() {
    let jwk = |issuer: &str| {
        let json = key(Algorithm::EdDsa).public_jwk().unwrap();
        let mut jwk: Value = serde_json::from_str(&json).unwrap();
        jwk["issuer"] = issuer.into();
        jwk
    };
    let taken = |keys: &[Value]| {
        let rules = ImportRules::of(KeyUse::Sig, None);
        let imported = import(&json!({ "keys": keys }).to_string(), &rules).unwrap();
        (imported.keys.len(), imported.ignored.len())
    };
    assert_eq!(taken(&[jwk(TEMPLATE), jwk(TEMPLATE)]), (1, 0));
    assert_eq!(taken(&[jwk(TEMPLATE), jwk("https://login.example/a")]), (0, 2));
}
