//! The traces of a private key in memory, during its life and after it. The test searches this
//! process through `/proc/self/mem`.

use std::fs::{self, File};
use std::os::unix::fs::FileExt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use base64ct::Encoding;
use secrecy::ExposeSecret;
use zeroize::Zeroizing;

use super::*;
use crate::secret::parsed_key_count;

/// Masks the needle, so that a search does not find the needle itself.
const MASK: u8 = 0x5a;
/// The length of the needle in bytes: long enough to exclude chance.
const LEN: usize = 24;

/// A search copies memory, so the search of another test would leave copies of the key.
static SEARCHES: Mutex<()> = Mutex::new(());

/// Part of a secret number, masked.
struct Needle([u8; LEN], #[expect(dead_code, reason = "held")] MutexGuard<'static, ()>);

impl Needle {
    /// How often the number is in memory that can be read. Both byte orders count, because numbers
    /// are stored as words, the least significant first.
    fn count(&self) -> usize {
        let memory = File::open("/proc/self/mem").unwrap();
        let mut chunk = vec![0; 1 << 20];
        let own = chunk.as_ptr().addr()..chunk.as_ptr().addr() + chunk.len();
        let mut count = 0;
        for (start, end) in writable_ranges() {
            // Each chunk overlaps the next one, to find a number that lies across the two.
            for at in (start..end).step_by(chunk.len() - (LEN - 1)) {
                let length = chunk.len().min(end - at);
                // Secret memory cannot be read, nor can memory that has been unmapped since.
                let read = memory.read_at(&mut chunk[..length], at as u64).unwrap_or(0);
                let windows = chunk[..read].windows(LEN).enumerate();
                count += windows
                    .filter(|(i, window)| !own.contains(&(at + i)) && self.is(window))
                    .count();
            }
        }
        chunk.fill(0);
        count
    }

    fn is(&self, window: &[u8]) -> bool {
        let forward = window.iter().zip(&self.0).all(|(byte, masked)| byte ^ MASK == *masked);
        forward
            || window.iter().zip(self.0.iter().rev()).all(|(byte, masked)| byte ^ MASK == *masked)
    }
}

fn writable_ranges() -> Vec<(usize, usize)> {
    let maps = fs::read_to_string("/proc/self/maps").unwrap();
    let writable = maps.lines().filter(|line| line.split(' ').nth(1).unwrap().starts_with("rw"));
    let range = |line: &str| {
        let (start, end) = line.split(' ').next().unwrap().split_once('-').unwrap();
        let number = |text| usize::from_str_radix(text, 16).unwrap();
        (number(start), number(end))
    };
    writable.map(range).collect()
}

/// The contents of consecutive DER elements.
fn elements(mut der: &[u8]) -> Vec<&[u8]> {
    let mut found = Vec::new();
    while let [_, first, rest @ ..] = der {
        let extra = usize::from(first.saturating_sub(0x80)) * usize::from(*first > 0x80);
        let (length, rest) = rest.split_at(extra);
        let length = if extra == 0 {
            usize::from(*first)
        } else {
            length.iter().fold(0, |l, b| l << 8 | usize::from(*b))
        };
        let (content, rest) = rest.split_at(length);
        found.push(content);
        der = rest;
    }
    found
}

/// The number of a key pair that must stay secret.
fn secret_number(pkcs8: &[u8], algorithm: Algorithm) -> &[u8] {
    let inner = elements(elements(pkcs8)[0])[2];
    match algorithm {
        Algorithm::EdDsa => elements(inner)[0],
        Algorithm::Es256 | Algorithm::Es384 | Algorithm::Es512 => elements(elements(inner)[0])[1],
        // A prime, without the byte for the sign.
        _ => &elements(elements(inner)[0])[4][1..],
    }
}

/// The key as PEM. A search does not find the number in it, because base64 hides the bytes.
fn pem(pkcs8: &[u8]) -> Zeroizing<String> {
    let text = Zeroizing::new(base64ct::Base64::encode_string(pkcs8));
    let lines = text.len().div_ceil(64);
    // The string is allocated in one step: a string that moves leaves a copy behind.
    let mut pem = Zeroizing::new(String::with_capacity(text.len() + lines + 64));
    pem.push_str("-----BEGIN PRIVATE KEY-----\n");
    for line in text.as_bytes().chunks(64) {
        pem.push_str(str::from_utf8(line).unwrap());
        pem.push('\n');
    }
    pem.push_str("-----END PRIVATE KEY-----\n");
    pem
}

/// A key pair, and the needle to search for.
fn pair(algorithm: Algorithm) -> (Key, Needle) {
    let alone = SEARCHES.lock().unwrap_or_else(PoisonError::into_inner);
    let key = Key::generate(algorithm, None, None).unwrap();
    let needle = {
        let secret = secret_number(key.original().unwrap().expose_secret(), algorithm);
        Needle(std::array::from_fn(|i| secret[i] ^ MASK), alone)
    };
    (key, needle)
}

const PAIRS: [Algorithm; 5] =
    [Algorithm::EdDsa, Algorithm::Es256, Algorithm::Es384, Algorithm::Es512, Algorithm::Rs256];

#[test]
fn nothing_is_left_of_a_private_key() {
    for algorithm in PAIRS {
        let (key, needle) = pair(algorithm);
        // The search finds the form that the library parsed, so the search works.
        assert!(needle.count() > 0 && parsed_key_count() > 0, "{algorithm:?}");
        for _ in 0..3 {
            key.sign_into(b"message", &mut Vec::new()).unwrap();
        }
        drop(key);
        assert_eq!(needle.count(), 0, "{algorithm:?}");
    }
}

#[test]
fn nothing_is_left_of_a_private_key_that_was_read() {
    for algorithm in PAIRS {
        let (key, needle) = pair(algorithm);
        let pem = pem(key.original().unwrap().expose_secret());
        let read = Key::from_pem(pem.as_bytes(), algorithm, None).unwrap();
        assert_eq!(read.kid(), key.kid());
        drop(key);
        assert!(needle.count() > 0, "{algorithm:?}");
        drop(read);
        assert_eq!(needle.count(), 0, "{algorithm:?}");
    }
}

#[test]
fn a_key_is_made_again_from_its_original() {
    for algorithm in PAIRS {
        let (key, _) = pair(algorithm);
        let original = key.original().unwrap().expose_secret();
        let again = Key::from_pkcs8(original, algorithm, None).unwrap();
        assert_eq!(again.public_jwk(), key.public_jwk());
        assert!(again.original().unwrap().ct_eq(original));
        assert!(Arc::new(again).without_private().original().is_none());
    }
    let key = Key::generate(Algorithm::Hs256, None, None).unwrap();
    let again = Key::from_secret(key.original().unwrap().expose_secret(), Algorithm::Hs256, None);
    let mut tag = Vec::new();
    again.unwrap().sign_into(b"message", &mut tag).unwrap();
    assert!(key.verifies(b"message", &tag));
}

/// A ring that signs with a key pair, a verifier that has verified its token, and the token.
fn used(key: Key) -> (Arc<KeyRing>, Verifier, String) {
    let clock = Arc::new(ManualClock::at(NOW));
    let ring = KeyRing::new(RingOptions::default(), clock.clone()).unwrap();
    ring.add(&Arc::new(key), None).unwrap();
    let issuer = Issuer::new(plain(KeySource::Ring(ring.clone())), clock.clone()).unwrap();
    let token = issue(&issuer, "{}", &Overrides::default()).unwrap();
    let verifier = Verifier::new(lax(KeySource::Ring(ring.clone())), clock).unwrap();
    assert!(verify(&verifier, &token).is_ok());
    (ring, verifier, token)
}

#[test]
fn nothing_is_left_of_a_private_key_that_retires() {
    for algorithm in [Algorithm::EdDsa, Algorithm::Es256, Algorithm::Rs256] {
        let (key, needle) = pair(algorithm);
        let (ring, verifier, token) = used(key);
        assert!(needle.count() > 0, "{algorithm:?}");
        ring.add(&Arc::new(other_key(Algorithm::EdDsa)), Some(KeyState::Active)).unwrap();
        assert_eq!(needle.count(), 0, "{algorithm:?}");
        assert!(verify(&verifier, &token).is_ok());
    }
}

#[test]
fn nothing_is_left_of_a_private_key_that_is_revoked() {
    for algorithm in [Algorithm::EdDsa, Algorithm::Es256, Algorithm::Rs256] {
        let (key, needle) = pair(algorithm);
        let kid = key.kid().to_owned();
        let (ring, verifier, token) = used(key);
        assert!(needle.count() > 0, "{algorithm:?}");
        ring.revoke(&kid).unwrap();
        assert_eq!(needle.count(), 0, "{algorithm:?}");
        assert_eq!(verify(&verifier, &token), Err(Rejection::KeyRevoked));
    }
}
