//! Import and export of keys: secrets, PEM files, ids, and the bytes that must never leave.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::Value;

use super::*;
use crate::testing::vectors::cases;

const HS256: Algorithm = Algorithm::Hs256;

/// The cases of `keys.json`, each once for every algorithm that it is for.
fn pems(refused: bool) -> Vec<(Algorithm, Value)> {
    let cases = cases("keys").into_iter().filter(|case| case["refused"].is_null() != refused);
    cases
        .flat_map(|case| {
            let named = |alg: &&Algorithm| {
                case["algs"].as_array().unwrap().iter().any(|name| name == alg.name())
            };
            let algorithms: Vec<_> = Algorithm::ALL.iter().filter(named).copied().collect();
            assert_eq!(algorithms.len(), case["algs"].as_array().unwrap().len(), "{case}");
            algorithms.into_iter().map(move |algorithm| (algorithm, case.clone()))
        })
        .collect()
}

#[test]
fn pem_files_of_every_form_are_read() {
    for (algorithm, case) in pems(false) {
        let key = Key::from_pem(text(&case, "pem").as_bytes(), algorithm, None).unwrap();
        assert_eq!((key.algorithm(), key.is_private()), (algorithm, case["private"] == true));
        assert_eq!(key.kid(), text(&case, "kid"), "{case}");
        // The public half in each form verifies a signature by the private half in any other form.
        let mut signature = Vec::new();
        if key.is_private() {
            key.sign_into(b"message", &mut signature).unwrap();
            for (_, other) in pems(false).iter().filter(|(other, _)| *other == algorithm) {
                let same = text(other, "kid") == key.kid();
                let other = Key::from_pem(text(other, "pem").as_bytes(), algorithm, None).unwrap();
                assert_eq!(other.verifies(b"message", &signature), same);
            }
        } else {
            let failed = key.sign_into(b"message", &mut signature);
            assert_eq!((code(failed), signature.len()), (Some(Code::JwtKey), 0));
        }
    }
}

/// The cases include bytes after the DER, an RSA key restricted to PSS with SHA-512 (RFC 4055
/// section 1.2), and a bare PKCS#1 key that is labelled SPKI.
#[test]
fn pem_files_that_are_not_this_key_are_refused() {
    let refused = pems(true);
    assert!(refused.len() > 60);
    let read: Vec<_> = refused
        .iter()
        .filter(|(algorithm, case)| {
            let read = Key::from_pem(text(case, "pem").as_bytes(), *algorithm, Some("k"));
            code(read) != Some(Code::JwtKey)
        })
        .map(|(algorithm, case)| format!("{} as {}", text(case, "name"), algorithm.name()))
        .collect();
    assert!(read.is_empty(), "{read:#?}");
}

/// The base64 of a PEM's only section, as `x5c` has it.
fn section_of(pem: &str) -> String {
    pem.lines().filter(|line| !line.starts_with("-----")).collect()
}

#[test]
fn messages_about_der_name_the_remedy() {
    let pem = |name| text(&named("keys", name), "pem").to_owned();
    let der = |pem: &str| STANDARD.decode(section_of(pem)).unwrap();
    let (key, certificate) = (pem("ed25519 spki"), pem("certificate"));
    for (file, remedy) in [
        (der(&certificate), "JwtKey.fromCertificate"),
        (key.clone().into_bytes(), "fromPem"),
        (section_of(&key).into_bytes(), "Buffer.from(text, 'base64')"),
        (der(&pem("certificate request")), "not a valid EdDSA key"),
        (der(&pem("p-256 spki, explicit parameters")), "not a valid EdDSA key"),
    ] {
        let error = Key::open_der(&file, None, Algorithm::EdDsa, None).unwrap_err();
        assert!(error.code == Code::JwtKey && error.message.contains(remedy), "{error}");
    }
    let explicit = der(&pem("p-256 spki, explicit parameters"));
    let error = Key::open_der(&explicit, None, Algorithm::Es256, None).unwrap_err();
    assert!(error.message.contains("-param_enc named_curve"), "{error}");
    let error = Key::from_certificate(&der(&key), Algorithm::EdDsa, None).unwrap_err();
    assert!(error.message.contains("fromDer"), "{error}");
    let bare = section_of(&certificate);
    let error = Key::from_certificate(bare.as_bytes(), Algorithm::EdDsa, None).unwrap_err();
    assert!(error.message.contains("Buffer.from(text, 'base64')"), "{error}");
}

/// The `pkcs5` crate panics at a shorter vector of triple DES, and cuts off a longer one.
#[test]
fn a_vector_of_triple_des_has_eight_bytes() {
    // Made by `openssl pkcs8 -topk8 -v2 des3`; its passphrase is "row".
    let der = STANDARD
        .decode(
            "MHwwQAYJKoZIhvcNAQUNMDMwGwYJKoZIhvcNAQUMMA4ECAfJwTVuetuWAgIIADAUBggqhkiG9w0DBwQI\
             lrczRbgpaWcEOCQN/pBO5NHN1R0ZUHp0MHwnBhY+kuDOMcrRJEbhwJutjp66h/BACASI0SlzyOtqabl\
             VnpZon0k0",
        )
        .unwrap();
    assert!(Key::open_der(&der, Some(b"row"), Algorithm::EdDsa, None).is_ok());
    let vector = der.windows(2).position(|two| two == [0x96, 0xb7]).unwrap();
    for length in [0, 1, 7, 9] {
        let resized = |length: usize| {
            let mut changed = der.clone();
            changed.splice(vector..vector + 8, vec![7; length]);
            // The lengths of the vector and of the four sequences around it.
            for place in [vector - 1, vector - 13, 16, 3, 1] {
                changed[place] = u8::try_from(usize::from(changed[place]) + length - 8).unwrap();
            }
            changed
        };
        let error =
            Key::open_der(&resized(length), Some(b"row"), Algorithm::EdDsa, None).unwrap_err();
        assert!(error.message.contains("must be encrypted with PBES2"), "{length}: {error}");
    }
}

/// Each message says what is wrong with a file, and how to mend it.
#[test]
fn messages_about_pem_files_name_the_remedy() {
    let pem = |name| text(&named("keys", name), "pem").to_owned();
    let key = pem("ed25519 pkcs8 v1");
    for (file, remedy) in [
        (pem("certificate"), "JwtKey.fromCertificate"),
        (pem("certificate request"), "openssl req -pubkey"),
        (key.replace("PRIVATE KEY", "OPENSSH PRIVATE KEY"), "ssh-keygen -p -m PKCS8"),
        (key.replace("PRIVATE KEY", "X509 CRL"), "PKCS#8, SPKI, PKCS#1 or SEC 1"),
        (
            "-----BEGIN RSA PRIVATE KEY-----\nProc-Type: 4,ENCRYPTED\nDEK-Info: AES-256-CBC,00\n\n\
             AAAA\n-----END RSA PRIVATE KEY-----\n"
                .into(),
            "openssl pkcs8 -topk8",
        ),
        (format!("{key}{key}"), "must have one key"),
        ("AAAA".into(), "fromDer"),
        (section_of(&key), "Buffer.from(text, 'base64')"),
        (section_of(&pem("certificate")), "fromCertificate"),
        (STANDARD.encode(&key), "Buffer.from(text, 'base64')"),
        (format!("\"{key}\""), "at the start of a line"),
        (key.replace('\n', "\\n"), "pem.replaceAll('\\\\n', '\\n')"),
        (key.replace('\n', "\\r\\n"), "two characters \\n"),
        (key.replacen('\n', "\nComment: a\n\n", 1), "no headers"),
        (key.replace('M', "-"), "padded base64"),
        ("#".repeat(MAX_KEY_LEN + 1), "64 KiB"),
    ] {
        let error = Key::from_pem(file.as_bytes(), Algorithm::EdDsa, None).unwrap_err();
        assert!(error.code == Code::JwtKey && error.message.contains(remedy), "{error}");
    }
    // PowerShell 5 writes UTF-16 with a byte order mark.
    let marked = format!("\u{feff}{key}");
    let wide: Vec<u8> = marked.encode_utf16().flat_map(u16::to_le_bytes).collect();
    let error = Key::from_pem(&wide, Algorithm::EdDsa, None).unwrap_err();
    assert!(error.message.contains("save it as UTF-8"), "{error}");
    assert!(Key::from_pem(marked.as_bytes(), Algorithm::EdDsa, None).is_ok());
}

/// `openssl ecparam -genkey` writes the parameters first; servers keep the certificate beside it.
#[test]
fn sections_that_are_not_keys_are_ignored() {
    let pem = |name| text(&named("keys", name), "pem").to_owned();
    let (key, certificate) = (pem("p-256 sec1"), pem("certificate"));
    let parameters =
        "-----BEGIN EC PARAMETERS-----\nBggqhkjOPQMBBw==\n-----END EC PARAMETERS-----\n";
    let mention = "-----BEGIN PRIVATE KEY----- begins it, not -----BEGIN \n";
    let kid = Key::from_pem(key.as_bytes(), Algorithm::Es256, None).unwrap().kid().to_owned();
    for around in [
        [parameters, ""],
        [certificate.as_str(), certificate.as_str()],
        [mention, "\n"],
        ["", "after"],
        ["  ", "\n\n\0"],
        ["text\n\u{b}\t", ""],
    ] {
        let file = around.join(&key);
        let read = Key::from_pem(file.as_bytes(), Algorithm::Es256, None).unwrap();
        assert_eq!(read.kid(), kid, "{file}");
    }
}

#[test]
fn a_pem_file_has_a_greatest_length() {
    let case = named("keys", "ed25519 spki");
    let pem = |length: usize| {
        let pem = text(&case, "pem");
        format!("{}\n{pem}", "#".repeat(length - pem.len() - 1))
    };
    let read = |length| Key::from_pem(pem(length).as_bytes(), Algorithm::EdDsa, None);
    assert_eq!(code(read(MAX_KEY_LEN)), None);
    assert_eq!(code(read(MAX_KEY_LEN + 1)), Some(Code::JwtKey));
}

#[test]
fn secrets_have_a_least_and_a_greatest_length() {
    for (algorithm, least) in [(HS256, 32), (Algorithm::Hs384, 48), (Algorithm::Hs512, 64)] {
        for (length, refused) in [
            (0, Some(Code::JwtKey)),
            (1, Some(Code::JwtKey)),
            (least - 1, Some(Code::JwtKey)),
            (least, None),
            (128, None),
            (129, None),
            (4096, None),
            (4096 + 1, Some(Code::JwtKey)),
        ] {
            let made = Key::from_secret(&vec![1; length], algorithm, None);
            assert_eq!(code(made), refused, "{algorithm:?} {length}");
        }
    }
    for algorithm in asymmetric() {
        assert_eq!(code(Key::from_secret(&[1; 64], algorithm, None)), Some(Code::JwtKey));
    }
}

#[test]
fn messages_and_debug_output_hold_no_key() {
    let secret = b"correct horse battery staple 1234";
    let key = Key::from_secret(secret, HS256, Some("k")).unwrap();
    assert_eq!(format!("{key:?}"), "Key { algorithm: Hs256, kid: \"k\", .. }");
    for (algorithm, case) in pems(false) {
        let key = Key::from_pem(text(&case, "pem").as_bytes(), algorithm, Some("k")).unwrap();
        assert_eq!(format!("{key:#?}").lines().count(), 5);
        assert!(format!("{key:?}").len() < 50);
    }
    for (algorithm, case) in pems(true) {
        let pem = text(&case, "pem");
        let error = Key::from_pem(pem.as_bytes(), algorithm, None).unwrap_err();
        assert!(pem.lines().all(|line| line.len() < 10 || !error.message.contains(line)));
    }
    let short = Key::from_secret(b"hunter2", HS256, None).unwrap_err();
    assert!(!short.to_string().contains("hunter2"));
}

#[test]
fn kids_are_thumbprints_or_given_or_random() {
    let [first, second] = [(); 2].map(|()| Key::from_secret(&[1; 32], HS256, None).unwrap());
    assert_ne!(first.kid(), second.kid(), "a hash of the secret would be the same");
    assert_eq!(base64url::decode(first.kid().as_bytes()).unwrap().len(), 16);
    for algorithm in Algorithm::ALL {
        let generated = Key::generate(algorithm, None, Some("given")).unwrap();
        assert_eq!(generated.kid(), "given");
    }
    for (kid, refused) in [
        (String::new(), Some(Code::OutOfRange)),
        ("k".into(), None),
        ("k".repeat(MAX_KID_LEN), None),
        ("k".repeat(MAX_KID_LEN + 1), Some(Code::OutOfRange)),
        ("é".repeat(MAX_KID_LEN / 2), None),
        ("é".repeat(MAX_KID_LEN / 2 + 1), Some(Code::OutOfRange)),
    ] {
        assert_eq!(code(Key::from_secret(&[1; 32], HS256, Some(&kid))), refused, "{}", kid.len());
        let generated = Key::generate(Algorithm::EdDsa, None, Some(&kid));
        assert_eq!(code(generated), refused, "{}", kid.len());
    }
}

#[test]
fn generated_keys_sign_and_differ() {
    for algorithm in Algorithm::ALL {
        let [first, second] = [(); 2].map(|()| Key::generate(algorithm, None, None).unwrap());
        assert_ne!(first.kid(), second.kid());
        let mut signature = Vec::new();
        first.sign_into(b"message", &mut signature).unwrap();
        assert_eq!(
            signature.len(),
            match algorithm {
                Algorithm::Hs256 => 32,
                Algorithm::Hs384 => 48,
                Algorithm::Hs512 | Algorithm::Es256 | Algorithm::EdDsa | Algorithm::Ed25519 => 64,
                Algorithm::Es384 => 96,
                Algorithm::Es512 => 132,
                _ => 256,
            }
        );
        assert!(first.verifies(b"message", &signature));
        assert!(!second.verifies(b"message", &signature));
    }
    let generate = |algorithm, bits| Key::generate(algorithm, Some(bits), None);
    for bits in [0, 1024, 2047, 2049, 8192, 16384] {
        assert_eq!(code(generate(Algorithm::Rs256, bits)), Some(Code::JwtKey), "{bits}");
    }
    for algorithm in [HS256, Algorithm::Es256, Algorithm::EdDsa] {
        assert_eq!(code(generate(algorithm, 2048)), Some(Code::JwtKey));
    }
    let mut signature = Vec::new();
    generate(Algorithm::Ps256, 3072).unwrap().sign_into(b"message", &mut signature).unwrap();
    assert_eq!(signature.len(), 384);
}

/// The DER of a public key of the vectors.
fn spki(name: &str) -> Vec<u8> {
    pem_rfc7468::decode_vec(text(&named("keys", name), "pem").as_bytes()).unwrap().1
}

/// RFC 3279 section 2.3.1, RFC 5480 section 2.1.1 and RFC 8410 section 3.
#[test]
fn a_public_key_has_the_parameters_of_its_scheme_and_nothing_after_it() {
    // The offset of the parameters, and their length in bytes.
    for (name, algorithm, parameters, length) in [
        ("rsa-2048 spki", Algorithm::Rs256, 17, 2),
        ("p-256 spki", Algorithm::Es256, 13, 10),
        ("ed25519 spki", Algorithm::EdDsa, 9, 0),
    ] {
        let good = spki(name);
        let refused = |der: &[u8]| code(Key::open_der(der, None, algorithm, None));
        assert_eq!(refused(&good), None, "{name}");
        let end = parameters + length;
        let inner = if name.starts_with("rsa") { 5 } else { 3 };
        let mut changed = vec![[&good[..], &[0]].concat()];
        for other in [&[][..], &[5, 0], &[6, 3, 0x2b, 0x65, 0x70], &[4, 0]] {
            if good[parameters..end] == *other {
                continue;
            }
            let mut der = [&good[..parameters], other, &good[end..]].concat();
            let outer = der.len() - if inner == 5 { 4 } else { 2 };
            if inner == 5 {
                der[2..4].copy_from_slice(&u16::try_from(outer).unwrap().to_be_bytes());
            } else {
                der[1] = u8::try_from(outer).unwrap();
            }
            der[inner] = u8::try_from(parameters - inner - 1 + other.len()).unwrap();
            changed.push(der);
        }
        for der in changed {
            assert_eq!(refused(&der), Some(Code::JwtKey), "{name} {der:02x?}");
        }
    }
}

#[test]
fn algorithms_that_sign_alike_share_one_key_type() {
    for algorithm in Algorithm::ALL {
        assert_eq!(Algorithm::named(algorithm.name()), Some(algorithm));
        for other in Algorithm::ALL.into_iter().filter(|other| other.signs_as(algorithm)) {
            let is_alias = [algorithm, other].map(|one| one.scheme().key_type().crv());
            assert!(other == algorithm || is_alias == [Some("Ed25519"); 2], "{algorithm:?}");
        }
    }
}
