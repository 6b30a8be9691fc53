//! The environment of Windows, which the system keeps and only copies out: the copies are wiped,
//! the system's own is removed.

use std::ptr;

use windows_sys::Win32::System::Environment::{GetEnvironmentVariableW, SetEnvironmentVariableW};
use zeroize::Zeroizing;

/// UTF-16 units of the longest value that the system takes.
const MAX_UNITS: usize = 32_767;

/// Lends a copy of a variable's value, as UTF-8: malformed UTF-16 is replaced by U+FFFD.
pub fn with_value<T>(name: &str, body: impl FnOnce(&[u8]) -> T) -> Option<T> {
    let name = terminated(name);
    let mut units = Zeroizing::new(vec![0_u16; MAX_UNITS]);
    let room = u32::try_from(units.len()).ok()?;
    // SAFETY: the name ends in NUL, and the buffer has as much room as is said.
    let len = unsafe { GetEnvironmentVariableW(name.as_ptr(), units.as_mut_ptr(), room) };
    // Nothing is written for a variable that is not there; an empty one is none as well.
    let value = units.get(..usize::try_from(len).ok()?).filter(|value| !value.is_empty())?;
    // With room for the longest, so that no copy is left behind by growing.
    let mut text = Zeroizing::new(String::with_capacity(3 * value.len()));
    let characters = char::decode_utf16(value.iter().copied());
    text.extend(characters.map(|unit| unit.unwrap_or(char::REPLACEMENT_CHARACTER)));
    Some(body(text.as_bytes()))
}

/// Removes a variable.
pub fn remove(name: &str) {
    // SAFETY: the name ends in NUL. The environment is behind a lock of the system's.
    unsafe { SetEnvironmentVariableW(terminated(name).as_ptr(), ptr::null()) };
}

fn terminated(name: &str) -> Vec<u16> {
    name.encode_utf16().chain([0]).collect()
}
