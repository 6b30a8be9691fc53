//! `parseSpiffeId` and `spiffeIdOf`.

use napi::Env;
use napi::bindgen_prelude::Unknown;
use napi_derive::napi;

use super::args::{Arg, Outcome, Result};
use super::guard;
use crate::spiffe::{self, Encoding};

/// A SPIFFE ID and its parts.
#[napi(object, object_from_js = false)]
pub(super) struct SpiffeId {
    /// The name of the trust domain.
    pub trust_domain: String,
    /// The path with its leading slash, or an empty string.
    pub path: String,
    /// The whole id.
    pub uri: String,
}

/// Reads an id.
#[napi(catch_unwind)]
pub(super) fn spiffe_parse_id(env: &Env, uri: Unknown<'_>) -> napi::Result<Outcome<SpiffeId>> {
    // The core refuses a text that is too long to be an id.
    guard(env, || parts(&Arg::new(env, &uri, "uri").string(0..=usize::MAX)?))
}

/// The id in a certificate, which is given as DER or as a string with its PEM.
#[napi(catch_unwind)]
pub(super) fn spiffe_id_of(env: &Env, certificate: Unknown<'_>) -> napi::Result<Outcome<SpiffeId>> {
    guard(env, || {
        let certificate = Arg::new(env, &certificate, "certificate");
        if certificate.is_string()? {
            let pem = certificate.string(0..=usize::MAX)?;
            return parts(&spiffe::id_of(pem.as_bytes(), Encoding::Pem)?);
        }
        let expected = "an X509Certificate, a Uint8Array with its DER or a string with its PEM";
        certificate.with_bytes_or(expected, 0..=usize::MAX, |der| {
            parts(&spiffe::id_of(der, Encoding::Der)?)
        })
    })
}

fn parts(uri: &str) -> Result<SpiffeId> {
    let id = spiffe::SpiffeId::parse(uri)?;
    Ok(SpiffeId {
        trust_domain: id.trust_domain().into(),
        path: id.path().into(),
        uri: id.uri().into(),
    })
}
