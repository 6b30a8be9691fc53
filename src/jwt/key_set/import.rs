//! Imports public keys from a JWK Set (RFC 7517 section 5) that another service publishes.
//!
//! A set is accepted or refused as a whole text. In an accepted set, an unusable key is skipped, so
//! that one key of an unknown kind does not make the others unusable.

use std::collections::hash_map::Entry;
use std::collections::{HashMap, HashSet};

use serde_json::{Map, Value};

use crate::error::Result;
use crate::jwt::algorithm::Algorithm;
use crate::jwt::key::error::invalid;
use crate::jwt::key::jwk::PublicJwk;
use crate::jwt::key::key::Key;
use crate::jwt::key_lookup::name_of;
use crate::jwt::token::base64url;
use crate::jwt::token::json::scan_object;
use crate::jwt::token::kind::SVID_ALGORITHMS;

/// The longest set that is read, in bytes.
pub const MAX_SET_LEN: usize = 1024 * 1024;
/// The most keys in a set, and the most that are made from one.
const MAX_KEYS: usize = 1000;
/// The members that only private and symmetric keys have (RFC 7518 sections 6.2.2, 6.3.2, 6.4.1).
pub(in crate::jwt) const PRIVATE: [&str; 8] = ["d", "p", "q", "dp", "dq", "qi", "oth", "k"];

/// The `use` (RFC 7517 section 4.2) that the keys of a set must have.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum KeyUse {
    /// `sig`, or none at all.
    Sig,
    /// `jwt-svid`, which must be there (SPIFFE Trust Domain and Bundle section 4.2.2).
    JwtSvid,
}

/// The rules by which keys of a set are selected.
#[derive(Clone, Debug)]
pub struct ImportRules {
    /// The use of the keys.
    pub purpose: KeyUse,
    /// The accepted algorithms; any if `None`. An RSA key without `alg` becomes one key for each
    /// RSA algorithm that is listed here, or a key for RS256 if `None`.
    pub algorithms: Option<Vec<Algorithm>>,
    /// Whether a key without `kid` is skipped. Otherwise its thumbprint (RFC 7638) becomes its
    /// `kid`.
    pub require_kid: bool,
}

impl ImportRules {
    /// The rules for a use. Keys of JWT-SVIDs must have a `kid`, and are for any algorithm of
    /// JWT-SVIDs unless `algorithms` names some.
    pub fn of(purpose: KeyUse, algorithms: Option<Vec<Algorithm>>) -> Self {
        let is_svid = purpose == KeyUse::JwtSvid;
        let own = || is_svid.then(|| SVID_ALGORITHMS.to_vec());
        Self { purpose, algorithms: algorithms.or_else(own), require_kid: is_svid }
    }
}

/// The usable keys of a set, at most 1000, distinct by `kid` and algorithm. None is symmetric or
/// can sign.
///
/// `ERR_JWT_KEY` if the text is longer than [`MAX_SET_LEN`], if it is not an object with an array
/// `keys` of at most 1000 objects, if more than 1000 keys would be made, or if a member occurs
/// twice anywhere.
///
/// A member that is `null` counts as missing, because some publishers write every member they know.
/// These keys are skipped: keys of an unknown `kty`, `crv` or `alg`, malformed and weak keys, keys
/// for another use, and `oct` keys. A key with private members is no longer secret, so it is
/// skipped together with every other key that has the same numbers. Two keys that share `kid` and
/// algorithm but not their numbers are both skipped, since a token cannot tell which one it means.
pub fn import(json: &str, rules: &ImportRules) -> Result<Vec<Key>> {
    let mut lost = HashSet::new();
    let mut found = Found::default();
    for jwk in jwks(json)? {
        if PRIVATE.iter().any(|member| jwk.contains_key(*member)) {
            lost.extend(thumbprint_of(jwk));
        } else {
            for key in keys_of(jwk, rules) {
                found.add(key);
            }
        }
        if found.keys.len() > MAX_KEYS {
            return Err(invalid(
                "the JWK Set must not make more than 1000 keys; name fewer algorithms",
            ));
        }
    }
    let is_lost =
        |key: &Key| key.public().is_some_and(|public| lost.contains(&public.thumbprint()));
    Ok(found.keys.into_iter().flatten().filter(|key| !is_lost(key)).collect())
}

/// The keys that have been made, in the order of the set.
#[derive(Default)]
struct Found {
    /// `None` where the name is ambiguous.
    keys: Vec<Option<Key>>,
    /// The index in `keys` of the key with this `kid` and algorithm.
    places: HashMap<(String, &'static str), usize>,
}

impl Found {
    fn add(&mut self, key: Key) {
        let (kid, algorithm) = name_of(&key);
        match self.places.entry((kid.to_owned(), algorithm)) {
            Entry::Vacant(entry) => {
                entry.insert(self.keys.len());
                self.keys.push(Some(key));
            }
            Entry::Occupied(entry) => {
                if let Some(known) = self.keys.get_mut(*entry.get())
                    && known.as_ref().is_some_and(|known| known.public() != key.public())
                {
                    *known = None;
                }
            }
        }
    }
}

/// The members of every key in a set.
fn jwks(json: &str) -> Result<Vec<Map<String, Value>>> {
    let malformed = || {
        invalid(
            "a JWK Set must be an object with an array \"keys\", of at most 1 MiB and 1000 keys",
        )
    };
    if json.len() > MAX_SET_LEN {
        return Err(malformed());
    }
    scan_object(json, |_, _| {}).ok_or_else(malformed)?;
    let mut set: Map<String, Value> = serde_json::from_str(json).map_err(|_| malformed())?;
    let Some(Value::Array(keys)) = set.remove("keys") else { return Err(malformed()) };
    if keys.len() > MAX_KEYS {
        return Err(malformed());
    }
    let members = |key| match key {
        Value::Object(mut members) => {
            members.retain(|_, value| !value.is_null());
            Ok(members)
        }
        _ => Err(malformed()),
    };
    keys.into_iter().map(members).collect()
}

/// The keys that a JWK makes; none if it cannot be used.
fn keys_of(mut jwk: Map<String, Value>, rules: &ImportRules) -> Vec<Key> {
    let usable = match (rules.purpose, jwk.remove("use")) {
        (KeyUse::Sig, Some(purpose)) => purpose == "sig",
        (KeyUse::Sig, None) => true,
        (KeyUse::JwtSvid, purpose) => purpose.is_some_and(|purpose| purpose == "jwt-svid"),
    };
    if !usable || (rules.require_kid && !jwk.contains_key("kid")) {
        return Vec::new();
    }
    let key = |algorithm| Key::from_members(&jwk, algorithm).ok();
    algorithms_of(&jwk, rules).into_iter().filter_map(key).collect()
}

/// The algorithms of a JWK: the one that it names, or those of its type.
fn algorithms_of(jwk: &Map<String, Value>, rules: &ImportRules) -> Vec<Algorithm> {
    let text = |name| jwk.get(name).and_then(Value::as_str);
    let named = rules.algorithms.as_deref();
    let is_wanted = |algorithm: &Algorithm| {
        named.is_none_or(|named| named.iter().any(|named| named.signs_as(*algorithm)))
    };
    let own: Vec<Algorithm> = match (jwk.contains_key("alg"), text("kty")) {
        (true, _) => text("alg").and_then(Algorithm::named).into_iter().collect(),
        (false, Some(kty)) => {
            let alike = Algorithm::of_key_type(kty, text("crv"));
            alike.take(if named.is_some() { usize::MAX } else { 1 }).collect()
        }
        (false, None) => Vec::new(),
    };
    let is_public = |algorithm: &Algorithm| !algorithm.is_symmetric();
    own.into_iter().filter(is_wanted).filter(is_public).collect()
}

/// The thumbprint of a key whose private half is known. The use that the key states does not
/// matter.
fn thumbprint_of(mut jwk: Map<String, Value>) -> Option<String> {
    let words = ["use", "key_ops", "alg", "kid"];
    jwk.retain(|member, _| !words.contains(&member.as_str()));
    for name in ["n", "e"] {
        let number = jwk.get(name).and_then(Value::as_str);
        if let Some(bytes) = number.and_then(|text| base64url::decode(text.as_bytes())) {
            // Leading zeros make the key malformed, but its private half is known all the same.
            let zeros = bytes.iter().take_while(|byte| **byte == 0).count();
            jwk.insert(name.into(), base64url::encode(&bytes[zeros..]).into());
        }
    }
    let any = ImportRules { purpose: KeyUse::Sig, algorithms: None, require_kid: false };
    keys_of(jwk, &any).first()?.public().map(PublicJwk::thumbprint)
}
