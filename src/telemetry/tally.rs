//! Counts deliveries by source and outcome since the last reading; the data for the overview.

use std::collections::HashMap;
use std::time::Duration;

use parking_lot::Mutex;

use crate::domain::{Reason, Verdict};

/// The upper bounds of the duration classes, in microseconds; longer durations are counted in one more class.
pub const BOUNDS_US: [u64; 13] = [
    500, 1_000, 2_000, 5_000, 10_000, 20_000, 50_000, 100_000, 200_000, 500_000, 1_000_000, 5_000_000,
    30_000_000,
];
/// The number of duration classes.
pub const TIMES: usize = BOUNDS_US.len() + 1;

/// Deliveries of one source with the same outcome.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Counted {
    /// Their number.
    pub count: u64,
    /// The number of deliveries in each duration class of `BOUNDS_US`, and longer.
    pub times: [u64; TIMES],
}

impl Counted {
    /// Adds one delivery with this duration.
    pub fn add(&mut self, taken: Duration) {
        let micros = u64::try_from(taken.as_micros()).unwrap_or(u64::MAX);
        self.count = self.count.saturating_add(1);
        let at = BOUNDS_US.iter().position(|bound| micros <= *bound).unwrap_or(BOUNDS_US.len());
        if let Some(times) = self.times.get_mut(at) {
            *times = times.saturating_add(1);
        }
    }

    /// Adds the counts of `other`.
    pub fn join(&mut self, other: &Self) {
        self.count = self.count.saturating_add(other.count);
        for (sum, more) in self.times.iter_mut().zip(other.times) {
            *sum = sum.saturating_add(more);
        }
    }

    /// The bound that this percentage of deliveries did not exceed; `None` if there is none, or it is above the last
    /// bound.
    #[must_use]
    pub fn percentile(&self, hundredths: u64) -> Option<Duration> {
        let rank = self.count.saturating_mul(hundredths).div_ceil(100).max(1);
        let mut sum = 0_u64;
        let at = self.times.iter().position(|count| {
            sum = sum.saturating_add(*count);
            sum >= rank
        })?;
        BOUNDS_US.get(at).map(|micros| Duration::from_micros(*micros))
    }
}

/// The outcome of a delivery.
pub type Outcome = (Verdict, Option<Reason>);

/// Counts since the last reading.
#[derive(Debug, Default)]
pub struct Tally(Mutex<HashMap<String, HashMap<Outcome, Counted>>>);

impl Tally {
    /// Counts a delivery to `source`.
    pub fn add(&self, source: &str, outcome: Outcome, taken: Duration) {
        let mut counts = self.0.lock();
        if let Some(known) = counts.get_mut(source) {
            known.entry(outcome).or_default().add(taken);
            return;
        }
        let mut first = Counted::default();
        first.add(taken);
        counts.insert(source.to_owned(), HashMap::from([(outcome, first)]));
    }

    /// Takes and resets the counts.
    #[must_use]
    pub fn take(&self) -> Vec<(String, Outcome, Counted)> {
        let counts = std::mem::take(&mut *self.0.lock());
        let flat = counts.into_iter().flat_map(|(source, outcomes)| {
            outcomes.into_iter().map(move |(outcome, counted)| (source.clone(), outcome, counted))
        });
        flat.collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_counted_is_taken_once() {
        let tally = Tally::default();
        let accepted = (Verdict::Accepted, None);
        for micros in [100, 500, 501, 60_000_000] {
            tally.add("a", accepted, Duration::from_micros(micros));
        }
        tally.add("a", (Verdict::Rejected, Some(Reason::NotJson)), Duration::ZERO);
        let mut taken = tally.take();
        taken.sort_by_key(|(_, _, counted)| counted.count);
        assert_eq!(taken.len(), 2);
        let (source, outcome, counted) = &taken[1];
        assert_eq!((source.as_str(), *outcome, counted.count), ("a", accepted, 4));
        assert_eq!((counted.times[0], counted.times[1], counted.times[TIMES - 1]), (2, 1, 1));
        assert_eq!(counted.percentile(50), Some(Duration::from_micros(500)));
        assert_eq!(counted.percentile(75), Some(Duration::from_millis(1)));
        assert_eq!(counted.percentile(99), None, "longer than every bound");
        assert!(tally.take().is_empty());
        let mut sum = Counted::default();
        sum.join(counted);
        sum.join(counted);
        assert_eq!(sum.count, 8);
        assert_eq!(Counted::default().percentile(50), None);
    }
}
