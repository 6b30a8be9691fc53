//! Gives the bytes of libFuzzer to the target that `NODESEC_FUZZ` names: see `src/fuzz.rs`.

#![no_main]

use std::sync::LazyLock;

use libfuzzer_sys::fuzz_target;
use nodesec_native::fuzz::{TARGETS, Target};

static TARGET: LazyLock<Target> = LazyLock::new(|| {
    let name = std::env::var("NODESEC_FUZZ").unwrap_or_default();
    let known = TARGETS.iter().find(|(known, _)| *known == name);
    known.unwrap_or_else(|| panic!("there is no target {name:?}")).1
});

fuzz_target!(|bytes: &[u8]| {
    TARGET(bytes);
});
