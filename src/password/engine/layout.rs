//! Where blocks lie, and which earlier block each one is mixed with (RFC 9106 section 3.4).

use crate::password::params::{Algorithm, Params, Version};

/// Slices of a pass: lanes may read each other's blocks of earlier slices only.
pub const SLICES: u32 = 4;

/// The matrix of a hash: `lanes` rows of `lane_len` blocks, each row in one piece.
#[derive(Clone, Copy, Debug)]
pub struct Layout {
    /// Variant, version and costs.
    pub params: Params,
    /// Blocks of a row: a multiple of four.
    pub lane_len: u32,
    /// Blocks of a row in one slice: at least two.
    pub segment_len: u32,
}

impl Layout {
    /// The layout that the costs ask for.
    pub fn new(params: Params) -> Self {
        let segment_len = params.memory_cost() / (SLICES * params.parallelism());
        Self { params, lane_len: segment_len * SLICES, segment_len }
    }

    /// Blocks altogether, `m'` of section 3.2.
    pub fn blocks(&self) -> u64 {
        u64::from(self.lane_len) * u64::from(self.params.parallelism())
    }

    /// The index of a block among all of them.
    #[inline(always)]
    pub const fn at(&self, lane: u32, place: u32) -> usize {
        debug_assert!(lane < self.params.parallelism() && place < self.lane_len);
        lane as usize * self.lane_len as usize + place as usize
    }

    /// What holds for one slice of one pass.
    pub fn slice(&self, pass: u32, slice: u32) -> Slice {
        let lanes = self.params.parallelism();
        let start = slice * self.segment_len;
        Slice {
            pass,
            slice,
            start,
            lane_len: self.lane_len,
            lanes,
            lane_mask: lanes.is_power_of_two().then(|| lanes - 1),
            area: if pass == 0 { start } else { self.lane_len - self.segment_len },
            // The oldest block is the one that the next slice will overwrite.
            oldest: if pass == 0 || slice == SLICES - 1 { 0 } else { start + self.segment_len },
        }
    }

    /// Whether the blocks of a slice are addressed without looking at their content.
    pub fn is_independent(&self, slice: &Slice) -> bool {
        match self.params.algorithm() {
            Algorithm::Argon2d => false,
            Algorithm::Argon2i => true,
            Algorithm::Argon2id => slice.pass == 0 && slice.slice < SLICES / 2,
        }
    }

    /// Whether new blocks are XORed into the ones of the pass before.
    pub fn keeps_old_blocks(&self, slice: &Slice) -> bool {
        slice.pass > 0 && self.params.version() == Version::V0x13
    }
}

/// One slice of one pass, with what is the same for all of its blocks.
#[derive(Clone, Copy, Debug)]
pub struct Slice {
    /// The pass, from 0.
    pub pass: u32,
    /// The slice, from 0 to 3.
    pub slice: u32,
    /// The place of its first blocks in their rows.
    pub start: u32,
    lane_len: u32,
    lanes: u32,
    /// For a power of two: a division less on the way to every block.
    lane_mask: Option<u32>,
    /// Finished blocks of a row, outside this slice.
    area: u32,
    /// The place of the oldest of them.
    oldest: u32,
}

impl Slice {
    /// The first block to compute, counted from the start of the segment: the first two of a row
    /// come from `H0`.
    pub const fn first_index(&self) -> u32 {
        if self.is_first() { 2 } else { 0 }
    }

    /// The place of the block before that at `index` of the segment.
    pub const fn previous(&self, index: u32) -> u32 {
        match self.start + index {
            0 => self.lane_len - 1,
            place => place - 1,
        }
    }

    /// Row and place of the block that the one at `index` of a segment is mixed with, by the
    /// pseudo-random word `J2 || J1` (section 3.4.2).
    #[inline(always)]
    pub const fn reference(&self, lane: u32, index: u32, random: u64) -> (u32, u32) {
        let (j1, j2) = (random & 0xffff_ffff, (random >> 32) as u32);
        let reference_lane = match self.lane_mask {
            _ if self.is_first() => lane,
            Some(mask) => j2 & mask,
            None => j2 % self.lanes,
        };
        // The whole of this row but the previous block; of other rows, the first block of a
        // segment may not use the last one before it either.
        let area = if reference_lane == lane {
            self.area as u64 + index as u64 - 1
        } else {
            self.area as u64 - (index == 0) as u64
        };
        let x = (j1 * j1) >> 32;
        let place = self.oldest as u64 + area - 1 - ((area * x) >> 32);
        let lane_len = self.lane_len as u64;
        let place = if place >= lane_len { place - lane_len } else { place };
        (reference_lane, place as u32)
    }

    const fn is_first(&self) -> bool {
        self.pass == 0 && self.slice == 0
    }
}
