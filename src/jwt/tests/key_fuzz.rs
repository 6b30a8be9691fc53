//! Key files with changed bytes, as PEM, DER, certificates and HMAC secrets: an answer or
//! `ERR_JWT_KEY`, and never a panic. `KEYS` sets how many, and `SEED` selects them; a failure names
//! its seed.

use std::panic::{AssertUnwindSafe, catch_unwind};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use super::*;
use crate::testing::mutation::mutate;
use crate::testing::random::Random;
use crate::testing::vectors::cases;

const KEYS: u64 = 20_000;

/// A file that other tools have made.
struct File {
    /// The label of its PEM.
    label: String,
    /// DER.
    bytes: Vec<u8>,
}

/// Key files, certificates, and containers.
fn files() -> Vec<File> {
    let pems = cases("keys").into_iter().map(|case| text(&case, "pem").to_owned());
    let certificates = cases("certificates").into_iter().map(|case| text(&case, "cert").to_owned());
    let sections = pems.chain(certificates).filter_map(|pem| {
        let start = pem.find("-----BEGIN ")?;
        let (label, bytes) = pem_rfc7468::decode_vec(&pem.as_bytes()[start..]).ok()?;
        Some(File { label: label.to_owned(), bytes })
    });
    let containers = cases("key-containers").into_iter().map(|case| File {
        label: "CERTIFICATE".to_owned(),
        bytes: STANDARD.decode(text(&case, "base64")).unwrap(),
    });
    sections.chain(containers).collect()
}

fn pem_of(File { label, bytes }: &File) -> Vec<u8> {
    let text = STANDARD.encode(bytes);
    format!("-----BEGIN {label}-----\n{text}\n-----END {label}-----\n").into_bytes()
}

#[test]
fn changed_key_files_are_refused_or_read_and_never_panic() {
    let number = |name: &str| std::env::var(name).ok().map(|text| text.parse::<u64>().unwrap());
    let seed = number("SEED").unwrap_or(5).max(1);
    let files = files();
    assert!(files.len() > 80, "{}", files.len());
    let contents: Vec<&[u8]> = files.iter().map(|file| &file.bytes[..]).collect();
    let mut random = Random(seed);
    let (mut read, mut refused) = (0, 0);
    for turn in 0..number("KEYS").unwrap_or(KEYS) {
        let algorithm = random.pick(&Algorithm::ALL);
        let File { label, bytes } = &files[random.below(files.len())];
        let mut file = File { label: label.clone(), bytes: bytes.clone() };
        if random.below(8) > 0 {
            mutate(&mut random, &mut file.bytes, &contents);
        }
        let mut pem = pem_of(&file);
        if random.below(2) == 0 {
            mutate(&mut random, &mut pem, &contents);
        }
        // Opening an encrypted file takes as long as the file says, up to a second.
        let passphrase = (random.below(16) == 0).then_some(&b"row"[..]);
        let readings: [&dyn Fn() -> Result<Key, Error>; 5] = [
            &|| Key::open_der(&file.bytes, passphrase, algorithm, None),
            &|| Key::open_pem(&pem, passphrase, algorithm, None),
            &|| Key::from_certificate(&file.bytes, algorithm, None),
            &|| Key::from_certificate(&pem, algorithm, None),
            &|| Key::from_secret(&file.bytes, algorithm, None),
        ];
        for (index, reading) in readings.iter().enumerate() {
            let what = || format!("SEED={seed} turn {turn}, reading {index} for {algorithm:?}");
            match catch_unwind(AssertUnwindSafe(reading)) {
                Ok(Ok(key)) => {
                    assert_eq!(key.algorithm(), algorithm, "{}", what());
                    read += 1;
                }
                Ok(Err(error)) => {
                    assert_eq!(error.code, Code::JwtKey, "{}: {error}", what());
                    refused += 1;
                }
                Err(panic) => {
                    println!("{}\n{pem:02x?}\n{:02x?}", what(), file.bytes);
                    std::panic::resume_unwind(panic);
                }
            }
        }
    }
    // The changes leave some files as they were, or change nothing that matters.
    assert!(read > 20 && refused > read, "SEED={seed}: {read} read, {refused} refused");
}
