//! `unsafeDecode`.

use napi::Env;
use napi::bindgen_prelude::Unknown;
use napi_derive::napi;

use super::args::{Arg, Fault, Outcome, options};
use super::guard;
use super::token_form::{FormOptions, unreadable};
use crate::error::Code;
use crate::jwt::{Malformation, Unverified};

options! {
    /// The options of `unsafeDecode`.
    pub(super) struct DecodeOptions for "unsafeDecode" {
        /// The form of the token.
        form: FormOptions = flatten(FormOptions),
    }
}

/// The JSON of the header and of the payload of a token that nobody has verified.
#[napi(catch_unwind)]
pub(super) fn token_decode(
    env: &Env,
    token: Unknown<'_>,
    options: Unknown<'_>,
) -> napi::Result<Outcome<Vec<String>>> {
    guard(env, || {
        let DecodeOptions { form } = Arg::new(env, &options, "options").read()?;
        let form = form.form();
        let token = Arg::new(env, &token, "token");
        let read = token
            .ascii(form.max_len)?
            .ok_or_else(|| unreadable(&token, form.max_len))
            .and_then(|token| Unverified::read(&token, form));
        let malformed = |fault: Malformation| Fault::new(Code::JwtMalformed, fault.message());
        let Unverified { header, payload } = read.map_err(malformed)?;
        Ok(vec![header, payload])
    })
}
