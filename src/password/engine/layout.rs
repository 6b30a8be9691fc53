//! The positions of blocks, and the earlier block with which each one is mixed (RFC 9106
//! section 3.4).

use crate::password::params::{Algorithm, Params, Version};

/// Slices of a pass: a lane may read blocks of other lanes only from earlier slices.
pub(super) const SLICES: u32 = 4;

/// The matrix of a hash: `lanes` rows of `lane_len` blocks, each row contiguous.
#[derive(Clone, Copy, Debug)]
pub(super) struct Layout {
    /// Variant, version and costs.
    pub params: Params,
    /// Blocks of a row: a multiple of four.
    pub lane_len: u32,
    /// Blocks of a row in one slice: at least two.
    pub segment_len: u32,
}

impl Layout {
    /// The layout for the given costs.
    pub(super) fn new(params: Params) -> Self {
        let segment_len = params.memory_cost() / (SLICES * params.parallelism());
        Self { params, lane_len: segment_len * SLICES, segment_len }
    }

    /// The total number of blocks, `m'` of section 3.2.
    pub(super) fn blocks(&self) -> u64 {
        u64::from(self.lane_len) * u64::from(self.params.parallelism())
    }

    /// The index of a block among all of them.
    #[inline(always)]
    pub(super) const fn at(&self, lane: u32, place: u32) -> usize {
        debug_assert!(lane < self.params.parallelism() && place < self.lane_len);
        lane as usize * self.lane_len as usize + place as usize
    }

    /// The values that are the same for all blocks of one slice of one pass.
    pub(super) fn slice(&self, pass: u32, number: u32) -> Slice {
        let lanes = self.params.parallelism();
        let start = number * self.segment_len;
        Slice {
            pass,
            number,
            start,
            lane_len: self.lane_len,
            lanes,
            lane_mask: lanes.is_power_of_two().then(|| lanes - 1),
            area: if pass == 0 { start } else { self.lane_len - self.segment_len },
            // The oldest block is the block that the next slice will overwrite.
            oldest: if pass == 0 || number == SLICES - 1 { 0 } else { start + self.segment_len },
        }
    }

    /// Whether a slice addresses its blocks independently of their content.
    pub(super) fn is_independent(&self, slice: &Slice) -> bool {
        match self.params.algorithm() {
            Algorithm::Argon2d => false,
            Algorithm::Argon2i => true,
            Algorithm::Argon2id => slice.pass == 0 && slice.number < SLICES / 2,
        }
    }

    /// Whether new blocks are combined with those of the previous pass by exclusive or.
    pub(super) fn keeps_old_blocks(&self, slice: &Slice) -> bool {
        slice.pass > 0 && self.params.version() == Version::V0x13
    }
}

/// One slice of one pass, with the values that all of its blocks share.
#[derive(Clone, Copy, Debug)]
pub(super) struct Slice {
    /// The pass, from 0.
    pub pass: u32,
    /// The slice, from 0 to 3.
    pub number: u32,
    /// The place of the slice's first block in each row.
    pub start: u32,
    lane_len: u32,
    lanes: u32,
    /// Set if the number of lanes is a power of two; it saves a division for every block.
    lane_mask: Option<u32>,
    /// Finished blocks of a row, outside this slice.
    area: u32,
    /// The place of the oldest finished block.
    oldest: u32,
}

impl Slice {
    /// The first block to compute, counted from the start of the segment. In the first slice it is
    /// 2, because the first two blocks of a row come from `H0`.
    pub(super) const fn first_index(&self) -> u32 {
        if self.is_first() { 2 } else { 0 }
    }

    /// The place of the block before the block at `index` of the segment.
    pub(super) const fn previous(&self, index: u32) -> u32 {
        match self.start + index {
            0 => self.lane_len - 1,
            place => place - 1,
        }
    }

    /// Row and place of the reference block for the block at `index` of a segment, given the
    /// pseudo-random word `J2 || J1` (section 3.4.2).
    #[inline(always)]
    pub(super) const fn reference(&self, lane: u32, index: u32, random: u64) -> (u32, u32) {
        let (j1, j2) = (random & 0xffff_ffff, (random >> 32) as u32);
        let reference_lane = match self.lane_mask {
            _ if self.is_first() => lane,
            Some(mask) => j2 & mask,
            None => j2 % self.lanes,
        };
        // In its own row, a block may use all finished blocks but the previous one. In other rows,
        // the first block of a segment may not use the last finished block either.
        let area = if reference_lane == lane {
            self.area + index - 1
        } else {
            self.area - (index == 0) as u32
        };
        let x = (j1 * j1) >> 32;
        let back = ((area as u64 * x) >> 32) as u32;
        // Counted from the oldest block, and wrapped at the end of the row.
        let at = area - 1 - back;
        let to_end = self.lane_len - self.oldest;
        (reference_lane, if at < to_end { self.oldest + at } else { at - to_end })
    }

    const fn is_first(&self) -> bool {
        self.pass == 0 && self.number == 0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The places with which a block may be mixed, written as section 3.4.2 describes them:
    /// finished blocks of a lane, from the oldest to the newest.
    fn candidates(layout: &Layout, slice: &Slice, same_lane: bool, index: u32) -> Vec<u32> {
        let (segment_len, lane_len) = (layout.segment_len, layout.lane_len);
        let mut places: Vec<u32> = if slice.pass == 0 {
            (0..slice.start).collect()
        } else {
            (slice.start + segment_len..slice.start + lane_len).map(|at| at % lane_len).collect()
        };
        if same_lane {
            places.extend(slice.start..slice.start + index);
            places.pop();
        } else if index == 0 {
            places.pop();
        }
        places
    }

    #[test]
    fn references_are_those_of_the_rfc() {
        for (m, p) in [(8, 1), (24, 3), (67, 2), (128, 4)] {
            let params = Params::new(Algorithm::Argon2id, Version::V0x13, m, 2, p).unwrap();
            let layout = Layout::new(params);
            assert_eq!(layout.blocks() * 1024, params.memory_len());
            for (pass, number) in [(0, 0), (0, 1), (0, 3), (1, 0), (1, 2), (1, 3)] {
                let slice = layout.slice(pass, number);
                for index in slice.first_index()..layout.segment_len {
                    check(&layout, &slice, index);
                }
            }
        }
    }

    fn check(layout: &Layout, slice: &Slice, index: u32) {
        let lanes = layout.params.parallelism();
        for random in [0, 1, 0x1_ffff_ffff, u64::MAX, 0x1234_5678_9abc_def0, 5 << 32 | 7 << 28] {
            let (lane, place) = slice.reference(lanes - 1, index, random);
            let (j1, j2) = (random & 0xffff_ffff, random >> 32);
            let first = slice.pass == 0 && slice.number == 0;
            let expected =
                if first { lanes - 1 } else { u32::try_from(j2 % u64::from(lanes)).unwrap() };
            assert_eq!(lane, expected);
            let places = candidates(layout, slice, lane == lanes - 1, index);
            let x = (j1 * j1) >> 32;
            let y = (places.len() as u64 * x) >> 32;
            assert_eq!(place, places[places.len() - 1 - y as usize]);
        }
    }

    #[test]
    fn the_largest_memory_does_not_overflow() {
        for p in [1, 7, Params::MAX_PARALLELISM] {
            let params = Params::new(Algorithm::Argon2d, Version::V0x13, u32::MAX, 2, p).unwrap();
            let layout = Layout::new(params);
            assert_eq!(layout.blocks() * 1024, params.memory_len());
            let last = layout.segment_len - 1;
            for number in 0..SLICES {
                for random in [0, u64::MAX] {
                    let (lane, place) = layout.slice(1, number).reference(0, last, random);
                    assert!(lane < p && place < layout.lane_len);
                }
            }
        }
    }
}
