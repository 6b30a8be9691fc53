//! The durations of the latest hashes.

/// The most durations that are kept.
const MAX_SAMPLES: usize = 1000;

/// The durations of the last [`MAX_SAMPLES`] hashes. A new one replaces the oldest.
#[derive(Debug, Default)]
pub(super) struct Latency {
    nanos: Vec<u64>,
    oldest: usize,
}

impl Latency {
    /// Records a duration.
    pub(super) fn record(&mut self, nanos: u64) {
        if self.nanos.len() < MAX_SAMPLES {
            self.nanos.push(nanos);
        } else {
            self.nanos[self.oldest] = nanos;
            self.oldest = (self.oldest + 1) % MAX_SAMPLES;
        }
    }

    /// The duration that `percent` percent of the samples do not exceed (nearest rank); `None`
    /// without samples.
    pub(super) fn percentile(&self, percent: usize) -> Option<u64> {
        let mut sorted = self.nanos.clone();
        let rank = (sorted.len() * percent).div_ceil(100).checked_sub(1)?;
        Some(*sorted.select_nth_unstable(rank).1)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn percentiles_are_those_of_the_nearest_rank() {
        let mut latency = Latency::default();
        assert_eq!(latency.percentile(50), None);
        for nanos in (1..=10).rev() {
            latency.record(nanos);
        }
        let percentiles = [1, 10, 50, 51, 99, 100].map(|percent| latency.percentile(percent));
        assert_eq!(percentiles, [1, 1, 5, 6, 10, 10].map(Some));
    }

    #[test]
    fn old_samples_are_forgotten() {
        let mut latency = Latency::default();
        for nanos in 0..(MAX_SAMPLES as u64 + 10) {
            latency.record(nanos);
        }
        assert_eq!(latency.percentile(1), Some(19));
        assert_eq!(latency.nanos.len(), MAX_SAMPLES);
    }
}
