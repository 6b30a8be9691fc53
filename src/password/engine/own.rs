//! Our own Argon2: initial hash, fill and finalisation (RFC 9106 section 3.2).

use zeroize::Zeroizing;

use super::block::Block;
use super::interface::{Engine, Inputs};
use super::kernel::AvailableKernel;
use super::layout::Layout;
use super::memory::Memory;
use super::{crew, hash};
use crate::error::{Code, Error, Result};
use crate::password::cancel::Cancel;
use crate::password::memory::{BLOCK_LEN, Pages};
use crate::secret::{Depth, TraceGuard};

/// The engine with one of its kernels.
pub(super) struct Own {
    kernel: AvailableKernel,
}

impl Own {
    pub(super) const fn new(kernel: AvailableKernel) -> Self {
        Self { kernel }
    }
}

impl Engine for Own {
    fn name(&self) -> &'static str {
        self.kernel.name()
    }

    fn derive(
        &self,
        inputs: &Inputs<'_>,
        memory: &mut Pages,
        tag: &mut [u8],
        cancel: &Cancel,
    ) -> Result<()> {
        let layout = Layout::new(inputs.params);
        let blocks = memory.blocks();
        // In a separate guard, although the caller has one, because filling takes long.
        TraceGuard::run(Depth::Argon2Part, |_| begin(inputs, &layout, blocks, tag.len(), cancel))?;
        let shared = Memory::new(layout, blocks)
            .ok_or_else(|| Error::new(Code::Internal, "too little memory for Argon2"))?;
        crew::fill(self.kernel, &shared, cancel)?;
        finish(&layout, blocks, tag)
    }
}

/// Computes the first two blocks of every lane from all inputs of the tag. With very many lanes
/// this takes seconds, so it fails with `ABORT_ERR` if cancelled meanwhile.
fn begin(
    inputs: &Inputs<'_>,
    layout: &Layout,
    blocks: &mut [Block],
    tag_len: usize,
    cancel: &Cancel,
) -> Result<()> {
    let initial = hash::initial(inputs, tag_len)?;
    let mut bytes = Zeroizing::new([0; BLOCK_LEN]);
    for lane in 0..layout.params.parallelism() {
        cancel.check()?;
        for place in 0..2_u32 {
            let parts = [&*initial, &place.to_le_bytes()[..], &lane.to_le_bytes()];
            hash::long(&parts, &mut *bytes)?;
            blocks[layout.at(lane, place)].read(&bytes);
        }
    }
    Ok(())
}

/// Computes the tag from the last block of every lane.
fn finish(layout: &Layout, blocks: &[Block], tag: &mut [u8]) -> Result<()> {
    let mut sum = Zeroizing::new(Block::ZERO);
    for lane in 0..layout.params.parallelism() {
        sum.xor(&blocks[layout.at(lane, layout.lane_len - 1)]);
    }
    let mut bytes = Zeroizing::new([0; BLOCK_LEN]);
    sum.write(&mut bytes);
    hash::long(&[&*bytes], tag)
}
