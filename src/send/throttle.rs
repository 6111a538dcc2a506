//! The rate of a subscription: in no window of its length are more requests sent than it allows.

use std::time::Duration;

use crate::domain::{RateLimit, Timestamp};

/// A request reaches its endpoint within this time of its claim, at most; a request counts from its end, where that
/// comes earlier. Requests that follow a window later then arrive a window later, however the first ones were held up.
pub const ARRIVAL: Duration = Duration::from_secs(5);

/// How much longer a window is taken than it is: the endpoint's clock runs otherwise than ours, and ours is set right
/// now and then.
fn with_slack(window: Duration) -> Duration {
    window.saturating_add(window / 500).saturating_add(Duration::from_millis(2))
}

/// The requests of one subscription that may count now.
#[derive(Debug)]
pub struct Throttle {
    limit: RateLimit,
    /// Each request, and the latest instant at which it may have arrived.
    requests: Vec<(u64, Timestamp)>,
    next_ticket: u64,
}

impl Throttle {
    /// A throttle that remembers requests of before: when they were claimed, and how many.
    #[must_use]
    pub fn new(limit: RateLimit, before: &[(Timestamp, u32)]) -> Self {
        let mut throttle = Self { limit, requests: Vec::new(), next_ticket: 0 };
        for (at, requests) in before {
            for _ in 0..*requests {
                throttle.start(*at);
            }
        }
        throttle
    }

    /// The limit it keeps.
    #[must_use]
    pub const fn limit(&self) -> RateLimit {
        self.limit
    }

    /// Keeps another limit from now on.
    pub fn set_limit(&mut self, limit: RateLimit) {
        self.limit = limit;
    }

    /// How many requests may be sent at `now`.
    pub fn free(&mut self, now: Timestamp) -> u32 {
        let window = with_slack(self.limit.window);
        self.requests.retain(|(_, arrived)| arrived.plus(window) >= now);
        let counting = u32::try_from(self.requests.len()).unwrap_or(u32::MAX);
        self.limit.max_requests.saturating_sub(counting)
    }

    /// When the next request may be sent, where none may be sent now.
    #[must_use]
    pub fn next_free(&self) -> Option<Timestamp> {
        let (window, after) = (with_slack(self.limit.window), Duration::from_millis(1));
        self.requests.iter().map(|(_, arrived)| arrived.plus(window).plus(after)).min()
    }

    /// Counts a request that starts at `now`; the ticket is for its end.
    pub fn start(&mut self, now: Timestamp) -> u64 {
        let ticket = self.next_ticket;
        self.next_ticket = ticket.wrapping_add(1);
        self.requests.push((ticket, now.plus(ARRIVAL)));
        ticket
    }

    /// The request of that ticket ended at `now`.
    pub fn end(&mut self, ticket: u64, now: Timestamp) {
        if let Some((_, arrived)) = self.requests.iter_mut().find(|(known, _)| *known == ticket) {
            *arrived = now.min(*arrived);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(ms: u64) -> Timestamp {
        Timestamp::from_secs(1_800_000_000).plus(Duration::from_millis(ms))
    }

    fn ten_a_second() -> Throttle {
        Throttle::new(RateLimit { max_requests: 10, window: Duration::from_secs(1) }, &[])
    }

    #[test]
    fn rt_24_ten_at_the_end_of_a_window_leave_none_at_the_start_of_the_next() {
        let mut throttle = ten_a_second();
        for _ in 0..10 {
            let ticket = throttle.start(at(950));
            throttle.end(ticket, at(960));
        }
        assert_eq!(throttle.free(at(1_050)), 0);
        assert_eq!(throttle.free(at(1_964)), 0, "the edge counts");
        assert_eq!(throttle.next_free(), Some(at(1_965)));
        assert_eq!(throttle.free(at(1_965)), 10);
    }

    #[test]
    fn a_request_under_way_counts_until_it_must_have_arrived() {
        let mut throttle = ten_a_second();
        let ticket = throttle.start(at(0));
        assert_eq!(throttle.free(at(6_004)), 9);
        assert_eq!(throttle.free(at(6_005)), 10);
        throttle.end(ticket, at(9_000));
        assert_eq!(throttle.free(at(9_000)), 10);
    }

    #[test]
    fn what_was_claimed_before_a_restart_counts() {
        let limit = RateLimit { max_requests: 10, window: Duration::from_secs(1) };
        let mut throttle = Throttle::new(limit, &[(at(0), 4), (at(100), 6)]);
        assert_eq!(throttle.free(at(6_004)), 0);
        assert_eq!(throttle.free(at(6_005)), 4);
    }
}
