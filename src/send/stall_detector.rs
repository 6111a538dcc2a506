//! Notices that the whole program stood still: stopped by a signal, or asleep with its machine. The clock went on
//! meanwhile, and what was measured by it (leases, requests on their way) did not.

use std::time::Duration;

use crate::domain::Timestamp;

/// Nothing that the dispatcher does between two beats takes as long.
const STILL: Duration = Duration::from_secs(2);
/// Whatever was in hand before is over so long after, its lease excepted: an attempt takes five minutes at most.
const LONGEST_ATTEMPT: Duration = Duration::from_secs(300);

/// The beats of the dispatcher.
#[derive(Debug)]
pub struct StallDetector {
    /// The lease of a message beyond the time of its attempt.
    lease: Duration,
    /// When the next beat is to come.
    expected: Timestamp,
    /// How long the program stood still.
    stood: Duration,
    /// Until when that matters.
    until: Timestamp,
}

impl StallDetector {
    /// The first beat is `now`.
    pub const fn new(now: Timestamp, lease: Duration) -> Self {
        Self { lease, expected: now, stood: Duration::ZERO, until: now }
    }

    /// A beat; the next one comes after `sleep`. Returns whether the program stood still before it.
    pub fn beat(&mut self, now: Timestamp, sleep: Duration) -> bool {
        let has_stood = now > self.expected.plus(STILL);
        if has_stood {
            let before = if now < self.until { self.stood } else { Duration::ZERO };
            self.stood = before.saturating_add(now.abs_diff(self.expected));
            self.until = now.plus(LONGEST_ATTEMPT).plus(self.lease);
        }
        self.expected = now.plus(sleep);
        has_stood
    }

    /// A lease that ended before this instant has run out. What the program had in hand when it stood still is in hand.
    pub fn leases_ended(&self, now: Timestamp) -> Timestamp {
        if now < self.until { now.minus(self.stood) } else { now }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LEASE: Duration = Duration::from_secs(30);

    fn at(secs: i64) -> Timestamp {
        Timestamp::from_secs(1_800_000_000 + secs)
    }

    #[test]
    fn a_beat_that_is_late_tells_how_long_the_program_stood_still() {
        let mut stall_detector = StallDetector::new(at(0), LEASE);
        assert!(!stall_detector.beat(at(2), Duration::from_secs(10)), "not later than work takes");
        assert!(!stall_detector.beat(at(12), Duration::ZERO));
        assert!(stall_detector.beat(at(100), Duration::from_secs(10)));
        assert_eq!(stall_detector.leases_ended(at(100)), at(12));
        assert_eq!(stall_detector.leases_ended(at(429)), at(341));
        assert_eq!(stall_detector.leases_ended(at(430)), at(430), "what was in hand is over");
    }

    #[test]
    fn standing_still_twice_adds_up() {
        let mut stall_detector = StallDetector::new(at(0), LEASE);
        assert!(stall_detector.beat(at(60), Duration::ZERO));
        assert!(stall_detector.beat(at(120), Duration::ZERO));
        assert_eq!(stall_detector.leases_ended(at(120)), at(0));
    }
}
