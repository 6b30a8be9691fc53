//! A limiter from the bytes of a snapshot.

use std::sync::Arc;

use super::head::{Head, state_len};
use super::reader::{Reader, damaged};
use crate::clock::Clock;
use crate::error::{Code, Error, Result};
use crate::limiter::buckets::Words;
use crate::limiter::layout::{Layout, MIN_BUCKETS, WAYS};
use crate::limiter::limit::{Limits, MAX_LIMITS};
use crate::limiter::on_full::OnFull;
use crate::limiter::process::Limiter;
use crate::limiter::quota::{Algorithm, Quota};
use crate::limiter::slots::Found;
use crate::limiter::state::Moment;
use crate::limiter::table::{Table, no_memory, shard_number};
use crate::limiter::view::BLOCK;

/// No restored debt or block lasts longer, in nanoseconds.
const MAX_LEFT_NS: u64 = 1 << 62;

impl Limiter {
    /// A limiter with the keys of a snapshot. The time since the snapshot counts, by the wall
    /// clock. Limits are matched by their names: a limit that the snapshot lacks starts anew, and
    /// one with other numbers is changed as by [`Limiter::set_limits`].
    ///
    /// With the same `max_keys` and number of limits, every key is decided as before. Otherwise no
    /// key that is blocked is freed; if `max_keys` is too small for the keys in debt, those that
    /// are not blocked may be forgotten, and new keys may wait as long as those without a slot had
    /// to.
    ///
    /// Fails with `ERR_LIMIT_SNAPSHOT` for bytes that are no snapshot, with `ERR_INVALID_ARG_VALUE`
    /// for another algorithm, and as [`Limiter::new`].
    pub fn restore(
        bytes: &[u8],
        limits: &Limits,
        max_keys: usize,
        on_full: OnFull,
        clock: Arc<dyn Clock>,
    ) -> Result<Self> {
        let (head, mut body) = Head::read(bytes)?;
        if head.algorithm() != limits[0].quota().algorithm() {
            return Err(Error::new(
                Code::InvalidArgValue,
                "the snapshot is of a limiter with another algorithm: pass the same algorithm",
            ));
        }
        let passed_ms = clock.unix_millis().saturating_sub(head.unix_millis);
        let limiter = Self::with(limits, max_keys, on_full, clock, head.fingerprinter.clone())?;
        let restorer = Restorer {
            table: &limiter.table,
            limits,
            algorithm: limiter.algorithm,
            former: &head.limits,
            elapsed_ns: passed_ms.saturating_mul(1_000_000),
            now: limiter.now(),
        };
        if head.version == 1 { restorer.entries(&mut body) } else { restorer.shards(&mut body) }?;
        body.end()?;
        Ok(limiter)
    }
}

struct Restorer<'a> {
    table: &'a Table,
    limits: &'a Limits,
    algorithm: Algorithm,
    /// The limits of the snapshot.
    former: &'a Limits,
    elapsed_ns: u64,
    now: Moment,
}

impl Restorer<'_> {
    /// The body of version 1.
    fn entries(&self, body: &mut Reader<'_>) -> Result<()> {
        for _ in 0..body.u64()? {
            let (fingerprint, words) = self.slot(body)?;
            self.insert(fingerprint, &words)?;
        }
        Ok(())
    }

    /// The body of version 2.
    fn shards(&self, body: &mut Reader<'_>) -> Result<()> {
        let shards = body.count()?;
        if !shards.is_power_of_two() {
            return Err(damaged());
        }
        let mut cells = Vec::new();
        cells.try_reserve_exact(shards).map_err(|_| no_memory())?;
        for shard in 0..shards {
            let layout = Layout { buckets: body.count()?, limits: self.former.len() };
            self.buckets(body, (shard, shards), layout)?;
            let len = body.count()?.checked_mul(12 + self.states_len()).ok_or_else(damaged)?;
            cells.push((layout, body.take(len)?));
        }
        // After all keys: one that finds a slot beside a cell with debts starts with these.
        for (shard, (layout, bytes)) in cells.into_iter().enumerate() {
            self.cells(Reader(bytes), (shard, shards), layout)?;
        }
        Ok(())
    }

    /// The slots of a shard of the snapshot, which has `shards` of them. Each must lie where the
    /// limiter of the snapshot looks for its fingerprint.
    fn buckets(
        &self,
        body: &mut Reader<'_>,
        (shard, shards): (usize, usize),
        layout: Layout,
    ) -> Result<()> {
        if layout.buckets < MIN_BUCKETS {
            return Err(damaged());
        }
        let is_same = shards == self.table.shard_count();
        let resized = is_same.then(|| self.table.numbered(shard).resize_empty(layout.buckets));
        let keeps_places = resized.transpose().map_err(|_| no_memory())? == Some(true);
        for bucket in 0..layout.buckets {
            let mask = body.byte()?;
            for lane in (0..WAYS).filter(|lane| mask & (1 << lane) != 0) {
                let (fingerprint, words) = self.slot(body)?;
                if shard_number(fingerprint, shards) != shard
                    || layout.walk_to(fingerprint, bucket).is_none()
                {
                    return Err(damaged());
                }
                if keeps_places {
                    self.put_back((shard, bucket, lane), fingerprint, &words)?;
                } else {
                    self.insert(fingerprint, &words)?;
                }
            }
        }
        Ok(())
    }

    /// A slot: its fingerprint and its words.
    fn slot(&self, body: &mut Reader<'_>) -> Result<(u64, Words)> {
        let fingerprint = body.u64()?;
        if fingerprint & !BLOCK == 0 {
            return Err(damaged());
        }
        let mut states = Reader(body.take(self.states_len())?);
        if fingerprint & BLOCK == 0 {
            return Ok((fingerprint, self.words(&mut states)?));
        }
        let mut words = [0; MAX_LIMITS];
        words[0] = self.block(&mut states)?;
        Ok((fingerprint, words))
    }

    /// Puts a key or a block into its old place.
    fn put_back(
        &self,
        (shard, bucket, lane): (usize, usize, usize),
        fingerprint: u64,
        words: &Words,
    ) -> Result<()> {
        let (mut slots, place) = (self.table.numbered(shard), (bucket, lane));
        if !self.is_live(words) || slots.put_back(place, fingerprint, words, self.now) {
            return Ok(());
        }
        Err(damaged())
    }

    /// Gives a key or a block a slot, or, if there is none, its overflow cell.
    fn insert(&self, fingerprint: u64, words: &Words) -> Result<()> {
        if !self.is_live(words) {
            return Ok(());
        }
        let (mut slots, now) = (self.table.shard(fingerprint), self.now);
        if slots.has_slot(fingerprint, now) {
            return Err(damaged());
        }
        if fingerprint & BLOCK != 0 {
            slots.block(fingerprint & !BLOCK, words[0], now);
            return Ok(());
        }
        let found: Found = slots.find(fingerprint, now);
        let mut after = *words;
        for (after, cell) in after.iter_mut().zip(&found.words) {
            *after = (*after).max(*cell);
        }
        // The table may be too small; the overflow cell then has the state.
        let _ = slots.write(fingerprint, &found, &after, true, now);
        Ok(())
    }

    /// The overflow cells of a shard of the snapshot, which has `shards` of them, in their order.
    /// Each raises those of the table that may decide the same keys.
    fn cells(
        &self,
        mut bytes: Reader<'_>,
        (shard, shards): (usize, usize),
        layout: Layout,
    ) -> Result<()> {
        let count = self.table.shard_count();
        // Shards with the same low bits have fingerprints in common.
        let common = shards.min(count);
        let mut free = 0..layout.cell_count();
        while !bytes.0.is_empty() {
            let number = bytes.u32()?.try_into().map_err(|_| damaged())?;
            // A cell of a small shard may stand for a million, so each comes once.
            if !free.contains(&number) {
                return Err(damaged());
            }
            free.start = number + 1;
            let mut words = [0; 1 + MAX_LIMITS];
            words[0] = self.block(&mut bytes)?;
            words[1..].copy_from_slice(&self.words(&mut bytes)?);
            for own in (shard % common..count).step_by(common) {
                self.table.numbered(own).raise_cells(layout, number, &words);
            }
        }
        Ok(())
    }

    /// The end of a block, or 0.
    fn block(&self, bytes: &mut Reader<'_>) -> Result<u64> {
        Ok(match self.left_ns(bytes)? {
            0 => 0,
            left => self.algorithm.word_until(self.now.ns.saturating_add(left)),
        })
    }

    /// The words of the table's limits, from the states of the snapshot's.
    fn words(&self, states: &mut Reader<'_>) -> Result<Words> {
        let mut words = [0; MAX_LIMITS];
        for former in self.former.iter() {
            let left = self.left_ns(states)?;
            let count = match self.algorithm {
                Algorithm::Gcra => 0,
                Algorithm::FixedWindow => states.u64()?,
            };
            let column = self.limits.iter().position(|limit| limit.name() == former.name());
            if let Some(column) = column {
                let quota = self.limits[column].quota();
                words[column] = restored(quota, former.quota(), left, count, self.now);
            }
        }
        Ok(words)
    }

    /// The nanoseconds that are left of a time in the snapshot.
    fn left_ns(&self, bytes: &mut Reader<'_>) -> Result<u64> {
        Ok(bytes.u64()?.saturating_sub(self.elapsed_ns).min(MAX_LEFT_NS))
    }

    fn states_len(&self) -> usize {
        self.former.len() * state_len(self.algorithm)
    }

    fn is_live(&self, words: &Words) -> bool {
        words.iter().any(|word| *word > self.now.word)
    }
}

/// The word of a state: nanoseconds left, and a count in a fixed window.
fn restored(quota: &Quota, former: &Quota, left: u64, count: u64, now: Moment) -> u64 {
    if left == 0 {
        return 0;
    }
    let end = quota.algorithm().word_until(now.ns.saturating_add(left));
    let word = match quota.algorithm() {
        Algorithm::Gcra => end,
        Algorithm::FixedWindow => former.word(count, end, now),
    };
    quota.carry_over(word, former, now)
}
