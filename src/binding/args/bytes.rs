//! Bytes: a `Uint8Array` over memory that stays where and what it is during the call.
//!
//! Between the moment a view's memory is looked up and the end of its loan no JavaScript may run: a
//! getter could detach or shrink the buffer. So nothing here reads a property, and options, which
//! may have getters, are read before bytes are lent.

use std::ops::RangeInclusive;
use std::ptr;

use napi::sys;
use secrecy::{ExposeSecret, ExposeSecretMut};
use zeroize::Zeroizing;

use super::handle::Handle;
use super::text::lengths;
use super::{Arg, Result};
use crate::binding::secret::SecretBuffer;
use crate::mem::WipedBytes;

/// Strings that are secrets are copied through the stack, so they are short.
const MAX_SECRET_TEXT: usize = 4096;

impl Arg<'_> {
    /// A copy of a `Uint8Array` whose length is within a range, in bytes.
    pub fn bytes(&self, range: RangeInclusive<usize>) -> Result<Vec<u8>> {
        self.with_bytes(range, |bytes| Ok(bytes.to_vec()))
    }

    /// Lends a `Uint8Array`'s bytes while JavaScript waits.
    pub fn with_bytes<T>(
        &self,
        range: RangeInclusive<usize>,
        body: impl FnOnce(&[u8]) -> Result<T>,
    ) -> Result<T> {
        self.with_bytes_or("a Uint8Array", range, body)
    }

    /// As [`Self::with_bytes`], where something else would have done, too.
    pub fn with_bytes_or<T>(
        &self,
        expected: &str,
        range: RangeInclusive<usize>,
        body: impl FnOnce(&[u8]) -> Result<T>,
    ) -> Result<T> {
        let (pointer, length) = self.view(expected)?;
        if !range.contains(&length) {
            return Err(self.out_of_range(lengths(&range)));
        }
        if length == 0 {
            return body(&[]);
        }
        // SAFETY: `view` has checked that the memory belongs to one thread and is attached.
        // JavaScript does not run before `body`, which cannot call it, returns.
        body(unsafe { std::slice::from_raw_parts(pointer, length) })
    }

    /// Lends a `Uint8Array`'s bytes for writing while JavaScript waits.
    pub fn with_bytes_mut<T>(&self, body: impl FnOnce(&mut [u8]) -> Result<T>) -> Result<T> {
        let (pointer, length) = self.view("a Uint8Array")?;
        if length == 0 {
            return body(&mut []);
        }
        // SAFETY: as in `with_bytes`; no other slice of it is made during the call.
        body(unsafe { std::slice::from_raw_parts_mut(pointer, length) })
    }

    /// Lends the bytes of a `Uint8Array` or a `SecretBuffer`.
    pub fn with_key<T>(
        &self,
        range: RangeInclusive<usize>,
        body: impl FnOnce(&[u8]) -> Result<T>,
    ) -> Result<T> {
        match self.handle_if::<SecretBuffer>()? {
            Some(buffer) => {
                let secret = buffer.get()?;
                let bytes = secret.expose_secret();
                if !range.contains(&bytes.len()) {
                    return Err(self.out_of_range(lengths(&range)));
                }
                body(bytes)
            }
            None if self.is_view()? => self.with_bytes(range, body),
            None => Err(self.wrong_type(&format!("a Uint8Array or a {}", SecretBuffer::CLASS))),
        }
    }

    /// Lends the bytes of a string, a `Uint8Array` or a `SecretBuffer`. A string's are wiped
    /// afterwards; the string itself is JavaScript's.
    pub fn with_secret<T>(
        &self,
        range: RangeInclusive<usize>,
        body: impl FnOnce(&[u8]) -> Result<T>,
    ) -> Result<T> {
        if self.is_string()? {
            let range = *range.start()..=MAX_SECRET_TEXT.min(*range.end());
            if !range.contains(&self.utf8_len()?) {
                return Err(self.out_of_range(lengths(&range)));
            }
            let mut buffer = Zeroizing::new([0; MAX_SECRET_TEXT + 1]);
            let written = self.copy_utf8(&mut *buffer)?;
            self.check_well_formed(&buffer[..written])?;
            return body(&buffer[..written]);
        }
        if self.handle_if::<SecretBuffer>()?.is_some() || self.is_view()? {
            return self.with_key(range, body);
        }
        let expected = format!("a string, a Uint8Array or a {}", SecretBuffer::CLASS);
        Err(self.wrong_type(&expected))
    }

    /// As [`Self::with_secret`], for text too long for the stack, such as a PEM.
    pub fn with_long_secret<T>(
        &self,
        range: RangeInclusive<usize>,
        body: impl FnOnce(&[u8]) -> Result<T>,
    ) -> Result<T> {
        if self.is_string()? {
            return body(Zeroizing::new(self.string(range)?.into_bytes()).as_slice());
        }
        self.with_secret(range, body)
    }

    /// A wiped copy of a string, a `Uint8Array` or a `SecretBuffer`, for a job: written where it
    /// stays, with nothing on the way.
    pub fn secret_copy(&self, range: RangeInclusive<usize>) -> Result<WipedBytes> {
        if !self.is_string()? {
            return self.with_secret(range, |bytes| Ok(wiped(bytes)));
        }
        let length = self.utf8_len()?;
        if !range.contains(&length) {
            return Err(self.out_of_range(lengths(&range)));
        }
        // With room for the NUL, which is cut off without a move.
        let mut copy = WipedBytes::new(Box::new(vec![0; length + 1]));
        let written = self.copy_utf8(copy.expose_secret_mut())?;
        copy.expose_secret_mut().truncate(written);
        self.check_well_formed(copy.expose_secret())?;
        Ok(copy)
    }

    /// A wiped copy of a `Uint8Array` or a `SecretBuffer`, for a job.
    pub fn key_copy(&self, range: RangeInclusive<usize>) -> Result<WipedBytes> {
        self.with_key(range, |bytes| Ok(wiped(bytes)))
    }

    /// Writes numbers to the start of a `Float64Array` of the façade's own.
    pub fn fill(&self, values: &[f64]) -> Result<()> {
        let (mut kind, mut length, mut data) = (0, 0, ptr::null_mut());
        // SAFETY: `env` and `value` are those of the current call.
        self.check(unsafe {
            sys::napi_get_typedarray_info(
                self.env,
                self.value,
                &raw mut kind,
                &raw mut length,
                &raw mut data,
                ptr::null_mut(),
                ptr::null_mut(),
            )
        })?;
        if kind != sys::TypedarrayType::float64_array || length < values.len() {
            return Err(self.wrong_type("a Float64Array with room for the result"));
        }
        // SAFETY: the array holds `length` aligned doubles and is written by this thread only:
        // the façade makes it and keeps it to itself.
        unsafe { ptr::copy_nonoverlapping(values.as_ptr(), data.cast(), values.len()) };
        Ok(())
    }

    /// Whether the argument is a view of any kind.
    fn is_view(&self) -> Result<bool> {
        let mut is_view = false;
        // SAFETY: `env` and `value` are those of the current call.
        self.check(unsafe { sys::napi_is_typedarray(self.env, self.value, &raw mut is_view) })?;
        Ok(is_view)
    }

    /// The memory of a `Uint8Array` that is neither shared nor detached.
    fn view(&self, expected: &str) -> Result<(*mut u8, usize)> {
        if !self.is_view()? {
            return Err(self.wrong_type(expected));
        }
        let (mut kind, mut length, mut data) = (0, 0, ptr::null_mut());
        let mut buffer = ptr::null_mut();
        let mut is_unshared = false;
        // SAFETY: `env` and `value` are those of the current call, and the value is a view.
        unsafe {
            self.check(sys::napi_get_typedarray_info(
                self.env,
                self.value,
                &raw mut kind,
                &raw mut length,
                &raw mut data,
                &raw mut buffer,
                ptr::null_mut(),
            ))?;
            self.check(sys::napi_is_arraybuffer(self.env, buffer, &raw mut is_unshared))?;
        }
        if kind != sys::TypedarrayType::uint8_array {
            return Err(self.wrong_type(expected));
        }
        if !is_unshared {
            return Err(self.invalid("must not be backed by a SharedArrayBuffer: copy it first"));
        }
        let buffer = Self { value: buffer, ..*self };
        if buffer.is_detached()? {
            return Err(self.invalid("is detached: its bytes have been transferred elsewhere"));
        }
        Ok((data.cast(), length))
    }

    fn is_detached(&self) -> Result<bool> {
        let mut is_detached = false;
        // SAFETY: as in `view`; the value is an ArrayBuffer.
        self.check(unsafe {
            sys::napi_is_detached_arraybuffer(self.env, self.value, &raw mut is_detached)
        })?;
        Ok(is_detached)
    }
}

fn wiped(bytes: &[u8]) -> WipedBytes {
    WipedBytes::new(Box::new(bytes.to_vec()))
}
