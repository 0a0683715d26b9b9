//! Counts latencies in buckets of one per cent, so that memory does not grow with the requests.

use std::time::Duration;

/// Buckets for each factor of two.
const STEPS: usize = 64;
/// Up to 2^40 microseconds, 12 days.
const BUCKETS: usize = STEPS * 41;

/// The distribution of latencies.
#[derive(Clone, Debug)]
pub(super) struct Latencies {
    counts: Vec<u64>,
    total: u64,
    max: Duration,
}

impl Default for Latencies {
    fn default() -> Self {
        Latencies { counts: vec![0; BUCKETS], total: 0, max: Duration::ZERO }
    }
}

impl Latencies {
    pub(super) fn add(&mut self, latency: Duration) {
        let micros = u64::try_from(latency.as_micros()).unwrap_or(u64::MAX).max(1);
        self.counts[bucket(micros)] += 1;
        self.total += 1;
        self.max = self.max.max(latency);
    }

    /// The latency that this share of the requests did not exceed. It is at most one bucket too
    /// high.
    pub(super) fn quantile(&self, share: f64) -> Duration {
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            clippy::cast_precision_loss
        )]
        let wanted = ((self.total as f64 * share).ceil() as u64).max(1);
        let mut seen = 0;
        for (number, count) in self.counts.iter().enumerate() {
            seen += count;
            if seen >= wanted {
                return Duration::from_micros(upper(number)).min(self.max);
            }
        }
        self.max
    }

    pub(super) fn max(&self) -> Duration {
        self.max
    }

    pub(super) fn is_empty(&self) -> bool {
        self.total == 0
    }
}

/// The number of the bucket of a value: its highest bit, and the six bits below.
fn bucket(micros: u64) -> usize {
    let power = micros.ilog2() as usize;
    let below = match power {
        0..=6 => (micros << (6 - power)) as usize & (STEPS - 1),
        _ => (micros >> (power - 6)) as usize & (STEPS - 1),
    };
    (power * STEPS + below).min(BUCKETS - 1)
}

/// The greatest value of a bucket.
fn upper(number: usize) -> u64 {
    let (power, below) = (number / STEPS, (number % STEPS) as u64);
    let next = STEPS as u64 + below + 1;
    match power {
        0..=6 => (next >> (6 - power)).max(1),
        _ => (next << (power - 6)) - 1,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quantiles_are_within_two_per_cent() {
        let mut latencies = Latencies::default();
        for micros in 1..=100_000 {
            latencies.add(Duration::from_micros(micros));
        }
        for (share, micros) in [(0.5, 50_000.0), (0.9, 90_000.0), (0.99, 99_000.0)] {
            let found = latencies.quantile(share).as_secs_f64() * 1e6;
            assert!((found / micros - 1.0).abs() < 0.02, "{share}: {found}");
        }
        assert_eq!(latencies.quantile(1.0), Duration::from_micros(100_000));
        assert_eq!(latencies.max(), Duration::from_micros(100_000));
        latencies.add(Duration::from_secs(100_000_000));
        assert_eq!(latencies.max(), Duration::from_secs(100_000_000));
    }
}
