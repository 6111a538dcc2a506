//! The rate of a subscription: no window of its length contains more requests than it allows.

use std::collections::BTreeMap;
use std::time::Duration;

use crate::domain::{RateLimit, Timestamp};
use crate::send::wire::CONNECT_TIMEOUT;
use crate::store::LaneRate;

/// A request reaches its endpoint at most this long after its claim: the connection timeout and a margin. If it ends
/// earlier, it counts from its end. Requests sent a window later therefore also arrive a window later, however the
/// first ones were delayed.
pub const ARRIVAL: Duration = CONNECT_TIMEOUT.saturating_add(Duration::from_secs(1));

/// A claimed request with a rate is started within this time after its claim was asked for, or not at all: other nodes
/// count on it.
pub const START_WITHIN: Duration = Duration::from_secs(4);

/// Windows are extended slightly: the endpoint's clock runs differently from ours, and ours is adjusted now and then.
fn with_slack(window: Duration) -> Duration {
    window.saturating_add(window / 500).saturating_add(Duration::from_millis(2))
}

/// The rate as the store keeps it over all nodes.
pub fn lane_rate(limit: RateLimit) -> LaneRate {
    let arrival = ARRIVAL.saturating_add(START_WITHIN);
    LaneRate { requests: limit.max_requests, window: with_slack(limit.window), arrival }
}

/// The requests of one subscription that may still count.
#[derive(Debug)]
pub struct Throttle {
    limit: RateLimit,
    /// When the program began.
    began: Timestamp,
    /// Requests that may still be in flight, by ticket, and the latest instant at which each may arrive.
    under_way: BTreeMap<u64, Timestamp>,
    /// The number of requests that arrived at each instant, at the latest.
    arrived: BTreeMap<Timestamp, u32>,
    /// The sum of `arrived`.
    counting: u32,
    next_ticket: u64,
}

impl Throttle {
    /// A throttle that remembers earlier requests: claim times and numbers. Requests from before the program `began`
    /// left before that instant, or never.
    #[must_use]
    pub fn new(limit: RateLimit, before: &[(Timestamp, u32)], began: Timestamp) -> Self {
        let (under_way, arrived) = (BTreeMap::new(), BTreeMap::new());
        let mut throttle = Self { limit, began, under_way, arrived, counting: 0, next_ticket: 0 };
        throttle.change(limit, before);
        throttle
    }

    /// The limit it applies.
    #[must_use]
    pub const fn limit(&self) -> RateLimit {
        self.limit
    }

    /// Applies another limit from now on. Requests that no longer counted under the old limit may count again:
    /// `before` lists them.
    pub fn change(&mut self, limit: RateLimit, before: &[(Timestamp, u32)]) {
        self.limit = limit;
        self.under_way.clear();
        self.arrived.clear();
        self.counting = 0;
        for (at, requests) in before {
            let latest = if *at < self.began { self.began } else { Timestamp::MAX };
            self.arrive(at.plus(ARRIVAL).min(latest), *requests);
        }
    }

    /// How many requests may be sent at `now`.
    pub fn free(&mut self, now: Timestamp) -> u32 {
        while let Some(first) = self.under_way.first_entry().filter(|first| *first.get() < now) {
            let at = first.remove();
            self.arrive(at, 1);
        }
        let window = with_slack(self.limit.window);
        while let Some(first) = self.arrived.first_entry().filter(|first| first.key().plus(window) < now) {
            self.counting = self.counting.saturating_sub(first.remove());
        }
        let under_way = u32::try_from(self.under_way.len()).unwrap_or(u32::MAX);
        self.limit.max_requests.saturating_sub(self.counting.saturating_add(under_way))
    }

    /// When the next request may be sent, if none may be sent now.
    #[must_use]
    pub fn next_free(&self) -> Option<Timestamp> {
        let (window, after) = (with_slack(self.limit.window), Duration::from_millis(1));
        let first = [self.under_way.values().next(), self.arrived.keys().next()];
        first.into_iter().flatten().min().map(|at| at.plus(window).plus(after))
    }

    /// Counts a request that starts at `now`; the ticket is needed for its end.
    pub fn start(&mut self, now: Timestamp) -> u64 {
        let ticket = self.next_ticket;
        self.next_ticket = ticket.wrapping_add(1);
        self.under_way.insert(ticket, now.plus(ARRIVAL));
        ticket
    }

    /// The request with that ticket ended at `now`.
    pub fn end(&mut self, ticket: u64, now: Timestamp) {
        if let Some(at) = self.under_way.remove(&ticket) {
            self.arrive(now.min(at), 1);
        }
    }

    /// The program stood still until `now`: requests in flight may only leave now.
    pub fn held_up(&mut self, now: Timestamp) {
        for at in self.under_way.values_mut() {
            *at = now.plus(ARRIVAL).max(*at);
        }
    }

    fn arrive(&mut self, at: Timestamp, requests: u32) {
        let counted = self.arrived.entry(at).or_default();
        *counted = counted.saturating_add(requests);
        self.counting = self.counting.saturating_add(requests);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(ms: u64) -> Timestamp {
        Timestamp::from_secs(1_800_000_000).plus(Duration::from_millis(ms))
    }

    fn ten_a_second() -> Throttle {
        Throttle::new(RateLimit { max_requests: 10, window: Duration::from_secs(1) }, &[], at(0))
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
        assert_eq!(throttle.free(at(12_004)), 9);
        assert_eq!(throttle.free(at(12_005)), 10);
        throttle.end(ticket, at(15_000));
        assert_eq!(throttle.free(at(15_000)), 10);
    }

    #[test]
    fn a_request_that_was_under_way_when_the_program_stood_still_counts_from_its_waking() {
        let mut throttle = ten_a_second();
        let ended = throttle.start(at(0));
        throttle.end(ended, at(10));
        throttle.start(at(20));
        throttle.held_up(at(60_000));
        assert_eq!(throttle.free(at(60_000)), 9);
        assert_eq!(throttle.free(at(72_004)), 9);
        assert_eq!(throttle.free(at(72_005)), 10);
    }

    #[test]
    fn a_longer_window_counts_what_the_shorter_one_had_forgotten() {
        let mut throttle = ten_a_second();
        for _ in 0..10 {
            let ticket = throttle.start(at(0));
            throttle.end(ticket, at(1));
        }
        assert_eq!(throttle.free(at(5_000)), 10);
        let under_way = throttle.start(at(5_000));
        let longer = RateLimit { max_requests: 10, window: Duration::from_secs(60) };
        throttle.change(longer, &[(at(0), 10), (at(5_000), 1)]);
        throttle.end(under_way, at(5_001));
        assert_eq!(throttle.free(at(5_001)), 0);
        assert_eq!(throttle.free(at(72_000)), 9);
    }

    #[test]
    fn what_was_claimed_before_a_restart_counts() {
        let limit = RateLimit { max_requests: 10, window: Duration::from_secs(1) };
        let mut throttle = Throttle::new(limit, &[(at(0), 4), (at(19_900), 5)], at(20_000));
        assert_eq!(throttle.free(at(20_000)), 5, "the first ones arrived long ago");
        assert_eq!(throttle.free(at(21_004)), 5, "the others did before the program began again");
        assert_eq!(throttle.free(at(21_005)), 10);
        let mut throttle = Throttle::new(limit, &[(at(0), 4), (at(100), 6)], at(0));
        assert_eq!(throttle.free(at(12_004)), 0, "of this program's own it is not known");
        assert_eq!(throttle.free(at(12_005)), 4);
    }
}
