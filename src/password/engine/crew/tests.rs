//! Several threads on one hash, some of which leave or fail.

use std::panic::{AssertUnwindSafe, catch_unwind};

use super::super::block::Block;
use super::super::kernel;
use super::super::layout::Layout;
use super::*;
use crate::password::params::{Algorithm, Params, Version};

/// The memory after a hash by `threads` threads. Each lane begins with its number, and helpers
/// leave when `stay` returns false.
fn filled(params: Params, threads: u64, stay: impl Fn() -> bool + Sync) -> Vec<[u64; 128]> {
    let layout = Layout::new(params);
    let mut blocks = vec![Block::ZERO; usize::try_from(layout.blocks()).unwrap()];
    for lane in 0..params.parallelism() {
        blocks[layout.at(lane, 0)].words_mut()[0] = u64::from(lane);
    }
    let memory = Memory::new(layout, &mut blocks).unwrap();
    let cancel = Cancel::default();
    // SAFETY: the processor has the instructions of an available kernel.
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
            // One thread leaves after every few segments, so that no helper is left at the end.
            let asked = AtomicUsize::new(0);
            let stay = || asked.fetch_add(1, Ordering::Relaxed) % 5 != 4;
            assert!(filled(params, threads, stay) == alone, "{m} {p}, of {threads} threads");
        }
    }
}

/// Panics in lane 2 and does nothing in the others.
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
        // SAFETY: `fails` needs no special instructions.
        let crew = unsafe { Crew::new(fails, &memory, &cancel) };
        let run = || crew.run(threads, || Some(Seat::take()), || true);
        assert!(catch_unwind(AssertUnwindSafe(run)).is_err());
        assert_eq!(crew.lock().pass, 0);
    }
}

#[test]
fn seats_are_given_back_and_idle_ones_are_limited() {
    // Other tests may take seats meanwhile; no core is idle while as many seats as cores are taken.
    let seats: Vec<_> = (0..*CORES).map(|_| Seat::take()).collect();
    assert!(Seat::take_idle().is_none());
    drop(seats);
}
