//! Imports public keys from a set of PEM texts by `kid`, as Google and Firebase publish it: a JSON
//! object with a certificate, or with a public key, for each `kid`.

use serde_json::{Map, Value};

use super::import::{ImportRules, MAX_SET_LEN};
use super::imported::{Collector, Imported, MAX_KEYS};
use crate::error::{Error, Result};
use crate::jwt::key::error::{invalid, unusable};
use crate::jwt::key::key::Key;
use crate::jwt::token::compact::MAX_KID_LEN;
use crate::jwt::token::json::scan_object;

/// The mark of a PEM section.
const BEGIN: &str = "-----BEGIN ";
/// The ends of the labels of PEM sections.
const CERTIFICATE: &str = "CERTIFICATE-----";
/// See [`CERTIFICATE`].
const PRIVATE_KEY: &str = "PRIVATE KEY-----";

/// The usable keys of a set, by `kid`, and a report of the entries that are left out.
///
/// `ERR_JWT_KEY` if the text is longer than [`MAX_SET_LEN`], if it is not an object of at most 1000
/// members, if it has members and none is PEM, if more than 1000 keys would be made, or if a `kid`
/// occurs twice. A certificate only carries a key: its signature, its dates and its purpose are not
/// checked.
pub(super) fn import_certificates(json: &str, rules: &ImportRules) -> Result<Imported> {
    let set = members(json)?;
    // A report of an error is an object, too. Taken for a set, it would withdraw every key.
    if !set.is_empty() && !set.values().any(|value| pem_in(value).is_some()) {
        return Err(malformed());
    }
    let mut found = Collector::default();
    for (kid, value) in set {
        let pem = pem_in(&value).ok_or_else(|| invalid("the value is not a PEM text"));
        found.add(Some(&kid), pem.and_then(|pem| keys_of(pem, &kid, rules)))?;
    }
    Ok(found.finish())
}

/// The `kid` and the value of every entry.
fn members(json: &str) -> Result<Map<String, Value>> {
    if json.len() > MAX_SET_LEN {
        return Err(malformed());
    }
    scan_object(json, |_, _| {}).ok_or_else(malformed)?;
    let set: Map<String, Value> = serde_json::from_str(json).map_err(|_| malformed())?;
    if set.len() > MAX_KEYS { Err(malformed()) } else { Ok(set) }
}

fn pem_in(value: &Value) -> Option<&str> {
    value.as_str().filter(|text| text.contains(BEGIN))
}

/// The keys that a PEM makes, at least one: for each accepted algorithm of its type.
fn keys_of(pem: &str, kid: &str, rules: &ImportRules) -> Result<Vec<Key>> {
    if !(1..=MAX_KID_LEN).contains(&kid.len()) {
        return Err(invalid("the kid of an entry must be 1 to 256 bytes long"));
    }
    if pem.contains(PRIVATE_KEY) {
        return Err(invalid(
            "the PEM has a private key, so everyone can sign with it: replace the key",
        ));
    }
    let read = |algorithm| {
        if pem.contains(CERTIFICATE) {
            Key::from_certificate(pem.as_bytes(), algorithm, Some(kid))
        } else {
            Key::open_pem(pem.as_bytes(), None, algorithm, Some(kid))
        }
    };
    let mut refused = None;
    let mut keys = Vec::new();
    for algorithm in rules.candidates() {
        match read(algorithm) {
            Ok(key) => keys.push(key),
            // Algorithms of other types say nothing about the key.
            Err(error) if error == unusable(algorithm.name()) => {}
            Err(error) => {
                refused.get_or_insert(error);
            }
        }
    }
    if !keys.is_empty() {
        return Ok(keys);
    }
    let foreign = || invalid("the key is for none of the accepted algorithms (`algorithms`)");
    Err(refused.unwrap_or_else(foreign))
}

fn malformed() -> Error {
    invalid(
        "a set of certificates must be an object of PEM certificates or public keys by kid, of at \
         most 1 MiB and 1000 members; leave the option format out for a JWK Set",
    )
}
