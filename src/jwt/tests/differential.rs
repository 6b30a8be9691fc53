//! The `jsonwebtoken` crate as a second opinion on the same tokens.

mod classes;
mod document;
mod mutation;
mod policies;
mod tokens;

use std::collections::BTreeSet;

use jsonwebtoken::jwk::Jwk;
use jsonwebtoken::{DecodingKey, EncodingKey, Header, Validation};
use serde_json::{Map, Value, json};

use super::*;
use crate::testing::random::Random;

/// The other implementation, with the same key.
struct Oracle {
    algorithm: jsonwebtoken::Algorithm,
    signer: EncodingKey,
    reader: DecodingKey,
    validation: Validation,
}

impl Oracle {
    fn new(algorithm: Algorithm) -> Self {
        let der = |name: &str| {
            let case = named("keys", name);
            let mut buffer = vec![0; 4096];
            pem_rfc7468::decode(text(&case, "pem").as_bytes(), &mut buffer).unwrap().1.to_vec()
        };
        let signer = match pem_of(algorithm) {
            None => EncodingKey::from_secret(&HMAC_SECRET),
            Some("rsa-2048 pkcs8") => EncodingKey::from_rsa_der(&der("rsa-2048 pkcs1")),
            Some(name) if name.starts_with("p-") => EncodingKey::from_ec_der(&der(name)),
            Some(name) => EncodingKey::from_ed_der(&der(name)),
        };
        let reader = match key(algorithm).public_jwk() {
            Some(jwk) => DecodingKey::from_jwk(&serde_json::from_str::<Jwk>(&jwk).unwrap()),
            None => Ok(DecodingKey::from_secret(&HMAC_SECRET)),
        };
        let algorithm = algorithm.name().parse().unwrap();
        let mut validation = Validation::new(algorithm);
        // The crate uses the system's clock and ours stands still, so the crate only reads the
        // times.
        validation.validate_exp = false;
        validation.set_issuer(&["i"]);
        validation.set_audience(&["a"]);
        validation.set_required_spec_claims(&["exp", "iss", "aud"]);
        Self { algorithm, signer, reader: reader.unwrap(), validation }
    }

    fn read(&self, token: &str) -> Option<Value> {
        jsonwebtoken::decode(token, &self.reader, &self.validation).ok().map(|data| data.claims)
    }
}

fn world(algorithm: Algorithm) -> World {
    World::with(algorithm, |options| {
        options.issuer = one_of(&["i"]);
        options.audience = one_of(&["a"]);
        options.typ = Some("JWT".into());
    })
}

/// Asserts that a token is malformed to a reader that verifies nothing exactly if a verifier calls
/// it malformed. A verifier that refuses the header or the signature does not read the payload.
fn assert_same_reading(token: &str, form: TokenForm, ours: &Result<String, Rejection>) {
    let read = Unverified::read(token.as_bytes(), form);
    match ours {
        Ok(payload) => assert_eq!(&read.unwrap().payload, payload),
        Err(Rejection::Malformed(fault)) => assert_eq!(read.unwrap_err(), *fault, "{token}"),
        Err(Rejection::Claim(Claim::Type, _)) => {}
        Err(
            Rejection::Claim(..)
            | Rejection::Exact(..)
            | Rejection::Expired
            | Rejection::NotActive
            | Rejection::Required(_),
        ) => assert!(read.is_ok(), "{token}"),
        Err(_) => {}
    }
}

/// The algorithms that the crate has: neither ES512 nor the name Ed25519.
fn shared() -> impl Iterator<Item = Algorithm> {
    let own = [Algorithm::Es512, Algorithm::Ed25519];
    Algorithm::ALL.into_iter().filter(move |algorithm| !own.contains(algorithm))
}

/// The number of tokens for an algorithm: fewer for RSA, which signs slowly.
fn rounds(algorithm: Algorithm) -> usize {
    match algorithm.scheme().key_type() {
        KeyType::Oct | KeyType::Okp(_) => 4000,
        KeyType::Ec(_) => 2000,
        KeyType::Rsa => 300,
    }
}

/// Tokens and their parts.
impl Random {
    fn text(&mut self) -> String {
        let alphabet: Vec<char> = "aZ09 \"\\/\u{1}\n\u{7f}é\u{2028}😀{}[],:".chars().collect();
        (0..self.below(12)).map(|_| alphabet[self.below(alphabet.len())]).collect()
    }

    fn value(&mut self, depth: usize) -> Value {
        match self.below(if depth < 4 { 8 } else { 6 }) {
            0 => Value::Null,
            1 => true.into(),
            2 => (self.0 >> 11).into(),
            3 => (-(i64::try_from(self.below(1000)).unwrap())).into(),
            // Few digits, because serde_json does not read every number to the last bit.
            4 => json!(f64::from(u32::try_from(self.below(10_000)).unwrap()) / 8.0),
            5 => self.text().into(),
            6 => (0..self.below(4)).map(|_| self.value(depth + 1)).collect(),
            _ => Value::Object(self.object(depth + 1)),
        }
    }

    fn object(&mut self, depth: usize) -> Map<String, Value> {
        (0..self.below(5)).map(|n| (format!("{n}{}", self.text()), self.value(depth))).collect()
    }

    /// Changes, inserts or removes one to three bytes.
    fn mutate(&mut self, text: &str, pool: &[u8]) -> Vec<u8> {
        let mut bytes = text.as_bytes().to_vec();
        for _ in 0..=self.below(3) {
            let place = self.below(bytes.len());
            let byte = pool[self.below(pool.len())];
            match self.below(4) {
                0 => bytes.insert(place, byte),
                1 => drop(bytes.remove(place)),
                _ => bytes[place] = byte,
            }
        }
        bytes
    }
}

#[test]
fn what_is_issued_here_is_read_there() {
    for algorithm in shared() {
        let (world, oracle) = (world(algorithm), Oracle::new(algorithm));
        let options = IssuerOptions {
            issuer: Some("i".into()),
            audience: vec!["b".into(), "a".into()],
            ..plain(KeySource::Keys(vec![world.key.clone()]))
        };
        let issuer = Issuer::new(options, world.clock.clone()).unwrap();
        let mut random = Random(1);
        for _ in 0..rounds(algorithm) / 10 {
            let mut claims = Value::Object(random.object(0));
            let token = issue(&issuer, &claims.to_string(), &Overrides::default()).unwrap();
            claims["iat"] = NOW.into();
            claims["exp"] = LATER.into();
            claims["iss"] = "i".into();
            claims["aud"] = json!(["b", "a"]);
            assert_eq!(oracle.read(&token), Some(claims), "{token}");
            assert!(world.verify(&token).is_ok(), "{token}");
        }
    }
}

#[test]
fn what_is_issued_there_is_read_here() {
    for algorithm in shared() {
        let (world, oracle) = (world(algorithm), Oracle::new(algorithm));
        let mut random = Random(2);
        for _ in 0..rounds(algorithm) / 10 {
            let mut claims = Value::Object(random.object(0));
            claims["exp"] = LATER.into();
            claims["iss"] = "i".into();
            claims["aud"] = "a".into();
            let kid = Some(world.key.kid().to_owned());
            let header = Header { kid, ..Header::new(oracle.algorithm) };
            let token = jsonwebtoken::encode(&header, &claims, &oracle.signer).unwrap();
            let read: Value = serde_json::from_str(&world.verify(&token).unwrap()).unwrap();
            assert_eq!(read, claims, "{token}");
        }
    }
}

/// A token that is changed in transit has no valid signature in either implementation.
#[test]
fn tokens_changed_in_transit_are_refused_by_both() {
    const POOL: &[u8] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_.=+/ \n";
    for algorithm in shared() {
        let (world, oracle) = (world(algorithm), Oracle::new(algorithm));
        let header =
            format!(r#"{{"alg":"{}","typ":"JWT","kid":"{}"}}"#, algorithm.name(), world.key.kid());
        let good = token(&world.key, &header, &payload(r#""iss":"i","aud":"a""#));
        let mut random = Random(3);
        for _ in 0..4000 {
            let changed = String::from_utf8(random.mutate(&good, POOL)).unwrap();
            if changed != good {
                assert!(world.verify(&changed).is_err(), "{changed}");
                assert_eq!(oracle.read(&changed), None, "{changed}");
            }
        }
        assert!(world.verify(&good).is_ok() && oracle.read(&good).is_some());
    }
}

/// Header or payload is changed and signed anew, so that all parsers are reached. The crate must
/// accept every token that we accept, with the same claims. The list has every reason for which
/// only we refuse.
#[test]
fn changed_and_signed_anew_we_are_never_the_laxer_one() {
    // No exponents: the crate has no dates beyond 64 bits, and its JSON reader has no number beyond
    // a double, where `JSON.parse` says Infinity.
    const POOL: &[u8] = b"{}[]\",:\\u0067 \n19truefalsn-.aidx\xc3\xa9";
    let mut reasons = BTreeSet::new();
    for algorithm in shared() {
        let (world, oracle) = (world(algorithm), Oracle::new(algorithm));
        let header = format!(
            r#"{{"alg":"{}","typ":"JWT","kid":"{}","x":[1,{{"y":null}}]}}"#,
            algorithm.name(),
            world.key.kid()
        );
        let payload = payload(
            r#""iss":"i","aud":["a","b"],"nbf":1,"sub":"s","jti":"j","\u0078":{"y":[true,-0.5]}"#,
        );
        let mut random = Random(4);
        let (mut both, mut neither) = (0, 0);
        for _ in 0..rounds(algorithm) {
            let [mut header, mut payload] =
                [&header, &payload].map(|text| text.clone().into_bytes());
            if random.below(3) == 0 {
                header = random.mutate(str::from_utf8(&header).unwrap(), POOL);
            } else {
                payload = random.mutate(str::from_utf8(&payload).unwrap(), POOL);
            }
            let [header, payload] = [header, payload].map(|bytes| base64url::encode(&bytes));
            let token = signed(&world.key, &header, &payload);
            let ours = world.verify(&token);
            assert_same_reading(&token, TokenForm::default(), &ours);
            match (ours, oracle.read(&token)) {
                (Ok(ours), Some(theirs)) => {
                    assert_eq!(serde_json::from_str::<Value>(&ours).unwrap(), theirs, "{ours}");
                    both += 1;
                }
                (Ok(ours), None) => panic!("only we accept {ours} under {:?}", decoded(&token)),
                (Err(rejection), Some(_)) => drop(reasons.insert(format!("{rejection:?}"))),
                (Err(_), None) => neither += 1,
            }
        }
        assert!(both > 20 && neither > 20, "{algorithm:?} {both} {neither}");
    }
    let known = [
        // The crate does not look a key up by its kid, ignores typ and crit, and has no clock here.
        // Of two members of one name it takes the last.
        "KeyAlgorithm",
        "KeyNotFound",
        "Nameless",
        "Claim(Type, Missing)",
        "Claim(Type, Mismatch)",
        "Expired",
        "NotActive",
        "Header",
        "Malformed",
        // The crate accepts any type for a claim that it does not check, and never reads iat and
        // jti.
        "Claim(Audience, Type)",
        "Claim(Id, Type)",
        "Claim(IssuedAt, Type)",
        "Claim(IssuedAt, Future)",
        "Claim(Issuer, Type)",
        "Claim(NotBefore, Type)",
        "Claim(Subject, Type)",
    ];
    let unknown: Vec<_> = reasons.iter().filter(|reason| !known.contains(&&reason[..])).collect();
    assert!(unknown.is_empty(), "{unknown:?}");
}
