//! Counts deliveries by source and outcome since the last reading; the data for the overview.

use std::collections::{BTreeMap, HashMap};
use std::time::Duration;

use parking_lot::Mutex;

use crate::domain::{Reason, Verdict};

/// Up to this many times are kept to the microsecond; of more, only the first binary digits are.
const EXACT: usize = 512;
/// How many binary digits are kept then, and after that: times are right within 0.8 %, and within 3 %.
const DIGITS: [u32; 2] = [7, 5];
/// The upper bounds by which an earlier release counted times, in microseconds; what took longer was counted after the last.
const OLD_BOUNDS_US: [u64; 14] = [
    500, 1_000, 2_000, 5_000, 10_000, 20_000, 50_000, 100_000, 200_000, 500_000, 1_000_000, 5_000_000,
    30_000_000, 60_000_000,
];

/// Deliveries that became the same, with the times that they took.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Counted {
    /// Their number.
    pub count: u64,
    /// How many took which time, in microseconds.
    times: BTreeMap<u64, u64>,
    /// How many binary digits of times are kept; `None`: all.
    digits: Option<u32>,
}

impl Counted {
    /// So many of which these are the times, as `times` wrote them, or as an earlier release did.
    #[must_use]
    pub fn read(count: u64, times: &str) -> Option<Self> {
        let old = || {
            let counts: Vec<u64> = serde_json::from_str(times).ok()?;
            Some(OLD_BOUNDS_US.into_iter().zip(counts).filter(|(_, count)| *count > 0).collect())
        };
        let times = serde_json::from_str(times).ok().or_else(old)?;
        Some(Self { count, times, digits: None })
    }

    /// Its times as text.
    #[must_use]
    pub fn times(&self) -> String {
        serde_json::to_string(&self.times).unwrap_or_default()
    }

    /// Adds one that took so long.
    pub fn add(&mut self, taken: Duration) {
        let micros = u64::try_from(taken.as_micros()).unwrap_or(u64::MAX);
        self.count = self.count.saturating_add(1);
        let micros = self.digits.map_or(micros, |digits| rounded(micros, digits));
        let times = self.times.entry(micros).or_default();
        *times = times.saturating_add(1);
        self.bound();
    }

    /// Adds the counts of `other`.
    pub fn join(&mut self, other: &Self) {
        self.count = self.count.saturating_add(other.count);
        for (micros, more) in &other.times {
            let times = self.times.entry(*micros).or_default();
            *times = times.saturating_add(*more);
        }
    }

    /// Keeps only the first digits of its times where there are many.
    pub fn bound(&mut self) {
        for digits in DIGITS {
            if self.times.len() <= EXACT || self.digits.is_some_and(|kept| kept <= digits) {
                continue;
            }
            self.digits = Some(digits);
            for (micros, count) in std::mem::take(&mut self.times) {
                let times = self.times.entry(rounded(micros, digits)).or_default();
                *times = times.saturating_add(count);
            }
        }
    }

    /// A percentile of the times, by nearest rank. `None` without times.
    #[must_use]
    pub fn percentile(&self, hundredths: u64) -> Option<Duration> {
        let all = self.times.values().fold(0, |sum: u64, count| sum.saturating_add(*count));
        let rank = all.saturating_mul(hundredths).div_ceil(100).max(1);
        let mut sum = 0_u64;
        self.times.iter().find_map(|(micros, count)| {
            sum = sum.saturating_add(*count);
            (sum >= rank).then(|| Duration::from_micros(*micros))
        })
    }
}

/// A number with its first binary digits, the others 0.
fn rounded(number: u64, digits: u32) -> u64 {
    let surplus = number.checked_ilog2().map_or(0, |power| power.saturating_add(1).saturating_sub(digits));
    let unit = 2_u64.saturating_pow(surplus);
    number.saturating_add(unit / 2) / unit * unit
}

/// What became of a delivery.
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
        let micros = Duration::from_micros;
        assert_eq!(counted.percentile(50), Some(micros(500)));
        assert_eq!(counted.percentile(75), Some(micros(501)), "not the bound of a bucket");
        assert_eq!(counted.percentile(99), Some(micros(60_000_000)));
        assert!(tally.take().is_empty());
        let mut sum = Counted::default();
        sum.join(counted);
        sum.join(counted);
        assert_eq!(sum.count, 8);
        assert_eq!(Counted::default().percentile(50), None);
    }
    #[test]
    fn times_are_exact_until_there_are_many_and_then_keep_their_first_digits() {
        let counted = |all: u64| {
            let mut counted = Counted::default();
            (1..=all).for_each(|n| counted.add(Duration::from_micros(10_000 + n)));
            counted
        };
        let few = counted(512);
        assert_eq!(few.percentile(50), Some(Duration::from_micros(10_256)));
        let many = counted(100_000);
        assert!(many.times.len() <= EXACT, "{}", many.times.len());
        let told = many.percentile(95).unwrap().as_secs_f64() * 1e6;
        assert!((told / 105_000.0 - 1.0).abs() < 0.01, "{told}");
        assert_eq!(Counted::read(512, &few.times()), Some(few));
        assert_eq!(
            [rounded(123_456, 7), rounded(255, 7), rounded(7, 5), rounded(0, 5)],
            [123_904, 256, 7, 0]
        );
        assert!(rounded(u64::MAX, 2) > u64::MAX / 2);
    }

    #[test]
    fn what_an_earlier_release_counted_is_read() {
        let old = Counted::read(3, "[0,1,2,0,0,0,0,0,0,0,0,0,0,0]").unwrap();
        assert_eq!((old.count, old.percentile(50)), (3, Some(Duration::from_millis(2))));
        assert_eq!(Counted::read(1, "x"), None);
    }
}
