//! Notices when the whole program stood still: stopped by a signal, or asleep with its machine. The clock advanced in
//! that time, but the activities it measures (leases, requests in flight) did not.

use std::time::Duration;

use crate::domain::Timestamp;

/// No step of the dispatcher between two beats takes this long.
const STILL: Duration = Duration::from_secs(2);
/// Earlier work is finished after this time, not counting its lease: an attempt takes five minutes at most.
const LONGEST_ATTEMPT: Duration = Duration::from_secs(300);

/// The beats of the dispatcher.
#[derive(Debug)]
pub struct StallDetector {
    /// How long a message's lease exceeds the time of its attempt.
    lease: Duration,
    /// When the next beat is expected.
    expected: Timestamp,
    /// How long the program stood still.
    stood: Duration,
    /// Until when that matters.
    until: Timestamp,
}

impl StallDetector {
    /// Creates a detector with its first beat at `now`.
    pub const fn new(now: Timestamp, lease: Duration) -> Self {
        Self { lease, expected: now, stood: Duration::ZERO, until: now }
    }

    /// A beat; the next one follows after `sleep`. Returns whether the program stood still before it.
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

    /// Leases that ended before this instant have expired. Messages that the program had claimed before it stood still
    /// stay claimed.
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
