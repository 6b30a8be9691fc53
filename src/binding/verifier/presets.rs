//! `JwtVerifier.accessToken` and `JwtVerifier.spiffe`.

use std::sync::Arc;

use napi::Env;
use napi::bindgen_prelude::Unknown;
use napi_derive::napi;

use super::{
    ClaimChecks, VerifierKeys, VerifierState, attach, expected, policy, required_claims,
    verifier_keys,
};
use crate::binding::args::out::{self, LocalValue};
use crate::binding::args::{Arg, Outcome, Result, options};
use crate::binding::clock::ClockOptions;
use crate::binding::guard;
use crate::binding::key::algorithms;
use crate::binding::token_form::FormOptions;
use crate::jwt::{
    Algorithm, Expected, ImportRules, KeySet, KeySource, KeyUse, TokenKind, VerifierOptions, import,
};
use crate::spiffe::TrustDomain;

options! {
    /// The options of `JwtVerifier.accessToken`.
    pub(crate) struct AccessTokenOptions for "JwtVerifier.accessToken" {
        /// The keys.
        keys("keys"): VerifierKeys = required(verifier_keys),
        /// The algorithms that are accepted; those of the keys unless given.
        algorithms("algorithms"): Option<Vec<Algorithm>> = optional(algorithms),
        /// The accepted issuers.
        issuer("issuer"): Expected = required(expected),
        /// The checks that all kinds of verifiers have.
        checks: ClaimChecks = flatten(ClaimChecks),
        /// Claims that a token must have.
        required_claims("requiredClaims"): Vec<String> = default(Vec::new(), required_claims),
        /// The form of tokens.
        form: FormOptions = flatten(FormOptions),
        /// The state that a verifier keeps or asks.
        state: VerifierState = flatten(VerifierState),
        /// The clock.
        clock: ClockOptions = flatten(ClockOptions),
    }
}

options! {
    /// The options of `JwtVerifier.spiffe`.
    pub(crate) struct SvidOptions for "JwtVerifier.spiffe" {
        /// The trust domain of the accepted ids.
        trust_domain("trustDomain"): TrustDomain = required(trust_domain),
        /// The keys; the façade passes them as an argument of their own.
        _bundle("bundle"): () = required(|_| Ok(())),
        /// The checks that all kinds of verifiers have.
        checks: ClaimChecks = flatten(ClaimChecks),
        /// Claims that a token must have.
        required_claims("requiredClaims"): Vec<String> = default(Vec::new(), required_claims),
        /// The state that a verifier keeps or asks.
        state: VerifierState = flatten(VerifierState),
        /// The clock.
        clock: ClockOptions = flatten(ClockOptions),
    }
}

/// Attaches a new verifier of access tokens to the façade object `verifier`. Returns the option
/// `keys` if it is a `RemoteJwks`.
#[napi(catch_unwind)]
pub(crate) fn verifier_attach_access_token(
    env: &Env,
    verifier: Unknown<'_>,
    options: Unknown<'_>,
) -> napi::Result<Outcome<Option<LocalValue>>> {
    guard(env, || {
        let options: AccessTokenOptions = Arg::new(env, &options, "options").read()?;
        let VerifierKeys { source, remote } = options.keys;
        let policy = VerifierOptions {
            algorithms: options.algorithms,
            required_claims: options.required_claims,
            form: options.form.form(),
            ..policy(
                TokenKind::access_token(),
                source,
                options.issuer,
                options.checks,
                options.state,
            )
        };
        attach(env, &verifier, policy, options.clock)?;
        Ok(remote)
    })
}

/// Attaches a new verifier of JWT-SVIDs to the façade object `verifier`. The façade passes a
/// `bundle` that is a JWK Set as JSON text. Returns the bundle if it is a `RemoteJwks`.
#[napi(catch_unwind)]
pub(crate) fn verifier_attach_spiffe(
    env: &Env,
    verifier: Unknown<'_>,
    options: Unknown<'_>,
    bundle: Unknown<'_>,
) -> napi::Result<Outcome<Option<LocalValue>>> {
    guard(env, || {
        let options: SvidOptions = Arg::new(env, &options, "options").read()?;
        let VerifierKeys { source, remote } = bundle_keys(&Arg::new(env, &bundle, "bundle"))?;
        let kind = TokenKind::jwt_svid(options.trust_domain);
        let policy = VerifierOptions {
            required_claims: options.required_claims,
            ..policy(kind, source, Expected::Anything, options.checks, options.state)
        };
        attach(env, &verifier, policy, options.clock)?;
        Ok(remote)
    })
}

fn trust_domain(name: Arg<'_>) -> Result<TrustDomain> {
    Ok(TrustDomain::parse(&name.string(0..=usize::MAX)?)?)
}

/// The keys of a trust domain that sign JWT-SVIDs. There are none if all have been revoked.
fn bundle_keys(bundle: &Arg<'_>) -> Result<VerifierKeys> {
    if let Some(set) = bundle.handle_if::<KeySet>()? {
        if set.purpose() != KeyUse::JwtSvid {
            return Err(bundle.invalid("must be a RemoteJwks with the option use: 'jwt-svid'"));
        }
        return Ok(VerifierKeys { source: KeySource::Set(set), remote: Some(out::same(bundle)) });
    }
    if !bundle.is_string()? {
        return Err(bundle.wrong_type("a JWK Set as an object or as JSON text, or a RemoteJwks"));
    }
    let rules = ImportRules::of(KeyUse::JwtSvid, None);
    let keys = import(&bundle.string(0..=usize::MAX)?, &rules)?.keys;
    let source = KeySource::Keys(keys.into_iter().map(Arc::new).collect());
    Ok(VerifierKeys { source, remote: None })
}
