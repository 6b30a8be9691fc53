//! Answers of calls that may have to write to a store first.

use napi::bindgen_prelude::{Either, Either3, Object, ToNapiValue};
use napi::{Env, JsDeferred};
use napi_derive::napi;

use crate::binding::args::{Outcome, Result, internal};
use crate::binding::guard;
use crate::session::Attempt;

/// The answer for which the façade calls again after other work had a turn.
#[napi]
#[allow(unreachable_pub, reason = "napi-rs exports public constants only")]
pub const SESSIONS_AGAIN: u32 = 0;
/// The answer for which the façade awaits `sessionsCatchUp` and calls again.
#[napi]
#[allow(unreachable_pub, reason = "napi-rs exports public constants only")]
pub const SESSIONS_BEHIND: u32 = 1;

/// A value, a number for which the façade calls again, or a promise of one of these.
pub(super) type Answer<'env, N> = Either3<N, u32, Object<'env>>;

type Settled<N> = Outcome<Either<N, u32>>;
type Settle<N> = Box<dyn FnOnce(Env) -> napi::Result<Settled<N>> + Send>;

/// The answer of a call, whose value `convert` converts. If the environment has ended before the
/// changes are written, the result is dropped.
pub(super) fn answer<T: Send + 'static, N: ToNapiValue + 'static>(
    env: &Env,
    attempt: Attempt<T>,
    convert: fn(T) -> N,
) -> Result<Answer<'_, N>> {
    let writing = match attempt {
        Attempt::Done(value) => return Ok(Either3::A(convert(value))),
        Attempt::Again => return Ok(Either3::B(SESSIONS_AGAIN)),
        Attempt::Behind => return Ok(Either3::B(SESSIONS_BEHIND)),
        Attempt::Writes(writing) => writing,
    };
    let made: napi::Result<(JsDeferred<Settled<N>, Settle<N>>, _)> = env.create_deferred();
    let Ok((deferred, promise)) = made else {
        // Those who wait for the changes must not wait forever.
        writing.start(drop);
        return Err(internal().into());
    };
    writing.start(move |result| {
        let value = move || {
            Ok(match result? {
                Attempt::Done(value) => Either::A(convert(value)),
                Attempt::Behind => Either::B(SESSIONS_BEHIND),
                Attempt::Again | Attempt::Writes(_) => Either::B(SESSIONS_AGAIN),
            })
        };
        deferred.resolve(Box::new(move |env| guard(&env, value)));
    });
    Ok(Either3::C(promise))
}
