//! Detects an HMAC secret that is in fact a key file. The file is most likely a public key, and
//! everyone who has it could sign (the confusion of RFC 8725 section 3.1).
//!
//! The check looks for marks of text files anywhere, and for binary keys at the beginning, also in
//! the bytes that a text stands for. Each pattern demands so many bits that fewer than one in 2⁴⁰
//! random secrets is refused. Bytes that look random pass: a bare Ed25519 key, a compressed point,
//! a modulus.

use aws_lc_rs::signature::{
    ECDSA_P256_SHA256_FIXED, ECDSA_P256K1_SHA256_FIXED, ECDSA_P384_SHA384_FIXED,
    ECDSA_P521_SHA512_FIXED, ParsedPublicKey,
};
use zeroize::Zeroizing;

use super::der::{
    BIT_STRING, INTEGER, OBJECT_IDENTIFIER, OCTET_STRING, SEQUENCE, element, elements,
};
use super::key_text::{any_reading, is_skipped};
use crate::error::Result;
use crate::jwt::token::json::scan_object;
use crate::secret::{Depth, TraceGuard};

/// Marks of text files: either end of PEM and RFC 4716, JWKs, the XML of .NET and of signatures
/// (RFC 3275 section 4.4), `PuTTY` files, and the names of OpenSSH key types. `ssh-ed25519` and
/// `ecdsa-sha2-` occur in public keys, private keys and keys of authenticators alike. OpenSSL
/// prints a key as the last five. White space between the characters does not count.
const MARKS: [&[u8]; 21] = [
    b"----BEGIN ",
    b"----END ",
    b"\"kty\":",
    b"RSAKeyValue",
    b"DSAKeyValue",
    b"ECKeyValue",
    b"<Modulus>",
    b"X509Certificate>",
    b"PuTTY-User-Key-File-",
    b"ssh-rsaAAAA",
    b"ssh-dssAAAA",
    b"ssh-ed25519",
    b"ecdsa-sha2-",
    b"BEGINPUBLICKEY",
    b"BEGINRSAPUBLICKEY",
    b"BEGINCERTIFICATE",
    b"Public-Key:(",
    b"Public-Key:pub:",
    b"Private-Key:(",
    b"Private-Key:priv:",
    b"Modulus=",
];
/// Members of a JWK, as printers of other languages write them: Python's `{'kty': 'RSA'}`, Ruby's
/// `{"kty"=>"EC"}`, Go's `map[kty:EC]`, YAML. Quotes do not count. The value is a part of it,
/// because the name alone has few bits.
const MEMBERS: [&[u8]; 15] = [
    b"kty:RSA",
    b"kty:EC",
    b"kty:OKP",
    b"kty:oct",
    b"kty:AKP",
    b"kty=RSA",
    b"kty=EC",
    b"kty=OKP",
    b"kty=oct",
    b"kty=AKP",
    b"kty=>RSA",
    b"kty=>EC",
    b"kty=>OKP",
    b"kty=>oct",
    b"kty=>AKP",
];
const QUOTES: &[u8] = b"'\"`";
/// The beginning of a binary key that carries an SSH type name (RFC 4253 section 6.6).
const SSH: &[u8] = b"\0\0\0\x07ssh-";
/// The beginnings of Java's key stores: JKS in two versions, and JCEKS.
const KEY_STORES: [&[u8]; 3] =
    [b"\xfe\xed\xfe\xed\0\0\0\x01", b"\xfe\xed\xfe\xed\0\0\0\x02", b"\xce\xce\xce\xce\0\0\0\x02"];
/// The beginning of each identifier of PKCS#7 (RFC 2315 section 14) in DER. PKCS#12 has one of them
/// in its first bytes, too (RFC 7292 section 4).
const PKCS7: &[u8] = b"\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x07";
/// In PKCS#7 and PKCS#12 the identifier ends before this, with lengths of up to four bytes.
const PKCS7_WITHIN: usize = 40;

/// The tags `[0]` and `[1]`, constructed.
const TAGGED: [u8; 2] = [0xa0, 0xa1];

/// How many encodings may be around one another, such as base64 of base64.
const ENCODINGS: usize = 3;

/// Whether a secret is a key file or, if it has at most `longest` bytes, a text that stands for
/// one. Errors as for [`any_reading`].
pub(super) fn looks_like_a_key_file(secret: &[u8], longest: usize) -> Result<bool> {
    let encodings = if secret.len() > longest { 0 } else { ENCODINGS };
    TraceGuard::run(Depth::Registers, |trace| is_encoded_key_file(secret, encodings, trace))
}

/// Whether `bytes` are a key file, in at most so many encodings.
fn is_encoded_key_file(bytes: &[u8], encodings: usize, trace: &TraceGuard) -> Result<bool> {
    if is_key_file(bytes) {
        return Ok(true);
    }
    let Some(fewer) = encodings.checked_sub(1) else { return Ok(false) };
    any_reading(bytes, trace, &mut |reading| is_encoded_key_file(reading, fewer, trace))
}

fn is_key_file(bytes: &[u8]) -> bool {
    // `0x30`, the first byte of DER, is the digit 0.
    let start = bytes.iter().position(|byte| !is_wrapping(*byte)).unwrap_or_default();
    MARKS.iter().any(|mark| has_text(bytes, mark, &[]))
        || MEMBERS.iter().any(|member| has_text(bytes, member, QUOTES))
        || bytes.starts_with(SSH)
        || is_json_key(bytes)
        || [bytes, &bytes[start..]].into_iter().any(is_binary_key)
}

/// Whether `bytes` begin with a key that is no text.
fn is_binary_key(bytes: &[u8]) -> bool {
    KEY_STORES.iter().any(|start| bytes.starts_with(start))
        || is_pkcs7(bytes)
        || is_der_key(bytes)
        || is_point(bytes)
}

/// Whether `text` is somewhere in `bytes`. White space, NUL bytes, backslashes and the bytes of
/// `skipped` in between do not count.
fn has_text(bytes: &[u8], text: &[u8], skipped: &[u8]) -> bool {
    let counts = |byte: u8| !is_skipped(byte) && byte != b'\\' && !skipped.contains(&byte);
    memchr::memchr_iter(text[0], bytes).any(|start| {
        let mut rest = bytes[start..].iter();
        text.iter()
            .all(|wanted| rest.find(|byte| *byte == wanted || counts(**byte)) == Some(wanted))
    })
}

/// Whether the byte may stand before a binary file in a text: white space, quotes, the `b` of
/// Python's bytes, a byte order mark.
fn is_wrapping(byte: u8) -> bool {
    is_skipped(byte) || QUOTES.contains(&byte) || matches!(byte, b'b' | 0xef | 0xbb | 0xbf)
}

/// Whether this is the JSON of a JWK or a JWK Set; escapes in the names of members do not hide it.
fn is_json_key(bytes: &[u8]) -> bool {
    let mut is_key = false;
    std::str::from_utf8(bytes)
        .ok()
        .and_then(|text| scan_object(text, |name, _| is_key |= name.is("kty") || name.is("keys")))
        .is_some()
        && is_key
}

/// Whether `bytes` begin with PKCS#7 or PKCS#12. Either may be BER, with indefinite lengths.
fn is_pkcs7(bytes: &[u8]) -> bool {
    let start = &bytes[..bytes.len().min(PKCS7_WITHIN)];
    start.first() == Some(&SEQUENCE) && memchr::memmem::find(start, PKCS7).is_some()
}

/// Whether `bytes` begin with a key or a certificate in DER.
fn is_der_key(bytes: &[u8]) -> bool {
    let Some((SEQUENCE, content, _)) = element(bytes) else { return false };
    let Some(parts) = elements(content) else { return false };
    match parts[..] {
        // PKCS#8; encrypted PKCS#8, or a SubjectPublicKeyInfo of whole bytes; certificates and
        // certificate requests (RFC 5280 section 4.1).
        [(INTEGER, [0 | 1]), (SEQUENCE, algorithm), (OCTET_STRING, _), ..]
        | [(SEQUENCE, algorithm), (OCTET_STRING, _) | (BIT_STRING, [0, ..])]
        | [(SEQUENCE, _), (SEQUENCE, algorithm), (BIT_STRING, [0, ..])] => is_identifier(algorithm),
        // RSAPublicKey: a positive modulus, and a small exponent.
        [(INTEGER, [0..=0x7f, modulus @ ..]), (INTEGER, exponent)] => {
            modulus.len() >= 63
                && (1..=8).contains(&exponent.len())
                && [modulus, exponent]
                    .iter()
                    .all(|number| number.last().is_some_and(|last| last % 2 == 1))
        }
        // ECPrivateKey.
        [(INTEGER, [1]), (OCTET_STRING, _), ref rest @ ..] => {
            rest.iter().all(|(tag, _)| TAGGED.contains(tag))
        }
        // RSAPrivateKey, and the keys of DSA.
        [(INTEGER, [0 | 1]), _, _, _, _, _, ..] => parts.iter().all(|(tag, _)| *tag == INTEGER),
        _ => false,
    }
}

/// An `AlgorithmIdentifier` (RFC 5280 section 4.1.1.2).
fn is_identifier(content: &[u8]) -> bool {
    matches!(
        elements(content).as_deref(),
        Some([(OBJECT_IDENTIFIER, _)] | [(OBJECT_IDENTIFIER, _), _])
    )
}

/// Whether this is an uncompressed point on one of the curves, or a hybrid one (X9.62 section
/// 4.3.6), which only begins differently, perhaps with white space after it. Random bytes never are
/// in practice.
fn is_point(bytes: &[u8]) -> bool {
    let end = bytes.iter().rposition(|byte| !is_skipped(*byte)).map_or(0, |last| last + 1);
    // The last bytes of a point may be those of white space.
    let lengths = [65, 97, 133].into_iter().filter(|length| (end..=bytes.len()).contains(length));
    lengths.into_iter().any(|length| is_bare_point(&bytes[..length]))
}

fn is_bare_point(bytes: &[u8]) -> bool {
    let (Some((4 | 6 | 7, coordinates)), length) = (bytes.split_first(), bytes.len()) else {
        return false;
    };
    let curves: &[_] = match length {
        65 => &[&ECDSA_P256_SHA256_FIXED, &ECDSA_P256K1_SHA256_FIXED],
        97 => &[&ECDSA_P384_SHA384_FIXED],
        133 => &[&ECDSA_P521_SHA512_FIXED],
        _ => return false,
    };
    let point = Zeroizing::new([&[4], coordinates].concat());
    curves.iter().any(|curve| ParsedPublicKey::new(*curve, &point).is_ok())
}
