//! Our engine compared with the `argon2` crate and with tags of libargon2.

use std::thread;
use std::time::Duration;

use serde_json::Value;

use super::interface::{Engine, Inputs};
use super::kernel::{self, AvailableKernel};
use super::own::Own;
use super::rustcrypto::RustCrypto;
use super::*;
use crate::error::{Code, Result};
use crate::password::cancel::Cancel;
use crate::password::memory;
use crate::password::params::{Algorithm, Params, Version};
use crate::testing::vectors::{self, hex, number, text};

fn tag(engine: &dyn Engine, inputs: &Inputs<'_>, len: usize) -> Result<Vec<u8>> {
    let memory_len = usize::try_from(inputs.params.memory_len()).unwrap();
    let mut memory = memory::take(memory_len).unwrap();
    // The tag must not depend on the previous content of the memory.
    for block in memory.blocks::<block::Block>() {
        block.words_mut().fill(0x5a5a_5a5a_5a5a_5a5a);
    }
    let mut tag = vec![0; len];
    engine.derive(inputs, &mut memory, &mut tag, &Cancel::default())?;
    Ok(tag)
}

fn own() -> impl Iterator<Item = (AvailableKernel, Own)> {
    kernel::available().map(|kernel| (kernel, Own::new(kernel)))
}

fn pattern(len: usize, start: u8) -> Vec<u8> {
    (start..=250).cycle().take(len).collect()
}

#[test]
fn every_kernel_agrees_with_the_crate_over_a_grid() {
    // Lengths around the edges of BLAKE2b's blocks and of H'; memory that is not a multiple of 4 p;
    // segments shorter and longer than a block of addresses; lanes that threads share unevenly.
    let costs = [
        (8, 1, 1),
        (9, 3, 1),
        (15, 7, 1),
        (16, 1, 2),
        (31, 2, 2),
        (24, 2, 3),
        (64, 3, 5),
        (512, 2, 1),
        (520, 1, 1),
        (1027, 2, 1),
        (1100, 2, 2),
        (2056, 1, 4),
        (2040, 1, 255),
    ];
    let lens = [
        (4, 0, 8, 0, 0),
        (32, 16, 16, 8, 12),
        (63, 127, 9, 64, 32),
        (64, 128, 64, 1, 1),
        (65, 129, 129, 200, 31),
        (97, 1, 48, 0, 8),
        (1024, 4096, 1024, 4096, 16),
    ];
    let mut checked = 0;
    for (i, &(m, t, p)) in costs.iter().enumerate() {
        for algorithm in Algorithm::ALL {
            for version in [Version::V0x10, Version::V0x13] {
                let (out, password, salt, secret, data) = lens[(i + checked) % lens.len()];
                let inputs = Inputs {
                    params: Params::new(algorithm, version, m, t, p).unwrap(),
                    password: &pattern(password, 1),
                    salt: &pattern(salt, 2),
                    secret: &pattern(secret, 3),
                    associated_data: &pattern(data, 4),
                };
                let expected = tag(&RustCrypto, &inputs, out).unwrap();
                for (kernel, own) in own() {
                    let name = kernel.name();
                    assert_eq!(tag(&own, &inputs, out).unwrap(), expected, "{name} {m} {t} {p}");
                    checked += 1;
                }
            }
        }
    }
    assert!(checked >= costs.len() * 6);
}

#[test]
fn every_kernel_computes_the_tags_of_libargon2() {
    for case in ["argon2-libargon2", "rfc9106"].into_iter().flat_map(vectors::cases) {
        let [password, salt, secret, data, expected] =
            ["password_hex", "salt_hex", "secret_hex", "ad_hex", "tag_hex"]
                .map(|field| hex(&case, field));
        let inputs = Inputs {
            params: params(&case),
            password: &password,
            salt: &salt,
            secret: &secret,
            associated_data: &data,
        };
        for (kernel, own) in own() {
            let tag = tag(&own, &inputs, expected.len()).unwrap();
            assert_eq!(tag, expected, "{} {case}", kernel.name());
        }
    }
}

fn params(case: &Value) -> Params {
    Params::new(
        Algorithm::from_name(text(case, "type")).unwrap(),
        Version::from_number(number(case, "version")).unwrap(),
        number(case, "m"),
        number(case, "t"),
        number(case, "p"),
    )
    .unwrap()
}

#[test]
fn the_crate_refuses_more_than_32_bytes_of_associated_data() {
    let inputs = inputs(8, 1, 1, &[0; 33]);
    assert_eq!(tag(&RustCrypto, &inputs, 32).unwrap_err().code, Code::OutOfRange);
}

#[test]
fn a_running_hash_stops_when_it_is_called_off() {
    // This hash would take days: the test ends only if the cancellation works.
    let inputs = inputs(64 << 10, u32::MAX, 4, b"");
    for (_, own) in own() {
        let mut memory = memory::take(64 << 20).unwrap();
        let mut tag = [0; 32];
        let cancel = Cancel::default();
        let other = cancel.clone();
        let timer = thread::spawn(move || {
            thread::sleep(Duration::from_millis(20));
            other.cancel();
        });
        let result = own.derive(&inputs, &mut memory, &mut tag, &cancel);
        assert_eq!(result.unwrap_err().code, Code::Aborted);
        assert_eq!(tag, [0; 32]);
        timer.join().unwrap();
    }
}

fn inputs(m: u32, t: u32, p: u32, associated_data: &[u8]) -> Inputs<'_> {
    Inputs {
        params: Params::new(Algorithm::Argon2id, Version::V0x13, m, t, p).unwrap(),
        password: b"password",
        salt: b"somesalt",
        secret: b"",
        associated_data,
    }
}
