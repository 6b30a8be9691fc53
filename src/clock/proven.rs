//! Times that a wrong wall clock cannot falsify.
//!
//! The wall clock can be set, and the boot clock cannot. As long as both advance by the same
//! amount, they agree. When they have agreed for an hour, the wall clock is believed, and all times
//! up to an hour ago have certainly passed.

use super::clocks::Clock;
use super::latest::MAX_LEAD_MILLIS;
use crate::os::{Native, Storage};

/// How long the clocks must have agreed.
const AGREEMENT_MILLIS: u64 = 3_600_000;

/// The difference up to which the clocks agree. Without a step, they drift apart by some seconds in
/// a month.
const SLACK_MILLIS: u64 = 60_000;

/// The readings of the wall clock and the boot clock so far. The fields are plain numbers, so that
/// they can be stored; [`Self::restored`] goes on with them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ProvenTime {
    /// Milliseconds since 1970 that had certainly passed at the last reading.
    pub proven: u64,
    /// The boot clock at the last reading.
    pub read_at: u64,
    /// The first reading since which the clocks agree.
    pub agreed_since: Reading,
    /// The last reading at which the wall clock was believed.
    pub believed: Reading,
}

/// A reading of both clocks at one moment, in milliseconds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Reading {
    /// The wall clock: milliseconds since 1970.
    pub unix: u64,
    /// The boot clock.
    pub boot: u64,
}

/// The present, as far as it is known. Times are in milliseconds since 1970.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Moment {
    /// The wall clock.
    pub wall: u64,
    /// The time that the wall clock would show if it had not been set since it was last believed.
    pub steady: u64,
    /// A time that has certainly passed, for a decision that cannot be undone. It is an hour ago,
    /// or earlier while that is not proven; 0 in the first hour of a process.
    pub proven: u64,
    /// The latest time with which a token can have been issued until now.
    pub latest: u64,
}

impl Moment {
    /// Whether the wall clock is ahead of the time at which it was believed, by more than a small
    /// correction.
    pub fn is_ahead(&self) -> bool {
        self.wall > self.steady.saturating_add(MAX_LEAD_MILLIS)
    }
}

impl ProvenTime {
    /// Begins with a wall clock that is believed, although it proves nothing yet.
    pub fn start(clock: &dyn Clock) -> Self {
        let now = Reading::of(clock);
        Self { proven: 0, read_at: now.boot, agreed_since: now, believed: now }
    }

    /// Goes on with a state of an earlier process. In another boot of the machine, the boot clock
    /// began anew, so only the proven time is kept.
    #[must_use]
    pub fn restored(self, clock: &dyn Clock, same_boot: bool) -> Self {
        if same_boot {
            return self;
        }
        Self { proven: self.proven, ..Self::start(clock) }
    }

    /// The state as bytes: six numbers of 8 bytes, then the id of the boot.
    pub fn to_bytes(self) -> Vec<u8> {
        let Self { proven, read_at, agreed_since, believed } = self;
        let numbers =
            [proven, read_at, agreed_since.unix, agreed_since.boot, believed.unix, believed.boot];
        let mut bytes = numbers.map(u64::to_le_bytes).as_flattened().to_vec();
        bytes.extend(Native::boot_id().unwrap_or_default().as_bytes());
        bytes
    }

    /// Goes on with the result of [`Self::to_bytes`]. `None` if it is too short.
    pub fn from_bytes(bytes: &[u8], clock: &dyn Clock) -> Option<Self> {
        let (numbers, boot_id) = bytes.split_at_checked(48)?;
        let mut numbers = numbers.chunks_exact(8).map(|bytes| {
            bytes.iter().rev().fold(0, |number: u64, byte| number << 8 | u64::from(*byte))
        });
        let mut next = || numbers.next().unwrap_or_default();
        let time = Self {
            proven: next(),
            read_at: next(),
            agreed_since: Reading { unix: next(), boot: next() },
            believed: Reading { unix: next(), boot: next() },
        };
        let same_boot =
            !boot_id.is_empty() && Native::boot_id().is_some_and(|own| own.as_bytes() == boot_id);
        Some(time.restored(clock, same_boot))
    }

    /// Reads the clocks.
    pub fn observe(&mut self, clock: &dyn Clock) -> Moment {
        let now = Reading::of(clock);
        // Time passes at least as fast as the boot clock counts.
        let counted = now.boot.saturating_sub(self.read_at);
        self.proven = self.proven.saturating_add(if self.proven == 0 { 0 } else { counted });
        self.read_at = now.boot;
        if !now.agrees_with(self.agreed_since) {
            self.agreed_since = now;
        }
        let an_hour_ago = now.unix.saturating_sub(AGREEMENT_MILLIS);
        if now.boot.saturating_sub(self.agreed_since.boot) >= AGREEMENT_MILLIS {
            self.proven = self.proven.max(an_hour_ago);
            self.believed = now;
        } else if now.agrees_with(self.believed) {
            self.believed = now;
        }
        self.proven = self.proven.min(an_hour_ago);
        let steady = self.believed.at(now.boot);
        let expected = now.unix.max(steady);
        let shown = clock.latest_unix_millis();
        let is_near = shown <= expected.saturating_add(MAX_LEAD_MILLIS);
        let latest = if is_near { expected.max(shown) } else { expected };
        Moment { wall: now.unix, steady, proven: self.proven, latest }
    }
}

impl Reading {
    fn of(clock: &dyn Clock) -> Self {
        Self { unix: clock.unix_millis(), boot: clock.boot_millis() }
    }

    /// Whether both clocks have advanced by the same amount since an earlier reading.
    fn agrees_with(self, earlier: Self) -> bool {
        self.unix.abs_diff(earlier.at(self.boot)) <= SLACK_MILLIS
    }

    /// The time that the wall clock shows at `boot` if it is not set.
    fn at(self, boot: u64) -> u64 {
        self.unix.saturating_add(boot.saturating_sub(self.boot))
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::clock::ManualClock;

    const NOW: u64 = 1_700_000_000;
    const HOUR: u64 = 3600;
    const DAY: u64 = 24 * HOUR;

    struct Watch {
        time: ProvenTime,
        clock: ManualClock,
    }

    impl Watch {
        fn start() -> Self {
            let clock = ManualClock::at(NOW);
            Self { time: ProvenTime::start(&clock), clock }
        }

        fn pass(&mut self, seconds: u64) -> Moment {
            self.clock.advance(Duration::from_secs(seconds));
            self.time.observe(&self.clock)
        }

        fn set(&mut self, seconds: u64) -> Moment {
            self.clock.set(seconds);
            self.time.observe(&self.clock)
        }
    }

    #[test]
    fn nothing_is_proven_until_the_clocks_have_agreed_for_an_hour() {
        let mut watch = Watch::start();
        assert_eq!(watch.pass(HOUR - 1).proven, 0);
        assert_eq!(watch.pass(1).proven, NOW * 1000);
        assert_eq!(watch.pass(5).proven, (NOW + 5) * 1000);
    }

    #[test]
    fn a_clock_set_ahead_proves_only_the_time_that_passes() {
        let mut watch = Watch::start();
        watch.pass(HOUR);
        let ahead = watch.set(NOW + 40 * DAY);
        assert_eq!((ahead.proven, ahead.steady), (NOW * 1000, (NOW + HOUR) * 1000));
        assert!(ahead.is_ahead());
        assert_eq!(watch.pass(HOUR - 1).proven, (NOW + HOUR - 1) * 1000);
        // After an hour the jump is believed.
        let believed = watch.pass(1);
        assert_eq!((believed.proven, believed.is_ahead()), ((NOW + 40 * DAY) * 1000, false));
        // If the clock is set back, the time before is believed again, after an hour.
        let back = watch.set(NOW + 3 * HOUR);
        assert_eq!(back.proven, (NOW + 2 * HOUR) * 1000);
        assert_eq!(back.latest, (NOW + 40 * DAY + HOUR) * 1000);
        assert_eq!(watch.pass(HOUR).latest, (NOW + 4 * HOUR) * 1000);
    }

    #[test]
    fn a_clock_that_is_wrong_for_one_reading_changes_nothing_lastingly() {
        for wrong in [0, NOW - DAY, NOW - 5, NOW + 5, NOW + 400 * DAY] {
            let mut watch = Watch::start();
            watch.pass(HOUR);
            assert!(watch.set(wrong).latest >= (NOW + HOUR) * 1000, "{wrong}");
            let right = watch.set(NOW + HOUR);
            assert_eq!((right.steady, right.is_ahead()), ((NOW + HOUR) * 1000, false), "{wrong}");
            assert_eq!(right.latest, (NOW + HOUR) * 1000, "{wrong}");
            assert!(right.proven <= NOW * 1000);
            assert_eq!(watch.pass(HOUR).proven, (NOW + HOUR) * 1000, "{wrong}");
        }
    }

    #[test]
    fn a_small_step_back_is_later_than_every_time_that_was_shown() {
        let mut watch = Watch::start();
        watch.clock.set(NOW + 5);
        assert_eq!(watch.set(NOW).latest, (NOW + 5) * 1000);
        assert_eq!(watch.pass(6).latest, (NOW + 6) * 1000);
    }

    #[test]
    fn a_state_is_read_as_it_was_written_in_the_same_boot() {
        let mut watch = Watch::start();
        watch.pass(2 * HOUR);
        watch.set(NOW + DAY);
        let bytes = watch.time.to_bytes();
        assert_eq!(ProvenTime::from_bytes(&bytes, &watch.clock), Some(watch.time));
        let later = ManualClock::at(NOW + 9 * DAY);
        let rebooted = ProvenTime::from_bytes(&[&bytes[..48], b"another boot"].concat(), &later);
        let rebooted = rebooted.unwrap();
        assert_eq!(
            (rebooted.proven, rebooted.believed.unix),
            (NOW * 1000 + 3_600_000, (NOW + 9 * DAY) * 1000)
        );
        assert_eq!(ProvenTime::from_bytes(&bytes[..47], &later), None);
    }

    #[test]
    fn a_process_that_restarts_within_the_hour_goes_on_proving() {
        for same_boot in [true, false] {
            let mut watch = Watch::start();
            watch.pass(HOUR);
            for run in 1..=10 {
                watch.clock.advance(Duration::from_secs(60));
                watch.time = watch.time.restored(&watch.clock, same_boot);
                let proven = watch.pass(29 * 60).proven / 1000 - NOW;
                let counted = run * if same_boot { 30 } else { 29 } * 60;
                assert_eq!(proven, counted, "{run} {same_boot}");
            }
        }
    }
}
