//! JWK Sets: the keys that are used, the keys that are skipped, and the sets that are refused.

use serde_json::{Value, json};

use super::*;

const ANY: ImportRules = ImportRules { purpose: KeyUse::Sig, algorithms: None, require_kid: false };

/// The public JWK of [`key`] with its `kid` and other members changed; `null` drops one.
fn jwk(algorithm: Algorithm, changes: Value) -> Value {
    changed(&key(algorithm), changes)
}

fn changed(key: &Key, changes: Value) -> Value {
    let mut jwk: Value = serde_json::from_str(&key.public_jwk().unwrap()).unwrap();
    let Value::Object(changes) = changes else { panic!("changes are an object") };
    for (member, value) in changes {
        jwk[&member] = value;
    }
    jwk.as_object_mut().unwrap().retain(|_, value| !value.is_null());
    jwk
}

/// `kid alg` of the keys that are made from a set of these JWKs.
fn taken(rules: &ImportRules, keys: &[Value]) -> Vec<String> {
    let keys = import(&json!({ "keys": keys }).to_string(), rules).unwrap().keys;
    assert!(keys.iter().all(|key| !key.is_private()));
    keys.iter().map(|key| format!("{} {}", key.kid(), key.algorithm().name())).collect()
}

fn algorithms(names: &[Algorithm]) -> ImportRules {
    ImportRules { algorithms: Some(names.to_vec()), ..ANY }
}

#[test]
fn every_algorithm_of_key_pairs_is_taken_in_the_order_of_the_set() {
    let keys: Vec<_> =
        asymmetric().map(|algorithm| jwk(algorithm, json!({ "kid": algorithm.name() }))).collect();
    let names: Vec<_> = asymmetric().map(|one| format!("{0} {0}", one.name())).collect();
    assert_eq!(taken(&ANY, &keys), names);
    assert!(taken(&ANY, &[]).is_empty());
}

#[test]
fn a_key_without_an_algorithm_is_for_that_of_its_curve_or_for_those_named() {
    let bare = json!({ "kid": "k", "alg": null, "use": null });
    for (algorithm, expected) in [
        (Algorithm::Es256, "k ES256"),
        (Algorithm::Es384, "k ES384"),
        (Algorithm::Es512, "k ES512"),
        (Algorithm::Ed25519, "k EdDSA"),
        (Algorithm::Ps384, "k RS256"),
    ] {
        assert_eq!(taken(&ANY, &[jwk(algorithm, bare.clone())]), [expected]);
    }
    let rsa = jwk(Algorithm::Rs256, bare.clone());
    let several = algorithms(&[Algorithm::Ps256, Algorithm::Rs512, Algorithm::Es256]);
    assert_eq!(taken(&several, &[rsa]), ["k RS512", "k PS256"]);
    assert_eq!(taken(&several, &[jwk(Algorithm::Es256, bare.clone())]), ["k ES256"]);
    assert!(taken(&several, &[jwk(Algorithm::Es384, bare)]).is_empty());
}

#[test]
fn algorithms_that_are_not_named_are_passed_over() {
    let keys = [Algorithm::Rs256, Algorithm::EdDsa].map(|one| jwk(one, json!({ "kid": "k" })));
    assert_eq!(taken(&algorithms(&[Algorithm::Rs256]), &keys), ["k RS256"]);
    assert_eq!(taken(&algorithms(&[Algorithm::Ed25519]), &keys), ["k EdDSA"]);
    assert!(taken(&algorithms(&[Algorithm::Ps256]), &keys).is_empty());
}

#[test]
fn what_cannot_be_used_takes_nothing_else_away() {
    let good = || jwk(Algorithm::Es256, json!({ "kid": "good" }));
    let weak = base64url::encode(&[0xff; 128]);
    let unusable = [
        json!({}),
        json!({ "kty": "oct", "k": base64url::encode(&[7; 32]), "alg": "HS256" }),
        json!({ "kty": "AKP", "alg": "ML-DSA-44", "pub": "AA" }),
        json!({ "kty": "RSA", "n": weak, "e": "AQAB", "alg": "RS256" }),
        jwk(Algorithm::Es256, json!({ "alg": "HS256" })),
        jwk(Algorithm::Es256, json!({ "alg": "none" })),
        jwk(Algorithm::Es256, json!({ "alg": ["ES256"] })),
        jwk(Algorithm::Es256, json!({ "alg": "ES384" })),
        jwk(Algorithm::Es256, json!({ "crv": "secp256k1" })),
        jwk(Algorithm::Es256, json!({ "alg": null, "crv": "secp256k1" })),
        jwk(Algorithm::Es256, json!({ "x": "AA" })),
        jwk(Algorithm::Es256, json!({ "y": null })),
        jwk(Algorithm::Es256, json!({ "use": "enc" })),
        jwk(Algorithm::Es256, json!({ "use": "jwt-svid" })),
        jwk(Algorithm::Es256, json!({ "use": ["sig"] })),
        jwk(Algorithm::Es256, json!({ "key_ops": ["encrypt"] })),
        jwk(Algorithm::Es256, json!({ "key_ops": ["sign"] })),
        jwk(Algorithm::Es256, json!({ "kid": 7 })),
        jwk(Algorithm::Es256, json!({ "kid": "k".repeat(MAX_KID_LEN + 1) })),
    ];
    for unusable in unusable {
        assert_eq!(taken(&ANY, &[unusable.clone(), good()]), ["good ES256"], "{unusable}");
    }
}

#[test]
fn a_published_private_key_is_lost_with_its_public_half() {
    let mine = |changes| jwk(Algorithm::Es256, changes);
    let other = changed(&other_key(Algorithm::Es256), json!({ "kid": "other" }));
    let public = mine(json!({ "kid": "public" }));
    for lost in [
        mine(json!({ "kid": "mine", "d": "AQ" })),
        mine(json!({ "kid": "mine", "d": "AQ", "use": "enc", "alg": "ECDH-ES" })),
        mine(json!({ "kid": null, "d": null, "k": "AQ", "alg": null, "use": null })),
    ] {
        for order in [[lost.clone(), public.clone()], [public.clone(), lost]] {
            let [one, two] = order;
            assert_eq!(taken(&ANY, &[one, other.clone(), two]), ["other ES256"]);
        }
    }
}

/// Some libraries write the numbers of an RSA key with leading zeros.
#[test]
fn a_published_private_key_is_lost_however_its_numbers_are_written() {
    let public = jwk(Algorithm::Rs256, json!({ "kid": "public" }));
    let padded = |name: &str| {
        let number = base64url::decode(public[name].as_str().unwrap().as_bytes()).unwrap();
        base64url::encode(&[&[0, 0][..], &number].concat())
    };
    let lost = json!({ "kty": "RSA", "n": padded("n"), "e": padded("e"), "d": "AQ" });
    assert!(taken(&ANY, &[lost.clone(), public.clone()]).is_empty());
    assert!(taken(&ANY, &[public, lost]).is_empty());
}

#[test]
fn null_and_an_empty_text_are_nothing() {
    for nothing in [Value::Null, "".into()] {
        let mut key = jwk(Algorithm::Es256, json!({ "kid": "k" }));
        for member in ["alg", "use", "key_ops", "d", "p", "k", "x5c"] {
            key[member] = nothing.clone();
        }
        assert_eq!(taken(&ANY, &[key.clone()]), ["k ES256"]);
        key["d"] = "AQ".into();
        assert!(taken(&ANY, &[key.clone()]).is_empty());
        key["d"] = nothing.clone();
        key["kid"] = nothing;
        assert_eq!(taken(&ANY, &[key]), [format!("{} ES256", super::key(Algorithm::Es256).kid())]);
    }
}

/// `kid: reason` of the entries that are left out.
fn left_out(rules: &ImportRules, keys: &[Value]) -> Vec<String> {
    let ignored = import(&json!({ "keys": keys }).to_string(), rules).unwrap().ignored;
    let line = |Ignored { kid, reason }| format!("{}: {reason}", kid.unwrap_or("-".into()));
    ignored.into_iter().map(line).collect()
}

#[test]
fn every_entry_without_a_key_is_reported_with_its_reason_in_the_order_of_the_set() {
    let es = |changes| jwk(Algorithm::Es256, changes);
    let other = |kid: &str| changed(&other_key(Algorithm::Es256), json!({ "kid": kid }));
    let oct = json!({ "kid": "oct", "kty": "oct", "k": "AA" });
    let keys = [
        other("twin"),
        es(json!({ "kid": "use", "use": "enc" })),
        es(json!({ "kid": "alg", "alg": "none" })),
        other("good"),
        es(json!({ "kid": null, "kty": "AKP", "alg": null })),
        es(json!({ "kid": "x", "x": "AA" })),
        oct,
        json!({ "kid": "k".repeat(257), "use": "enc" }),
        jwk(Algorithm::Rs256, json!({ "kid": "ps", "alg": "PS256" })),
        es(json!({ "kid": "lost" })),
        other("twin"),
        es(json!({ "kid": "private", "d": "AQ" })),
        json!({}),
    ];
    let report = left_out(&algorithms(&[Algorithm::Es256]), &keys);
    assert_eq!(
        report,
        [
            "twin: another entry of the set has the same kid and algorithm",
            "use: the JWK's \"use\" is not \"sig\"",
            "alg: the JWK's \"alg\" is not a public-key signature algorithm known here",
            "-: the JWK's \"kty\" and \"crv\" are not those of a signature key known here",
            "x: the JWK's \"x\" and \"y\" are not a point on P-256",
            "oct: the JWK is a published secret (\"kty\" \"oct\"), with which everyone can sign",
            "-: the JWK's \"use\" is not \"sig\"",
            "ps: the key is for none of the accepted algorithms (`algorithms`)",
            "lost: another entry of the set publishes the private half of this key",
            "twin: another entry of the set has the same kid and algorithm",
            "private: the JWK has private members, so everyone can sign with its key: replace the key",
            "-: the JWK has no \"kty\"",
        ]
    );
    assert_eq!(left_out(&ANY, &[other("k")]), [""; 0]);
    // RFC 9964.
    let published = json!({ "kty": "AKP", "alg": "ML-DSA-44", "kid": "pq", "priv": "AAAA" });
    assert!(left_out(&ANY, &[published])[0].starts_with("pq: the JWK has private members"));
    let svid = ImportRules::of(KeyUse::JwtSvid, None);
    assert_eq!(
        left_out(
            &svid,
            &[es(json!({ "kid": null, "use": "jwt-svid" })), es(json!({ "kid": "k" }))]
        ),
        [
            "-: the JWK has no \"kid\", by which JWT-SVIDs name their key",
            "k: the JWK's \"use\" is not \"jwt-svid\"",
        ]
    );
}

#[test]
fn a_report_has_at_most_100_entries_and_the_number_of_the_others() {
    for (entries, expected) in [(100, 100), (101, 101), (1000, 101)] {
        let report = left_out(&ANY, &vec![json!({}); entries]);
        assert_eq!(report.len(), expected);
        if entries > 100 {
            let more = format!("-: {} more entries of the set are left out", entries - 100);
            assert_eq!(report.last(), Some(&more));
        }
    }
}

#[test]
fn one_name_for_two_keys_is_neither() {
    let [one, two, three] =
        [(); 3].map(|()| changed(&other_key(Algorithm::Es256), json!({ "kid": "k" })));
    let rsa = jwk(Algorithm::Rs256, json!({ "kid": "k" }));
    assert_eq!(taken(&ANY, &[one.clone(), rsa.clone(), two.clone()]), ["k RS256"]);
    assert_eq!(taken(&ANY, &[one.clone(), two, three, rsa.clone()]), ["k RS256"]);
    assert_eq!(taken(&ANY, &[one.clone(), rsa, one]), ["k ES256", "k RS256"]);
    // Both names of Ed25519 count as one algorithm, so these two keys have the same name.
    let [one, two] = [Algorithm::EdDsa, Algorithm::Ed25519]
        .map(|algorithm| changed(&other_key(algorithm), json!({ "kid": "k" })));
    assert!(taken(&ANY, &[one, two]).is_empty());
}

#[test]
fn without_a_kid_a_key_has_its_thumbprint() {
    let bare = json!({ "kid": null });
    let expected = format!("{} ES256", key(Algorithm::Es256).kid());
    assert_eq!(taken(&ANY, &[jwk(Algorithm::Es256, bare.clone())]), [expected]);
    let strict = ImportRules { require_kid: true, ..ANY };
    assert!(taken(&strict, &[jwk(Algorithm::Es256, bare)]).is_empty());
}

#[test]
fn svid_keys_say_so() {
    let rules = ImportRules::of(KeyUse::JwtSvid, None);
    let jwk = |purpose: Value| jwk(Algorithm::Es256, json!({ "kid": "k", "use": purpose }));
    assert_eq!(taken(&rules, &[jwk("jwt-svid".into())]), ["k ES256"]);
    for other in ["sig".into(), "x509-svid".into(), Value::Null] {
        assert!(taken(&rules, &[jwk(other)]).is_empty());
    }
}

#[test]
fn svid_keys_are_for_the_algorithms_of_svids() {
    let changes = json!({ "kid": "k", "alg": null, "use": "jwt-svid" });
    let taken = |algorithm, named: Option<Vec<Algorithm>>| {
        taken(&ImportRules::of(KeyUse::JwtSvid, named), &[jwk(algorithm, changes.clone())])
    };
    let all = ["k RS256", "k RS384", "k RS512", "k PS256", "k PS384", "k PS512"];
    assert_eq!(taken(Algorithm::Rs256, None), all);
    assert_eq!(taken(Algorithm::Rs256, Some(vec![Algorithm::Ps256])), ["k PS256"]);
    assert_eq!(taken(Algorithm::Es512, None), ["k ES512"]);
    assert!(taken(Algorithm::EdDsa, None).is_empty());
}

#[test]
fn what_is_no_set_is_refused() {
    let key = jwk(Algorithm::Es256, json!({ "kid": "k" })).to_string();
    let twice = key.replacen("\"kid\":", "\"kid\":\"j\",\"kid\":", 1);
    let long = format!("{{\"keys\":[]{}}}", " ".repeat(MAX_SET_LEN));
    for text in [
        "",
        "[]",
        "{}",
        "null",
        "<html></html>",
        r#"{"keys":{}}"#,
        r#"{"keys":[null]}"#,
        r#"{"keys":[[]]}"#,
        r#"{"keys":[],"keys":[]}"#,
        r#"{"keys":[]} x"#,
        "\u{feff}{\"keys\":[]}",
        &long,
        &format!(r#"{{"keys":[{twice}]}}"#),
        &format!(r#"{{"keys":[{}]}}"#, vec!["{}"; 1001].join(",")),
        &format!(r#"{{"keys":[],"x":{}{}}}"#, "[".repeat(64), "]".repeat(64)),
    ] {
        assert_eq!(code(import(text, &ANY)), Some(Code::JwtKey), "{}", &text[..text.len().min(60)]);
    }
    let many = format!(r#"{{"keys":[{}]}}"#, vec!["{}"; 1000].join(","));
    assert!(import(&many, &ANY).unwrap().keys.is_empty());
    assert_eq!(import(&format!(r#"{{"keys":[{key}],"x":[{{}}]}}"#), &ANY).unwrap().keys.len(), 1);
}

#[test]
fn an_entry_that_is_no_object_takes_nothing_else_away() {
    let good = jwk(Algorithm::Es256, json!({ "kid": "good" }));
    for other in [json!(null), json!("text"), json!([]), json!(7), json!([good])] {
        let set = json!({ "keys": [other, good] }).to_string();
        let imported = import(&set, &ANY).unwrap();
        assert_eq!(imported.keys.len(), 1, "{other}");
        let reason = "the entry is not a JSON object".into();
        assert_eq!(imported.ignored, [Ignored { kid: None, reason }]);
    }
}

#[test]
fn one_kid_for_several_algorithms_verifies_under_each() {
    let both = algorithms(&[Algorithm::Rs256, Algorithm::Ps256]);
    let jwk = jwk(Algorithm::Rs256, json!({ "kid": "k", "alg": null }));
    let keys = import(&json!({ "keys": [jwk] }).to_string(), &both).unwrap().keys;
    let keys = KeySource::Keys(keys.into_iter().map(Arc::new).collect());
    let verifier = Verifier::new(lax(keys), Arc::new(ManualClock::at(NOW))).unwrap();
    let try_with = |algorithm, kid: &str| {
        let key = key(algorithm);
        let header = format!(r#"{{"alg":"{}"{kid}}}"#, key.algorithm().name());
        verify(&verifier, &token(&key, &header, &payload(""))).err()
    };
    for kid in [r#","kid":"k""#, ""] {
        assert_eq!(try_with(Algorithm::Rs256, kid), None);
        assert_eq!(try_with(Algorithm::Ps256, kid), None);
    }
    assert_eq!(try_with(Algorithm::Rs512, r#","kid":"k""#), Some(Rejection::KeyAlgorithm));
    assert_eq!(try_with(Algorithm::Rs512, ""), Some(Rejection::Nameless));
    assert_eq!(try_with(Algorithm::Rs256, r#","kid":"j""#), Some(Rejection::KeyNotFound));
}
