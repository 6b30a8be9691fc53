//! Nonces (RFC 9449 section 8). None is stored: a nonce is its time and a MAC of it.

use aws_lc_rs::constant_time::verify_slices_are_equal;
use ring::hmac;

use crate::jwt::base64url;

/// The length of the time and of the MAC, in bytes.
const TIME_LEN: usize = 8;
const MAC_LEN: usize = 16;

/// Makes and judges nonces.
pub(super) struct Nonces(hmac::Key);

impl Nonces {
    pub(super) fn new(key: &[u8; 32]) -> Self {
        Self(hmac::Key::new(hmac::HMAC_SHA256, key))
    }

    /// The nonce of a moment, in milliseconds since 1970.
    pub(super) fn at(&self, millis: u64) -> String {
        let mut bytes = [0; TIME_LEN + MAC_LEN];
        bytes[..TIME_LEN].copy_from_slice(&millis.to_be_bytes());
        let mac = self.mac(&bytes[..TIME_LEN]);
        bytes[TIME_LEN..].copy_from_slice(&mac);
        base64url::encode(&bytes)
    }

    /// The moment of a nonce; `None` if it is not of these.
    pub(super) fn time_of(&self, nonce: &str) -> Option<u64> {
        let bytes = base64url::decode(nonce.as_bytes())?;
        let (time, mac) = bytes.split_first_chunk::<TIME_LEN>()?;
        verify_slices_are_equal(&self.mac(time), mac).ok()?;
        Some(u64::from_be_bytes(*time))
    }

    fn mac(&self, time: &[u8]) -> [u8; MAC_LEN] {
        let mut mac = [0; MAC_LEN];
        mac.copy_from_slice(&hmac::sign(&self.0, time).as_ref()[..MAC_LEN]);
        mac
    }
}
