//! Hands secrets over to another thread: `share` and `adopt`.

use base64ct::{Base64UrlUnpadded, Encoding};
use napi::Env;
use napi::bindgen_prelude::Unknown;
use napi_derive::napi;

use super::buffer::SecretBuffer;
use crate::binding::args::{Arg, Outcome};
use crate::binding::guard;
use crate::secret::{HANDOVER_ID_LEN, handovers, unknown_handover};

/// Leaves the secret for the thread that presents the returned ticket.
#[napi(catch_unwind)]
pub(super) fn secret_share(env: &Env, secret: Unknown<'_>) -> napi::Result<Outcome<String>> {
    guard(env, || {
        let secret = Arg::new(env, &secret, "this").handle::<SecretBuffer>()?;
        Ok(Base64UrlUnpadded::encode_string(&handovers().leave(secret.get()?)?))
    })
}

/// Takes the secret that was left for a ticket and attaches it to the façade object `target`.
#[napi(catch_unwind)]
pub(super) fn secret_adopt(
    env: &Env,
    target: Unknown<'_>,
    ticket: Unknown<'_>,
) -> napi::Result<Outcome<()>> {
    guard(env, || {
        let text = Arg::new(env, &ticket, "ticket").string(0..=1024)?;
        let mut ticket = [0; HANDOVER_ID_LEN];
        let decoded = Base64UrlUnpadded::decode(&text, &mut ticket);
        if decoded.map(<[u8]>::len) != Ok(HANDOVER_ID_LEN) {
            return Err(unknown_handover().into());
        }
        let secret = handovers().take(&ticket)?;
        Arg::new(env, &target, "this").attach(SecretBuffer::keeping(secret))
    })
}
