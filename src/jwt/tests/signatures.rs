//! Signatures that the key did not make for the token.

use super::*;
use crate::testing::vectors::{base64url as bytes, decode_hex};

#[test]
fn a_signature_has_one_length() {
    for algorithm in Algorithm::ALL {
        let world = World::new(algorithm);
        let good = world.token(&payload(""));
        let (message, signature) = good.rsplit_once('.').unwrap();
        let signature = base64url::decode(signature.as_bytes()).unwrap();
        let length = signature.len();
        let shorter = (0..length).map(|end| signature[..end].to_vec());
        let tail = signature[1..].to_vec();
        let longer = [0, 1, length].map(|more| [&signature[..], &vec![0; more + 1]].concat());
        let shifted = [&[0], &signature[..]].concat();
        for wrong in shorter.chain(longer).chain([tail, shifted]) {
            let verdict = world.verify(&format!("{message}.{}", base64url::encode(&wrong)));
            assert_eq!(verdict, Err(Rejection::Signature), "{algorithm:?} {}", wrong.len());
        }
    }
}

#[test]
fn every_changed_character_is_noticed() {
    for algorithm in Algorithm::ALL {
        let world = World::new(algorithm);
        let good = world.token(&payload(r#""sub":"alice""#));
        for place in 0..good.len() {
            let mut bytes = good.clone().into_bytes();
            bytes[place] = match bytes[place] {
                b'A' => b'B',
                b'.' => b'_',
                _ => b'A',
            };
            let changed = String::from_utf8(bytes).unwrap();
            assert!(world.verify(&changed).is_err(), "{algorithm:?} {place}");
        }
    }
}

/// CVE-2022-21449 and similar: numbers that are not a signature under any key.
#[test]
fn degenerate_signatures_are_refused() {
    // The order of P-256 and, little-endian, of Ed25519's subgroup.
    const P256_ORDER: &str = "ffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551";
    const ED25519_ORDER: &str = "edd3f55c1a631258d69cf7a2def9de1400000000000000000000000000000010";
    let order = decode_hex(P256_ORDER);
    let mut one = vec![0; 32];
    one[31] = 1;
    let world = World::new(Algorithm::Es256);
    let good = world.token(&payload(""));
    let (message, signature) = good.rsplit_once('.').unwrap();
    let signature = base64url::decode(signature.as_bytes()).unwrap();
    let (r, s) = signature.split_at(32);
    let der = [&[0x30, 0x44, 2, 0x20], r, &[2, 0x20], s].concat();
    let zero = &[0; 32][..];
    for wrong in [
        [zero, zero].concat(),
        [zero, s].concat(),
        [r, zero].concat(),
        [&order[..], &order].concat(),
        [&order[..], s].concat(),
        [r, &order].concat(),
        [&one[..], &one].concat(),
        [s, r].concat(),
        vec![0xff; 64],
        der,
    ] {
        let verdict = world.verify(&format!("{message}.{}", base64url::encode(&wrong)));
        assert_eq!(verdict, Err(Rejection::Signature), "{wrong:02x?}");
    }

    let world = World::new(Algorithm::EdDsa);
    let good = world.token(&payload(""));
    let (message, signature) = good.rsplit_once('.').unwrap();
    let mut malleated = base64url::decode(signature.as_bytes()).unwrap();
    let mut carry = 0;
    for (byte, add) in malleated[32..].iter_mut().zip(decode_hex(ED25519_ORDER)) {
        carry += u16::from(*byte) + u16::from(add);
        *byte = carry.to_le_bytes()[0];
        carry >>= 8;
    }
    for wrong in [malleated, vec![0; 64]] {
        let verdict = world.verify(&format!("{message}.{}", base64url::encode(&wrong)));
        assert_eq!(verdict, Err(Rejection::Signature), "{wrong:02x?}");
    }

    let world = World::new(Algorithm::Rs256);
    let modulus = serde_json::from_str::<serde_json::Value>(&world.key.public_jwk().unwrap());
    let modulus = bytes(&modulus.unwrap(), "n");
    let message = format!(
        "{}.{}",
        base64url::encode(header(&world.key).as_bytes()),
        base64url::encode(payload("").as_bytes())
    );
    let mut one = vec![0; 256];
    one[255] = 1;
    for wrong in [vec![0; 256], one, modulus, vec![0xff; 256]] {
        let verdict = world.verify(&format!("{message}.{}", base64url::encode(&wrong)));
        assert_eq!(verdict, Err(Rejection::Signature));
    }
}

/// Nothing in a token is checked before its signature, so a forger learns nothing of the policy.
#[test]
fn the_signature_comes_before_the_claims() {
    let world = World::with(Algorithm::EdDsa, |options| {
        options.issuer = one_of(&["i"]);
        options.typ = Some("at+jwt".into());
    });
    let forger = Key::from_pem(
        text(&named("rfc8037", "A.1-A.5"), "pkcs8").as_bytes(),
        Algorithm::EdDsa,
        Some(world.key.kid()),
    );
    let forger = forger.unwrap();
    for payload in ["{}", "no object", r#"{"exp":0}"#, r#"{"exp":"1"}"#] {
        let verdict = world.verify(&token(&forger, &header(&forger), payload));
        assert_eq!(verdict, Err(Rejection::Signature), "{payload}");
    }
}
