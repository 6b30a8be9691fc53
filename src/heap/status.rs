//! What the secure heap can honestly say about itself.

use std::ops::Range;
use std::sync::atomic::{AtomicU64, Ordering};

use super::arena;
use super::policy::Settings;
use crate::error::Result;
use crate::os::{Backend, Os};

/// The state of the secure heap. Protections are what the kernel reports, not what was asked for.
#[allow(
    clippy::struct_excessive_bools,
    reason = "each is a fact of its own, as JavaScript reads it"
)]
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Status {
    /// How the memory was obtained.
    pub backend: Backend,
    /// Why no better backend is used and which protections were refused, with the errno, such as
    /// `memfd_secret: ENOSYS` or `memfd_secret: hibernation configured`.
    pub reasons: Vec<String>,
    /// Never written to swap.
    pub locked: bool,
    /// Left out of core dumps.
    pub dump_excluded: bool,
    /// Not reachable for the kernel either: `/proc/PID/mem`, ptrace and the like read nothing.
    pub kernel_unmapped: bool,
    /// Inaccessible pages stand before and behind all of it, and on both sides of each secret above
    /// 4064 bytes.
    pub guard_pages: bool,
    /// Bytes of protected memory obtained so far.
    pub capacity_bytes: usize,
    /// Bytes in use, as the sum of the slots' sizes.
    pub used_bytes: usize,
    /// Slots in use: secrets that are not empty, and values kept by [`super::Locked`].
    pub live_secrets: usize,
    /// Secrets that are kept outside, encrypted, because there was no room for them.
    pub sealed_secrets: usize,
    /// Secrets that their holder never let go of and that were cleared up after him, in the whole
    /// process so far.
    pub leaked: u64,
    /// What `capacity_bytes` may grow to, in bytes.
    pub max_bytes: usize,
    /// Soft `RLIMIT_MEMLOCK` in bytes; `None` is unlimited.
    pub memlock_soft: Option<u64>,
    /// Hard `RLIMIT_MEMLOCK` in bytes; `None` is unlimited.
    pub memlock_hard: Option<u64>,
    /// The machine cannot hibernate while this process lives: Linux refuses to as long as any
    /// `memfd_secret` mapping exists.
    pub hibernation_blocked: bool,
    /// A secret may reach swap or a core dump.
    pub degraded: bool,
}

impl Status {
    /// Completes it with what the kernel says about these address ranges; `memfd_secret` leaves
    /// nothing to ask.
    pub(super) fn read_back(&mut self, os: &dyn Os, ranges: &[Range<usize>]) {
        if self.kernel_unmapped {
            return;
        }
        match os.read_back(ranges) {
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

    /// Adds the memory that is set aside for using sealed secrets, and how many there are. What is
    /// not true of both is not true.
    pub(super) fn add(&mut self, scratch: Self, sealed: usize) {
        self.sealed_secrets = sealed;
        self.capacity_bytes += scratch.capacity_bytes;
        self.used_bytes += scratch.used_bytes;
        self.backend = self.backend.max(scratch.backend);
        for reason in scratch.reasons {
            if !self.reasons.contains(&reason) {
                self.reasons.push(reason);
            }
        }
        self.locked &= scratch.locked;
        self.dump_excluded &= scratch.dump_excluded;
        self.kernel_unmapped &= scratch.kernel_unmapped;
        self.guard_pages &= scratch.guard_pages;
        self.hibernation_blocked |= scratch.hibernation_blocked;
        self.degraded |= scratch.degraded;
    }
}

/// The state of the process's secure heap, which is made now if nothing has used it yet. Costs up
/// to some milliseconds: the kernel describes every mapping of the process.
pub fn status() -> Status {
    arena::global().status()
}

/// Looks for writes beyond the ends of secrets, everywhere in the heap. Where there was one, every
/// secret is wiped and the process ends with a message on stderr. The same is looked at when a
/// secret is let go of.
pub fn verify() {
    arena::global().verify();
}

static LEAKED: AtomicU64 = AtomicU64::new(0);

/// Notes that a secret is cleared up after a holder who did not let go of it.
pub fn count_leaked() {
    LEAKED.fetch_add(1, Ordering::Relaxed);
}

/// As many as `count_leaked` was told of.
pub(super) fn leaked() -> u64 {
    LEAKED.load(Ordering::Relaxed)
}

/// Changes what the process's secure heap is made of, before the first secret or key: later
/// anything but a higher `max_bytes` is `ERR_SECRET_CONFIGURED`. `ERR_SECRET_DEGRADED`, here and for
/// every later secret, when the machine does not give what is required.
pub fn configure(settings: Settings) -> Result<()> {
    arena::global().configure(settings)
}
