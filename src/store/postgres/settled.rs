//! Since when deliveries may be missing below the horizon.
//!
//! Positions are read up to the oldest running transaction. A conclusion from a silence is right only if it is known up to
//! which time nothing is missing, also while a transaction runs for long, or in another database of the server.

use parking_lot::Mutex;

use crate::domain::Timestamp;

/// The most moments that are remembered.
const MOST: usize = 512;

/// Moments, each with the number of the first transaction that had not begun by then. Once all transactions below that
/// number have ended, nothing is missing of what was written before that moment.
#[derive(Default)]
pub struct Settled(Mutex<Vec<(Timestamp, i64)>>);

impl Settled {
    /// Since when transactions may be under way, if at `now` all of them below `oldest` have ended and `next` is the
    /// number of the next one. `None`: none is under way.
    pub fn missing_since(&self, now: Timestamp, oldest: i64, next: i64) -> Option<Timestamp> {
        let mut moments = self.0.lock();
        if oldest >= next {
            moments.clear();
            moments.push((now, next));
            return None;
        }
        let settled = moments.partition_point(|(_, first)| *first <= oldest);
        moments.drain(..settled.saturating_sub(1));
        let since = moments.first().filter(|_| settled > 0).map(|(at, _)| *at);
        match moments.last_mut() {
            Some((at, first)) if *first >= next => *at = now.max(*at),
            _ => moments.push((now, next)),
        }
        if moments.len() > MOST {
            // Every other one: what is forgotten makes an answer earlier, never later.
            let mut place = 0_usize;
            moments.retain(|_| {
                place = place.saturating_add(1);
                !place.is_multiple_of(2)
            });
        }
        Some(since.unwrap_or_default())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(second: i64) -> Timestamp {
        Timestamp::from_secs(second)
    }

    #[test]
    fn nothing_is_known_until_what_ran_at_the_first_look_has_ended() {
        let settled = Settled::default();
        assert_eq!(settled.missing_since(at(10), 5, 8), Some(Timestamp::default()));
        assert_eq!(settled.missing_since(at(11), 7, 9), Some(Timestamp::default()));
        assert_eq!(settled.missing_since(at(12), 8, 11), Some(at(10)));
        assert_eq!(settled.missing_since(at(13), 10, 12), Some(at(11)));
        assert_eq!(settled.missing_since(at(14), 12, 12), None);
        assert_eq!(settled.missing_since(at(15), 12, 13), Some(at(14)));
    }

    #[test]
    fn a_transaction_that_runs_for_long_holds_the_answer_where_it_began() {
        let settled = Settled::default();
        assert_eq!(settled.missing_since(at(1), 7, 7), None);
        for second in 2..5_000 {
            assert_eq!(settled.missing_since(at(second), 7, second + 10), Some(at(1)));
        }
        let after = settled.missing_since(at(5_000), 4_000, 6_000).unwrap();
        assert!(at(3_000) < after && after <= at(3_990), "{after:?}");
        assert!(settled.0.lock().len() <= MOST);
    }

    #[test]
    fn while_nothing_new_begins_the_last_look_counts() {
        let settled = Settled::default();
        assert_eq!(settled.missing_since(at(1), 5, 8), Some(Timestamp::default()));
        assert_eq!(settled.missing_since(at(9), 5, 8), Some(Timestamp::default()));
        assert_eq!(settled.missing_since(at(10), 8, 20), Some(at(9)));
    }
}
