//! Time: the clocks of the operating system and of tests, and the time that is proven by them.

mod clocks;
mod latest;
mod proven;

#[cfg(test)]
pub use self::clocks::ManualClock;
pub use self::clocks::{BootClock, Clock, SystemClock, TestClock, is_same_clock};
pub use self::latest::note_latest;
pub use self::proven::{Moment, ProvenTime, Reading};
