//! The attacks of RFC 8725 section 2 and of the advisories against other libraries.

use ::ring::hmac;

use super::*;

#[test]
fn no_token_is_accepted_unsigned() {
    for algorithm in Algorithm::ALL {
        let world = World::new(algorithm);
        let kid = world.key.kid();
        let good = world.token(&payload(""));
        let (_, signature) = good.rsplit_once('.').unwrap();
        for alg in ["none", "None", "NONE", "nOnE", "none ", " none", "", "null", "\\u006eone"] {
            for header in
                [format!(r#"{{"alg":"{alg}"}}"#), format!(r#"{{"alg":"{alg}","kid":"{kid}"}}"#)]
            {
                let header = base64url::encode(header.as_bytes());
                let message = format!("{header}.{}", base64url::encode(payload("").as_bytes()));
                for signature in ["", signature] {
                    let verdict = world.verify(&format!("{message}.{signature}"));
                    assert_eq!(verdict, Err(Rejection::Algorithm), "{algorithm:?} {alg}");
                }
                assert_eq!(coded(world.verify(&message)), Err(Code::JwtMalformed));
            }
        }
        for alg in ["null", "true", "[]", "{}", "[\"HS256\"]", "0"] {
            let verdict = world.judge_header(&format!(r#"{{"alg":{alg},"kid":"{kid}"}}"#));
            assert_eq!(coded(verdict), Err(Code::JwtMalformed), "{alg}");
        }
        assert_eq!(
            coded(world.judge_header(&format!(r#"{{"kid":"{kid}"}}"#))),
            Err(Code::JwtMalformed)
        );
    }
}

/// CVE-2015-9235 and its many descendants: the public key, in any form, as an HMAC secret.
#[test]
fn a_public_key_is_no_hmac_secret() {
    for algorithm in asymmetric() {
        let world = World::new(algorithm);
        let pem = named(
            "keys",
            &pem_of(algorithm).unwrap().replace("pkcs8 v1", "spki").replace("pkcs8", "spki"),
        );
        let pem = text(&pem, "pem");
        let mut buffer = vec![0; pem.len()];
        let (_, der) = pem_rfc7468::decode(pem.as_bytes(), &mut buffer).unwrap();
        let jwk = world.key.public_jwk().unwrap();
        for secret in [pem.as_bytes(), pem.trim().as_bytes(), der, &der[12..], jwk.as_bytes()] {
            let secret = hmac::Key::new(hmac::HMAC_SHA256, secret);
            for header in [
                format!(r#"{{"alg":"HS256","kid":"{}"}}"#, world.key.kid()),
                r#"{"alg":"HS256"}"#.into(),
                header(&world.key),
            ] {
                let [header, payload] =
                    [header, payload("")].map(|t| base64url::encode(t.as_bytes()));
                let message = format!("{header}.{payload}");
                let tag = base64url::encode(hmac::sign(&secret, message.as_bytes()).as_ref());
                let rejection = world.verify(&format!("{message}.{tag}")).unwrap_err();
                let expected = [Rejection::KeyAlgorithm, Rejection::Nameless, Rejection::Signature];
                assert!(expected.contains(&rejection), "{rejection:?}");
            }
        }
    }
}

#[test]
fn one_rsa_key_is_not_used_with_two_paddings() {
    for (own, other) in [(Algorithm::Rs256, Algorithm::Ps256), (Algorithm::Ps256, Algorithm::Rs256)]
    {
        let world = World::new(own);
        let foreign = key(other);
        assert_eq!(world.key.kid(), foreign.kid(), "the same RSA key");
        let token_of = |alg: Algorithm| {
            let header = format!(r#"{{"alg":"{}","kid":"{}"}}"#, alg.name(), foreign.kid());
            token(&foreign, &header, &payload(""))
        };
        assert_eq!(world.verify(&token_of(other)), Err(Rejection::KeyAlgorithm));
        assert_eq!(world.verify(&token_of(own)), Err(Rejection::Signature));
    }
}

/// CVE-2018-0114 and CVE-2026-27962: a key that comes with the token.
#[test]
fn a_token_does_not_say_where_its_key_is() {
    for algorithm in asymmetric() {
        let world = World::new(algorithm);
        let attacker = other_key(algorithm);
        let jwk = attacker.public_jwk().unwrap();
        for extra in [
            format!(r#""jwk":{jwk}"#),
            r#""jku":"https://attacker.example/jwks.json""#.into(),
            r#""x5u":"https://attacker.example/cert.pem""#.into(),
            r#""x5c":["MIIB"],"x5t":"AA","x5t#S256":"AA""#.into(),
        ] {
            for kid in [world.key.kid(), attacker.kid()] {
                let header = format!(r#"{{"alg":"{}","kid":"{kid}",{extra}}}"#, algorithm.name());
                let rejection = world.verify(&token(&attacker, &header, &payload(""))).unwrap_err();
                let expected = if kid == attacker.kid() {
                    Rejection::KeyNotFound
                } else {
                    Rejection::Signature
                };
                assert_eq!(rejection, expected, "{header}");
            }
            let header = format!(r#"{{"alg":"{}",{extra}}}"#, algorithm.name());
            let verdict = world.verify(&token(&attacker, &header, &payload("")));
            assert_eq!(verdict, Err(Rejection::Signature), "{header}");
            assert_eq!(world.judge_header(&header), Ok(()), "{header}");
        }
    }
}

#[test]
fn kids_are_looked_up_and_never_interpreted() {
    let world = World::new(Algorithm::Hs256);
    for kid in ["../../dev/null", "hmac' OR '1'='1", "hmac\\u0000", "hmac|id", "HMAC", "hma", "*"] {
        let verdict = world.judge_header(&format!(r#"{{"alg":"HS256","kid":"{kid}"}}"#));
        assert_eq!(verdict, Err(Rejection::KeyNotFound), "{kid}");
    }
}

#[test]
fn extensions_and_other_serializations_are_refused() {
    let world = World::new(Algorithm::Hs256);
    for (member, rejection) in [
        (r#""crit":["exp"],"exp":1"#, Rejection::Critical),
        (r#""crit":["b64"],"b64":true"#, Rejection::Critical),
        (r#""crit":[]"#, Rejection::Critical),
        (r#""crit":null"#, Rejection::Critical),
        (r#""b64":false"#, Malformation::Parameter(4).into()),
        (r#""b64":true"#, Malformation::Parameter(4).into()),
        (r#""zip":"DEF""#, Malformation::Parameter(6).into()),
        (r#""enc":"A128GCM""#, Malformation::Parameter(5).into()),
    ] {
        let verdict = world.judge_header(&format!(r#"{{"alg":"HS256","kid":"hmac",{member}}}"#));
        assert_eq!(verdict, Err(rejection), "{member}");
    }
    let good = world.token(&payload(""));
    let [header, payload, signature]: [&str; 3] =
        good.split('.').collect::<Vec<_>>().try_into().unwrap();
    let json =
        format!(r#"{{"protected":"{header}","payload":"{payload}","signature":"{signature}"}}"#);
    assert_eq!(coded(world.verify(&json)), Err(Code::JwtMalformed));
}
