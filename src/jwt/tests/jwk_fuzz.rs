//! Random changes to JWK Sets and to sets of certificates. Nothing panics, every entry makes a key
//! or is reported, and a key that was read is read again from its own JWK.
//!
//! `JWKS` sets how many sets there are, and `SEED` selects them; a failure names its seed.

use serde_json::{Value, json};

use super::*;

const SETS: u64 = 4000;
/// Values that a member may get: of every type, numbers with odd zeros, and texts of odd base64.
const VALUES: [&str; 27] = [
    "null",
    "true",
    "0",
    "-1",
    "1e400",
    "[]",
    "{}",
    "[\"verify\"]",
    "[\"sign\",\"sign\"]",
    "\"\"",
    "\"sig\"",
    "\"enc\"",
    "\"RSA\"",
    "\"EC\"",
    "\"OKP\"",
    "\"oct\"",
    "\"P-256\"",
    "\"P-521\"",
    "\"Ed25519\"",
    "\"RS256\"",
    "\"none\"",
    "\"AQAB\"",
    "\"AAEAAQ==\"",
    "\"AQAB=\"",
    "\"A\"",
    "\"====\"",
    "\"https://a/{tenantid}\"",
];
const MEMBERS: [&str; 14] =
    ["kty", "crv", "n", "e", "x", "y", "d", "k", "p", "alg", "use", "kid", "key_ops", "issuer"];
const CHARACTERS: &[u8] = b"AZaz09-_+/=\"\\{}[]:,. \n\0";

/// A xorshift generator.
struct Random(u64);

impl Random {
    fn below(&mut self, limit: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        usize::try_from((self.0 >> 16) % limit as u64).unwrap()
    }

    /// Replaces, drops or inserts a few characters of an ASCII text.
    fn scratch(&mut self, text: &str) -> String {
        let mut bytes = text.as_bytes().to_vec();
        for _ in 0..=self.below(3) {
            let at = self.below(bytes.len() + 1);
            let byte = CHARACTERS[self.below(CHARACTERS.len())];
            match self.below(3) {
                0 => bytes.insert(at, byte),
                1 if at < bytes.len() => bytes[at] = byte,
                _ if at < bytes.len() => drop(bytes.remove(at)),
                _ => {}
            }
        }
        String::from_utf8(bytes).unwrap()
    }

    /// Changes a member: to another value, to another text, or away.
    fn change(&mut self, jwk: &mut Value) {
        let name = MEMBERS[self.below(MEMBERS.len())];
        match (self.below(4), jwk[name].as_str()) {
            (0, Some(text)) => jwk[name] = self.scratch(text).into(),
            (1, Some(text)) => {
                let bytes = base64url::decode(text.as_bytes()).unwrap_or_default();
                let zeros = vec![0; self.below(3)];
                let cut = self.below(3).min(bytes.len());
                jwk[name] = base64url::encode(&[&zeros[..], &bytes[cut..]].concat()).into();
            }
            (2, _) => drop(jwk.as_object_mut().unwrap().remove(name)),
            _ => {
                let value = VALUES[self.below(VALUES.len())];
                jwk[name] = serde_json::from_str(value).unwrap_or_default();
            }
        }
    }
}

fn from_environment(name: &str) -> Option<u64> {
    std::env::var(name).ok()?.parse().ok()
}

/// Calls `check` with each round, its random numbers and a description for failures.
fn rounds(mut check: impl FnMut(&mut Random, &str)) {
    let seed = from_environment("SEED").unwrap_or(13).max(1);
    let mut random = Random(seed);
    for round in 0..from_environment("JWKS").unwrap_or(SETS) {
        check(&mut random, &format!("SEED={seed} round {round}"));
    }
}

/// The rules under which sets are read.
fn rules(random: &mut Random) -> ImportRules {
    let several = vec![Algorithm::Rs256, Algorithm::Ps512, Algorithm::Es256, Algorithm::Ed25519];
    let named = (random.below(2) == 0).then_some(several);
    ImportRules::of([KeyUse::Sig, KeyUse::JwtSvid][random.below(5) / 4], named)
}

/// Checks a result, and returns the number of keys.
fn check(imported: Imported, entries: usize, what: &str) -> usize {
    let Imported { keys, ignored } = imported;
    assert!(entries == 0 || keys.len() + ignored.len() > 0, "{what}");
    assert!(ignored.len() <= entries.min(101), "{what}");
    for Ignored { kid, reason } in ignored {
        assert!((1..=200).contains(&reason.len()), "{what} {reason}");
        assert!(kid.is_none_or(|kid| (1..=MAX_KID_LEN).contains(&kid.len())), "{what}");
    }
    for key in &keys {
        assert!(!key.is_private() && (1..=MAX_KID_LEN).contains(&key.kid().len()), "{what}");
        let json = key.public_jwk().unwrap();
        let again = Key::from_public_jwk(&json, key.algorithm(), None).unwrap();
        assert_eq!(again.public_jwk().unwrap(), json, "{what}");
    }
    keys.len()
}

#[test]
fn every_entry_of_a_changed_set_makes_a_key_or_is_reported() {
    let good: Vec<Value> = asymmetric()
        .map(|algorithm| serde_json::from_str(&key(algorithm).public_jwk().unwrap()).unwrap())
        .collect();
    let (mut made, mut reported) = (0, 0);
    rounds(|random, what| {
        let mut keys = vec![Value::Null; 1 + random.below(3)];
        for jwk in &mut keys {
            *jwk = good[random.below(good.len())].clone();
            for _ in 0..random.below(4) {
                random.change(jwk);
            }
        }
        let mut text = json!({ "keys": keys }).to_string();
        let is_scratched = random.below(4) == 0;
        if is_scratched {
            text = random.scratch(&text);
        }
        let what = format!("{what}: {text}");
        let rules = rules(random);
        match import(&text, &rules) {
            Ok(imported) => {
                let entries = if is_scratched { 0 } else { keys.len() };
                reported += imported.ignored.len();
                if !is_scratched {
                    made += check(imported, entries, &what);
                }
            }
            Err(error) => assert!(is_scratched && error.code == Code::JwtKey, "{what}"),
        }
        // The reader of a single JWK takes what the reader of a set takes.
        let alone = import(&json!({ "keys": [keys[0]] }).to_string(), &rules).unwrap();
        if rules.purpose == KeyUse::Sig {
            for key in alone.keys {
                let read = Key::from_public_jwk(&keys[0].to_string(), key.algorithm(), None);
                assert_eq!(read.unwrap().public_jwk(), key.public_jwk(), "{what}");
            }
        }
    });
    assert!(made > 100 && reported > 100, "{made} {reported}");
}

#[test]
fn every_entry_of_changed_certificates_makes_a_key_or_is_reported() {
    let file = crate::testing::vectors::cases("certificates");
    let (mut made, mut refused) = (0, 0);
    rounds(|random, what| {
        let mut set = serde_json::Map::new();
        for _ in 0..=random.below(2) {
            let cert = text(&file[random.below(file.len())], "cert").to_owned();
            let cert = if random.below(2) == 0 { random.scratch(&cert) } else { cert };
            set.insert(format!("{}", random.below(3)), cert.into());
        }
        let (entries, json) = (set.len(), Value::Object(set).to_string());
        let keys = KeySet::new(rules(random), SetFormat::X509, Arc::new(ManualClock::at(NOW)));
        let what = format!("{what}: {json}");
        match keys.load(&json, 60) {
            Ok(_) => {
                let taken = keys.list().unwrap();
                assert!(taken.len() + keys.ignored().len() >= entries, "{what}");
                made += taken.len();
            }
            Err(error) => {
                assert_eq!(error.code, Code::JwtKey, "{what}");
                refused += 1;
            }
        }
    });
    assert!(made > 100, "{made} {refused}");
}
