//! Reads the names of algorithms, and the options that select the keys of a JWK Set.

use crate::binding::args::{Arg, Fault, Result, options};
use crate::error::Code;
use crate::jwt::{Algorithm, ImportRules, KeyUse};

/// The most names of algorithms.
const MAX_ALGORITHMS: u32 = 100;

const USES: [(&str, KeyUse); 2] = [("sig", KeyUse::Sig), ("jwt-svid", KeyUse::JwtSvid)];

options! {
    /// The options of `JwtKey.fromJwks`; `RemoteJwks` has them, too.
    pub(crate) struct ImportOptions for "JwtKey.fromJwks" {
        /// The algorithms whose keys are imported; all unless given.
        algorithms("algorithms"): Option<Vec<Algorithm>> = optional(key_pair_algorithms),
        /// The use of the keys: signatures or JWT-SVIDs.
        purpose("use"): KeyUse = default(KeyUse::Sig, |word| word.one_of(&USES)),
    }
}

impl ImportOptions {
    /// The rules by which keys are imported.
    pub(crate) fn rules(self) -> ImportRules {
        ImportRules::of(self.purpose, self.algorithms)
    }
}

/// An algorithm, by name.
pub(crate) fn algorithm(name: Arg<'_>) -> Result<Algorithm> {
    name.one_of(&Algorithm::ALL.map(|algorithm| (algorithm.name(), algorithm)))
}

/// Several algorithms, by name.
pub(crate) fn algorithms(names: Arg<'_>) -> Result<Vec<Algorithm>> {
    let names = names.array(MAX_ALGORITHMS)?;
    if names.is_empty() {
        return Err(Fault::new(Code::OutOfRange, "algorithms must name at least one algorithm"));
    }
    names.into_iter().map(algorithm).collect()
}

fn key_pair_algorithms(names: Arg<'_>) -> Result<Vec<Algorithm>> {
    let algorithms = algorithms(names)?;
    if algorithms.iter().any(|algorithm| algorithm.is_symmetric()) {
        return Err(names.invalid("must be asymmetric: a JWK Set has no HMAC keys"));
    }
    Ok(algorithms)
}
