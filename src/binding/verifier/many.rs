//! Verifies many tokens in one call, off the event loop.
//!
//! The façade asks for one part of the tokens after the other. Between parts, other work runs on
//! libuv's pool, such as files and DNS, and an environment that ends waits for one part only.

use std::ops::Range;

use napi::Env;
use napi::bindgen_prelude::{Either, Unknown};
use napi_derive::napi;

use crate::binding::args::{Arg, Outcome, Result};
use crate::binding::guard;
use crate::binding::offload::{Offloaded, offload};
use crate::binding::token_form::unreadable;
use crate::jwt::{MAX_TOKEN_LEN, Malformation, Rejection, Scratch, Verifier};

/// The most tokens of one `verifyMany`.
#[napi]
#[allow(unreachable_pub, reason = "napi-rs exports public constants only")]
pub const MAX_MANY: u32 = 10_000;

/// For each token its payload, or the status of its rejection.
type Answers = Vec<Either<String, u32>>;

/// How many tokens a part has. With the slowest algorithm, ES512, a part takes a tenth of a second.
const PART: u32 = 200;
/// How many bytes a part has before its last token: those of as many tokens of the usual length.
const PART_BYTES: usize = PART as usize * MAX_TOKEN_LEN;

/// Verifies one part of the tokens, from the index `first` on. Returns a promise of each token's
/// payload, or of the status of its rejection.
#[napi(catch_unwind)]
pub(super) fn verifier_verify_many(
    env: &Env,
    verifier: Unknown<'_>,
    tokens: Unknown<'_>,
    first: u32,
) -> napi::Result<Outcome<Offloaded<Answers>>> {
    guard(env, || {
        let verifier = Arg::new(env, &verifier, "this").handle::<Verifier>()?;
        let tokens =
            Tokens::read(&Arg::new(env, &tokens, "tokens"), first, verifier.max_token_len())?;
        Ok(offload(env, move || {
            let mut scratch = Scratch::default();
            let mut verify = |token| match verifier.verify(token, &mut scratch) {
                Ok(payload) => Either::A(payload.to_owned()),
                Err(rejection) => Either::B(rejection.to_status()),
            };
            Ok(tokens
                .iter()
                .map(|token| match token {
                    Ok(token) => verify(token),
                    Err(rejection) => Either::B(rejection.to_status()),
                })
                .collect())
        }))
    })
}

/// Copies of tokens, one after the other.
pub(super) struct Tokens {
    bytes: Vec<u8>,
    /// The range of each token in `bytes`, or why a value could not be read.
    places: Vec<std::result::Result<Range<usize>, Rejection>>,
}

impl Tokens {
    pub(super) fn read(tokens: &Arg<'_>, first: u32, max_len: usize) -> Result<Self> {
        let tokens = tokens.array_part(MAX_MANY, first..first.saturating_add(PART))?;
        // Room for the longest token, a NUL, and one unit more for `ascii_in` to notice a longer
        // one.
        let mut units = vec![0; max_len + 2];
        let mut ascii = Vec::new();
        let mut read = Self { bytes: Vec::new(), places: Vec::with_capacity(tokens.len()) };
        for token in tokens {
            if read.bytes.len() >= PART_BYTES {
                break;
            }
            let place = token.ascii_in(&mut units, &mut ascii).ok().flatten().map(|token| {
                let start = read.bytes.len();
                read.bytes.extend_from_slice(token);
                start..read.bytes.len()
            });
            read.places.push(place.ok_or_else(|| unreadable(&token, max_len).into()));
        }
        Ok(read)
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = std::result::Result<&[u8], Rejection>> {
        // Each range lies within the bytes.
        let bytes = |place: Range<usize>| self.bytes.get(place).ok_or(Malformation::NoToken.into());
        self.places.iter().map(move |place| place.clone().and_then(bytes))
    }
}
