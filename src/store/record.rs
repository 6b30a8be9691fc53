//! A record that was read, and is decrypted only for a reader who wants its value.

use zeroize::Zeroizing;

use super::keys::Keys;
use super::row::Position;
use crate::error::Result;

/// A record as it is stored: a name, and a value that is encrypted.
#[derive(Clone, Copy)]
pub struct SealedRecord<'a> {
    /// The name, which is not encrypted.
    pub name: &'a [u8],
    /// The place of the change that wrote the value.
    pub position: Position,
    pub(super) sealed: &'a [u8],
    pub(super) keys: &'a Keys,
}

impl SealedRecord<'_> {
    /// Decrypts the value. Fails with `ERR_STORE_CORRUPT` if it was changed.
    pub fn open(&self) -> Result<Zeroizing<Vec<u8>>> {
        self.keys.open(self.name, self.position, self.sealed)
    }
}
