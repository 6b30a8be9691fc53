//! The unit of Argon2's memory.

use zeroize::Zeroize;

use crate::password::memory::BLOCK_LEN;

/// 64-bit words of a block.
pub(super) const WORDS: usize = BLOCK_LEN / size_of::<u64>();

/// 1 KiB (RFC 9106 section 3.2) as 64-bit words.
#[derive(Clone, Copy)]
#[repr(C, align(64))]
pub(super) struct Block([u64; WORDS]);

impl Block {
    /// A block of zeros.
    pub(super) const ZERO: Self = Self([0; WORDS]);

    /// The words.
    pub(super) const fn words(&self) -> &[u64; WORDS] {
        &self.0
    }

    /// The words, mutable.
    pub(super) const fn words_mut(&mut self) -> &mut [u64; WORDS] {
        &mut self.0
    }

    /// Reads the value from bytes, each word little-endian.
    pub(super) fn read(&mut self, bytes: &[u8; BLOCK_LEN]) {
        let (words, _) = bytes.as_chunks::<8>();
        for (word, bytes) in self.0.iter_mut().zip(words) {
            *word = u64::from_le_bytes(*bytes);
        }
    }

    /// Writes the value to bytes, each word little-endian.
    pub(super) fn write(&self, bytes: &mut [u8; BLOCK_LEN]) {
        let (chunks, _) = bytes.as_chunks_mut::<8>();
        for (bytes, word) in chunks.iter_mut().zip(&self.0) {
            *bytes = word.to_le_bytes();
        }
    }

    /// XORs another block in.
    pub(super) fn xor(&mut self, other: &Self) {
        for (word, other) in self.0.iter_mut().zip(&other.0) {
            *word ^= other;
        }
    }
}

impl Zeroize for Block {
    fn zeroize(&mut self) {
        self.0.zeroize();
    }
}
