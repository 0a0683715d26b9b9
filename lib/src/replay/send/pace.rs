//! Computes when each request is due.

use std::time::Duration;

use tokio::time::Instant;

use super::options::Speed;

/// The timetable of a run.
#[derive(Debug)]
pub(super) struct Pace {
    speed: Speed,
    start: Option<Instant>,
    /// The first recorded time.
    first: Option<i64>,
    number: u64,
    /// The time of the last request, counted from the start.
    last: Duration,
}

impl Pace {
    pub(super) fn new(speed: Speed) -> Pace {
        Pace { speed, start: None, first: None, number: 0, last: Duration::ZERO }
    }

    /// When the next request is due after the first one. `at` is its recorded time. Without a
    /// recorded time, it is due with the previous request.
    pub(super) fn offset(&mut self, at: Option<i64>) -> Option<Duration> {
        match self.speed {
            Speed::Max => return None,
            Speed::Rate(rate) => {
                #[expect(clippy::cast_precision_loss, reason = "2^53 requests are not sent")]
                let seconds = self.number as f64 / rate;
                self.last = Duration::try_from_secs_f64(seconds).unwrap_or(Duration::MAX);
            }
            Speed::Recorded(factor) => {
                if let Some(at) = at {
                    let first = *self.first.get_or_insert(at);
                    let micros = u64::try_from(at.saturating_sub(first)).unwrap_or_default();
                    let offset = Duration::from_micros(micros).as_secs_f64() / factor;
                    let offset = Duration::try_from_secs_f64(offset).unwrap_or(Duration::MAX);
                    self.last = self.last.max(offset);
                }
            }
        }
        self.number += 1;
        Some(self.last)
    }

    /// When the next request is due; `None` for at once.
    pub(super) fn due(&mut self, at: Option<i64>) -> Option<Instant> {
        let offset = self.offset(at)?;
        let start = *self.start.get_or_insert_with(Instant::now);
        // A time too far in the future counts as never.
        Some(start.checked_add(offset).unwrap_or(start + Duration::from_secs(1 << 32)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn requests_keep_their_distances() {
        let offsets = |speed, times: &[Option<i64>]| -> Vec<u128> {
            let mut pace = Pace::new(speed);
            times.iter().filter_map(|at| pace.offset(*at)).map(|due| due.as_millis()).collect()
        };
        let times = [Some(5_000_000), Some(6_000_000), None, Some(5_500_000), Some(8_000_000)];
        assert_eq!(offsets(Speed::Recorded(1.0), &times), [0, 1000, 1000, 1000, 3000]);
        assert_eq!(offsets(Speed::Recorded(10.0), &times), [0, 100, 100, 100, 300]);
        assert_eq!(offsets(Speed::Rate(4.0), &times), [0, 250, 500, 750, 1000]);
        assert!(offsets(Speed::Max, &times).is_empty());
    }
}
