//! Lists every declaration of options, for the table of arguments in the tests. A declaration that
//! is missing here is dead code, which the compiler reports.

use std::collections::HashMap;

use napi_derive::napi;

use super::args::Declaration;
use super::{
    dpop, ip_key, issuer, jws, key, key_ring, key_set, limiter, password, revocation, secret,
    session, store, unverified, verifier,
};

const DECLARATIONS: &[Declaration] = &[
    dpop::options::CacheOptions::DECLARATION,
    dpop::options::MachineCacheOptions::DECLARATION,
    dpop::options::ProofOptions::DECLARATION,
    dpop::options::SharedCacheOptions::DECLARATION,
    ip_key::IpKeyOptions::DECLARATION,
    issuer::SignOptions::DECLARATION,
    issuer::SigningOptions::DECLARATION,
    jws::JwsOptions::DECLARATION,
    jws::SignJwsOptions::DECLARATION,
    key::FileOptions::DECLARATION,
    key::GenerateOptions::DECLARATION,
    key::ImportOptions::DECLARATION,
    key::JwkOptions::DECLARATION,
    key::KeyOptions::DECLARATION,
    key_ring::options::AddOptions::DECLARATION,
    key_ring::options::ConfigureOptions::DECLARATION,
    key_ring::options::NewRingOptions::DECLARATION,
    key_ring::options::RotateOptions::DECLARATION,
    key_ring::options::SealedRingOptions::DECLARATION,
    key_ring::options::SharedRingOptions::DECLARATION,
    key_ring::options::StoredRingOptions::DECLARATION,
    key_ring::server::ServerRingOptions::DECLARATION,
    key_set::SetOptions::DECLARATION,
    limiter::options::ChangedLimits::DECLARATION,
    limiter::options::LimiterOptions::DECLARATION,
    limiter::options::MachineLimiterOptions::DECLARATION,
    limiter::options::NamedLimit::DECLARATION,
    limiter::options::SharedLimiterOptions::DECLARATION,
    password::HashOptions::DECLARATION,
    password::KeyOptions::DECLARATION,
    password::RehashOptions::DECLARATION,
    password::VerifyOptions::DECLARATION,
    password::calibration::CalibrateOptions::DECLARATION,
    password::hasher::HasherLimits::DECLARATION,
    password::hasher::MethodOptions::DECLARATION,
    password::hasher::PepperOptions::DECLARATION,
    password::hasher::PolicyOptions::DECLARATION,
    password::options::LimitOptions::DECLARATION,
    password::pool::PoolOptions::DECLARATION,
    revocation::options::AllOptions::DECLARATION,
    revocation::ListOptions::DECLARATION,
    revocation::options::ScopeOptions::DECLARATION,
    revocation::options::SharedListOptions::DECLARATION,
    revocation::remote::RemoteOptions::DECLARATION,
    secret::FromOptions::DECLARATION,
    secret::harden::HardenOptions::DECLARATION,
    secret::heap::HeapOptions::DECLARATION,
    secret::sealed::SealOptions::DECLARATION,
    secret::sources::FileOptions::DECLARATION,
    secret::sources::VariableOptions::DECLARATION,
    session::options::RefreshOptions::DECLARATION,
    session::options::RemoteSessionOptions::DECLARATION,
    session::options::SessionOptions::DECLARATION,
    session::options::StartOptions::DECLARATION,
    store::OpenListOptions::DECLARATION,
    store::OpenOptions::DECLARATION,
    unverified::DecodeOptions::DECLARATION,
    verifier::CacheOptions::DECLARATION,
    verifier::PlainOptions::DECLARATION,
    verifier::presets::AccessTokenOptions::DECLARATION,
    verifier::presets::SvidOptions::DECLARATION,
];

/// The names of the options of each class and function that has some.
#[napi(catch_unwind)]
pub(super) fn option_names() -> HashMap<&'static str, Vec<&'static str>> {
    let row = |declaration: &Declaration| (declaration.of, declaration.names.to_vec());
    DECLARATIONS.iter().map(row).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_two_declarations_have_the_same_name() {
        assert_eq!(option_names().len(), DECLARATIONS.len());
    }
}
