//! Public keys as JWKs: the published members, and the JWKs that are refused.

use serde_json::{Value, json};

use super::*;
use crate::testing::vectors::{base64url as bytes, decode_hex};

fn jwk(algorithm: Algorithm) -> Value {
    serde_json::from_str(&key(algorithm).public_jwk().unwrap()).unwrap()
}

fn encoded(bytes: &[u8]) -> Value {
    base64url::encode(bytes).into()
}

fn import(jwk: &Value, algorithm: Algorithm) -> Option<Code> {
    code(Key::from_public_jwk(&jwk.to_string(), algorithm, None))
}

/// Checks that each change makes a JWK that is refused, and so does dropping a needed member.
fn assert_refused(algorithm: Algorithm, changes: &[(&str, Value)]) {
    let good = jwk(algorithm);
    assert_eq!(import(&good, algorithm), None);
    let mut read = Vec::new();
    for (member, value) in changes {
        let mut jwk = good.clone();
        jwk[*member] = value.clone();
        if import(&jwk, algorithm) != Some(Code::JwtKey) {
            read.push(format!("{member} {value}"));
        }
        jwk.as_object_mut().unwrap().remove(*member);
        let needed = ["kty", "crv", "n", "e", "x", "y"].contains(member);
        if needed && import(&jwk, algorithm) != Some(Code::JwtKey) {
            read.push(format!("without {member}"));
        }
    }
    assert!(read.is_empty(), "{algorithm:?} {read:#?}");
}

#[test]
fn exactly_the_public_members_are_published() {
    for algorithm in asymmetric() {
        let key = key(algorithm);
        let json = key.public_jwk().unwrap();
        let jwk: Value = serde_json::from_str(&json).unwrap();
        let mut members: Vec<_> = jwk.as_object().unwrap().keys().map(String::as_str).collect();
        members.sort_unstable();
        let expected: &[&str] = match algorithm {
            Algorithm::Es256 | Algorithm::Es384 | Algorithm::Es512 => {
                &["alg", "crv", "kid", "kty", "use", "x", "y"]
            }
            Algorithm::EdDsa | Algorithm::Ed25519 => &["alg", "crv", "kid", "kty", "use", "x"],
            _ => &["alg", "e", "kid", "kty", "n", "use"],
        };
        assert_eq!(members, expected);
        assert_eq!((&jwk["alg"], &jwk["use"]), (&algorithm.name().into(), &"sig".into()));
        assert_eq!(jwk["kid"], key.kid());
        let public = Key::from_public_jwk(&json, algorithm, None).unwrap();
        assert_eq!((public.is_private(), public.kid()), (false, key.kid()));
        assert_eq!(public.public_jwk().unwrap(), json);
    }
    assert_eq!(key(Algorithm::Hs256).public_jwk(), None);
}

#[test]
fn the_thumbprint_of_both_halves_is_the_same() {
    for algorithm in asymmetric() {
        let key = other_key(algorithm);
        let mut jwk: Value = serde_json::from_str(&key.public_jwk().unwrap()).unwrap();
        jwk.as_object_mut().unwrap().remove("kid");
        let public = Key::from_public_jwk(&jwk.to_string(), algorithm, None).unwrap();
        assert_eq!(public.kid(), key.kid());
        // The `kid` of the JWK is used, unless the caller gives one.
        jwk["kid"] = "own".into();
        let own = Key::from_public_jwk(&jwk.to_string(), algorithm, None).unwrap();
        assert_eq!(own.kid(), "own");
        let given = Key::from_public_jwk(&jwk.to_string(), algorithm, Some("given")).unwrap();
        assert_eq!(given.kid(), "given");
    }
}

/// A private JWK may be given; only its public members are read.
#[test]
fn private_members_are_not_read_and_not_published() {
    for (algorithm, file, name) in
        [(Algorithm::EdDsa, "rfc8037", "A.1-A.5"), (Algorithm::Es256, "rfc7515", "A.3")]
    {
        let mut jwk = named(file, name)["jwk"].clone();
        jwk["d"] = "jpsQnnGQmL-YBIffH1136cspYG6-0iY7X1fCE9-E9LI".into();
        let key = Key::from_public_jwk(&jwk.to_string(), algorithm, None).unwrap();
        assert!(!key.is_private());
        assert!(!key.public_jwk().unwrap().contains("jpsQnn"));
    }
}

#[test]
fn jwks_of_other_uses_and_algorithms_are_refused() {
    for algorithm in asymmetric() {
        let others: Vec<_> = asymmetric().filter(|other| !other.signs_as(algorithm)).collect();
        for other in others {
            assert_refused(algorithm, &[("alg", other.name().into())]);
            let mut stripped = jwk(algorithm);
            stripped.as_object_mut().unwrap().remove("alg");
            let same_type =
                jwk(other)["kty"] == stripped["kty"] && jwk(other)["crv"] == stripped["crv"];
            let expected = if same_type { None } else { Some(Code::JwtKey) };
            assert_eq!(import(&stripped, other), expected, "{algorithm:?} as {other:?}");
        }
        assert_refused(
            algorithm,
            &[
                ("use", "enc".into()),
                ("use", "x".into()),
                ("alg", "HS256".into()),
                ("alg", "none".into()),
                ("alg", "RSA-OAEP".into()),
                ("kty", "oct".into()),
                ("kty", "".into()),
                ("kty", Value::Null),
                ("kid", 7.into()),
            ],
        );
        assert_eq!(import(&jwk(algorithm), Algorithm::Hs256), Some(Code::JwtKey));
    }
    let oct = json!({ "kty": "oct", "k": base64url::encode(&[7; 32]) });
    for algorithm in Algorithm::ALL {
        assert_eq!(import(&oct, algorithm), Some(Code::JwtKey));
    }
    for text in ["", "{}", "[]", "null", "{\"kty\":\"RSA\"", "-----BEGIN PUBLIC KEY-----"] {
        let refused = Key::from_public_jwk(text, Algorithm::Rs256, None);
        assert_eq!(code(refused), Some(Code::JwtKey), "{text}");
    }
}

#[test]
fn weak_and_malformed_rsa_keys_are_refused() {
    let n = bytes(&jwk(Algorithm::Rs256), "n");
    let even = [&n[..255], &[n[255] & 0xfe]].concat();
    let bits = |bits: usize| {
        let mut modulus = vec![0xff; bits.div_ceil(8)];
        if !bits.is_multiple_of(8) {
            modulus[0] = 0xff >> (8 - bits % 8);
        }
        encoded(&modulus)
    };
    for algorithm in [Algorithm::Rs256, Algorithm::Ps256] {
        assert_refused(
            algorithm,
            &[
                ("e", encoded(&[])),
                ("e", encoded(&[0])),
                ("e", encoded(&[1])),
                ("e", encoded(&[2])),
                ("e", encoded(&[4])),
                ("e", encoded(&[1, 0, 0])),
                ("e", "AQAB==".into()),
                ("e", "A".into()),
                ("e", 65537.into()),
                ("n", encoded(&[])),
                ("n", encoded(&even)),
                ("n", encoded(&n[..128])),
                ("n", encoded(&n[1..])),
                ("n", encoded(&[0; 256])),
                ("n", bits(2047)),
                ("n", bits(8193)),
                ("n", bits(16384)),
                ("n", "!!!!".into()),
                ("n", format!("{}\n", base64url::encode(&n)).into()),
            ],
        );
        for (member, value) in [("n", bits(2048)), ("n", bits(8192)), ("e", encoded(&[3]))] {
            let mut jwk = jwk(algorithm);
            jwk[member] = value;
            jwk.as_object_mut().unwrap().remove("kid");
            assert_eq!(import(&jwk, algorithm), None, "{member}");
        }
    }
}

#[test]
fn points_off_the_curve_are_refused() {
    let good = jwk(Algorithm::Es256);
    let (x, y) = (bytes(&good, "x"), bytes(&good, "y"));
    let mut other = y.clone();
    other[31] ^= 1;
    assert_refused(
        Algorithm::Es256,
        &[
            ("y", encoded(&other)),
            ("x", encoded(&other)),
            ("y", encoded(&[0; 32])),
            ("x", encoded(&[0xff; 32])),
            ("x", encoded(&x[1..])),
            ("x", encoded(&[&[1], &x[..]].concat())),
            ("y", encoded(&y[..31])),
            ("y", encoded(&[&y[..], &[0]].concat())),
            ("x", encoded(&[])),
            ("crv", "P-384".into()),
            ("crv", "secp256k1".into()),
            ("crv", "Ed25519".into()),
            ("kty", "OKP".into()),
        ],
    );
    // A moved border between the coordinates must not make the same point.
    let mut moved = good.clone();
    moved["x"] = encoded(&x[..31]);
    moved["y"] = encoded(&[&x[31..], &y].concat());
    assert_eq!(import(&moved, Algorithm::Es256), Some(Code::JwtKey));
    let zero =
        json!({ "kty": "EC", "crv": "P-256", "x": encoded(&[0; 32]), "y": encoded(&[0; 32]) });
    assert_eq!(import(&zero, Algorithm::Es256), Some(Code::JwtKey));
}

#[test]
fn ed25519_keys_have_one_length_and_one_curve() {
    let x = bytes(&jwk(Algorithm::EdDsa), "x");
    assert_refused(
        Algorithm::EdDsa,
        &[
            ("x", encoded(&x[1..])),
            ("x", encoded(&[&x[..], &[0]].concat())),
            ("x", encoded(&[&[0], &x[..]].concat())),
            ("x", encoded(&[])),
            ("crv", "X25519".into()),
            ("crv", "Ed448".into()),
            ("crv", "P-256".into()),
            ("kty", "EC".into()),
        ],
    );
}

/// With an exponent of over 33 bits no signature would ever verify.
#[test]
fn rsa_exponents_that_cannot_be_used_are_refused() {
    let n = bytes(&jwk(Algorithm::Rs256), "n");
    for algorithm in [Algorithm::Rs256, Algorithm::Ps256] {
        assert_refused(algorithm, &[("e", encoded(&[2, 0, 0, 0, 1])), ("e", encoded(&n))]);
    }
}

/// These points have an order of at most 8, so anyone could make a signature that verifies for
/// every message (the first point), or for one in two, four or eight.
#[test]
fn ed25519_points_that_are_weak_not_reduced_or_off_the_curve_are_refused() {
    for point in [
        "0100000000000000000000000000000000000000000000000000000000000000",
        "ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
        "0000000000000000000000000000000000000000000000000000000000000000",
        "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05",
        "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a",
        // Not reduced: p, p + 1, p + 3, the last with the sign set.
        "edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
        "eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
        "f0ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff",
        // Off the curve: no x has this y.
        "0200000000000000000000000000000000000000000000000000000000000000",
    ] {
        let jwk = json!({ "kty": "OKP", "crv": "Ed25519", "x": encoded(&decode_hex(point)) });
        assert_eq!(import(&jwk, Algorithm::EdDsa), Some(Code::JwtKey), "{point}");
    }
}

/// RFC 7518 section 6.3.1.1 warns of libraries that put a zero before the modulus; section 6.2.1.2
/// asks for coordinates of full length, which libraries that print a number do not write.
#[test]
fn a_number_with_more_or_fewer_leading_zeros_makes_the_same_key() {
    let same = |jwk: &Value, algorithm, published: &str| {
        let key = Key::from_public_jwk(&jwk.to_string(), algorithm, None).unwrap();
        assert_eq!(key.public_jwk().unwrap(), published, "{jwk}");
    };
    for algorithm in asymmetric().filter(|algorithm| jwk(*algorithm)["kty"] != "OKP") {
        let numbers = if algorithm.is_rsa() { ["n", "e"] } else { ["x", "y"] };
        let good = jwk(algorithm);
        for zeros in [1, 2, 300] {
            for number in numbers {
                let mut jwk = good.clone();
                jwk[number] = encoded(&[&vec![0; zeros][..], &bytes(&good, number)].concat());
                same(&jwk, algorithm, &key(algorithm).public_jwk().unwrap());
            }
        }
    }
    // Every second coordinate of P-521 begins with a zero.
    let key = std::iter::repeat_with(|| other_key(Algorithm::Es512))
        .find(|key| key.public_jwk().unwrap().contains(r#""x":"AA"#))
        .unwrap();
    let published = key.public_jwk().unwrap();
    let mut short: Value = serde_json::from_str(&published).unwrap();
    short["x"] = encoded(&bytes(&short, "x")[1..]);
    same(&short, Algorithm::Es512, &published);
    short.as_object_mut().unwrap().remove("kid");
    let kid = Key::from_public_jwk(&short.to_string(), Algorithm::Es512, None).unwrap();
    assert_eq!(kid.kid(), key.kid(), "the thumbprint is of the canonical members");
}

#[test]
fn base64_of_both_alphabets_with_and_without_padding_makes_the_same_key() {
    let standard = |text: &str| text.replace('-', "+").replace('_', "/");
    let padded = |text: &str| format!("{text}{}", "=".repeat((4 - text.len() % 4) % 4));
    for algorithm in asymmetric() {
        // A modulus of 2048 bits and the coordinates of all curves but P-384 take padding.
        for member in ["n", "e", "x", "y"] {
            let mut jwk = jwk(algorithm);
            let Some(text) = jwk[member].as_str().map(ToOwned::to_owned) else { continue };
            let written = key(algorithm).public_jwk().unwrap();
            for spelling in [padded(&text), standard(&text), padded(&standard(&text))] {
                jwk[member] = spelling.into();
                let read = Key::from_public_jwk(&jwk.to_string(), algorithm, None).unwrap();
                assert_eq!(read.public_jwk().unwrap(), written);
            }
            let mut one_more = padded(&text);
            one_more.push('=');
            for wrong in [one_more, format!(" {text}"), format!("{text}\n"), format!("{text}=A")] {
                jwk[member] = wrong.into();
                assert_eq!(import(&jwk, algorithm), Some(Code::JwtKey), "{member} {jwk}");
            }
        }
    }
}

#[test]
fn members_that_are_null_or_empty_count_as_missing() {
    for nothing in [Value::Null, "".into()] {
        let mut jwk = jwk(Algorithm::Es256);
        for member in ["alg", "use", "key_ops", "kid", "d", "x5c"] {
            jwk[member] = nothing.clone();
        }
        let key = Key::from_public_jwk(&jwk.to_string(), Algorithm::Es256, None).unwrap();
        assert_eq!(key.kid(), super::key(Algorithm::Es256).kid());
        jwk["y"] = nothing.clone();
        let error = Key::from_public_jwk(&jwk.to_string(), Algorithm::Es256, None).unwrap_err();
        assert_eq!(error.message, "the JWK has no \"y\"");
    }
}

/// Each fault has its own message, because a report on a JWK Set shows it.
#[test]
fn the_error_names_the_fault_of_a_jwk() {
    let ones = |length| encoded(&vec![1; length]);
    let ec = |length| json!({ "kty": "EC", "crv": "P-256", "x": ones(length), "y": ones(length) });
    let okp = |x: Value| json!({ "kty": "OKP", "crv": "Ed25519", "x": x });
    let rsa = |n: Value, e: Value| json!({ "kty": "RSA", "n": n, "e": e });
    let weak = encoded(&[&[1][..], &[0; 31]].concat());
    let off_ed25519 = "the JWK's \"x\" is not a point on Ed25519, or is one of small order";
    let bad_rsa = "an RSA key must have an odd modulus of 2048 to 8192 bits and an odd exponent";
    for (jwk, algorithm, expected) in [
        (ec(32), Algorithm::Es256, "the JWK's \"x\" and \"y\" are not a point on P-256"),
        (ec(33), Algorithm::Es256, "a coordinate of P-256 has at most 32 bytes"),
        (ec(32), Algorithm::Es384, "it must have \"kty\" \"EC\" and \"crv\" \"P-384\""),
        (ec(32), Algorithm::Rs256, "it must have \"kty\" \"RSA\""),
        (ec(32), Algorithm::Hs256, "the JWK is not a public HS256 signature key; HMAC has none"),
        (okp(weak), Algorithm::EdDsa, off_ed25519),
        (okp(encoded(&[0xff; 32])), Algorithm::EdDsa, off_ed25519),
        (okp(ones(31)), Algorithm::EdDsa, "the JWK's \"x\" must have 32 bytes"),
        (okp(7.into()), Algorithm::EdDsa, "the JWK's \"x\" must be base64url"),
        (okp(Value::Null), Algorithm::EdDsa, "the JWK has no \"x\""),
        (rsa(ones(128), encoded(&[3])), Algorithm::Rs256, bad_rsa),
        (rsa(ones(256), "A B".into()), Algorithm::Rs256, "the JWK's \"e\" must be base64url"),
        (json!({ "x": "x".repeat(70_000) }), Algorithm::Rs256, "at most 64 KiB"),
    ] {
        let error = Key::from_public_jwk(&jwk.to_string(), algorithm, None).unwrap_err();
        assert_eq!(error.code, Code::JwtKey);
        assert!(error.message.contains(expected), "{}", error.message);
    }
}
