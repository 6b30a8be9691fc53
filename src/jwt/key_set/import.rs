//! Imports public keys from a JWK Set (RFC 7517 section 5) that another service publishes.
//!
//! A set is accepted or refused as a whole text. In an accepted set, an unusable key is left out
//! and reported, so that one key of an unknown kind does not make the others unusable.

use std::collections::HashSet;

use serde_json::{Map, Value};

use super::imported::{Collector, Imported, MAX_KEYS};
use crate::error::Result;
use crate::jwt::algorithm::Algorithm;
use crate::jwt::key::error::invalid;
use crate::jwt::key::jwk::PublicJwk;
use crate::jwt::key::key::Key;
use crate::jwt::key::purpose::present;
use crate::jwt::token::json::scan_object;
use crate::jwt::token::kind::SVID_ALGORITHMS;

/// The longest set that is read, in bytes.
pub const MAX_SET_LEN: usize = 1024 * 1024;
/// The members that only private and symmetric keys have (RFC 7518 sections 6.2.2, 6.3.2, 6.4.1,
/// and RFC 9964 for `priv`).
pub const PRIVATE: [&str; 9] = ["d", "p", "q", "dp", "dq", "qi", "oth", "k", "priv"];

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
    /// Whether a key without `kid` is left out. Otherwise its thumbprint (RFC 7638) becomes its
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

    /// The algorithms of a key that names none: those of its type. Without a list of algorithms,
    /// the most usual one.
    fn of_key_type(&self, kty: &str, crv: Option<&str>) -> Vec<Algorithm> {
        let most = if self.algorithms.is_some() { usize::MAX } else { 1 };
        let alike = Algorithm::of_key_type(kty, crv).filter(|one| !one.is_symmetric());
        alike.take(most).collect()
    }

    /// The algorithms for which a key of unknown type is tried: without a list of algorithms, the
    /// most usual one of each type.
    pub(super) fn candidates(&self) -> Vec<Algorithm> {
        if let Some(named) = &self.algorithms {
            return named.clone();
        }
        let mut usual: Vec<Algorithm> = Vec::new();
        for algorithm in Algorithm::ALL.into_iter().filter(|one| !one.is_symmetric()) {
            let key_type = algorithm.scheme().key_type();
            if usual.iter().all(|known| known.scheme().key_type() != key_type) {
                usual.push(algorithm);
            }
        }
        usual
    }

    /// Those of a key's algorithms that are accepted, at least one.
    fn accepted(&self, mut own: Vec<Algorithm>) -> Result<Vec<Algorithm>> {
        let named = self.algorithms.as_deref();
        own.retain(|own| named.is_none_or(|named| named.iter().any(|named| named.signs_as(*own))));
        if own.is_empty() {
            return Err(invalid("the key is for none of the accepted algorithms (`algorithms`)"));
        }
        Ok(own)
    }
}

/// The usable keys of a set, and a report of the entries that are left out. No key is symmetric or
/// can sign.
///
/// `ERR_JWT_KEY` if the text is longer than [`MAX_SET_LEN`], if it is not an object with an array
/// `keys` of at most 1000 entries, if it has entries and none is an object, if more than 1000 keys
/// would be made, or if a member occurs twice anywhere.
///
/// A member that is `null` or an empty text counts as missing, because some publishers write every
/// member they know. These entries are left out: values that are no object, keys of an unknown
/// `kty`, `crv` or `alg`, malformed and weak keys, keys for another use, and `oct` keys. A key with
/// private members is no longer secret, so it is left out together with every other key that has
/// the same numbers. Two keys that share `kid` and algorithm but not their numbers are both left
/// out, since a token cannot tell which one it means.
pub fn import(json: &str, rules: &ImportRules) -> Result<Imported> {
    let mut lost = HashSet::new();
    let mut found = Collector::default();
    for entry in entries(json)? {
        let Value::Object(jwk) = entry else {
            found.add(None, Err(invalid("the entry is not a JSON object")))?;
            continue;
        };
        let jwk = present(jwk);
        let kid = jwk.get("kid").and_then(Value::as_str).map(ToOwned::to_owned);
        let keys = if PRIVATE.iter().any(|member| jwk.contains_key(*member)) {
            let is_symmetric = jwk.get("kty").is_some_and(|kty| kty == "oct");
            lost.extend(thumbprint_of(jwk));
            Err(invalid(if is_symmetric {
                "the JWK is a published secret (\"kty\" \"oct\"), with which everyone can sign"
            } else {
                "the JWK has private members, so everyone can sign with its key: replace the key"
            }))
        } else {
            keys_of(jwk, rules)
        };
        found.add(kid.as_deref(), keys)?;
    }
    found.lose(|key| key.public().is_some_and(|public| lost.contains(&public.thumbprint())));
    Ok(found.finish())
}

/// The entries of a set.
fn entries(json: &str) -> Result<Vec<Value>> {
    let malformed = || {
        invalid(if json.contains("-----BEGIN ") {
            "a JWK Set holds no PEM by kid; a RemoteJwks reads it with format: 'x509'"
        } else {
            "a JWK Set must be an object with an array \"keys\", of at most 1 MiB and 1000 keys"
        })
    };
    if json.len() > MAX_SET_LEN {
        return Err(malformed());
    }
    scan_object(json, |_, _| {}).ok_or_else(malformed)?;
    let mut set: Map<String, Value> = serde_json::from_str(json).map_err(|_| malformed())?;
    let Some(Value::Array(keys)) = set.remove("keys") else { return Err(malformed()) };
    // A list of other things is no set. Taken for one, it would withdraw every key.
    let is_other = !keys.is_empty() && !keys.iter().any(Value::is_object);
    if keys.len() > MAX_KEYS || is_other { Err(malformed()) } else { Ok(keys) }
}

/// The keys that a JWK makes, at least one, or the error that says why there is none.
fn keys_of(mut jwk: Map<String, Value>, rules: &ImportRules) -> Result<Vec<Key>> {
    let purpose = jwk.remove("use");
    let (expected, is_usable) = match rules.purpose {
        KeyUse::Sig => ("sig", purpose.is_none_or(|purpose| purpose == "sig")),
        KeyUse::JwtSvid => ("jwt-svid", purpose.is_some_and(|purpose| purpose == "jwt-svid")),
    };
    if !is_usable {
        return Err(invalid(format!("the JWK's \"use\" is not \"{expected}\"")));
    }
    if rules.require_kid && !jwk.contains_key("kid") {
        return Err(invalid("the JWK has no \"kid\", by which JWT-SVIDs name their key"));
    }
    let algorithms = algorithms_of(&jwk, rules)?;
    algorithms.into_iter().map(|algorithm| Key::from_members(&jwk, algorithm)).collect()
}

/// The algorithms of a JWK, at least one: the one that it names, or those of its type.
fn algorithms_of(jwk: &Map<String, Value>, rules: &ImportRules) -> Result<Vec<Algorithm>> {
    let text = |name| jwk.get(name).and_then(Value::as_str);
    let kty = text("kty").ok_or_else(|| invalid("the JWK has no \"kty\""))?;
    let own: Vec<_> = if jwk.contains_key("alg") {
        let named = text("alg").and_then(Algorithm::named);
        named.filter(|algorithm| !algorithm.is_symmetric()).into_iter().collect()
    } else {
        rules.of_key_type(kty, text("crv"))
    };
    if own.is_empty() {
        return Err(invalid(match (kty, jwk.contains_key("alg")) {
            ("oct", _) => "the JWK is of a secret (\"kty\" \"oct\"), which a set must not publish",
            (_, true) => "the JWK's \"alg\" is not a public-key signature algorithm known here",
            (_, false) => {
                "the JWK's \"kty\" and \"crv\" are not those of a signature key known here"
            }
        }));
    }
    rules.accepted(own)
}

/// The thumbprint of a key whose private half is known. The use that the key states does not
/// matter.
fn thumbprint_of(mut jwk: Map<String, Value>) -> Option<String> {
    let words = ["use", "key_ops", "alg", "kid"];
    jwk.retain(|member, _| !words.contains(&member.as_str()));
    let any = ImportRules { purpose: KeyUse::Sig, algorithms: None, require_kid: false };
    keys_of(jwk, &any).ok()?.first()?.public().map(PublicJwk::thumbprint)
}
