//! Reads and removes environment variables on Windows. The system keeps the environment and gives
//! out copies only, so a copy is wiped, and a variable is removed but cannot be overwritten.

use std::ptr;

use windows_sys::Win32::System::Environment::{GetEnvironmentVariableW, SetEnvironmentVariableW};
use zeroize::Zeroizing;

/// UTF-16 units of the longest value that the system accepts.
const MAX_UNITS: usize = 32_767;

/// Lends a copy of a variable's value, as UTF-8: malformed UTF-16 is replaced by U+FFFD.
pub(super) fn with_value<T>(name: &str, body: impl FnOnce(&[u8]) -> T) -> Option<T> {
    let name = terminated(name);
    let mut units = Zeroizing::new(vec![0_u16; MAX_UNITS]);
    let room = u32::try_from(units.len()).ok()?;
    // SAFETY: the name ends in NUL, and the buffer has `room` units.
    let len = unsafe { GetEnvironmentVariableW(name.as_ptr(), units.as_mut_ptr(), room) };
    // The length is 0 if the variable does not exist. An empty variable counts as missing.
    let value = units.get(..usize::try_from(len).ok()?).filter(|value| !value.is_empty())?;
    // With room for the longest text, so that the string does not grow and leave a copy behind.
    let mut text = Zeroizing::new(String::with_capacity(3 * value.len()));
    let characters = char::decode_utf16(value.iter().copied());
    text.extend(characters.map(|unit| unit.unwrap_or(char::REPLACEMENT_CHARACTER)));
    Some(body(text.as_bytes()))
}

/// Removes a variable.
pub(super) fn remove(name: &str) {
    // SAFETY: the name ends in NUL. The system guards the environment with a lock.
    unsafe { SetEnvironmentVariableW(terminated(name).as_ptr(), ptr::null()) };
}

fn terminated(name: &str) -> Vec<u16> {
    name.encode_utf16().chain([0]).collect()
}
