//! Three clocks: a wall clock for the times in tokens, a monotonic clock for rates, and a boot
//! clock, which goes on while the machine sleeps, for lifetimes. All are read through one trait, so
//! that the tests of limiter, tokens and revocation need not sleep.

use std::ptr;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, LazyLock};
use std::time::{Instant, SystemTime, UNIX_EPOCH};

use super::latest::Latest;
use crate::os::{Native, Platform, Storage};

/// A source of time.
pub trait Clock: Send + Sync {
    /// Milliseconds since 1970-01-01T00:00:00Z; may jump when the system's clock is set.
    fn unix_millis(&self) -> u64;

    /// Nanoseconds since some moment before the first call; never goes back.
    fn monotonic_nanos(&self) -> u64;

    /// Milliseconds since some moment before the first call; never goes back, and goes on while the
    /// machine sleeps.
    fn boot_millis(&self) -> u64 {
        self.monotonic_nanos() / 1_000_000
    }

    /// Tells the moments from which the boot clock counts apart; `None` if it is not known. Times
    /// of the boot clock mean the same to all processes with the same id.
    fn boot_id(&self) -> Option<String>;

    /// The latest time that the wall clock has shown, in milliseconds since 1970. The clock forgets
    /// times that are more than 300 s ahead of its present one.
    fn latest_unix_millis(&self) -> u64;

    /// `NumericDate` of RFC 7519 section 2, whole seconds.
    fn unix_seconds(&self) -> u64 {
        self.unix_millis() / 1000
    }
}

/// The clocks of the operating system.
#[derive(Clone, Copy, Debug, Default)]
pub struct SystemClock;

static ORIGIN: LazyLock<Instant> = LazyLock::new(Instant::now);

/// The latest time that any thread has read, or another process.
static SHOWN: Latest = Latest::new(0);

impl SystemClock {
    /// Learns the latest time that another process has read: the system's clock may have been set
    /// back before this one started. A time far ahead is forgotten, as one of its own is.
    pub fn learn(self, latest: u64) {
        SHOWN.note(latest);
        self.unix_millis();
    }
}

/// Whether both are one clock. Two that show the same time may be set apart.
pub fn is_same_clock(one: &Arc<dyn Clock>, other: &Arc<dyn Clock>) -> bool {
    ptr::addr_eq(Arc::as_ptr(one), Arc::as_ptr(other))
}

impl Clock for SystemClock {
    fn unix_millis(&self) -> u64 {
        // A clock that is set before 1970 reads as 1970. The verifier then refuses every token as
        // not yet active or issued in the future, which is safe.
        let now = SystemTime::now()
            .duration_since(UNIX_EPOCH)
            .map_or(0, |since| u64::try_from(since.as_millis()).unwrap_or(u64::MAX));
        SHOWN.note(now);
        now
    }

    fn monotonic_nanos(&self) -> u64 {
        u64::try_from(ORIGIN.elapsed().as_nanos()).unwrap_or(u64::MAX)
    }

    fn boot_millis(&self) -> u64 {
        Native::boot_millis().unwrap_or_else(|| self.monotonic_nanos() / 1_000_000)
    }

    fn boot_id(&self) -> Option<String> {
        Native::boot_millis().and(Native::boot_id())
    }

    fn latest_unix_millis(&self) -> u64 {
        SHOWN.get()
    }
}

/// The clocks of the operating system, with the boot clock in place of the monotonic one: all
/// processes of the machine see the same time.
#[derive(Clone, Copy, Debug, Default)]
pub struct BootClock;

impl Clock for BootClock {
    fn unix_millis(&self) -> u64 {
        SystemClock.unix_millis()
    }

    fn monotonic_nanos(&self) -> u64 {
        Native::boot_nanos().unwrap_or(0)
    }

    fn boot_id(&self) -> Option<String> {
        SystemClock.boot_id()
    }

    fn latest_unix_millis(&self) -> u64 {
        SystemClock.latest_unix_millis()
    }
}

/// A clock that shows the time that it was last given, and starts with the first one. It is for
/// tests of applications: the façade asks a function of the test for the time before each call.
#[derive(Debug)]
pub struct TestClock {
    first: u64,
    unix_millis: AtomicU64,
    /// The latest time, from which the monotonic reading is counted.
    latest: AtomicU64,
    shown: Latest,
}

impl TestClock {
    /// The last reading of the monotonic clock, so that sums of readings do not overflow: after 146
    /// years.
    const LAST_NANOS: u64 = 1 << 62;

    /// A clock at this time.
    pub fn at(unix_millis: u64) -> Self {
        let [now, latest] = [(); 2].map(|()| AtomicU64::new(unix_millis));
        let shown = Latest::new(unix_millis);
        Self { first: unix_millis, unix_millis: now, latest, shown }
    }

    /// Gives the clock the time, which may be earlier than before.
    pub fn set(&self, unix_millis: u64) {
        self.unix_millis.store(unix_millis, Ordering::Relaxed);
        self.latest.fetch_max(unix_millis, Ordering::Relaxed);
        self.shown.note(unix_millis);
    }
}

impl Clock for TestClock {
    fn unix_millis(&self) -> u64 {
        self.unix_millis.load(Ordering::Relaxed)
    }

    fn monotonic_nanos(&self) -> u64 {
        let passed = self.latest.load(Ordering::Relaxed).saturating_sub(self.first);
        passed.saturating_mul(1_000_000).min(Self::LAST_NANOS)
    }

    fn boot_id(&self) -> Option<String> {
        Some(format!("a test since {}", self.first))
    }

    fn latest_unix_millis(&self) -> u64 {
        self.shown.get()
    }
}

/// A clock that stands still until it is told to move.
#[cfg(test)]
#[derive(Debug, Default)]
pub struct ManualClock {
    unix_millis: AtomicU64,
    monotonic_nanos: AtomicU64,
    shown: Latest,
}

#[cfg(test)]
impl ManualClock {
    /// A clock at a `NumericDate`.
    pub fn at(unix_seconds: u64) -> Self {
        let clock = Self::default();
        clock.set(unix_seconds);
        clock
    }

    /// Sets the wall clock, forwards or back.
    pub fn set(&self, unix_seconds: u64) {
        self.unix_millis.store(unix_seconds * 1000, Ordering::Relaxed);
        self.shown.note(unix_seconds * 1000);
    }

    /// Moves both clocks forward.
    ///
    /// # Panics
    ///
    /// After 584 years.
    pub fn advance(&self, by: std::time::Duration) {
        use Ordering::Relaxed;
        let by_millis = u64::try_from(by.as_millis()).unwrap();
        self.shown.note(self.unix_millis.fetch_add(by_millis, Relaxed) + by_millis);
        self.monotonic_nanos.fetch_add(u64::try_from(by.as_nanos()).unwrap(), Relaxed);
    }
}

#[cfg(test)]
impl Clock for ManualClock {
    fn unix_millis(&self) -> u64 {
        self.unix_millis.load(Ordering::Relaxed)
    }

    fn monotonic_nanos(&self) -> u64 {
        self.monotonic_nanos.load(Ordering::Relaxed)
    }

    fn boot_id(&self) -> Option<String> {
        Some("a test".into())
    }

    fn latest_unix_millis(&self) -> u64 {
        self.shown.get()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_given_clock_goes_back_by_the_wall_and_never_by_its_monotonic_reading() {
        let clock = TestClock::at(5000);
        assert_eq!((clock.unix_millis(), clock.monotonic_nanos()), (5000, 0));
        clock.set(7000);
        assert_eq!((clock.unix_millis(), clock.monotonic_nanos()), (7000, 2_000_000_000));
        clock.set(6000);
        assert_eq!((clock.unix_millis(), clock.monotonic_nanos()), (6000, 2_000_000_000));
        clock.set(u64::MAX);
        assert_eq!(clock.monotonic_nanos(), 1 << 62);
    }
}
