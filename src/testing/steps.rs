//! Counts the steps of a table, so that a test can state how its work grows without a clock.

use std::cell::Cell;

thread_local! {
    static STEPS: Cell<u64> = const { Cell::new(0) };
}

/// Counts the visit of one entry.
pub(crate) fn step() {
    STEPS.set(STEPS.get() + 1);
}

/// Runs `body` and returns the number of steps that it took on this thread.
pub(crate) fn steps_of(body: impl FnOnce()) -> u64 {
    let before = STEPS.get();
    body();
    STEPS.get() - before
}
