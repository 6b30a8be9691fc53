//! `JwtVerifier.accessToken` and `JwtVerifier.spiffe`.

use std::sync::Arc;

use napi::Env;
use napi::bindgen_prelude::Unknown;
use napi_derive::napi;

use super::{attach, expected, keys_and_remote, policy};
use crate::binding::args::out::{self, Made};
use crate::binding::args::{Arg, Result};
use crate::binding::guard;
use crate::jwt::{Expected, ImportRules, KeySet, KeySource, KeyUse, Profile, import};
use crate::spiffe::TrustDomain;

const ACCESS_TOKEN_OPTIONS: &[&str] = &[
    "keys",
    "algorithms",
    "issuer",
    "audience",
    "clockTolerance",
    "maxAge",
    "requiredClaims",
    "revocations",
    "cache",
];

const SPIFFE_OPTIONS: &[&str] = &[
    "trustDomain",
    "bundle",
    "audience",
    "clockTolerance",
    "maxAge",
    "requiredClaims",
    "revocations",
    "cache",
];

/// `verifier` becomes one of access tokens. Gives its keys when they are fetched.
#[napi(catch_unwind)]
pub fn verifier_attach_access_token(
    env: &Env,
    verifier: Unknown<'_>,
    options: Unknown<'_>,
) -> napi::Result<Option<Made>> {
    guard(env, || {
        let options = Arg::new(env, &options, "options").options(ACCESS_TOKEN_OPTIONS)?;
        let (keys, remote) = keys_and_remote(&options.require("keys")?)?;
        let issuer = expected(&options, "issuer")?;
        attach(env, &verifier, policy(&options, keys, issuer, Profile::AccessToken)?)?;
        Ok(remote)
    })
}

/// `verifier` becomes one of JWT-SVIDs. A `bundle` that is a JWK Set comes as its JSON. Gives the
/// bundle when it is fetched.
#[napi(catch_unwind)]
pub fn verifier_attach_spiffe(
    env: &Env,
    verifier: Unknown<'_>,
    options: Unknown<'_>,
    bundle: Unknown<'_>,
) -> napi::Result<Option<Made>> {
    guard(env, || {
        let options = Arg::new(env, &options, "options").options(SPIFFE_OPTIONS)?;
        let trust_domain = options.require("trustDomain")?.string(0..=usize::MAX)?;
        let profile = Profile::JwtSvid(TrustDomain::parse(&trust_domain)?);
        options.require("bundle")?;
        let (keys, remote) = bundle_keys(&Arg::new(env, &bundle, "bundle"))?;
        attach(env, &verifier, policy(&options, keys, Expected::Anything, profile)?)?;
        Ok(remote)
    })
}

/// The keys of a trust domain that sign JWT-SVIDs; none when all have been revoked.
fn bundle_keys(bundle: &Arg<'_>) -> Result<(KeySource, Option<Made>)> {
    if let Some(set) = bundle.handle_if::<KeySet>()? {
        if set.purpose() != KeyUse::JwtSvid {
            return Err(bundle.invalid("must be a RemoteJwks with the option use: 'jwt-svid'"));
        }
        return Ok((KeySource::Set(set), Some(out::same(bundle))));
    }
    if !bundle.is_string()? {
        return Err(bundle.wrong_type("a JWK Set, an object or its JSON text, or a RemoteJwks"));
    }
    let rules = ImportRules::of(KeyUse::JwtSvid, None);
    let keys = import(&bundle.string(0..=usize::MAX)?, &rules)?;
    Ok((KeySource::Keys(keys.into_iter().map(Arc::new).collect()), None))
}
