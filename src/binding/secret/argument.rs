//! Reads arguments that may be secrets: a `SecretBuffer`, bytes, or a string.

use std::ops::RangeInclusive;
use std::sync::Arc;

use secrecy::{ExposeSecret, ExposeSecretMut};
use zeroize::Zeroizing;

use super::buffer::SecretBuffer;
use crate::binding::args::{Arg, Result};
use crate::secret::{Depth, MIN_SEAL_KEY_LEN, Secret, SecretInput, TraceGuard, WipedBytes};

/// The longest string that is read as a secret through the stack, in bytes.
const MAX_SECRET_TEXT: usize = 4096;

/// The values that a key may be given as.
const BYTES: &str = "bytes, such as Buffer.from(text, 'base64'): a Uint8Array or a SecretBuffer";

impl Arg<'_> {
    /// Lends the bytes of a `Uint8Array` or a `SecretBuffer` to code that runs within a trace
    /// guard.
    pub(crate) fn with_key<T>(
        &self,
        trace: &TraceGuard,
        range: RangeInclusive<usize>,
        body: impl FnOnce(&[u8]) -> Result<T>,
    ) -> Result<T> {
        self.with_key_or(trace, BYTES, range, body)
    }

    /// Lends the bytes of a string, a `Uint8Array` or a `SecretBuffer` to code that runs within a
    /// trace guard. A string may have up to 4096 bytes. Its copy is wiped afterwards; the string
    /// itself stays in the memory of the engine.
    pub(crate) fn with_secret<T>(
        &self,
        trace: &TraceGuard,
        range: RangeInclusive<usize>,
        body: impl FnOnce(&[u8]) -> Result<T>,
    ) -> Result<T> {
        if self.is_string()? {
            let range = *range.start()..=MAX_SECRET_TEXT.min(*range.end());
            self.check_len(self.utf8_len()?, &range)?;
            let mut buffer = Zeroizing::new([0; MAX_SECRET_TEXT + 1]);
            let written = self.copy_utf8(&mut *buffer)?;
            self.check_well_formed(&buffer[..written])?;
            return body(&buffer[..written]);
        }
        self.with_key_or(trace, "a string, a Uint8Array or a SecretBuffer", range, body)
    }

    /// As [`Self::with_secret`], for text too long for the stack, such as a PEM.
    pub(crate) fn with_long_secret<T>(
        &self,
        trace: &TraceGuard,
        range: RangeInclusive<usize>,
        body: impl FnOnce(&[u8]) -> Result<T>,
    ) -> Result<T> {
        if self.is_string()? {
            return body(Zeroizing::new(self.string(range)?.into_bytes()).as_slice());
        }
        self.with_secret(trace, range, body)
    }

    /// A string, written by the engine straight into secret memory.
    pub(crate) fn secret_text(&self, range: RangeInclusive<usize>) -> Result<Secret> {
        let length = self.utf8_len()?;
        self.check_len(length, &range)?;
        // One byte more, for the NUL that Node-API writes at the end.
        let text = Secret::filled_up_to(length + 1, |slot| {
            self.copy_utf8(slot).map_err(|_| crate::binding::args::internal())
        })?;
        TraceGuard::run(Depth::Registers, |trace| self.check_well_formed(text.expose(trace)))?;
        Ok(text)
    }

    /// A secret for a job: a copy of a string or a `Uint8Array`, or the secret of a `SecretBuffer`.
    /// The engine writes a string's bytes straight into the copy.
    pub(crate) fn secret_input(&self, range: RangeInclusive<usize>) -> Result<SecretInput> {
        if !self.is_string()? {
            return self.input_or("a string, a Uint8Array or a SecretBuffer", range);
        }
        let length = self.utf8_len()?;
        self.check_len(length, &range)?;
        // One byte more, for the NUL. `truncate` cuts it off without moving the bytes.
        TraceGuard::run(Depth::Registers, |_| {
            let mut copy = WipedBytes::new(Box::new(vec![0; length + 1]));
            let written = self.copy_utf8(copy.expose_secret_mut())?;
            copy.expose_secret_mut().truncate(written);
            self.check_well_formed(copy.expose_secret())?;
            Ok(copy.into())
        })
    }

    /// As [`Self::secret_input`], for a `Uint8Array` or a `SecretBuffer`.
    pub(crate) fn key_input(&self, range: RangeInclusive<usize>) -> Result<SecretInput> {
        self.input_or(BYTES, range)
    }

    /// Lends a key that seals: a `SecretBuffer` of [`MIN_SEAL_KEY_LEN`] bytes or more.
    pub(crate) fn with_seal_key<T>(&self, body: impl FnOnce(&Secret) -> Result<T>) -> Result<T> {
        self.handle::<SecretBuffer>()?.with(|secret| {
            if secret.len() < MIN_SEAL_KEY_LEN {
                return Err(self.out_of_range(format!("at least {MIN_SEAL_KEY_LEN} bytes long")));
            }
            body(secret)
        })
    }

    /// The secret of a `SecretBuffer`, which stays after the buffer is disposed of, or a copy of a
    /// `Uint8Array` in secret memory.
    pub(crate) fn shared_secret(&self, range: RangeInclusive<usize>) -> Result<Secret> {
        let buffer = self.handle_if::<SecretBuffer>()?;
        TraceGuard::run(Depth::Registers, |trace| {
            self.with_key(trace, range, |bytes| match &buffer {
                Some(buffer) => Ok(buffer.get()?.to_secret()?),
                None => Ok(Secret::copy_from(bytes)?),
            })
        })
    }

    fn input_or(&self, expected: &str, range: RangeInclusive<usize>) -> Result<SecretInput> {
        self.with_bytes_or_else(
            range.clone(),
            |bytes| TraceGuard::run(Depth::Registers, |_| Ok(bytes.into())),
            |_| {
                let secret = self.secret_buffer(expected)?.get()?;
                self.check_len(secret.len(), &range)?;
                Ok(secret.to_input()?)
            },
        )
    }

    fn with_key_or<T>(
        &self,
        trace: &TraceGuard,
        expected: &str,
        range: RangeInclusive<usize>,
        body: impl FnOnce(&[u8]) -> Result<T>,
    ) -> Result<T> {
        self.with_bytes_or_else(range.clone(), body, |body| {
            self.secret_buffer(expected)?.with(|secret| {
                self.check_len(secret.len(), &range)?;
                body(secret.expose(trace))
            })
        })
    }

    /// The argument as a `SecretBuffer`. The callers look for a `Uint8Array` first, since that
    /// takes less time.
    fn secret_buffer(&self, expected: &str) -> Result<Arc<SecretBuffer>> {
        self.handle_if::<SecretBuffer>()?.ok_or_else(|| self.wrong_type(expected))
    }
}
