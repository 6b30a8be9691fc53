//! `JwtVerifiers`.

use std::sync::Arc;

use napi::bindgen_prelude::Unknown;
use napi::{Env, sys};
use napi_derive::napi;

use super::many::{MAX_MANY, Tokens};
use crate::binding::args::handle::Handle;
use crate::binding::args::{Arg, Outcome, Result};
use crate::binding::fast::{self, Buffers, Hot, RawCall};
use crate::binding::guard;
use crate::binding::issuer::NAME_LEN;
use crate::binding::offload::{Offloaded, offload};
use crate::binding::token_form::unreadable;
use crate::jwt::{IssuerChoice, MAX_TOKEN_LEN, Rejection, Scratch, Verifier};

impl Handle for IssuerChoice {
    const TAG: u128 = 0x5a0e_7d1c_43b6_4f58_9c3e_12f7_a86b_d015;
    const CLASS: &'static str = "JwtVerifiers";
}

/// `(token) => number`: the index of the verifier that judges the token, or the status of its
/// rejection as a negative number.
impl Hot for IssuerChoice {
    const NAME: &'static str = "choose";
    const ARGUMENTS: usize = 1;

    fn call(&self, call: &RawCall) -> Result<sys::napi_value> {
        fast::with_buffers(|buffers| {
            let Buffers { units, token, scratch, .. } = buffers;
            let given = call.argument(0, "token");
            let longest = self.max_token_len();
            let chosen = if let Some(token) = given.ascii_in(units, token).ok().flatten() {
                self.choose(token, scratch)
            } else if longest > MAX_TOKEN_LEN
                && let Some(token) = given.ascii(longest).ok().flatten()
            {
                self.choose(&token, &mut Scratch::default())
            } else {
                Err(unreadable(&given, longest).into())
            };
            call.number(answer(chosen))
        })
    }
}

/// Attaches the choice among verifiers, by the names of their issuers, to the façade object
/// `choice`. Returns the length of the longest token.
#[napi(catch_unwind)]
pub(crate) fn verifiers_attach(
    env: &Env,
    choice: Unknown<'_>,
    names: Unknown<'_>,
    verifiers: Unknown<'_>,
) -> napi::Result<Outcome<f64>> {
    guard(env, || {
        let verifiers = Arg::new(env, &verifiers, "verifiers");
        let (names, values) =
            (Arg::new(env, &names, "names").array(MAX_MANY)?, verifiers.array(MAX_MANY)?);
        if names.is_empty() {
            return Err(verifiers.out_of_range("at least one verifier"));
        }
        let pair = |(name, verifier): (Arg<'_>, Arg<'_>)| {
            Ok((name.string(NAME_LEN)?, verifier.in_record().handle::<Verifier>()?))
        };
        let pairs = names.into_iter().zip(values).map(pair).collect::<Result<Vec<_>>>()?;
        let core = IssuerChoice::new(pairs)?;
        let longest = core.max_token_len() as f64;
        Arg::new(env, &choice, "this").attach(Arc::new(core))?;
        Ok(longest)
    })
}

/// `choose`, bound to the verifiers.
#[napi(catch_unwind)]
pub(crate) fn verifiers_bind<'env>(
    env: &'env Env,
    choice: Unknown<'_>,
) -> napi::Result<Outcome<Unknown<'env>>> {
    guard(env, || fast::bind(env, Arg::new(env, &choice, "this").handle::<IssuerChoice>()?))
}

/// Chooses for one part of the tokens, from the index `first` on, on another thread. Returns a
/// promise of what `choose` returns for each.
#[napi(catch_unwind)]
pub(crate) fn verifiers_choose_many(
    env: &Env,
    choice: Unknown<'_>,
    tokens: Unknown<'_>,
    first: u32,
) -> napi::Result<Outcome<Offloaded<Vec<f64>>>> {
    guard(env, || {
        let choice = Arg::new(env, &choice, "this").handle::<IssuerChoice>()?;
        let tokens =
            Tokens::read(&Arg::new(env, &tokens, "tokens"), first, choice.max_token_len())?;
        Ok(offload(env, move || {
            let mut scratch = Scratch::default();
            let choose = |token: std::result::Result<&[u8], _>| {
                answer(token.and_then(|token| choice.choose(token, &mut scratch)))
            };
            Ok(tokens.iter().map(choose).collect())
        }))
    })
}

fn answer(chosen: std::result::Result<usize, Rejection>) -> f64 {
    chosen.map_or_else(|rejection| -f64::from(rejection.to_status()), |index| index as f64)
}
