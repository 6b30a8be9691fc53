//! The calls of every request, as raw N-API functions.
//!
//! `bind` makes a JavaScript function that carries an `Arc` of the core's object as its data; the
//! façade keeps it in a private field. A call then costs one string copy into a buffer of this
//! thread, the work, and one primitive out: no class borrow, no `String`, no exception for what is
//! an ordinary answer. The data lives as long as the function does, since Node-API releases it in
//! the function's finalizer, and a function that runs is alive. Each environment binds its own.

use std::cell::RefCell;
use std::ffi::c_void;
use std::mem::MaybeUninit;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::ptr;
use std::sync::Arc;

use napi::bindgen_prelude::{FromNapiValue, Unknown};
use napi::{Env, sys};

use super::args::handle::{Handle, release};
use super::args::{Arg, Fault, Result};
use super::internal;
use super::limiter::{MAX_KEY_LEN, RateLimiter};
use super::secret::SecretBuffer;
use crate::jwt::{Answer, Issuer, MAX_TOKEN_LEN, Overrides, Rejection, Scratch, Verifier};
use crate::limiter::{Decision, MAX_UNITS};
use crate::revocation::{Query, RevocationList};

/// A call of every request on an object of the core.
pub trait Hot: Handle {
    /// The function's name in stack traces.
    const NAME: &'static str;
    /// How many arguments are read, at most [`MAX_ARGUMENTS`].
    const ARGUMENTS: usize;

    /// The call.
    fn call(&self, call: &Call) -> Result<sys::napi_value>;
}

const MAX_ARGUMENTS: usize = 6;

/// The environment and the arguments of a call.
pub struct Call {
    env: sys::napi_env,
    /// How many arguments were given, which may be more than are read.
    count: usize,
    arguments: [sys::napi_value; MAX_ARGUMENTS],
}

/// A function that performs `T`'s call on `object`.
pub fn bind<T: Hot>(env: &Env, object: Arc<T>) -> Result<Unknown<'_>> {
    let mut function = ptr::null_mut();
    let data = Arc::into_raw(object).cast_mut().cast::<c_void>();
    // SAFETY: `env` is that of the current call and the name is valid for its length. The strong
    // count in `data` belongs to the function's finalizer once that is registered, and is given
    // back here until then.
    unsafe {
        let created = sys::napi_create_function(
            env.raw(),
            T::NAME.as_ptr().cast(),
            T::NAME.len().cast_signed(),
            Some(run::<T>),
            data,
            &raw mut function,
        );
        let registered = created == sys::Status::napi_ok
            && sys::napi_add_finalizer(
                env.raw(),
                function,
                data,
                Some(release::<T>),
                ptr::null_mut(),
                ptr::null_mut(),
            ) == sys::Status::napi_ok;
        if !registered {
            release::<T>(env.raw(), data, ptr::null_mut());
            return Err(internal().into());
        }
        Unknown::from_napi_value(env.raw(), function).map_err(|_| internal().into())
    }
}

/// # Safety
///
/// Called by Node-API only, as a function that `bind::<T>` made.
unsafe extern "C" fn run<T: Hot>(
    env: sys::napi_env,
    info: sys::napi_callback_info,
) -> sys::napi_value {
    let mut count = T::ARGUMENTS;
    let mut arguments = [ptr::null_mut(); MAX_ARGUMENTS];
    let mut data = ptr::null_mut();
    // SAFETY: `arguments` has room for `count` values, which Node-API fills up with `undefined`.
    let status = unsafe {
        sys::napi_get_cb_info(
            env,
            info,
            &raw mut count,
            arguments.as_mut_ptr(),
            ptr::null_mut(),
            &raw mut data,
        )
    };
    if status != sys::Status::napi_ok {
        return ptr::null_mut();
    }
    // SAFETY: `bind::<T>` stored a pointer from `Arc::<T>::into_raw`, whose count the function
    // holds until it is collected, which it cannot be while it runs.
    let object = unsafe { &*data.cast::<T>() };
    let call = Call { env, count, arguments };
    match catch_unwind(AssertUnwindSafe(|| object.call(&call))) {
        Ok(Ok(value)) => return value,
        Ok(Err(fault)) => fault.throw(env),
        Err(_) => Fault::from(internal()).throw(env),
    }
    ptr::null_mut()
}

/// `(key, cost?) => boolean`
pub struct Check(pub Arc<RateLimiter>);

impl Handle for Check {
    const TAG: u128 = 0x7c2f_3c0e_0f5c_4d0c_9a39_2ab0_56d6_8f01;
    const CLASS: &'static str = RateLimiter::CLASS;
}

impl Hot for Check {
    const NAME: &'static str = "check";
    const ARGUMENTS: usize = 2;

    fn call(&self, call: &Call) -> Result<sys::napi_value> {
        let cost = call.cost(1)?;
        let allowed = call.with_key(0, |key| Ok(self.0.limiter.check(key, cost)?))?;
        call.boolean(allowed)
    }
}

/// `(key, cost, out: Float64Array) => boolean`: out is remaining, retryAfterMs, resetMs.
pub struct Consume(pub Arc<RateLimiter>);

impl Handle for Consume {
    const TAG: u128 = 0x3ba1_4e83_96a8_4b5b_8b1f_7c5c_8ff2_4c02;
    const CLASS: &'static str = RateLimiter::CLASS;
}

impl Hot for Consume {
    const NAME: &'static str = "consume";
    const ARGUMENTS: usize = 3;

    fn call(&self, call: &Call) -> Result<sys::napi_value> {
        let cost = call.cost(1)?;
        let decision = call.with_key(0, |key| Ok(self.0.limiter.consume(key, cost)?))?;
        call.decision(2, &decision)
    }
}

/// `(key, out: Float64Array) => boolean`
pub struct Peek(pub Arc<RateLimiter>);

impl Handle for Peek {
    const TAG: u128 = 0x90d8_5b52_4d3c_4a86_a1be_6c53_4e0f_7703;
    const CLASS: &'static str = RateLimiter::CLASS;
}

impl Hot for Peek {
    const NAME: &'static str = "peek";
    const ARGUMENTS: usize = 2;

    fn call(&self, call: &Call) -> Result<sys::napi_value> {
        let decision = call.with_key(0, |key| Ok(self.0.limiter.peek(key)))?;
        call.decision(1, &decision)
    }
}

/// `(token, out?: Float64Array) => string | number`: the payload's JSON, or the status of the
/// rejection. With `out` it is for a façade that keeps by slot what it makes of payloads: `out` is
/// then the slot of a payload, or -1, and below 0 is the complement of a slot whose payload it has.
impl Hot for Verifier {
    const NAME: &'static str = "verify";
    const ARGUMENTS: usize = 2;

    fn call(&self, call: &Call) -> Result<sys::napi_value> {
        with_buffers(|buffers| {
            // Not a string, or too long, or not ASCII: no token, which is an answer.
            let Buffers { units, token, scratch, .. } = buffers;
            let token = call.argument(0, "token").ascii_in(units, token).ok().flatten();
            let token = token.ok_or(Rejection::Malformed);
            let answer = if call.count < 2 {
                token
                    .and_then(|token| self.verify(token, scratch))
                    .map(|payload| Answer::Payload(payload, None))
            } else {
                token.and_then(|token| self.verify_holding(token, scratch))
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
        })
    }
}

/// `(claims: JSON text) => token`
impl Hot for Issuer {
    const NAME: &'static str = "sign";
    const ARGUMENTS: usize = 1;

    fn call(&self, call: &Call) -> Result<sys::napi_value> {
        with_buffers(|buffers| {
            let claims = call.argument(0, "claims");
            let text = claims.utf8_in(&mut buffers.text)?;
            let text = text.and_then(|text| std::str::from_utf8(text).ok()).ok_or_else(|| {
                claims.out_of_range(format!("less than {MAX_TOKEN_LEN} bytes as JSON"))
            })?;
            let Buffers { payload, token, .. } = buffers;
            self.sign_into(text, &Overrides::default(), payload, token)?;
            call.string(token)
        })
    }
}

/// `(jti, sid, sub, iat, kid, iss) => boolean`
impl Hot for RevocationList {
    const NAME: &'static str = "isRevoked";
    const ARGUMENTS: usize = 6;

    fn call(&self, call: &Call) -> Result<sys::napi_value> {
        let text = |index, name| -> Result<Option<String>> {
            let argument = call.argument(index, name);
            argument.present()?.map(|text| text.string(0..=MAX_TOKEN_LEN)).transpose()
        };
        let issued_at = call.argument(3, "claims.iat").present()?.map(|iat| iat.numeric_date());
        let (id, session, subject) =
            (text(0, "claims.jti")?, text(1, "claims.sid")?, text(2, "claims.sub")?);
        let (kid, issuer) = (text(4, "claims.kid")?, text(5, "claims.iss")?);
        let revoked = self.is_revoked(&Query {
            issuer: issuer.as_deref(),
            id: id.as_deref(),
            session: session.as_deref(),
            subject: subject.as_deref(),
            issued_at: issued_at.transpose()?,
            kid: kid.as_deref(),
        })?;
        call.boolean(revoked)
    }
}

/// `(other) => boolean`
impl Hot for SecretBuffer {
    const NAME: &'static str = "equals";
    const ARGUMENTS: usize = 1;

    fn call(&self, call: &Call) -> Result<sys::napi_value> {
        let other = call.argument(0, "other");
        call.boolean(other.with_key(0..=usize::MAX, |other| self.ct_eq(other))?)
    }
}

/// Working space of a JavaScript thread. Nothing here calls JavaScript while it is borrowed.
struct Buffers {
    text: Box<[MaybeUninit<u8>]>,
    units: Box<[u16]>,
    scratch: Scratch,
    payload: Vec<u8>,
    token: Vec<u8>,
}

thread_local! {
    static BUFFERS: RefCell<Buffers> = RefCell::new(Buffers {
        // Room for the longest token and for `utf8_in` to see that one is longer.
        text: Box::new_uninit_slice(MAX_TOKEN_LEN + 8),
        // Room for the longest token, a NUL, and for `ascii_in` to see that one is longer.
        units: vec![0; MAX_TOKEN_LEN + 2].into(),
        scratch: Scratch::default(),
        payload: Vec::new(),
        token: Vec::new(),
    });
}

fn with_buffers<T>(body: impl FnOnce(&mut Buffers) -> Result<T>) -> Result<T> {
    BUFFERS.with(|buffers| match buffers.try_borrow_mut() {
        Ok(mut buffers) => body(&mut buffers),
        Err(_) => Err(internal().into()),
    })
}

impl Call {
    fn argument<'a>(&self, index: usize, name: &'a str) -> Arg<'a> {
        Arg::of_call(self.env, self.arguments[index], name)
    }

    /// A limiter's key: a string, hashed in place, or a `Uint8Array`.
    fn with_key<T>(&self, index: usize, body: impl FnOnce(&[u8]) -> Result<T>) -> Result<T> {
        let key = self.argument(index, "key");
        let mut buffer = [MaybeUninit::uninit(); 256];
        match key.utf8_in(&mut buffer) {
            Ok(Some(bytes)) if !bytes.is_empty() => {
                key.check_well_formed(bytes)?;
                body(bytes)
            }
            Ok(_) => body(key.string(1..=MAX_KEY_LEN)?.as_bytes()),
            Err(_) => key.with_bytes_or("a string or a Uint8Array", 1..=MAX_KEY_LEN, body),
        }
    }

    fn cost(&self, index: usize) -> Result<u32> {
        if self.count <= index {
            return Ok(1);
        }
        match self.argument(index, "cost").present()? {
            Some(cost) => cost.integer32(1..=MAX_UNITS),
            None => Ok(1),
        }
    }

    #[expect(clippy::cast_precision_loss, reason = "nanoseconds to fractional milliseconds")]
    fn decision(&self, out: usize, decision: &Decision) -> Result<sys::napi_value> {
        let values = [
            f64::from(decision.remaining),
            decision.retry_after_ns as f64 / 1e6,
            decision.reset_ns as f64 / 1e6,
        ];
        self.argument(out, "out").fill(&values)?;
        self.boolean(decision.allowed)
    }

    fn boolean(&self, value: bool) -> Result<sys::napi_value> {
        // SAFETY: `env` is that of the running callback.
        self.made(|result| unsafe { sys::napi_get_boolean(self.env, value, result) })
    }

    fn number(&self, value: f64) -> Result<sys::napi_value> {
        // SAFETY: `env` is that of the running callback.
        self.made(|result| unsafe { sys::napi_create_double(self.env, value, result) })
    }

    /// A string from UTF-8; ASCII, which tokens are, goes the shorter way.
    fn string(&self, text: &[u8]) -> Result<sys::napi_value> {
        let (start, length) = (text.as_ptr().cast(), text.len().cast_signed());
        if text.is_ascii() {
            // SAFETY: `env` is that of the running callback, the text is valid for its length.
            self.made(|result| unsafe {
                sys::napi_create_string_latin1(self.env, start, length, result)
            })
        } else {
            // SAFETY: as above.
            self.made(|result| unsafe {
                sys::napi_create_string_utf8(self.env, start, length, result)
            })
        }
    }

    #[expect(clippy::unused_self, reason = "one of the ways to make a result")]
    fn made(
        &self,
        make: impl FnOnce(*mut sys::napi_value) -> sys::napi_status,
    ) -> Result<sys::napi_value> {
        let mut value = ptr::null_mut();
        match make(&raw mut value) {
            sys::Status::napi_ok => Ok(value),
            _ => Err(internal().into()),
        }
    }
}
