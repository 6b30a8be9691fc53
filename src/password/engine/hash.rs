//! BLAKE2b as Argon2 uses it: the initial hash `H0` and the variable-length hash `H'`.
//!
//! The state and the buffer of `blake2` wipe themselves.

use blake2::Blake2bVarCore;
use blake2::digest::Output;
use blake2::digest::block_api::{Buffer, UpdateCore, VariableOutputCore};
use zeroize::{Zeroize, Zeroizing};

use super::interface::Inputs;
use crate::error::{Code, Error, Result};

/// The length in bytes of `H0` and of BLAKE2b's longest output.
pub(super) const HASH_LEN: usize = 64;

/// The initial hash (RFC 9106 section 3.2, step 1) of all inputs of the tag.
pub(super) fn initial(inputs: &Inputs<'_>, tag_len: usize) -> Result<Zeroizing<[u8; HASH_LEN]>> {
    let params = &inputs.params;
    let mut blake2b = Blake2b::new(HASH_LEN);
    for number in [
        params.parallelism(),
        len32(tag_len)?,
        params.memory_cost(),
        params.time_cost(),
        params.version().number(),
        params.algorithm().number(),
    ] {
        blake2b.update(&number.to_le_bytes());
    }
    for field in [inputs.password, inputs.salt, inputs.secret, inputs.associated_data] {
        blake2b.update(&len32(field.len())?.to_le_bytes());
        blake2b.update(field);
    }
    let mut hash = Zeroizing::new([0; HASH_LEN]);
    blake2b.finish(&mut *hash);
    Ok(hash)
}

/// `H'` of section 3.3: fills `out`, of at least one byte, with a hash of the concatenated parts.
pub(super) fn long(parts: &[&[u8]], out: &mut [u8]) -> Result<()> {
    let mut blake2b = Blake2b::new(out.len().min(HASH_LEN));
    blake2b.update(&len32(out.len())?.to_le_bytes());
    for part in parts {
        blake2b.update(part);
    }
    if out.len() <= HASH_LEN {
        blake2b.finish(out);
        return Ok(());
    }
    // Every link except the last contributes its first half to the output.
    let mut link = Zeroizing::new([0; HASH_LEN]);
    blake2b.finish(&mut *link);
    let mut rest = out;
    loop {
        let (chunk, tail) = rest.split_at_mut(HASH_LEN / 2);
        chunk.copy_from_slice(&link[..HASH_LEN / 2]);
        rest = tail;
        let mut blake2b = Blake2b::new(rest.len().min(HASH_LEN));
        blake2b.update(&*link);
        if rest.len() <= HASH_LEN {
            blake2b.finish(rest);
            return Ok(());
        }
        blake2b.finish(&mut *link);
    }
}

/// BLAKE2b with an output of 1 to [`HASH_LEN`] bytes, set at the start.
struct Blake2b {
    core: Blake2bVarCore,
    buffer: Buffer<Blake2bVarCore>,
}

impl Blake2b {
    fn new(out_len: usize) -> Self {
        Self {
            core: Blake2bVarCore::new_with_params(&[], &[], 0, out_len),
            buffer: Buffer::<Blake2bVarCore>::default(),
        }
    }

    fn update(&mut self, bytes: &[u8]) {
        self.buffer.digest_blocks(bytes, |blocks| self.core.update_blocks(blocks));
    }

    fn finish(mut self, out: &mut [u8]) {
        let mut full = Output::<Blake2bVarCore>::default();
        self.core.finalize_variable_core(&mut self.buffer, &mut full);
        out.copy_from_slice(&full[..out.len()]);
        full.as_mut_slice().zeroize();
    }
}

/// Converts a length to the 32 bits in which it is hashed.
fn len32(len: usize) -> Result<u32> {
    u32::try_from(len).map_err(|_| Error::new(Code::OutOfRange, "inputs must be under 4 GiB each"))
}
