//! Makes secrets from a string, a file or an environment variable.

use std::path::Path;

use napi::Env;
use napi::bindgen_prelude::Unknown;
use napi_derive::napi;

use super::buffer::SecretBuffer;
use crate::binding::args::{Arg, Fault, Outcome, options};
use crate::binding::guard;
use crate::error::Code;
use crate::secret::{
    Depth, Encoding, FileRules, MAX_SECRET_LEN, Secret, TraceGuard, VariableName, read_file,
    without_line_ending,
};

/// The longest text of `SecretBuffer.fromString`, in bytes.
const MAX_TEXT_LEN: usize = 4096;
/// The longest path, in bytes: Linux's `PATH_MAX`.
const MAX_PATH_LEN: usize = 4096;
/// The longest name of a variable, in bytes.
const MAX_NAME_LEN: usize = 256;
/// The default of `maxBytes`, the size of the largest file, in bytes.
const DEFAULT_FILE_LEN: usize = 64 * 1024;

const TEXTS: [(&str, Encoding); 4] = [
    ("utf8", Encoding::Utf8),
    ("hex", Encoding::Hex),
    ("base64", Encoding::Base64),
    ("base64url", Encoding::Base64Url),
];

const CONTENTS: [(&str, Encoding); 5] = {
    let [utf8, hex, base64, base64url] = TEXTS;
    [("raw", Encoding::Raw), utf8, hex, base64, base64url]
};

options! {
    /// The options of `SecretBuffer.fromFile`.
    pub(crate) struct FileOptions for "SecretBuffer.fromFile" {
        /// How the file encodes the secret.
        encoding("encoding"): Encoding = default(Encoding::Raw, |name| name.one_of(&CONTENTS)),
        /// The largest file, in bytes.
        max_bytes("maxBytes"): usize =
            default(DEFAULT_FILE_LEN, |max| max.length(1..=MAX_SECRET_LEN)),
        /// Whether a line ending is cut off. The default is no for a raw file, since a raw key may
        /// happen to end in the byte of a newline, and yes for the other encodings.
        trim("trim"): Option<bool> = optional(|trim| trim.boolean()),
        /// Whether a file that others may read or write is accepted.
        allow_insecure("allowInsecure"): bool = default(false, |allow| allow.boolean()),
    }
}

options! {
    /// The options of `SecretBuffer.fromEnv`.
    pub(crate) struct VariableOptions for "SecretBuffer.fromEnv" {
        /// How the variable encodes the secret.
        encoding("encoding"): Encoding = default(Encoding::Utf8, |name| name.one_of(&TEXTS)),
        /// Whether the variable is wiped.
        wipe("wipe"): bool = default(true, |wipe| wipe.boolean()),
    }
}

/// Decodes a text and attaches it as a secret to the façade object `target`.
#[napi(catch_unwind)]
pub(crate) fn secret_from_string(
    env: &Env,
    target: Unknown<'_>,
    text: Unknown<'_>,
    encoding: Unknown<'_>,
) -> napi::Result<Outcome<()>> {
    guard(env, || {
        let text = Arg::new(env, &text, "text");
        if !text.is_string()? {
            return Err(text.wrong_type("a string"));
        }
        let encoding = Arg::new(env, &encoding, "encoding").present()?;
        let encoding = encoding.map_or(Ok(Encoding::Utf8), |encoding| encoding.one_of(&TEXTS))?;
        let secret = SecretBuffer::make(|| {
            let secret = text.secret_text(0..=MAX_TEXT_LEN)?.into_decoded(encoding)?;
            secret.ok_or_else(|| text.invalid("must be valid in the given encoding"))
        })?;
        Arg::new(env, &target, "this").attach(secret)
    })
}

/// Reads a file and attaches its content as a secret to the façade object `target`. The façade asks
/// Node's permission model whether the process may read the file.
#[napi(catch_unwind)]
pub(crate) fn secret_from_file(
    env: &Env,
    target: Unknown<'_>,
    path: Unknown<'_>,
    options: Unknown<'_>,
) -> napi::Result<Outcome<()>> {
    guard(env, || {
        let arg = Arg::new(env, &path, "path");
        let path = arg.string(1..=MAX_PATH_LEN)?;
        if path.contains('\0') {
            return Err(arg.invalid("must not hold a NUL"));
        }
        let FileOptions { encoding, max_bytes, trim, allow_insecure } =
            Arg::new(env, &options, "options").read()?;
        let trim = trim.unwrap_or(encoding != Encoding::Raw);
        let rules = FileRules { max_bytes, allow_insecure };

        let secret = SecretBuffer::make(|| {
            let content = read_file(Path::new(&path), rules)?;
            let secret = TraceGuard::run(Depth::Registers, |trace| {
                let text = content.expose(trace);
                let text = if trim { without_line_ending(text) } else { text };
                Secret::decoded(text, encoding)
            })?;
            secret.filter(|secret| !secret.is_empty()).ok_or_else(|| {
                Fault::new(
                    Code::SecretFile,
                    "the secret file must be valid in the given encoding and hold more than a line \
                     ending; write it without blanks and comments",
                )
            })
        })?;
        Arg::new(env, &target, "this").attach(secret)
    })
}

/// Reads an environment variable and attaches its value as a secret to the façade object `target`.
/// Wipes the variable unless the option `wipe` is `false`; returns whether it was wiped. The façade
/// checks that this is the main thread.
#[napi(catch_unwind)]
pub(crate) fn secret_from_env(
    env: &Env,
    target: Unknown<'_>,
    name: Unknown<'_>,
    options: Unknown<'_>,
) -> napi::Result<Outcome<bool>> {
    guard(env, || {
        let arg = Arg::new(env, &name, "name");
        let name = VariableName::new(arg.string(1..=MAX_NAME_LEN)?)
            .ok_or_else(|| arg.invalid("must not hold = or NUL"))?;
        let VariableOptions { encoding, wipe } = Arg::new(env, &options, "options").read()?;

        let refused = |why| Fault::new(Code::SecretEnv, why);
        let secret = SecretBuffer::make(|| {
            let value = name.read()?.filter(|value| !value.is_empty()).ok_or_else(|| {
                refused("the environment variable is not set, is empty, or has already been taken")
            })?;
            value.into_decoded(encoding)?.ok_or_else(|| {
                refused("the environment variable must be valid in the given encoding")
            })
        })?;
        Arg::new(env, &target, "this").attach(secret)?;
        // Wiped last, so that a call that fails leaves the variable for the next call.
        if wipe {
            name.wipe();
        }
        Ok(wipe)
    })
}
