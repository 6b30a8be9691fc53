//! Imports public keys from a set of certificates, as Google and Firebase publish it: a JSON object
//! with a PEM certificate for each `kid`.

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

/// The usable keys of a set, by `kid`, and a report of the entries that are left out.
///
/// `ERR_JWT_KEY` if the text is longer than [`MAX_SET_LEN`], if it is not an object of at most 1000
/// PEM texts, if more than 1000 keys would be made, or if a `kid` occurs twice. A certificate only
/// carries a key: its signature, its dates and its purpose are not checked.
pub(super) fn import_certificates(json: &str, rules: &ImportRules) -> Result<Imported> {
    let mut found = Collector::default();
    for (kid, pem) in certificates(json)? {
        let pem = pem.as_str().filter(|pem| pem.contains(BEGIN)).ok_or_else(malformed)?;
        found.add(Some(&kid), keys_of(pem, &kid, rules))?;
    }
    Ok(found.finish())
}

/// The `kid` and the value of every entry.
fn certificates(json: &str) -> Result<Map<String, Value>> {
    if json.len() > MAX_SET_LEN {
        return Err(malformed());
    }
    scan_object(json, |_, _| {}).ok_or_else(malformed)?;
    let set: Map<String, Value> = serde_json::from_str(json).map_err(|_| malformed())?;
    if set.len() > MAX_KEYS { Err(malformed()) } else { Ok(set) }
}

/// The keys that a certificate makes, at least one: for each accepted algorithm of its type.
fn keys_of(pem: &str, kid: &str, rules: &ImportRules) -> Result<Vec<Key>> {
    if !(1..=MAX_KID_LEN).contains(&kid.len()) {
        return Err(invalid("the kid of a certificate must be 1 to 256 bytes long"));
    }
    let mut refused = None;
    let mut keys = Vec::new();
    for algorithm in rules.candidates() {
        match Key::from_certificate(pem.as_bytes(), algorithm, Some(kid)) {
            Ok(key) => keys.push(key),
            // Algorithms of other types say nothing about the certificate.
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
        "a set of certificates must be an object of PEM certificates by kid, of at most 1 MiB and \
         1000 certificates; leave the option format out for a JWK Set",
    )
}
