//! The native half of `npm run ctgrind`: compares secrets that valgrind takes for uninitialized
//! memory. Memcheck reports every branch and every address that depends on such memory, and counts
//! the reports. A comparison in constant time has one: the answer, which is reported when it is
//! branched upon, or here.
//!
//! Prints a line for each comparison: its name, the place of the difference, and the count.

#![allow(clippy::expect_used, reason = "a failed expectation ends the program")]

use nodesec_native::jwt::{Algorithm, Key};
use nodesec_native::password::Digest;
use nodesec_native::secret::{Depth, SealKind, Secret, TraceGuard, ct_eq};

const LEN: usize = 32;
/// The places of a difference. At the last one there is none.
const PLACES: [usize; 5] = [0, 1, LEN / 2, LEN - 1, LEN];

/// A comparison of a secret with bytes that differ from it at a place.
type Comparison = fn(usize) -> bool;

const COMPARISONS: [(&str, Comparison); 6] = [
    ("control: == of slices", slices),
    ("ct_eq: secret.equals, tags of stores, marks of rows", constant),
    ("a secret in protected memory", protected),
    ("the tag of an Argon2 digest", digest),
    ("HMAC-SHA256 of a token", hmac),
    ("the tag of a sealed secret", seal),
];

fn main() {
    assert!(valgrind::is_running(), "run it under valgrind");
    for (name, compare) in COMPARISONS {
        for place in PLACES {
            let before = valgrind::reports();
            let is_equal = compare(place);
            let count = valgrind::reports() - before;
            assert!(is_equal == (place == LEN), "{name} at {place}");
            println!("{name}\t{place}\t{count}");
        }
    }
}

/// Bytes that differ from those of `secret` at a place.
fn other(place: usize) -> [u8; LEN] {
    let mut bytes = [7; LEN];
    if let Some(byte) = bytes.get_mut(place) {
        *byte ^= 1;
    }
    bytes
}

fn secret() -> [u8; LEN] {
    let mut bytes = [7; LEN];
    valgrind::make_undefined(&mut bytes);
    bytes
}

/// The answer, which is no secret.
fn answer(is_equal: bool) -> bool {
    valgrind::defined(is_equal)
}

fn slices(place: usize) -> bool {
    let (one, two) = (secret(), other(place));
    answer(std::hint::black_box(&one[..]) == std::hint::black_box(&two[..]))
}

fn constant(place: usize) -> bool {
    answer(ct_eq(&secret(), &other(place)))
}

fn protected(place: usize) -> bool {
    let secret = Secret::filled(LEN, |slot| {
        slot.fill(7);
        valgrind::make_undefined(slot);
        Ok(())
    });
    let secret = secret.expect("room");
    let is_equal =
        TraceGuard::run(Depth::Registers, |trace| ct_eq(secret.expose(trace), &other(place)));
    answer(is_equal)
}

fn digest(place: usize) -> bool {
    let text = "$argon2id$v=19$m=8,t=1,p=1$c29tZXNhbHQ$BwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwc";
    let digest = Digest::parse(text).expect("a digest").expect("Argon2");
    let mut tag = other(place);
    valgrind::make_undefined(&mut tag);
    answer(digest.matches(&tag))
}

/// The message is the secret here: then the right tag is one, too.
fn hmac(place: usize) -> bool {
    let key = Key::from_secret(&[9; LEN], Algorithm::Hs256, Some("k")).expect("a key");
    let mut message = *b"header.payload";
    let mut tag = Vec::new();
    key.sign_into(&message, &mut tag).expect("a tag");
    if let Some(byte) = tag.get_mut(place) {
        *byte ^= 1;
    }
    valgrind::make_undefined(&mut message);
    answer(key.verifies(&message, &tag))
}

/// The ciphertext is the secret here: then the right tag is one, too. Its last 16 bytes are the tag
/// that comes with it.
fn seal(place: usize) -> bool {
    let key = Secret::copy_from(&[9; LEN]).expect("a key");
    let content = Secret::copy_from(&[7; LEN]).expect("room");
    let mut sealed = content.seal(&key, SealKind::Secret, b"context").expect("room");
    let tag_at = sealed.len() - 16;
    if place < LEN {
        sealed[tag_at + place / 2] ^= 1;
    }
    valgrind::make_undefined(&mut sealed[tag_at - LEN..tag_at]);
    answer(Secret::unseal(&sealed, &key, SealKind::Secret, b"context").is_ok())
}

/// Requests to valgrind, as its manual defines them. Without valgrind they do nothing.
#[allow(unsafe_code, reason = "the instructions by which valgrind knows a request")]
mod valgrind {
    const RUNNING: u64 = 0x1001;
    const COUNT_ERRORS: u64 = 0x1201;
    const MAKE_UNDEFINED: u64 = 0x4d43_0001;
    const MAKE_DEFINED: u64 = 0x4d43_0002;
    const CHECK_DEFINED: u64 = 0x4d43_0005;

    pub(crate) fn is_running() -> bool {
        request(RUNNING, 0, 0) != 0
    }

    /// The number of reports so far.
    pub(crate) fn reports() -> u64 {
        request(COUNT_ERRORS, 0, 0)
    }

    pub(crate) fn make_undefined(bytes: &mut [u8]) {
        request(MAKE_UNDEFINED, bytes.as_mut_ptr() as u64, bytes.len() as u64);
    }

    /// The value, which may be branched upon from now on. It is reported if it depends on a secret
    /// and was not branched upon yet.
    pub(crate) fn defined(value: bool) -> bool {
        let mut value = value;
        request(CHECK_DEFINED, &raw mut value as u64, 1);
        request(MAKE_DEFINED, &raw mut value as u64, 1);
        value
    }

    #[cfg(not(target_arch = "x86_64"))]
    fn request(_: u64, _: u64, _: u64) -> u64 {
        0
    }

    #[cfg(target_arch = "x86_64")]
    #[inline(never)]
    fn request(number: u64, first: u64, second: u64) -> u64 {
        let arguments = [number, first, second, 0, 0, 0];
        let mut result = 0;
        // SAFETY: the rotations add up to 128, and the exchange is of a register with itself, so
        // nothing but the result changes. Valgrind reads the arguments, which live until then.
        unsafe {
            std::arch::asm!(
                "rol rdi, 3",
                "rol rdi, 13",
                "rol rdi, 61",
                "rol rdi, 51",
                "xchg rbx, rbx",
                in("rax") arguments.as_ptr(),
                inlateout("rdx") result,
                in("rdi") 0_u64,
            );
        }
        result
    }
}
