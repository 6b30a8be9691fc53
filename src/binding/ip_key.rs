//! `ipKey`.

use std::mem::MaybeUninit;
use std::sync::Arc;

use napi::bindgen_prelude::Unknown;
use napi::{Env, sys};
use napi_derive::napi;

use super::args::handle::Handle;
use super::args::{Outcome, Result, options};
use super::fast::{Hot, RawCall, bind};
use super::guard;
use crate::ip_key::{MAX_LEN, Prefixes, ip_key};

options! {
    /// The options of `ipKey`.
    pub(super) struct IpKeyOptions for "ipKey" {
        /// The bits of an IPv4 address.
        ipv4("ipv4Prefix"): u32 = default(Prefixes::default().ipv4, |bits| bits.integer32(8..=32)),
        /// The bits of an IPv6 address.
        ipv6("ipv6Prefix"): u32 = default(Prefixes::default().ipv6, |bits| bits.integer32(16..=128)),
    }
}

/// `(ip, options?) => string`
struct IpKey;

impl Handle for IpKey {
    const TAG: u128 = 0x6f1d_1c2a_7b54_4e0e_8d0a_93f1_52ce_4471;
    const CLASS: &'static str = "ipKey";
}

impl Hot for IpKey {
    const NAME: &'static str = "ipKey";
    const ARGUMENTS: usize = 2;

    fn call(&self, call: &RawCall) -> Result<sys::napi_value> {
        let IpKeyOptions { ipv4, ipv6 } = call.argument(1, "options").read()?;
        // A text that does not fit is longer than any address.
        let mut buffer = [MaybeUninit::uninit(); MAX_LEN];
        let text = call.argument(0, "ip").utf8_in(&mut buffer)?.unwrap_or_default();
        let text = std::str::from_utf8(text).unwrap_or_default();
        call.string(ip_key(text, Prefixes { ipv4, ipv6 })?.as_bytes())
    }
}

/// The function `ipKey`.
#[napi(catch_unwind)]
pub(super) fn ip_key_bind(env: &Env) -> napi::Result<Outcome<Unknown<'_>>> {
    guard(env, || bind(env, Arc::new(IpKey)))
}
