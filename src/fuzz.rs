//! The readers of everything that comes from outside, as functions of any bytes: for `npm run fuzz`
//! and for the test that replays its corpora. They are not in the product.
//!
//! A target panics if a reader breaks its promise, and returns whether the bytes were read.

use crate::{jwt, limiter, password, revocation, secret, session, store};

/// A reader, which gets any bytes.
pub type Target = fn(&[u8]) -> bool;

/// Every target by its name, which is also the name of its corpus.
pub const TARGETS: [(&str, Target); 14] = [
    ("certificate", jwt::fuzz::certificate),
    ("der", jwt::fuzz::der),
    ("digest", password::fuzz::digest),
    ("json", jwt::fuzz::json),
    ("jwk", jwt::fuzz::jwk),
    ("limiter-file", limiter::fuzz::file),
    ("limiter-snapshot", limiter::fuzz::snapshot),
    ("pem", jwt::fuzz::pem),
    ("ring", jwt::fuzz::ring),
    ("sealed", secret::fuzz::sealed),
    ("session-row", session::fuzz::row),
    ("store-row", store::fuzz::row),
    ("stream-rows", revocation::fuzz::stream_rows),
    ("token", jwt::fuzz::token),
];

#[cfg(test)]
mod tests {
    use std::fs;
    use std::panic::{catch_unwind, resume_unwind};
    use std::path::Path;

    use super::*;
    use crate::testing::mutation::mutate;
    use crate::testing::random::Random;

    /// The changed inputs for each target. `INPUTS` sets another number.
    const INPUTS: u64 = 1000;

    /// The corpus of a target: the names and bytes of its files.
    fn corpus(name: &str) -> Vec<(String, Vec<u8>)> {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("fuzz/corpora").join(name);
        let entries = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap());
        entries
            .map(|entry| {
                (entry.file_name().into_string().unwrap(), fs::read(entry.path()).unwrap())
            })
            .collect()
    }

    #[test]
    fn every_input_of_the_corpora_is_read_or_refused_and_each_corpus_has_both() {
        for (name, target) in TARGETS {
            let inputs = corpus(name);
            let read = inputs.iter().filter(|(_, bytes)| target(bytes)).count();
            assert!(0 < read && read < inputs.len(), "{name}: {read} of {}", inputs.len());
            for (file, bytes) in inputs {
                // The names say how an input begins: `good` is read.
                assert!(target(&bytes) || !file.starts_with("good"), "{name}/{file}");
                for len in [0, bytes.len() / 2, bytes.len().saturating_sub(1)] {
                    target(&bytes[..len]);
                }
            }
        }
    }

    /// `SEED` selects the inputs, and `TARGET` a single target. A failure prints its input, which
    /// `npm run fuzz -- TARGET --input FILE` repeats.
    #[test]
    fn changed_inputs_of_the_corpora_are_read_or_refused_and_no_reader_breaks_its_promise() {
        let number = |name: &str| std::env::var(name).ok().map(|text| text.parse::<u64>().unwrap());
        let mut random = Random(number("SEED").unwrap_or(1).max(1));
        let only = std::env::var("TARGET").ok();
        let chosen = TARGETS.iter().filter(|(name, _)| only.as_ref().is_none_or(|it| it == name));
        for (name, target) in chosen {
            let corpus = corpus(name);
            let inputs: Vec<&[u8]> = corpus.iter().map(|(_, bytes)| &bytes[..]).collect();
            let count = number("INPUTS").unwrap_or(INPUTS);
            let mut read = 0;
            for _ in 0..count {
                let mut input = random.pick(&inputs).to_vec();
                mutate(&mut random, &mut input, &inputs);
                match catch_unwind(|| target(&input)) {
                    Ok(is_read) => read += u64::from(is_read),
                    Err(panic) => {
                        println!("{name}: {input:02x?}");
                        resume_unwind(panic);
                    }
                }
            }
            println!("{name}: {read} of {count} read");
            assert!(read < count, "{name} refuses nothing");
        }
    }
}
