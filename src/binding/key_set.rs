//! `RemoteJwks`: reads its options and holds the keys that the façade fetches for it.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use napi::Env;
use napi::bindgen_prelude::Unknown;
use napi_derive::napi;

use super::args::handle::Handle;
use super::args::out::{self, LocalValue};
use super::args::{Arg, Fault, Outcome, Result, options, scalars};
use super::key::{ImportOptions, NativeIgnored};
use super::{CLOCK, guard, warn};
use crate::error::Code;
use crate::jwt::{ImportRules, KeySet, KeyUse, MAX_SET_LEN, SetFormat};

/// The longest URL, in bytes.
const MAX_URL_LEN: usize = 4096;
/// The most headers of a request.
const MAX_HEADERS: usize = 64;
/// The longest value of a header, in bytes.
const MAX_HEADER_LEN: usize = 8192;
/// The longest time for which a set may be fresh, and the longest time for which it may be used
/// after that, in seconds: seven days each.
const MAX_AGE: u64 = 7 * 24 * 3600;

/// The words for the formats of a set.
const FORMATS: [(&str, SetFormat); 2] = [("jwks", SetFormat::Jwks), ("x509", SetFormat::X509)];
/// Whether the process has been warned of a set over plain http.
static WARNED: AtomicBool = AtomicBool::new(false);

impl Handle for KeySet {
    const TAG: u128 = 0x7be2_3a4c_9d11_4e6f_8c35_b07d_41f6_5c0d;
    const CLASS: &'static str = "RemoteJwks";

    fn external_len(&self) -> u32 {
        // An estimate: the size of a few keys.
        16 << 10
    }
}

options! {
    /// The options of `RemoteJwks`.
    pub(super) struct SetOptions<'a> for "RemoteJwks" {
        /// The rules for the import of keys.
        import: ImportOptions = flatten(ImportOptions),
        /// The headers of a request.
        headers("headers"): Option<Vec<Vec<String>>> = optional(headers),
        /// The function that fetches.
        fetch("fetch"): Option<LocalValue> = optional(|fetch| out::function(&fetch)),
        /// The format of the published set.
        format("format"): SetFormat = default(SetFormat::Jwks, |word| word.one_of(&FORMATS)),
        /// Whether an `http:` URL of another machine is accepted.
        allow_insecure_http("allowInsecureHttp"): bool = default(false, |allow| allow.boolean()),
        /// How long a request may take, in milliseconds.
        timeout_ms("timeoutMs"): u64 = default(5000, |timeout| timeout.integer(1..=60_000)),
        /// The longest body, in bytes.
        max_bytes("maxBytes"): usize = default(512 * 1024, |max| max.length(1..=MAX_SET_LEN)),
        /// The shortest time for which a set is fresh, in seconds. It is checked later, since its
        /// upper bound, `maxAge`, is read after it.
        min_age("minAge"): Option<Arg<'a>> = optional(Ok),
        /// The longest time for which a set is fresh, in seconds.
        max_age("maxAge"): u64 = default(600, |age| age.duration(1..=MAX_AGE)),
        /// The pause between requests for unknown keys, in seconds.
        cooldown("cooldown"): u64 = default(30, |pause| pause.duration(1..=scalars::MAX_DURATION)),
        /// How long keys are used when their set cannot be fetched, in seconds.
        stale_if_error("staleIfError"): u64 = default(0, |stale| stale.duration(0..=MAX_AGE)),
        /// The function that receives an event for each request.
        on_event("onEvent"): Option<LocalValue> = optional(|listener| out::function(&listener)),
    }
}

/// How a set is fetched, and for how long it is used.
#[napi(object, object_from_js = false)]
pub(super) struct NativeJwksPolicy {
    /// The format of the set.
    pub format: &'static str,
    /// Whether an `http:` URL of another machine is accepted.
    pub allow_insecure_http: bool,
    /// Milliseconds.
    pub timeout_ms: f64,
    /// The longest body.
    pub max_bytes: f64,
    /// Seconds.
    pub min_age: f64,
    /// Seconds.
    pub max_age: f64,
    /// Seconds.
    pub cooldown: f64,
    /// Seconds; 0 if keys are used only while they are fresh.
    pub stale_if_error: f64,
    /// Name and value of each header.
    pub headers: Vec<Vec<String>>,
    /// The function that fetches; the global `fetch` unless given.
    pub fetch: Option<LocalValue>,
    /// The function that receives an event for each request.
    pub on_event: Option<LocalValue>,
}

/// Attaches an empty key set to the façade object `remote`. Returns the policy for fetching it.
#[napi(catch_unwind)]
pub(super) fn jwks_attach(
    env: &Env,
    remote: Unknown<'_>,
    url: Unknown<'_>,
    options: Unknown<'_>,
) -> napi::Result<Outcome<NativeJwksPolicy>> {
    guard(env, || {
        Arg::new(env, &url, "url").string(1..=MAX_URL_LEN)?;
        let options: SetOptions<'_> = Arg::new(env, &options, "options").read()?;
        let format = options.format;
        let (rules, policy) = options.into_parts()?;
        let set = KeySet::new(rules, format, CLOCK.clone());
        Arg::new(env, &remote, "this").attach(Arc::new(set))?;
        Ok(policy)
    })
}

/// Warns, once a process, of a set that is fetched over plain http.
#[napi(catch_unwind)]
pub(super) fn jwks_warn_insecure(env: &Env) -> napi::Result<Outcome<()>> {
    guard(env, || {
        if !WARNED.swap(true, Ordering::Relaxed) {
            let text = "A RemoteJwks fetches keys over plain http (allowInsecureHttp). Everyone on \
                        the network path can replace them and sign tokens. Use https.";
            // The set works even if the warning cannot be emitted.
            let _ = warn(env, text, "NODESEC_JWKS_HTTP");
        }
        Ok(())
    })
}

/// Loads the text of a set, which is then fresh for `seconds`. Returns whether the text has
/// changed.
#[napi(catch_unwind)]
pub(super) fn jwks_load(
    env: &Env,
    remote: Unknown<'_>,
    json: Unknown<'_>,
    seconds: Unknown<'_>,
) -> napi::Result<Outcome<bool>> {
    guard(env, || {
        let set = Arg::new(env, &remote, "this").handle::<KeySet>()?;
        let json = Arg::new(env, &json, "the JWK Set").string(0..=MAX_SET_LEN)?;
        Ok(set.load(&json, Arg::new(env, &seconds, "seconds").integer(0..=MAX_AGE)?)?)
    })
}

/// Makes the loaded set fresh for `seconds` from now on.
#[napi(catch_unwind)]
pub(super) fn jwks_renew(
    env: &Env,
    remote: Unknown<'_>,
    seconds: Unknown<'_>,
) -> napi::Result<Outcome<()>> {
    guard(env, || {
        let set = Arg::new(env, &remote, "this").handle::<KeySet>()?;
        set.renew(Arg::new(env, &seconds, "seconds").integer(0..=MAX_AGE)?);
        Ok(())
    })
}

/// Lets the loaded set be used for `seconds` after it ceases to be fresh.
#[napi(catch_unwind)]
pub(super) fn jwks_outlast(
    env: &Env,
    remote: Unknown<'_>,
    seconds: Unknown<'_>,
) -> napi::Result<Outcome<()>> {
    guard(env, || {
        let set = Arg::new(env, &remote, "this").handle::<KeySet>()?;
        set.outlast(Arg::new(env, &seconds, "seconds").integer(0..=MAX_AGE)?);
        Ok(())
    })
}

/// `[kid, alg]` of every key that can be used now; `None` if no set has been loaded or the loaded
/// one is too old to be used.
#[napi(catch_unwind)]
pub(super) fn jwks_list(
    env: &Env,
    remote: Unknown<'_>,
) -> napi::Result<Outcome<Option<Vec<Vec<String>>>>> {
    guard(env, || {
        let keys = Arg::new(env, &remote, "this").handle::<KeySet>()?.list();
        let names = |keys: Vec<Arc<crate::jwt::Key>>| {
            keys.iter().map(|key| vec![key.kid().into(), key.algorithm().name().into()]).collect()
        };
        Ok(keys.map(names))
    })
}

/// The entries of the last readable set that are left out.
#[napi(catch_unwind)]
pub(super) fn jwks_ignored(
    env: &Env,
    remote: Unknown<'_>,
) -> napi::Result<Outcome<Vec<NativeIgnored>>> {
    guard(env, || {
        let set = Arg::new(env, &remote, "this").handle::<KeySet>()?;
        Ok(set.ignored().into_iter().map(Into::into).collect())
    })
}

impl SetOptions<'_> {
    /// Splits the options into the rules for the native part and the policy for the façade.
    fn into_parts(self) -> Result<(ImportRules, NativeJwksPolicy)> {
        let max_age = self.max_age;
        let min_age = match self.min_age {
            Some(min_age) => min_age.duration(1..=max_age)?,
            None => max_age.min(60),
        };
        let rules = self.import.rules();
        if self.format == SetFormat::X509 && rules.purpose != KeyUse::Sig {
            return Err(Fault::new(
                Code::InvalidArgValue,
                "format: 'x509' has no keys with use: 'jwt-svid'; leave one of the options out",
            ));
        }
        let policy = NativeJwksPolicy {
            format: FORMATS.iter().find(|(_, it)| *it == self.format).map_or("", |(word, _)| word),
            allow_insecure_http: self.allow_insecure_http,
            timeout_ms: self.timeout_ms as f64,
            max_bytes: self.max_bytes as f64,
            min_age: min_age as f64,
            max_age: max_age as f64,
            cooldown: self.cooldown as f64,
            stale_if_error: self.stale_if_error as f64,
            headers: self.headers.unwrap_or_default(),
            fetch: self.fetch,
            on_event: self.on_event,
        };
        Ok((rules, policy))
    }
}

fn headers(headers: Arg<'_>) -> Result<Vec<Vec<String>>> {
    let header =
        |(name, value): (String, Arg<'_>)| Ok(vec![name, value.string(0..=MAX_HEADER_LEN)?]);
    headers.entries(MAX_HEADERS)?.into_iter().map(header).collect()
}
