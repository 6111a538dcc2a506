//! Whether batches take long: a database that is slow is not ready, although a small write may still succeed there.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use parking_lot::Mutex;

/// A batch that takes longer is late.
const LATE: Duration = Duration::from_secs(3);
/// For how long after a late batch the database counts as slow, if no other batch is faster: longer than it takes until
/// the next one is late.
const REMEMBERED: Duration = Duration::from_secs(4);

/// The batches that are under way, and how the last one ended.
#[derive(Default)]
pub struct Pace(Mutex<Seen>);

#[derive(Default)]
struct Seen {
    /// When the batch of each writer began.
    under_way: BTreeMap<i64, Instant>,
    /// When the last batch ended, if it was late.
    late: Option<Instant>,
}

impl Pace {
    /// The batch of a writer begins.
    pub fn begin(&self, writer: i64, now: Instant) {
        self.0.lock().under_way.insert(writer, now);
    }

    /// The batch of a writer has ended.
    pub fn end(&self, writer: i64, now: Instant) {
        let mut seen = self.0.lock();
        let began = seen.under_way.remove(&writer);
        seen.late = began.filter(|began| now.duration_since(*began) > LATE).map(|_| now);
    }

    /// Whether deliveries wait for long.
    pub fn is_slow(&self, now: Instant) -> bool {
        let seen = self.0.lock();
        seen.under_way.values().any(|began| now.duration_since(*began) > LATE)
            || seen.late.is_some_and(|late| now.duration_since(late) < REMEMBERED)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_late_batch_is_slow_until_one_is_in_time_or_a_while_has_passed() {
        let (pace, start) = (Pace::default(), Instant::now());
        let at = |ms| start + Duration::from_millis(ms);
        pace.begin(0, at(0));
        assert!(!pace.is_slow(at(3_000)));
        assert!(pace.is_slow(at(3_001)));
        pace.end(0, at(5_000));
        assert!(pace.is_slow(at(8_999)) && !pace.is_slow(at(9_000)));
        pace.begin(0, at(5_000));
        pace.begin(1, at(5_100));
        assert!(pace.is_slow(at(5_101)));
        pace.end(1, at(5_200));
        assert!(!pace.is_slow(at(5_300)), "it is fast again");
        assert!(pace.is_slow(at(8_001)), "but the other one is late");
    }
}
