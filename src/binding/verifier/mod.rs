//! `JwtVerifier`.

mod claims;
mod many;
pub(super) mod presets;
mod verifiers;

use std::ops::RangeInclusive;
use std::sync::Arc;

use napi::bindgen_prelude::Unknown;
use napi::{Env, sys};
use napi_derive::napi;

use self::claims::{CLAIM_LEN, exact_claims};
use super::args::handle::Handle;
use super::args::out::{self, LocalValue};
use super::args::{Arg, Outcome, Result, options, scalars};
use super::clock::ClockOptions;
use super::fast::{self, Buffers, Hot, RawCall};
use super::guard;
use super::issuer::{MAX_NAMES, NAME_LEN};
use super::key::{algorithms, source};
use super::rejection::NativeRejection;
use super::token_form::{FormOptions, unreadable};
use crate::jwt::{
    Algorithm, Answer, ExactClaims, Expected, KeySource, MAX_CLOCK_TOLERANCE, MAX_REQUIRED,
    MAX_TOKEN_LEN, Rejection, Scratch, TokenForm, TokenKind, Tolerance, Verifier, VerifierOptions,
};
use crate::revocation::RevocationList;

/// The bounds of `cache.maxEntries`.
const CACHED: RangeInclusive<usize> = 1..=100_000;
/// `maxEntries` of `cache: true`.
const DEFAULT_CACHED: usize = 1000;

impl Handle for Verifier {
    const TAG: u128 = 0xe1c4_51a7_0d94_4b0b_a6d3_05be_27c9_3b0b;
    const CLASS: &'static str = "JwtVerifier";
}

options! {
    /// The options of `JwtVerifier`.
    pub(super) struct PlainOptions for "JwtVerifier" {
        /// The keys.
        keys("keys"): VerifierKeys = required(verifier_keys),
        /// The algorithms that are accepted; those of the keys unless given.
        algorithms("algorithms"): Option<Vec<Algorithm>> = optional(algorithms),
        /// The accepted issuers.
        issuer("issuer"): Expected = required(expected),
        /// The checks that all kinds of verifiers have.
        checks: ClaimChecks = flatten(ClaimChecks),
        /// The type in the header.
        typ("typ"): Option<String> = optional(|typ| typ.string(1..=256)),
        /// Claims that a token must have.
        required_claims("requiredClaims"): Vec<String> = default(Vec::new(), required_claims),
        /// Whether a token must expire.
        require_exp("requireExp"): bool = default(true, |exp| exp.boolean()),
        /// The form of tokens.
        form: FormOptions = flatten(FormOptions),
        /// The state that a verifier keeps or asks.
        state: VerifierState = flatten(VerifierState),
        /// The clock.
        clock: ClockOptions = flatten(ClockOptions),
    }
}

options! {
    /// Checks of claims that all kinds of verifiers have.
    pub(super) struct ClaimChecks {
        /// The accepted recipients.
        audience("audience"): Expected = required(expected),
        /// How far clocks may differ, in seconds.
        clock_tolerance("clockTolerance"): Option<u64> =
            optional(|seconds| seconds.duration(0..=MAX_CLOCK_TOLERANCE)),
        /// The longest time since a token was issued, in seconds.
        max_age("maxAge"): Option<u64> = optional(|age| age.duration(1..=scalars::MAX_DURATION)),
        /// Exact values of claims.
        claims("claims"): ExactClaims = default(ExactClaims::default(), exact_claims),
    }
}

options! {
    /// The state that a verifier keeps or asks.
    pub(super) struct VerifierState {
        /// The list of revoked tokens.
        revocations("revocations"): Option<Arc<RevocationList>> = optional(|list| list.handle()),
        /// How many verified tokens are remembered.
        cache("cache"): usize = default(0, cache_entries),
    }
}

options! {
    /// The option `cache` as an object.
    pub(super) struct CacheOptions for "JwtVerifier.cache" {
        /// How many verified tokens are remembered.
        max_entries("maxEntries"): usize =
            default(DEFAULT_CACHED, |entries| entries.length(CACHED)),
    }
}

/// `(token, out?: Float64Array) => string | number`: the payload's JSON, or the status of the
/// rejection. With `out` (cache enabled) the call returns the payload and writes its cache slot to
/// `out[0]`, -1 if there is none; on a hit it returns `-1 - slot`.
impl Hot for Verifier {
    const NAME: &'static str = "verify";
    const ARGUMENTS: usize = 2;

    fn call(&self, call: &RawCall) -> Result<sys::napi_value> {
        fast::with_buffers(|buffers| {
            // A value that is no string, too long or not ASCII is a malformed token, which is an
            // answer and not an error.
            let Buffers { units, token, scratch, .. } = buffers;
            let given = call.argument(0, "token");
            if let Some(token) = given.ascii_in(units, token).ok().flatten() {
                return answer(self, call, token, scratch);
            }
            // A longer token gets memory of its own, so that the buffers of the thread stay small.
            let longest = self.max_token_len();
            if longest > MAX_TOKEN_LEN
                && let Some(token) = given.ascii(longest).ok().flatten()
            {
                return answer(self, call, &token, &mut Scratch::default());
            }
            call.number(f64::from(Rejection::from(unreadable(&given, longest)).to_status()))
        })
    }
}

/// Verifies a token, and makes the result of the call.
fn answer(
    verifier: &Verifier,
    call: &RawCall,
    token: &[u8],
    scratch: &mut Scratch,
) -> Result<sys::napi_value> {
    let answer = if call.count < 2 {
        verifier.verify(token, scratch).map(|payload| Answer::Payload(payload, None))
    } else {
        verifier.verify_holding(token, scratch)
    };
    match answer {
        Ok(Answer::Held(slot)) => call.number(-1.0 - slot as f64),
        Ok(Answer::Payload(payload, slot)) => {
            if call.count >= 2 {
                call.argument(1, "out").fill(&[slot.map_or(-1.0, |slot| slot as f64)])?;
            }
            call.string(payload.as_bytes())
        }
        Err(rejection) => call.number(f64::from(rejection.to_status())),
    }
}

/// Attaches a new verifier to the façade object `verifier`. Returns the option `keys` if it is a
/// `RemoteJwks`, whose keys the façade fetches.
#[napi(catch_unwind)]
pub(super) fn verifier_attach(
    env: &Env,
    verifier: Unknown<'_>,
    options: Unknown<'_>,
) -> napi::Result<Outcome<Option<LocalValue>>> {
    guard(env, || {
        let options: PlainOptions = Arg::new(env, &options, "options").read()?;
        let policy = VerifierOptions {
            algorithms: options.algorithms,
            typ: options.typ,
            require_expiry: options.require_exp,
            required_claims: options.required_claims,
            form: options.form.form(),
            ..policy(
                TokenKind::jwt(),
                options.keys.source,
                options.issuer,
                options.checks,
                options.state,
            )
        };
        attach(env, &verifier, policy, options.clock)?;
        Ok(options.keys.remote)
    })
}

/// The policy that all kinds of verifiers have in common.
pub(super) fn policy(
    kind: TokenKind,
    keys: KeySource,
    issuer: Expected,
    checks: ClaimChecks,
    state: VerifierState,
) -> VerifierOptions {
    VerifierOptions {
        kind,
        keys,
        algorithms: None,
        issuer,
        audience: checks.audience,
        clock_tolerance: checks.clock_tolerance.map_or_else(Tolerance::default, Tolerance::of),
        max_age: checks.max_age,
        typ: None,
        required_claims: Vec::new(),
        require_expiry: true,
        revocations: state.revocations,
        cache_entries: state.cache,
        exact_claims: checks.claims,
        form: TokenForm::default(),
    }
}

/// Attaches a new verifier with this policy to the façade object `verifier`.
pub(super) fn attach(
    env: &Env,
    verifier: &Unknown<'_>,
    policy: VerifierOptions,
    clock: ClockOptions,
) -> Result<()> {
    let core = Verifier::new(policy, clock.clock)?;
    Arg::new(env, verifier, "this").attach(Arc::new(core))
}

/// Whether a verifier remembers tokens.
#[napi(catch_unwind)]
pub(super) fn verifier_remembers(env: &Env, verifier: Unknown<'_>) -> napi::Result<Outcome<bool>> {
    guard(env, || Ok(Arg::new(env, &verifier, "this").handle::<Verifier>()?.remembers()))
}

/// The longest token of a verifier, in bytes.
#[napi(catch_unwind)]
pub(super) fn verifier_max_bytes(env: &Env, verifier: Unknown<'_>) -> napi::Result<Outcome<u32>> {
    guard(env, || {
        let longest = Arg::new(env, &verifier, "this").handle::<Verifier>()?.max_token_len();
        // At most a megabyte, so it fits.
        Ok(u32::try_from(longest).unwrap_or(u32::MAX))
    })
}

/// `verify`, bound to a verifier.
#[napi(catch_unwind)]
pub(super) fn verifier_bind<'env>(
    env: &'env Env,
    verifier: Unknown<'_>,
) -> napi::Result<Outcome<Unknown<'env>>> {
    guard(env, || fast::bind(env, Arg::new(env, &verifier, "this").handle::<Verifier>()?))
}

/// Explains the status of a rejection by `verifier`. `None` if there is no such status.
#[napi(catch_unwind)]
pub(super) fn verifier_rejection(
    env: &Env,
    verifier: Unknown<'_>,
    status: u32,
) -> napi::Result<Outcome<Option<NativeRejection>>> {
    guard(env, || {
        let verifier = Arg::new(env, &verifier, "this").handle::<Verifier>()?;
        let Some(rejection) = Rejection::from_status(status) else { return Ok(None) };
        Ok(Some(match verifier.named_claim(rejection) {
            Some((claim, reason)) => NativeRejection::of_claim(rejection, claim, reason),
            None => rejection.into(),
        }))
    })
}

/// The keys of a verifier, and the `RemoteJwks` that fetches them, if there is one.
pub(super) struct VerifierKeys {
    /// The keys.
    pub source: KeySource,
    /// The façade's `RemoteJwks`.
    pub remote: Option<LocalValue>,
}

/// The option `keys`.
pub(super) fn verifier_keys(keys: Arg<'_>) -> Result<VerifierKeys> {
    let source = source::keys(keys)?;
    let remote = matches!(source, KeySource::Set(_)).then(|| out::same(&keys));
    Ok(VerifierKeys { source, remote })
}

/// One name, several, or `false`, which waives the check. Leaving the option out does not waive it.
pub(super) fn expected(names: Arg<'_>) -> Result<Expected> {
    if names.is_false()? {
        return Ok(Expected::Anything);
    }
    Ok(Expected::OneOf(names.strings(MAX_NAMES, NAME_LEN)?))
}

/// The names of required claims.
pub(super) fn required_claims(names: Arg<'_>) -> Result<Vec<String>> {
    names.array(MAX_REQUIRED.into())?.iter().map(|name| name.string(CLAIM_LEN)).collect()
}

/// `true`, `false` or `{ maxEntries? }`
fn cache_entries(cache: Arg<'_>) -> Result<usize> {
    if cache.is_boolean()? {
        return Ok(if cache.boolean()? { DEFAULT_CACHED } else { 0 });
    }
    let CacheOptions { max_entries } = cache.read()?;
    Ok(max_entries)
}
