//! Compares the arena with a simple model: a list of tenants and their bytes. Uses memory of the
//! ordinary allocator, so that Miri can follow every pointer.

use std::collections::BTreeMap;
use std::ops::Range;
use std::sync::Arc;

use super::canary::CANARY_LEN;
use super::{Arena, Config, OVERHEAD, Slot};
use crate::error::Code;
use crate::os::{Backend, Portable};

const STEPS: usize = if cfg!(miri) { 400 } else { 20_000 };

fn arena(max_bytes: usize) -> Arc<Arena> {
    let backend = Some(Backend::Plain);
    Arc::new(Arena::new(Config { memory: &Portable, backend, max_bytes, ..Config::default() }))
}

/// xorshift64: enough to vary the order of operations.
struct Random(u64);

impl Random {
    fn below(&mut self, end: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        usize::try_from(self.0 >> 33).unwrap() % end
    }

    /// Mostly short lengths, sometimes at the edge of a class, sometimes a run.
    fn len(&mut self) -> usize {
        match self.below(8) {
            0 => 4065 + self.below(20_000),
            1 => (64 << self.below(7)) - OVERHEAD + self.below(2),
            2 => 1 + self.below(4064),
            _ => 1 + self.below(200),
        }
    }
}

struct Tenant {
    slot: Slot,
    len: usize,
    byte: u8,
}

/// The tenants, and their address ranges including the canaries.
#[derive(Default)]
struct Model {
    tenants: Vec<Tenant>,
    taken: BTreeMap<usize, usize>,
}

impl Model {
    fn enter(&mut self, tenant: Tenant) {
        let Range { start, end } = extent(&tenant);
        let before = self.taken.range(..end).next_back();
        assert!(before.is_none_or(|(_, before)| *before <= start), "two have the same bytes");
        self.taken.insert(start, end);
        self.tenants.push(tenant);
    }

    fn leave(&mut self, index: usize) -> Tenant {
        let tenant = self.tenants.swap_remove(index);
        self.taken.remove(&extent(&tenant).start);
        tenant
    }
}

fn extent(tenant: &Tenant) -> Range<usize> {
    let start = tenant.slot.as_ptr().addr().get();
    start - CANARY_LEN..start + tenant.len + CANARY_LEN
}

fn check(tenant: &Tenant) {
    assert_eq!(tenant.slot.bytes().len(), tenant.len);
    assert!(tenant.slot.bytes().iter().all(|byte| *byte == tenant.byte), "bytes have changed");
}

fn step(arena: &Arc<Arena>, model: &mut Model, random: &mut Random) {
    let count = model.tenants.len();
    match random.below(10) {
        0 if count > 0 => {
            // Written again, up to the last byte.
            let tenant = &mut model.tenants[random.below(count)];
            tenant.byte = tenant.byte.wrapping_add(1);
            tenant.slot.bytes_mut().fill(tenant.byte);
        }
        1 if count > 0 => check(&model.tenants[random.below(count)]),
        2 if random.below(20) == 0 => arena.verify(),
        2..6 if count > 0 => {
            let tenant = model.leave(random.below(count));
            check(&tenant);
        }
        _ if count < 100 => {
            let len = random.len();
            match Slot::take(arena, len) {
                Ok(mut slot) => {
                    assert_eq!(slot.as_ptr().addr().get() % 16, 0);
                    assert!(slot.bytes().iter().all(|byte| *byte == 0), "a slot was not zero");
                    let byte = u8::try_from(random.below(256)).unwrap();
                    slot.bytes_mut().fill(byte);
                    model.enter(Tenant { slot, len, byte });
                }
                Err(error) => assert_eq!(error.code, Code::SecretExhausted),
            }
        }
        _ => {}
    }
}

#[test]
fn random_sequences_of_calls_agree_with_the_model() {
    for (seed, max_bytes) in [(1, 64 * 1024), (2, 256 * 1024), (3, 1 << 20)] {
        let (arena, mut model, mut random) = (arena(max_bytes), Model::default(), Random(seed));
        for _ in 0..STEPS {
            step(&arena, &mut model, &mut random);
        }
        let status = arena.status();
        assert_eq!(status.live_secrets, model.tenants.len());
        assert!(status.used_bytes <= status.capacity_bytes);
        assert!(status.capacity_bytes <= max_bytes);
        model.tenants.iter().for_each(check);
        model.tenants.clear();
        let status = arena.status();
        assert_eq!((status.live_secrets, status.used_bytes), (0, 0));
    }
}

#[test]
fn several_threads_share_no_bytes() {
    let arena = arena(1 << 20);
    std::thread::scope(|scope| {
        for seed in 1..4 {
            let arena = &arena;
            scope.spawn(move || {
                let (mut model, mut random) = (Model::default(), Random(seed));
                for _ in 0..STEPS / 4 {
                    step(arena, &mut model, &mut random);
                }
                model.tenants.iter().for_each(check);
            });
        }
    });
    assert_eq!(arena.status().used_bytes, 0);
}

#[test]
fn a_slot_may_be_dropped_by_another_thread_and_after_its_arena() {
    let arena = arena(1 << 20);
    let slots: Vec<_> = [1, 64, 4064, 4065].map(|len| Slot::take(&arena, len).unwrap()).into();
    drop(arena);
    let thread = std::thread::spawn(move || {
        for mut slot in slots {
            slot.bytes_mut().fill(7);
        }
    });
    thread.join().unwrap();
}

#[test]
fn the_end_wipes_slots_that_are_still_held() {
    let arena = arena(1 << 20);
    let mut slot = Slot::take(&arena, 40).unwrap();
    slot.bytes_mut().fill(7);
    arena.end();
    assert_eq!(slot.bytes(), [0; 40]);
    assert_eq!(Slot::take(&arena, 40).unwrap_err().code, Code::SecretDisposed);
}
