//! The certificates here are put together byte by byte, so that each can be wrong in one place. The
//! tests in JavaScript read real ones, made with OpenSSL.

use super::*;

const URI: &str = "spiffe://example.org/web";

const SAN: &[u8] = &[0x55, 0x1d, 0x11];
const KEY_USAGE: &[u8] = &[0x55, 0x1d, 0x0f];
const BASIC: &[u8] = &[0x55, 0x1d, 0x13];
const PURPOSES: &[u8] = &[0x55, 0x1d, 0x25];
const KEY_IDENTIFIER: &[u8] = &[0x55, 0x1d, 0x0e];

const SERVER: &[u8] = &[0x06, 8, 0x2b, 6, 1, 5, 5, 7, 3, 1];
const CLIENT: &[u8] = &[0x06, 8, 0x2b, 6, 1, 5, 5, 7, 3, 2];
const ANY: &[u8] = &[0x06, 4, 0x55, 0x1d, 0x25, 0];

const TRUE: &[u8] = &[0x01, 1, 0xff];
const DIGITAL_SIGNATURE: &[u8] = &[0x03, 2, 7, 0x80];

fn tlv(tag: u8, content: &[u8]) -> Vec<u8> {
    let mut der = match u8::try_from(content.len()) {
        Ok(short @ 0..=0x7f) => vec![tag, short],
        Ok(byte) => vec![tag, 0x81, byte],
        Err(_) => {
            let [high, low] = u16::try_from(content.len()).unwrap().to_be_bytes();
            vec![tag, 0x82, high, low]
        }
    };
    der.extend(content);
    der
}

fn sequence(parts: &[&[u8]]) -> Vec<u8> {
    tlv(0x30, &parts.concat())
}

fn extension(oid: &[u8], critical: bool, value: &[u8]) -> Vec<u8> {
    let critical = if critical { TRUE } else { &[] };
    sequence(&[&tlv(0x06, oid), critical, &tlv(0x04, value)])
}

fn uri(text: &str) -> Vec<u8> {
    tlv(0x86, text.as_bytes())
}

fn names(names: &[Vec<u8>]) -> Vec<u8> {
    extension(SAN, false, &tlv(0x30, &names.concat()))
}

fn key_usage(bits: u8) -> Vec<u8> {
    extension(KEY_USAGE, true, &[0x03, 2, 0, bits])
}

/// The parts of a certificate; by default those of a proper leaf.
struct Leaf {
    version: u8,
    subject: Vec<u8>,
    extensions: Vec<Vec<u8>>,
}

impl Leaf {
    fn of(extensions: Vec<Vec<u8>>) -> Self {
        let name = sequence(&[&[0x06, 3, 0x55, 4, 3], &tlv(0x0c, b"web")]);
        Self { version: 2, subject: sequence(&[&tlv(0x31, &name)]), extensions }
    }

    /// A proper leaf with one more extension.
    fn with(extension: Vec<u8>) -> Self {
        Self::of(vec![extension, names(&[uri(URI)]), key_usage(0x80)])
    }

    fn der(&self) -> Vec<u8> {
        let ed25519 = sequence(&[&[0x06, 3, 0x2b, 0x65, 0x70]]);
        let date = tlv(0x17, b"200101000000Z");
        let bits = tlv(0x03, &[0; 33]);
        let version = tlv(0xa0, &[0x02, 1, self.version]);
        let extensions = tlv(0xa3, &tlv(0x30, &self.extensions.concat()));
        let signed = sequence(&[
            &version,
            &[0x02, 1, 1],
            &ed25519,
            &sequence(&[]),
            &sequence(&[&date, &date]),
            &self.subject,
            &sequence(&[&ed25519, &bits]),
            if self.extensions.is_empty() { &[] } else { &extensions },
        ]);
        sequence(&[&signed, &ed25519, &bits])
    }

    fn id(&self) -> Result<String> {
        id_of(&self.der(), Encoding::Der)
    }

    fn refused_for(&self, part: &str) {
        refused_for(self.id(), part);
    }
}

fn refused_for(result: Result<String>, part: &str) {
    let error = result.expect_err(part);
    assert_eq!(error.code, Code::SpiffeCertificate);
    assert!(error.message.contains(part), "{}", error.message);
}

fn leaf() -> Leaf {
    Leaf::of(vec![names(&[uri(URI)]), key_usage(0x80)])
}

#[test]
fn the_id_of_a_leaf_certificate_is_read() {
    let dns = tlv(0x82, b"web.example.org");
    let ip = tlv(0x87, &[127, 0, 0, 1]);
    for leaf in [
        leaf(),
        Leaf::of(vec![names(&[dns, uri(URI), ip]), key_usage(0x80)]),
        // keyEncipherment and keyAgreement are allowed.
        Leaf::of(vec![names(&[uri(URI)]), key_usage(0xa8)]),
        Leaf::with(extension(BASIC, true, &sequence(&[]))),
        Leaf::with(extension(PURPOSES, false, &sequence(&[CLIENT, SERVER, ANY]))),
        Leaf::with(extension(PURPOSES, true, &sequence(&[SERVER, CLIENT]))),
        Leaf::with(extension(KEY_IDENTIFIER, false, &tlv(0x04, &[1, 2]))),
    ] {
        assert_eq!(leaf.id().unwrap(), URI);
    }
}

#[test]
fn a_certificate_has_exactly_one_uri() {
    Leaf::of(vec![key_usage(0x80)]).refused_for("must have a subjectAltName");
    let of = |list: &[Vec<u8>]| Leaf::of(vec![names(list), key_usage(0x80)]);
    of(&[]).refused_for("exactly one URI");
    of(&[tlv(0x82, b"example.org")]).refused_for("exactly one URI");
    of(&[uri(URI), uri(URI)]).refused_for("exactly one URI");
    of(&[uri(URI), uri("https://example.org")]).refused_for("exactly one URI");
    // A name of another kind that looks like a URI in the text that Node makes of the names.
    of(&[tlv(0x82, b"a, URI:spiffe://example.org/web")]).refused_for("exactly one URI");
    of(&[uri("https://example.org/web")]).refused_for("spiffe://");
    of(&[uri("spiffe://example.org")]).refused_for("must have a path");
    of(&[uri("spiffe://example.org/")]).refused_for("slash");
    of(&[uri("spiffe://example.org/web\0")]).refused_for("letters");
    of(&[uri("spiffe://example.org/w\u{e9}b")]).refused_for("malformed");
}

#[test]
fn a_leaf_signs_but_not_certificates() {
    let with_usage = |usage| Leaf::of(vec![names(&[uri(URI)]), usage]);
    Leaf::of(vec![names(&[uri(URI)])]).refused_for("must have a keyUsage");
    with_usage(extension(KEY_USAGE, false, DIGITAL_SIGNATURE)).refused_for("critical");
    with_usage(key_usage(0x20)).refused_for("digitalSignature");
    with_usage(extension(KEY_USAGE, true, &[0x03, 1, 0])).refused_for("digitalSignature");
    with_usage(key_usage(0x84)).refused_for("keyCertSign");
    with_usage(key_usage(0x82)).refused_for("cRLSign");
    with_usage(extension(KEY_USAGE, true, &[0x04, 1, 0x80])).refused_for("malformed");
    Leaf::with(extension(BASIC, true, &sequence(&[TRUE]))).refused_for("cA must be false");
    Leaf::with(extension(BASIC, false, &sequence(&[TRUE]))).refused_for("cA must be false");
    Leaf::with(extension(BASIC, true, &sequence(&[&[0x02, 1, 0]]))).refused_for("pathLen");
}

#[test]
fn extended_key_usage_names_client_and_server_or_is_absent() {
    for purposes in [&[SERVER][..], &[CLIENT], &[ANY], &[]] {
        let part = "serverAuth and clientAuth";
        Leaf::with(extension(PURPOSES, false, &sequence(purposes))).refused_for(part);
    }
}

#[test]
fn an_empty_subject_makes_the_names_critical() {
    let mut leaf = leaf();
    leaf.subject = sequence(&[]);
    leaf.refused_for("must be critical if the subject is empty");
    leaf.extensions[0] = extension(SAN, true, &sequence(&[&uri(URI)]));
    assert_eq!(leaf.id().unwrap(), URI);
}

#[test]
fn an_extension_that_occurs_twice_is_refused() {
    for again in [names(&[uri(URI)]), key_usage(0x80)] {
        Leaf::with(again).refused_for("twice");
    }
    let mut leaf = Leaf::with(extension(KEY_IDENTIFIER, false, &tlv(0x04, &[1])));
    leaf.extensions.push(extension(KEY_IDENTIFIER, false, &tlv(0x04, &[2])));
    leaf.refused_for("twice");
}

#[test]
fn certificates_of_another_form_are_refused() {
    let mut old = leaf();
    old.version = 1;
    old.refused_for("version 3");
    Leaf::of(Vec::new()).refused_for("must have a keyUsage");

    let der = leaf().der();
    let refused = |der: &[u8]| refused_for(id_of(der, Encoding::Der), "must be one X.509");
    refused(&[&der[..], &[0]].concat());
    refused(&[&der[..], &der[..]].concat());
    refused(&tlv(0x30, &der));
    refused(b"");
    for length in 0..der.len() {
        refused(&der[..length]);
    }
    refused_for(id_of(&vec![0x30; MAX_LEN + 1], Encoding::Der), "64 KiB");
    refused_for(id_of(&vec![b'-'; 2 * MAX_LEN], Encoding::Pem), "64 KiB");
}

#[test]
fn changed_bytes_never_panic() {
    let der = leaf().der();
    for at in 0..der.len() {
        for bit in 0..8 {
            let mut bent = der.clone();
            bent[at] ^= 1 << bit;
            if let Ok(id) = id_of(&bent, Encoding::Der) {
                SpiffeId::parse(&id).unwrap();
            }
        }
    }
}

#[test]
fn pem_holds_exactly_one_certificate() {
    let pem = |label: &str| {
        pem_rfc7468::encode_string(label, pem_rfc7468::LineEnding::LF, &leaf().der()).unwrap()
    };
    let id = |text: &str| id_of(text.as_bytes(), Encoding::Pem);
    let one = pem("CERTIFICATE");
    for same in [&one, &format!("{one}\n \n"), one.trim_end(), &format!("Subject: web\n{one}")] {
        assert_eq!(id(same).unwrap(), URI);
    }
    refused_for(id_of(one.as_bytes(), Encoding::Der), "as a string");
    refused_for(id(&format!("{one}{one}")), "nothing else");
    refused_for(id(&pem("PUBLIC KEY")), "CERTIFICATE");
    refused_for(id(&one[..one.len() / 2]), "nothing else");
    refused_for(id(""), "nothing else");
}
