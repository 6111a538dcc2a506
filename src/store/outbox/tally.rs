//! Figures of attempts, whichever the engine: what a few attempts add to them, and the buckets of durations.

use std::collections::BTreeMap;
use std::sync::LazyLock;
use std::time::Duration;

use crate::domain::Attempt;
use crate::store::SenderFigures;

/// The last attempts of each subscription whose end is remembered.
pub const RECENT: usize = 10;
/// How an attempt ended, as the store has it.
const ARRIVED: char = '+';
const FAILED: char = '-';
/// The ratio between the durations of two neighbouring buckets.
const RATIO: f64 = 1.01;
/// The upper bound of the last bucket, in seconds.
const LONGEST_S: f64 = 3_600.0;

/// The start of each bucket of durations, in microseconds: every microsecond up to a hundred, then in steps of 1 %.
static BUCKETS: LazyLock<Vec<u64>> = LazyLock::new(|| {
    let mut starts = vec![0, 1];
    let mut start = 1e-6;
    while start < LONGEST_S {
        start *= RATIO;
        let micros = u64::try_from(Duration::from_secs_f64(start).as_micros()).unwrap_or(u64::MAX);
        if starts.last().is_none_or(|last| *last < micros) {
            starts.push(micros);
        }
    }
    starts
});

/// What attempts add to the figures.
#[derive(Default)]
pub struct Tally<'a> {
    /// For each subscription that made attempts.
    pub totals: BTreeMap<&'a str, SenderFigures>,
    /// The number of answered attempts by subscription and bucket of durations.
    pub buckets: BTreeMap<(&'a str, i64), i64>,
}

/// What these attempts add.
pub fn tally<'a>(attempts: impl Iterator<Item = &'a Attempt>) -> Tally<'a> {
    let Tally { mut totals, mut buckets } = Tally::default();
    for attempt in attempts {
        add(totals.entry(&attempt.target).or_default(), attempt);
        if attempt.status.is_some() {
            let counted = buckets.entry((&attempt.target, bucket(attempt.duration_us))).or_default();
            *counted = counted.saturating_add(1);
        }
    }
    Tally { totals, buckets }
}

/// How the last attempts ended, as the store has it.
pub fn recent_text(recent: &[bool]) -> String {
    recent.iter().map(|arrived| if *arrived { ARRIVED } else { FAILED }).collect()
}

/// How the last attempts ended, from the store's text.
pub fn recent(text: &str) -> Vec<bool> {
    text.chars().map(|end| end == ARRIVED).collect()
}

/// The bucket of a duration.
pub fn bucket(duration_us: u64) -> i64 {
    saturated(BUCKETS.partition_point(|start| *start <= duration_us).saturating_sub(1))
}

fn add(totals: &mut SenderFigures, attempt: &Attempt) {
    let ended_at = attempt.started_at.plus(Duration::from_micros(attempt.duration_us));
    let count = |total: &mut u64, by: u64| *total = total.saturating_add(by);
    count(&mut totals.attempts, 1);
    count(&mut totals.retries, u64::from(attempt.number > 1));
    if attempt.status.is_some() {
        count(&mut totals.answered, 1);
        count(&mut totals.answered_us, attempt.duration_us);
    }
    totals.recent.insert(0, attempt.is_success());
    totals.recent.truncate(RECENT);
    if attempt.is_success() {
        count(&mut totals.successful, 1);
        totals.last_success_at = Some(ended_at);
    } else {
        totals.last_failure_at = Some(ended_at);
    }
}

fn saturated(number: usize) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}

/// A count as stored.
pub fn stored(count: u64) -> i64 {
    i64::try_from(count).unwrap_or(i64::MAX)
}

/// The middle of a bucket, in microseconds.
pub fn middle(bucket: i64) -> f64 {
    let at = usize::try_from(bucket).unwrap_or_default();
    let micros = |at: usize| {
        let start = BUCKETS.get(at).or(BUCKETS.last()).copied().unwrap_or_default();
        Duration::from_micros(start).as_secs_f64() * 1e6
    };
    let last = (micros(at.saturating_add(1)) - 1.0).max(micros(at));
    f64::midpoint(micros(at), last)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bucket_stands_for_its_durations_within_a_hundredth() {
        for duration_us in [0_u32, 1, 2, 57, 99, 100, 101, 1_234, 80_000, 5_000_000, 299_999_999] {
            let off = (middle(bucket(u64::from(duration_us))) - f64::from(duration_us)).abs();
            assert!(off <= f64::from(duration_us) * 0.01, "{duration_us} is off by {off}");
        }
        assert!(bucket(u64::MAX) >= bucket(3_600_000_000));
    }
}
