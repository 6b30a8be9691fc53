//! The one place that says which engine computes.

use std::sync::LazyLock;

use super::own::Own;
use super::rustcrypto::RustCrypto;
use super::{Engine, kernel};

static CHOSEN: LazyLock<Box<dyn Engine + Send>> = LazyLock::new(|| {
    let wished = std::env::var("NODESEC_ARGON2").ok();
    if wished.as_deref() == Some("rustcrypto") {
        return Box::new(RustCrypto);
    }
    let k = kernel::available();
    let k = k.iter().find(|k| Some(k.name) == wished.as_deref()).unwrap_or(&k[0]);
    Box::new(Own::new(*k))
});

/// The engine that everything uses.
pub fn current() -> &'static dyn Engine {
    &**CHOSEN
}
