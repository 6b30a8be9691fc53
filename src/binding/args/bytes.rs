//! Reads bytes from a `Uint8Array` whose memory neither moves nor changes during the call.
//!
//! No JavaScript may run from the moment a view's memory is looked up until the borrow ends: a
//! getter could detach or shrink the buffer. So nothing here reads a property, and callers read
//! options, which may have getters, before they borrow bytes.

use std::ops::RangeInclusive;
use std::ptr;

use napi::sys;

use super::arg::Arg;
use super::fault::Result;

impl Arg<'_> {
    /// A copy of a `Uint8Array` whose length is within a range, in bytes.
    pub(crate) fn bytes(&self, range: RangeInclusive<usize>) -> Result<Vec<u8>> {
        self.with_bytes(range, |bytes| Ok(bytes.to_vec()))
    }

    /// Lends a `Uint8Array`'s bytes while JavaScript waits.
    pub(crate) fn with_bytes<T>(
        &self,
        range: RangeInclusive<usize>,
        body: impl FnOnce(&[u8]) -> Result<T>,
    ) -> Result<T> {
        self.with_bytes_or("a Uint8Array", range, body)
    }

    /// As [`Self::with_bytes`], for an argument that may also have another type. The error for a
    /// wrong type names `expected`.
    pub(crate) fn with_bytes_or<T>(
        &self,
        expected: &str,
        range: RangeInclusive<usize>,
        body: impl FnOnce(&[u8]) -> Result<T>,
    ) -> Result<T> {
        self.lend(self.view(expected)?, range, body)
    }

    /// Lends a `Uint8Array`'s bytes for writing while JavaScript waits.
    pub(crate) fn with_bytes_mut<T>(&self, body: impl FnOnce(&mut [u8]) -> Result<T>) -> Result<T> {
        let (pointer, length) = self.view("a Uint8Array")?;
        if length == 0 {
            return body(&mut []);
        }
        // SAFETY: as in `lend`; no other slice of this memory is made during the call.
        body(unsafe { std::slice::from_raw_parts_mut(pointer, length) })
    }

    /// Lends a `Uint8Array`'s bytes to `body`. If the argument is no `Uint8Array`, calls `other`
    /// with `body` instead.
    pub(crate) fn with_bytes_or_else<T, B: FnOnce(&[u8]) -> Result<T>>(
        &self,
        range: RangeInclusive<usize>,
        body: B,
        other: impl FnOnce(B) -> Result<T>,
    ) -> Result<T> {
        match self.view_if()? {
            Some(view) => self.lend(view, range, body),
            None => other(body),
        }
    }

    /// Writes numbers to the start of a `Float64Array` that belongs to the façade.
    pub(crate) fn fill(&self, values: &[f64]) -> Result<()> {
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
        // SAFETY: the array holds `length` aligned doubles and is written by this thread only: the
        // façade makes it and shares it with nobody.
        unsafe { ptr::copy_nonoverlapping(values.as_ptr(), data.cast(), values.len()) };
        Ok(())
    }

    fn lend<T>(
        &self,
        (pointer, length): (*mut u8, usize),
        range: RangeInclusive<usize>,
        body: impl FnOnce(&[u8]) -> Result<T>,
    ) -> Result<T> {
        self.check_len(length, &range)?;
        if length == 0 {
            return body(&[]);
        }
        // SAFETY: the callers have just got the pointer and the length from `view_if`, which has
        // checked that the memory belongs to one thread and is attached. `body` cannot call
        // JavaScript, so no JavaScript runs before `body` returns.
        body(unsafe { std::slice::from_raw_parts(pointer, length) })
    }

    /// The memory of a `Uint8Array` that is neither shared nor detached.
    fn view(&self, expected: &str) -> Result<(*mut u8, usize)> {
        self.view_if()?.ok_or_else(|| self.wrong_type(expected))
    }

    /// As [`Self::view`]; `None` when the argument is no `Uint8Array`.
    fn view_if(&self) -> Result<Option<(*mut u8, usize)>> {
        let (mut kind, mut length, mut data) = (0, 0, ptr::null_mut());
        let mut buffer = ptr::null_mut();
        let mut is_unshared = false;
        // SAFETY: `env` and `value` are those of the current call. Node-API writes nothing for a
        // value that is no view.
        unsafe {
            let status = sys::napi_get_typedarray_info(
                self.env,
                self.value,
                &raw mut kind,
                &raw mut length,
                &raw mut data,
                &raw mut buffer,
                ptr::null_mut(),
            );
            if status == sys::Status::napi_invalid_arg {
                return Ok(None);
            }
            self.check(status)?;
            if kind != sys::TypedarrayType::uint8_array {
                return Ok(None);
            }
            self.check(sys::napi_is_arraybuffer(self.env, buffer, &raw mut is_unshared))?;
        }
        if !is_unshared {
            return Err(self.invalid("must not be backed by a SharedArrayBuffer: copy it first"));
        }
        // A view over a detached buffer has no length.
        if length == 0 && (Self { value: buffer, ..*self }).is_detached()? {
            return Err(self.invalid("is detached: its bytes have been transferred elsewhere"));
        }
        Ok(Some((data.cast(), length)))
    }

    fn is_detached(&self) -> Result<bool> {
        let mut is_detached = false;
        // SAFETY: as in `view_if`; the value is an ArrayBuffer.
        self.check(unsafe {
            sys::napi_is_detached_arraybuffer(self.env, self.value, &raw mut is_detached)
        })?;
        Ok(is_detached)
    }
}
