//! Public keys from a JWK Set (RFC 7517 section 5): what somebody else publishes.
//!
//! A set is used or refused as a text. In a set that is used, a key that cannot be is passed over,
//! so that one key of a kind that nobody here knows does not take the others away.

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
/// The most keys of a set, and the most that are made of one.
const MAX_KEYS: usize = 1000;
/// The members that only private and symmetric keys have (RFC 7518 sections 6.2.2, 6.3.2, 6.4.1).
const PRIVATE: [&str; 8] = ["d", "p", "q", "dp", "dq", "qi", "oth", "k"];

/// What the keys of a set are taken for: their `use` (RFC 7517 section 4.2).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum KeyUse {
    /// `sig`, or none at all.
    Sig,
    /// `jwt-svid`, which must be there (SPIFFE Trust Domain and Bundle section 4.2.2).
    JwtSvid,
}

/// Which keys of a set are taken.
#[derive(Clone, Debug)]
pub struct ImportRules {
    /// What they are for.
    pub purpose: KeyUse,
    /// Their algorithms; any when `None`. An RSA key without `alg` becomes one key for each of
    /// RSA's that is named here, one for RS256 when `None`.
    pub algorithms: Option<Vec<Algorithm>>,
    /// Whether a key without `kid` is passed over; else its thumbprint (RFC 7638) is its `kid`.
    pub require_kid: bool,
}

impl ImportRules {
    /// The rules of a purpose. Keys of JWT-SVIDs have a `kid`, and are for any algorithm of theirs
    /// unless some are named.
    pub fn of(purpose: KeyUse, algorithms: Option<Vec<Algorithm>>) -> Self {
        let is_svid = purpose == KeyUse::JwtSvid;
        let own = || is_svid.then(|| SVID_ALGORITHMS.to_vec());
        Self { purpose, algorithms: algorithms.or_else(own), require_kid: is_svid }
    }
}

/// The keys of a set that can be used, at most 1000, distinct by `kid` and algorithm; none is
/// symmetric or can sign.
///
/// `ERR_JWT_KEY` when the text is longer than [`MAX_SET_LEN`] or not an object with an array `keys`
/// of at most 1000 objects, or when a member comes twice anywhere.
///
/// A member that is `null` is as if missing: some write all that they know of, whether it is there
/// or not. Passed over are keys of an unknown `kty`, `crv` or `alg`, malformed and weak ones, those
/// for another use, and `oct`. A key with private members is nobody's secret any more: it is passed
/// over together with whatever else has its numbers. Two keys that share `kid` and algorithm but
/// not their numbers are both passed over, since a token cannot say which one it means.
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
            return Err(invalid("the JWK Set makes more than 1000 keys; name fewer algorithms"));
        }
    }
    let is_lost =
        |key: &Key| key.public().is_some_and(|public| lost.contains(&public.thumbprint()));
    Ok(found.keys.into_iter().flatten().filter(|key| !is_lost(key)).collect())
}

/// Keys in the order of the set.
#[derive(Default)]
struct Found {
    /// `None` where a name is ambiguous.
    keys: Vec<Option<Key>>,
    /// Where in `keys` what a token calls by this name is.
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

/// The members of every key of a set.
fn jwks(json: &str) -> Result<Vec<Map<String, Value>>> {
    let malformed = || {
        invalid(
            "this is not a JWK Set: an object with an array \"keys\", of at most 1 MiB and 1000 keys",
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

/// The keys that a JWK is; none when it cannot be used.
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

/// The algorithms that a JWK is taken for: the one it names, or those of its type.
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

/// The thumbprint of a key of which the private half is known, whatever it says it is for.
fn thumbprint_of(mut jwk: Map<String, Value>) -> Option<String> {
    let words = ["use", "key_ops", "alg", "kid"];
    jwk.retain(|member, _| !words.contains(&member.as_str()));
    for name in ["n", "e"] {
        let number = jwk.get(name).and_then(Value::as_str);
        if let Some(bytes) = number.and_then(|text| base64url::decode(text.as_bytes())) {
            // Leading zeros make it malformed, but no less known.
            let zeros = bytes.iter().take_while(|byte| **byte == 0).count();
            jwk.insert(name.into(), base64url::encode(&bytes[zeros..]).into());
        }
    }
    let any = ImportRules { purpose: KeyUse::Sig, algorithms: None, require_kid: false };
    keys_of(jwk, &any).first()?.public().map(PublicJwk::thumbprint)
}
