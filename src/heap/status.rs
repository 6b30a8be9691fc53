//! The state of an arena as the kernel reports it.

use std::ops::Range;

use super::config::Config;
use super::store::Store;
use crate::os::{Backend, ProtectedMemory};

/// The state of an arena. Protections are as the kernel reports them, not as they were requested.
#[allow(
    clippy::struct_excessive_bools,
    reason = "each is a fact of its own, as JavaScript reads it"
)]
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Status {
    /// How the memory was obtained.
    pub backend: Backend,
    /// Why no better backend is used and which protections were refused, with the errno, for
    /// example `memfd_secret: ENOSYS` or `memfd_secret: hibernation configured`.
    pub reasons: Vec<String>,
    /// Never written to swap.
    pub locked: bool,
    /// Left out of core dumps.
    pub dump_excluded: bool,
    /// Not accessible to the kernel either: `/proc/PID/mem`, ptrace and similar interfaces read
    /// nothing.
    pub kernel_unmapped: bool,
    /// Inaccessible pages lie before and after all of the memory, and on both sides of each secret
    /// above 4064 bytes.
    pub guard_pages: bool,
    /// Bytes of protected memory obtained so far.
    pub capacity_bytes: usize,
    /// Bytes in use: the sum of the slots' sizes.
    pub used_bytes: usize,
    /// Slots in use: secrets that are not empty, and values of fixed size.
    pub live_secrets: usize,
    /// The limit of `capacity_bytes`.
    pub max_bytes: usize,
    /// Soft `RLIMIT_MEMLOCK` in bytes; `None` is unlimited.
    pub memlock_soft: Option<u64>,
    /// Hard `RLIMIT_MEMLOCK` in bytes; `None` is unlimited.
    pub memlock_hard: Option<u64>,
    /// The machine cannot hibernate while this process lives, because Linux refuses to while any
    /// `memfd_secret` mapping exists.
    pub hibernation_blocked: bool,
    /// A secret may reach swap or a core dump.
    pub degraded: bool,
}

impl Status {
    /// The facts that do not require reading the mappings back; [`Status::read_back`] completes
    /// them.
    pub(super) fn of(config: &Config, store: &Store) -> Self {
        // Without any memory the capacity is 0, and the reasons say why.
        let backend = store.backend().unwrap_or(Backend::Plain);
        let secret = backend == Backend::MemfdSecret;
        let memlock = config.memory.memlock();
        Self {
            backend,
            reasons: store.reasons().to_vec(),
            // Pages of memfd_secret are never in swap or a dump by construction, regardless of the
            // flags.
            locked: secret,
            dump_excluded: secret,
            kernel_unmapped: secret,
            guard_pages: store.guarded(),
            capacity_bytes: store.capacity(),
            used_bytes: store.used_bytes(),
            live_secrets: store.live(),
            max_bytes: config.max_bytes,
            memlock_soft: memlock.soft,
            memlock_hard: memlock.hard,
            hibernation_blocked: secret,
            degraded: !secret,
        }
    }

    /// Completes the status with the kernel's report on these address ranges. For `memfd_secret`
    /// there is nothing to ask.
    pub(super) fn read_back(&mut self, memory: &dyn ProtectedMemory, ranges: &[Range<usize>]) {
        if self.kernel_unmapped {
            return;
        }
        match memory.read_back(ranges) {
            Ok(found) => {
                self.locked = found.locked;
                self.dump_excluded = found.dump_excluded;
                self.degraded = !(found.locked && found.dump_excluded);
                if self.backend == Backend::Mlock && !found.locked {
                    self.reasons.push("mlock: the system reports it as not locked".to_owned());
                }
                self.reasons.extend(found.note.map(str::to_owned));
            }
            Err(reason) => self.reasons.push(reason),
        }
    }

    /// Adds the memory of an arena that is not counted in `live_secrets`, `max_bytes` and the
    /// limits. A protection is reported only if both arenas have it.
    pub fn add(&mut self, other: Self) {
        self.capacity_bytes += other.capacity_bytes;
        self.used_bytes += other.used_bytes;
        self.backend = self.backend.max(other.backend);
        for reason in other.reasons {
            if !self.reasons.contains(&reason) {
                self.reasons.push(reason);
            }
        }
        self.locked &= other.locked;
        self.dump_excluded &= other.dump_excluded;
        self.kernel_unmapped &= other.kernel_unmapped;
        self.guard_pages &= other.guard_pages;
        self.hibernation_blocked |= other.hibernation_blocked;
        self.degraded |= other.degraded;
    }
}
