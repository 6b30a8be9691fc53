//! Numbers for tests that change their inputs at random.

/// A xorshift generator. A seed, which is not 0, gives the same numbers in every run.
pub(crate) struct Random(pub u64);

impl Random {
    /// Any number but 0. It does not repeat.
    pub(crate) fn number(&mut self) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0
    }

    /// A number below `limit`, or 0 if that is 0.
    pub(crate) fn below(&mut self, limit: usize) -> usize {
        usize::try_from((self.number() >> 16) % limit.max(1) as u64).unwrap()
    }

    /// One of the elements.
    pub(crate) fn pick<T: Copy>(&mut self, all: &[T]) -> T {
        all[self.below(all.len())]
    }
}
