//! Reads strings, which must be well-formed. A JavaScript string may hold lone surrogates, which
//! UTF-8 cannot encode. N-API replaces each by U+FFFD, so two different passwords or keys could
//! become the same.

use std::mem::MaybeUninit;
use std::ops::RangeInclusive;
use std::ptr;

use memchr::memmem;
use napi::sys;

use super::arg::{Arg, Type};
use super::fault::{Result, internal};

const REPLACEMENT: &[u8] = "\u{fffd}".as_bytes();
/// Bytes that a truncated copy may leave unused at the end: less than one character, and the NUL.
const SLACK: usize = 4;

impl Arg<'_> {
    /// A string whose UTF-8 length is within a range, in bytes.
    pub(crate) fn string(&self, range: RangeInclusive<usize>) -> Result<String> {
        let length = self.utf8_len()?;
        self.check_len(length, &range)?;
        let mut bytes = vec![0; length + 1];
        let written = self.copy_utf8(&mut bytes)?;
        bytes.truncate(written);
        self.check_well_formed(&bytes)?;
        String::from_utf8(bytes).map_err(|_| internal().into())
    }

    /// One string, or an array of 1 to `max` strings. Each has a UTF-8 length within `range`, in
    /// bytes.
    pub(crate) fn strings(&self, max: u32, range: RangeInclusive<usize>) -> Result<Vec<String>> {
        if self.is_string()? {
            return Ok(vec![self.string(range)?]);
        }
        if !self.is_array()? {
            return Err(self.wrong_type("a string or an array of strings"));
        }
        let elements = self.array(max)?;
        if elements.is_empty() {
            return Err(self.out_of_range("an array of at least one string"));
        }
        elements.iter().map(|element| element.string(range.clone())).collect()
    }

    /// One of a fixed set of words.
    pub(crate) fn one_of<T: Copy>(&self, words: &[(&str, T)]) -> Result<T> {
        let text = if self.is_string()? { self.string(0..=64).ok() } else { None };
        let found = words.iter().find(|(word, _)| text.as_deref() == Some(word));
        found.map(|(_, value)| *value).ok_or_else(|| {
            let words: Vec<_> = words.iter().map(|(word, _)| format!("'{word}'")).collect();
            let expected = match words.as_slice() {
                [only] => only.clone(),
                all => format!("one of {}", all.join(", ")),
            };
            match text {
                Some(_) => self.invalid(&format!("must be {expected}")),
                None => self.wrong_type(&expected),
            }
        })
    }

    /// Whether the argument is a string.
    pub(crate) fn is_string(&self) -> Result<bool> {
        self.is_type(Type::String)
    }

    /// Writes the UTF-8 of a string to the caller's buffer, without an allocation. `None` if it
    /// does not fit. The buffer must be more than [`SLACK`] bytes longer than the longest string
    /// that it is to take.
    pub(crate) fn utf8_in<'b>(
        &self,
        buffer: &'b mut [MaybeUninit<u8>],
    ) -> Result<Option<&'b [u8]>> {
        let Some(written) = self.write_utf8(buffer) else {
            return Err(self.wrong_type("a string"));
        };
        if written + SLACK >= buffer.len() {
            return Ok(None);
        }
        // SAFETY: Node-API has initialized `written` bytes.
        let bytes = unsafe { std::slice::from_raw_parts(buffer.as_ptr().cast::<u8>(), written) };
        Ok(Some(bytes))
    }

    /// Writes an ASCII string to `ascii` in place of the previous content. `None` if the string
    /// does not fit in `units` or has other characters. Both buffers keep their allocations. The
    /// string is read as UTF-16, since V8 copies UTF-16 at once but UTF-8 one character at a time.
    pub(crate) fn ascii_in<'b>(
        &self,
        units: &mut [u16],
        ascii: &'b mut Vec<u8>,
    ) -> Result<Option<&'b [u8]>> {
        let mut written = 0;
        // SAFETY: `env` and `value` are those of the current call. Node-API writes at most
        // `units.len()` units, the last of them NUL.
        let status = unsafe {
            sys::napi_get_value_string_utf16(
                self.env,
                self.value,
                units.as_mut_ptr(),
                units.len(),
                &raw mut written,
            )
        };
        if status != sys::Status::napi_ok {
            return Err(self.wrong_type("a string"));
        }
        let is_whole = written + 1 < units.len();
        let units = &units[..written];
        if !is_whole || units.iter().fold(0, |all, unit| all | unit) >= 0x80 {
            return Ok(None);
        }
        ascii.clear();
        #[expect(clippy::cast_possible_truncation, reason = "below 0x80")]
        ascii.extend(units.iter().map(|&unit| unit as u8));
        Ok(Some(ascii))
    }

    /// A copy of an ASCII string of at most `max` characters. `None` if it is longer, in which case
    /// it is not read, or has other characters.
    pub(crate) fn ascii(&self, max: usize) -> Result<Option<Vec<u8>>> {
        let length = self.utf16_len()?;
        if length > max {
            return Ok(None);
        }
        let (mut units, mut ascii) = (vec![0; length + 2], Vec::new());
        let is_ascii = self.ascii_in(&mut units, &mut ascii)?.is_some();
        Ok(is_ascii.then_some(ascii))
    }

    /// The length of a string in UTF-16, as in JavaScript. The string is not read.
    pub(crate) fn utf16_len(&self) -> Result<usize> {
        let mut length = 0;
        // SAFETY: as in `utf8_in`; without a buffer only the length is written.
        let status = unsafe {
            sys::napi_get_value_string_utf16(
                self.env,
                self.value,
                ptr::null_mut(),
                0,
                &raw mut length,
            )
        };
        if status == sys::Status::napi_ok { Ok(length) } else { Err(self.wrong_type("a string")) }
    }

    /// Refuses a string that is not well-formed, given its UTF-8. The string is read a second time
    /// only if its UTF-8 holds a U+FFFD, which may stand for a lone surrogate.
    pub(crate) fn check_well_formed(&self, utf8: &[u8]) -> Result<()> {
        if utf8.is_ascii() || memmem::find(utf8, REPLACEMENT).is_none() {
            return Ok(());
        }
        let mut length = 0;
        let mut units = Vec::<u16>::new();
        // SAFETY: as in `utf8_in`; the buffer has room for the length and a NUL.
        unsafe {
            self.check(sys::napi_get_value_string_utf16(
                self.env,
                self.value,
                ptr::null_mut(),
                0,
                &raw mut length,
            ))?;
            units.resize(length + 1, 0);
            self.check(sys::napi_get_value_string_utf16(
                self.env,
                self.value,
                units.as_mut_ptr(),
                units.len(),
                &raw mut length,
            ))?;
        }
        units.truncate(length);
        let is_well_formed = char::decode_utf16(units.iter().copied()).all(|unit| unit.is_ok());
        zeroize::Zeroize::zeroize(&mut units);
        if is_well_formed {
            Ok(())
        } else {
            Err(self.invalid("must be well-formed Unicode: it holds a lone surrogate"))
        }
    }

    /// The length of a string in UTF-8, in bytes.
    pub(crate) fn utf8_len(&self) -> Result<usize> {
        let mut length = 0;
        // SAFETY: as in `utf8_in`; without a buffer only the length is written.
        let status = unsafe {
            sys::napi_get_value_string_utf8(
                self.env,
                self.value,
                ptr::null_mut(),
                0,
                &raw mut length,
            )
        };
        if status == sys::Status::napi_ok { Ok(length) } else { Err(self.wrong_type("a string")) }
    }

    /// Copies a string and a NUL into `buffer`; returns the length without the NUL.
    pub(crate) fn copy_utf8(&self, buffer: &mut [u8]) -> Result<usize> {
        // SAFETY: `write_utf8` writes initialized bytes only, so the buffer stays initialized.
        let buffer = unsafe { &mut *(ptr::from_mut(buffer) as *mut [MaybeUninit<u8>]) };
        self.write_utf8(buffer).ok_or_else(|| internal().into())
    }

    /// Writes as much of a string's UTF-8 as has room, and a NUL; `None` if the value is no string.
    fn write_utf8(&self, buffer: &mut [MaybeUninit<u8>]) -> Option<usize> {
        let mut written = 0;
        // SAFETY: `env` and `value` are those of the current call. Node-API writes at most
        // `buffer.len()` bytes, the last of them NUL.
        let status = unsafe {
            sys::napi_get_value_string_utf8(
                self.env,
                self.value,
                buffer.as_mut_ptr().cast(),
                buffer.len(),
                &raw mut written,
            )
        };
        (status == sys::Status::napi_ok).then_some(written)
    }

    /// Refuses a length, in bytes, that is out of range.
    pub(crate) fn check_len(&self, length: usize, range: &RangeInclusive<usize>) -> Result<()> {
        let (least, most) = (range.start(), range.end());
        if range.contains(&length) {
            Ok(())
        } else if least == most {
            Err(self.out_of_range(format!("{least} bytes long")))
        } else {
            Err(self.out_of_range(format!("{least} to {most} bytes long")))
        }
    }
}
