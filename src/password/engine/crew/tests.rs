//! Several threads on one hash, some of which leave or fail.

use std::panic::{AssertUnwindSafe, catch_unwind};

use super::super::block::Block;
use super::super::kernel;
use super::super::layout::Layout;
use super::*;
use crate::password::params::{Algorithm, Params, Version};

/// The memory after a hash of lanes that begin with their number, filled by so many threads, of
/// which the helpers leave when `stay` says so.
fn filled(params: Params, threads: u64, stay: impl Fn() -> bool + Sync) -> Vec<[u64; 128]> {
    let layout = Layout::new(params);
    let mut blocks = vec![Block::ZERO; usize::try_from(layout.blocks()).unwrap()];
    for lane in 0..params.parallelism() {
        blocks[layout.at(lane, 0)].words_mut()[0] = u64::from(lane);
    }
    let memory = Memory::new(layout, &mut blocks).unwrap();
    let cancel = Cancel::default();
    // SAFETY: an available kernel's instructions are there.
    let crew = unsafe { Crew::new(kernel::fastest().fill(), &memory, &cancel) };
    crew.run(threads, || Some(Seat::take()), stay);
    assert_eq!(crew.lock().pass, params.time_cost());
    blocks.iter().map(|block| *block.words()).collect()
}

#[test]
fn the_number_of_threads_changes_nothing() {
    for (m, p) in [(64, 2), (4096, 3), (4096, 4), (800, 100)] {
        let params = Params::new(Algorithm::Argon2id, Version::V0x13, m, 3, p).unwrap();
        let alone = filled(params, 1, || true);
        for threads in 2..=5 {
            assert!(filled(params, threads, || true) == alone, "{m} {p} with {threads} threads");
            // One of them leaves after every few segments, so that in the end none is left.
            let asked = AtomicUsize::new(0);
            let stay = || asked.fetch_add(1, Ordering::Relaxed) % 5 != 4;
            assert!(filled(params, threads, stay) == alone, "{m} {p}, of {threads} threads");
        }
    }
}

/// Fails in one lane and leaves the others as they are.
unsafe fn fails(task: &Task<'_>) {
    assert_ne!(task.lane, 2, "so that a thread unwinds");
}

#[test]
fn a_thread_that_panics_lets_the_others_go() {
    let params = Params::new(Algorithm::Argon2id, Version::V0x13, 64, 1, 4).unwrap();
    let layout = Layout::new(params);
    let mut blocks = vec![Block::ZERO; 64];
    let memory = Memory::new(layout, &mut blocks).unwrap();
    let cancel = Cancel::default();
    for threads in [1, 2, 3] {
        // SAFETY: it takes no instructions of any kind.
        let crew = unsafe { Crew::new(fails, &memory, &cancel) };
        let run = || crew.run(threads, || Some(Seat::take()), || true);
        assert!(catch_unwind(AssertUnwindSafe(run)).is_err());
        assert_eq!(crew.lock().pass, 0);
    }
}

#[test]
fn seats_are_given_back_and_idle_ones_are_limited() {
    // Other tests take seats meanwhile; more than there are cores is never idle.
    let seats: Vec<_> = (0..*CORES).map(|_| Seat::take()).collect();
    assert!(Seat::take_idle().is_none());
    drop(seats);
}
