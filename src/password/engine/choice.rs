//! Chooses the engine for all hashes.
//!
//! The default is the fastest of our kernels that the processor can run, if it passes a self-test
//! against the `argon2` crate. `NODESEC_ARGON2` selects another engine: the name of a kernel, or
//! `rustcrypto`.

use std::env;
use std::ffi::OsStr;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicBool, Ordering};

use super::interface::Engine;
use super::own::Own;
use super::rustcrypto::RustCrypto;
use super::{kernel, selftest};
use crate::error::{Code, Error, Result};

const VARIABLE: &str = "NODESEC_ARGON2";

static CHOICE: OnceLock<Choice> = OnceLock::new();

/// The engine for all hashes. The first call takes a few milliseconds for the self-test. If there
/// is no memory for the test, the call fails with `ERR_PASSWORD_MEMORY` and the next call tries
/// again.
pub(crate) fn current() -> Result<&'static dyn Engine> {
    if CHOICE.get().is_none() {
        let wish = env::var_os(VARIABLE);
        let choice = choose(wish.as_deref(), |engine| selftest::agree(engine, &RustCrypto))?;
        // Another thread may have set it first; its choice is the same.
        drop(CHOICE.set(choice));
    }
    let choice = CHOICE.get().ok_or_else(|| Error::new(Code::Internal, "no Argon2 engine"))?;
    Ok(&*choice.engine)
}

/// A warning for the operator about the engine in use, returned once.
pub fn take_warning() -> Option<&'static str> {
    static TAKEN: AtomicBool = AtomicBool::new(false);
    let warning = CHOICE.get()?.warning?;
    (!TAKEN.swap(true, Ordering::Relaxed)).then_some(warning)
}

struct Choice {
    engine: Box<dyn Engine>,
    warning: Option<&'static str>,
}

fn choose(wish: Option<&OsStr>, works: impl Fn(&dyn Engine) -> Result<bool>) -> Result<Choice> {
    let wish = wish.filter(|wish| !wish.is_empty());
    if wish.is_some_and(|wish| wish == RustCrypto.name()) {
        return Ok(Choice { engine: Box::new(RustCrypto), warning: None });
    }
    let wished = wish.and_then(|wish| kernel::available().find(|kernel| wish == kernel.name()));
    let warning = (wish.is_some() && wished.is_none()).then_some(
        "NODESEC_ARGON2 is ignored: it does not name an Argon2 engine that this machine can run",
    );
    let engine = Box::new(Own::new(wished.unwrap_or_else(kernel::fastest)));
    if works(&*engine)? {
        return Ok(Choice { engine, warning });
    }
    let warning = "the Argon2 engine failed its self-test on this machine; the slower engine of \
                   the argon2 crate is used instead. Please report it with the processor's name";
    Ok(Choice { engine: Box::new(RustCrypto), warning: Some(warning) })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(wish: &str, works: bool) -> (&'static str, bool) {
        let choice = choose(Some(wish.as_ref()), |_| Ok(works)).unwrap();
        (choice.engine.name(), choice.warning.is_some())
    }

    #[test]
    fn by_default_the_fastest_and_otherwise_the_one_that_is_named() {
        let fastest = kernel::fastest().name();
        assert_eq!(choose(None, |_| Ok(true)).unwrap().engine.name(), fastest);
        assert_eq!(names("", true), (fastest, false));
        for kernel in kernel::available() {
            assert_eq!(names(kernel.name(), true), (kernel.name(), false));
        }
        assert_eq!(names("rustcrypto", true), ("rustcrypto", false));
        assert_eq!(names("AVX2", true), (fastest, true));
    }

    #[test]
    fn one_that_fails_its_self_test_is_not_used() {
        assert_eq!(names("", false), ("rustcrypto", true));
        assert_eq!(names("portable", false), ("rustcrypto", true));
        // `rustcrypto` is the reference for the self-test, so it is used without one.
        assert_eq!(names("rustcrypto", false), ("rustcrypto", false));
    }

    #[test]
    fn one_that_could_not_be_tested_is_not_given_up() {
        let result = choose(None, |_| Err(Error::new(Code::PasswordMemory, "no memory")));
        assert_eq!(result.err().unwrap().code, Code::PasswordMemory);
    }
}
