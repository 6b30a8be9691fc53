//! Keys that are blocked until a time: each has a slot of its own for that.

use super::Slots;
use crate::limiter::limit::MAX_LIMITS;
use crate::limiter::on_full::OnFull;
use crate::limiter::room::Room;
use crate::limiter::state::Moment;
use crate::limiter::view::{BLOCK, View};

impl Slots {
    /// Blocks a key until a word expires. Without a slot for the block, it takes the slot of the
    /// key's state, and then lasts until the key has recovered; or all keys without a slot are
    /// blocked, unless they are allowed.
    pub(in crate::limiter) fn block(&mut self, fingerprint: u64, until: u64, now: Moment) {
        let marked = fingerprint | BLOCK;
        let mut words = [0; MAX_LIMITS];
        words[0] = until;
        if let Some((place, _)) = self.locate(marked, now) {
            return self.put_words(place, &words);
        }
        let own = self.locate(fingerprint, now).map(|(place, _)| place);
        let place = match self.room(marked, now) {
            Room::Free(place) | Room::Victim(place) => Some(place),
            Room::Grow | Room::None(_) => own,
        };
        let Some(place) = place else {
            if self.on_full == OnFull::Allow {
                return;
            }
            let cell = &mut self.buckets.cell_mut(fingerprint)[0];
            *cell = until.max(*cell);
            self.overflow_until = self.overflow_until.max(until);
            return;
        };
        if self.buckets.fingerprint(place) == fingerprint {
            words[0] = until.max(self.buckets.until(place));
        }
        self.put(place, marked, &words, now);
    }

    /// Ends the block of a key, except that of an overflow cell.
    pub(in crate::limiter) fn unblock(&mut self, fingerprint: u64, now: Moment) {
        if self.blocks > 0
            && let Some((place, _)) = self.locate(fingerprint | BLOCK, now)
        {
            self.put(place, 0, &[0; MAX_LIMITS], now);
        }
    }
}
