//! The instant from which the age of stored rows is computed.
//!
//! Rows carry wall-clock times. If the wall clock is set forward by mistake, every row would look old at once and be
//! removed. A forward jump is therefore trusted only after it has lasted a day. If the clock is set back, rows look
//! young and stay.

use std::time::Duration;

use crate::domain::{Now, Timestamp};

/// A wall clock that was set forward is trusted after this time.
const BELIEVED: Duration = Duration::from_secs(86_400);
/// Smaller differences do not count as a clock change, in microseconds.
const NO_STEP_US: u64 = 1_000_000;

/// The state of the wall clock from one check to the next.
#[derive(Debug, Default)]
pub struct Ages {
    /// How far it was ahead at the last check, in microseconds, and since when; `None` if it was never set.
    ahead: Option<(i64, Timestamp)>,
    /// How far ahead it is trusted to be.
    believed: i64,
}

impl Ages {
    /// The same moment, with the wall-clock time only as far as it is trusted.
    pub fn trusted(&mut self, now: Now) -> Now {
        let ahead_us = now.wall_ahead_us();
        let (kept, since) = self.ahead.unwrap_or((0, now.due));
        if self.ahead.is_none() || kept.abs_diff(ahead_us) > NO_STEP_US {
            self.ahead = Some((ahead_us, now.due));
        } else if since.plus(BELIEVED) <= now.due {
            self.believed = ahead_us;
        }
        Now { wall: now.wall.min(now.due.moved(self.believed)), ..now }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const DAY: i64 = 86_400;

    fn trusted_at(ages: &mut Ages, due: i64, ahead: i64) -> i64 {
        let now = Now { due: Timestamp::from_secs(due), wall: Timestamp::from_secs(due + ahead) };
        ages.trusted(now).wall.as_secs()
    }

    #[test]
    fn a_clock_set_forward_makes_nothing_old_for_a_day_and_a_correction_is_believed_then() {
        let mut ages = Ages::default();
        assert_eq!(trusted_at(&mut ages, 0, 0), 0);
        assert_eq!(trusted_at(&mut ages, 10, 5 * DAY), 10);
        assert_eq!(trusted_at(&mut ages, 9 + DAY, 5 * DAY), 9 + DAY);
        assert_eq!(trusted_at(&mut ages, 10 + DAY, 5 * DAY), 10 + 6 * DAY);
        assert_eq!(
            trusted_at(&mut ages, 20 + DAY, 0),
            20 + DAY,
            "set right again: rows of now are young at once"
        );
    }

    #[test]
    fn a_mistake_that_is_mended_within_the_day_has_no_effect() {
        let mut ages = Ages::default();
        assert_eq!(trusted_at(&mut ages, 0, DAY), 0);
        assert_eq!(trusted_at(&mut ages, DAY - 1, 0), DAY - 1);
        assert_eq!(trusted_at(&mut ages, 3 * DAY, 0), 3 * DAY);
    }

    #[test]
    fn a_clock_set_back_makes_what_came_since_no_older_than_it_is() {
        let mut ages = Ages::default();
        assert_eq!(trusted_at(&mut ages, 0, 0), 0);
        assert_eq!(trusted_at(&mut ages, 10, -3_600), 10 - 3_600);
        assert_eq!(trusted_at(&mut ages, 10 + 2 * DAY, -3_600), 10 + 2 * DAY - 3_600);
    }
}
