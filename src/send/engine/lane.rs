//! The state of one subscription's requests: those in flight, those whose outcome is not on disk yet, and the reserve.
//! The reserve contains messages claimed in advance, so that a free place never waits for the store.

use std::collections::VecDeque;
use std::time::Duration;

use super::throttle::Throttle;
use crate::domain::{ClaimedMessage, Timestamp};

/// The most concurrent requests of one subscription.
pub const LANE_WIDTH: u32 = 32;
/// The most concurrent batches of one subscription.
pub const BATCH_WIDTH: u32 = 4;
/// The most finished requests of a fast lane whose outcome is not written yet. After a crash they are sent again.
const MOST_UNWRITTEN: u32 = 256;
/// How long the lane remembers that a batch was too large. The endpoint's limit may be raised in the meantime.
const TOO_LARGE: Duration = Duration::from_secs(3_600);
/// Bytes of bodies in a reserve, except for the last one.
const RESERVE_BYTES: usize = 4 * 1024 * 1024;

/// A lane with its places.
#[derive(Default)]
pub struct LaneState {
    /// Set if the subscription has a rate.
    pub throttle: Option<Throttle>,
    under_way: u32,
    unwritten: u32,
    reserve: VecDeque<Reserved>,
    reserve_bytes: usize,
    is_quick: bool,
    /// Slots withheld because all lanes together have many requests in flight.
    narrowed_by: u32,
    /// Nothing is due before this time; `None` if that is unknown.
    rests_until: Option<Timestamp>,
    /// Whether something may have become due since the store was queried.
    has_news: bool,
    /// The size limit of its batches since one was too large, and when that limit expires.
    narrow: Option<(usize, Timestamp)>,
}

struct Reserved {
    message: ClaimedMessage,
    /// When the rest of the lease becomes too short for an attempt.
    start_by: Timestamp,
}

/// A finished request.
pub struct Ended {
    /// The subscription.
    pub target: String,
    /// The ticket of the request in its throttle.
    pub ticket: Option<u64>,
    /// When it ended.
    pub at: Timestamp,
    /// Whether it delivered, and quickly.
    pub is_quick: bool,
    /// The size of its event bodies.
    pub bytes: usize,
    /// The size of its body in bytes, if it was a batch that the endpoint rejected as too large.
    pub too_large: Option<usize>,
}

impl LaneState {
    /// Whether its endpoint keeps up with the messages. Only then are messages claimed in advance.
    pub const fn is_quick(&self) -> bool {
        self.is_quick
    }

    /// The number of requests in flight.
    pub const fn under_way(&self) -> u32 {
        self.under_way
    }

    /// Gives it this many of the `LANE_WIDTH` places for single messages.
    pub const fn set_places(&mut self, places: u32) {
        self.narrowed_by = LANE_WIDTH.saturating_sub(places);
    }

    /// Records that something may be due in it.
    pub const fn tell(&mut self) {
        self.rests_until = None;
        self.has_news = true;
    }

    /// Records that the store is queried.
    pub const fn ask(&mut self) {
        self.has_news = false;
    }

    /// The store reported that nothing is due before `until`. News since the query takes precedence.
    pub const fn rest(&mut self, until: Timestamp) {
        if !self.has_news {
            self.rests_until = Some(until);
        }
    }

    /// Whether it is resting.
    pub const fn is_resting(&self) -> bool {
        self.rests_until.is_some()
    }

    /// Until when nothing is due; `None` if something may be due now.
    pub fn rests_until(&mut self, now: Timestamp) -> Option<Timestamp> {
        self.rests_until = self.rests_until.filter(|until| *until > now);
        self.rests_until
    }

    /// Whether it has no work at hand.
    pub fn is_idle(&self) -> bool {
        self.in_hand() == 0
    }

    /// How many messages, or batches, may be claimed for `width` concurrent requests and `reserve` further messages. A
    /// reserve is refilled when half of it is used, so that few claims bring many messages.
    pub fn room(&self, width: u32, reserve: u32) -> u32 {
        let reserve = if self.is_quick && self.reserve_bytes < RESERVE_BYTES { reserve } else { 0 };
        let room = width.saturating_add(reserve).saturating_sub(self.in_hand());
        if room >= reserve.div_ceil(2) { room } else { 0 }
    }

    /// The size limit of its next batch: `most`, or half of the last batch that was too large.
    pub fn batch_bytes(&mut self, most: usize, now: Timestamp) -> usize {
        self.narrow = self.narrow.filter(|(_, until)| *until > now);
        self.narrow.map_or(most, |(bytes, _)| bytes.min(most))
    }

    /// Starts a request; the ticket is needed for its end.
    pub fn start(&mut self, now: Timestamp) -> Option<u64> {
        self.under_way = self.under_way.saturating_add(1);
        self.throttle.as_mut().map(|throttle| throttle.start(now))
    }

    /// Ends a request; its outcome is still to be written.
    pub fn end(&mut self, ended: &Ended) {
        self.under_way = self.under_way.saturating_sub(1);
        self.unwritten = self.unwritten.saturating_add(1);
        self.is_quick = ended.is_quick;
        if let Some(bytes) = ended.too_large {
            let before = self.narrow.map_or(usize::MAX, |(before, _)| before);
            self.narrow = Some((bytes.div_ceil(2).min(before), ended.at.plus(TOO_LARGE)));
        }
        if let (Some(throttle), Some(ticket)) = (&mut self.throttle, ended.ticket) {
            throttle.end(ticket, ended.at);
        }
    }

    /// An outcome is on disk.
    pub const fn written(&mut self) {
        self.unwritten = self.unwritten.saturating_sub(1);
    }

    /// Keeps a claimed message until there is a place for it.
    pub fn keep(&mut self, message: ClaimedMessage, start_by: Timestamp) {
        self.reserve_bytes = self.reserve_bytes.saturating_add(message.event.body.len());
        self.reserve.push_back(Reserved { message, start_by });
    }

    /// Starts the next message of the reserve if there is a place. After a failed or slow request, a place is free
    /// only when its outcome is on disk and applied: the endpoint may be gone.
    pub fn start_next(&mut self) -> Option<ClaimedMessage> {
        let most_unwritten = if self.is_quick { MOST_UNWRITTEN } else { 0 };
        let unwritten = self.unwritten.saturating_sub(most_unwritten);
        if self.under_way.saturating_add(unwritten) >= LANE_WIDTH.saturating_sub(self.narrowed_by) {
            return None;
        }
        let message = self.take_first()?;
        self.under_way = self.under_way.saturating_add(1);
        Some(message)
    }

    /// Removes messages from the reserve that must not be started any more at `now`. Their outcome, that nothing was
    /// sent, is still to be written.
    pub fn overdue(&mut self, now: Timestamp) -> Vec<ClaimedMessage> {
        let mut overdue = Vec::new();
        while self.start_by().is_some_and(|start_by| start_by < now) {
            overdue.extend(self.take_first());
        }
        self.give_back(overdue)
    }

    /// Removes all messages from the reserve; as with `overdue`.
    pub fn all_reserved(&mut self) -> Vec<ClaimedMessage> {
        let all = std::iter::from_fn(|| self.take_first()).collect();
        self.give_back(all)
    }

    /// When the first message of the reserve must have been started.
    pub fn start_by(&self) -> Option<Timestamp> {
        self.reserve.front().map(|first| first.start_by)
    }

    fn in_hand(&self) -> u32 {
        let reserved = u32::try_from(self.reserve.len()).unwrap_or(u32::MAX);
        self.under_way.saturating_add(self.unwritten).saturating_add(reserved)
    }

    fn take_first(&mut self) -> Option<ClaimedMessage> {
        let Reserved { message, .. } = self.reserve.pop_front()?;
        self.reserve_bytes = self.reserve_bytes.saturating_sub(message.event.body.len());
        Some(message)
    }

    /// Counts messages that are given back without an attempt until that is written.
    pub fn give_back(&mut self, messages: Vec<ClaimedMessage>) -> Vec<ClaimedMessage> {
        if !messages.is_empty() {
            // A lane that did not reach them in time is not fast.
            self.is_quick = false;
            self.unwritten = self.unwritten.saturating_add(u32::try_from(messages.len()).unwrap_or(u32::MAX));
        }
        messages
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::time::Duration;

    use bytes::Bytes;

    use super::*;
    use crate::domain::{MessageId, OutgoingEvent};

    const NOW: Timestamp = Timestamp::from_secs(1_800_000_000);

    fn message(seq: i64, bytes: usize) -> ClaimedMessage {
        ClaimedMessage {
            seq,
            id: MessageId::new_at(NOW),
            subscription: "a".into(),
            target: "a".into(),
            attempts: 0,
            attempts_before: 0,
            primary_error: None,
            claim: 0,
            event: Arc::new(OutgoingEvent {
                source: "published".into(),
                event_id: None,
                event_type: "user.login".into(),
                entity: None,
                received_at: NOW,
                body: Bytes::from(vec![b' '; bytes]),
                delivery: None,
                lineage: Vec::new(),
            }),
        }
    }

    fn ended(is_quick: bool) -> Ended {
        Ended { target: "a".into(), ticket: None, at: NOW, is_quick, bytes: 1, too_large: None }
    }

    /// A lane with this many messages, after a first request that was fast or slow.
    fn lane_with(messages: i64, is_quick: bool) -> LaneState {
        let mut lane = LaneState::default();
        lane.start(NOW);
        lane.end(&ended(is_quick));
        lane.written();
        (0..messages).for_each(|seq| lane.keep(message(seq, 1), NOW));
        lane
    }

    fn started(lane: &mut LaneState) -> usize {
        std::iter::from_fn(|| lane.start_next()).count()
    }

    #[test]
    fn only_a_quick_lane_claims_more_than_it_can_send_at_once() {
        assert_eq!(LaneState::default().room(LANE_WIDTH, 100), 32);
        assert_eq!(lane_with(0, false).room(LANE_WIDTH, 100), 32);
        assert_eq!(lane_with(0, true).room(LANE_WIDTH, 100), 132);
    }

    #[test]
    fn a_reserve_is_filled_up_when_half_of_it_is_gone() {
        assert_eq!(lane_with(83, true).room(LANE_WIDTH, 100), 0);
        assert_eq!(lane_with(82, true).room(LANE_WIDTH, 100), 50);
    }

    #[test]
    fn a_reserve_of_large_bodies_is_large_enough() {
        let mut lane = lane_with(0, true);
        lane.keep(message(1, RESERVE_BYTES - 1), NOW);
        assert_eq!(lane.room(LANE_WIDTH, 100), 131);
        lane.keep(message(2, 1), NOW);
        assert_eq!(lane.room(LANE_WIDTH, 100), 30);
        assert_eq!(started(&mut lane), 2);
        assert_eq!(lane.room(LANE_WIDTH, 100), 130);
    }

    #[test]
    fn a_quick_lane_starts_the_next_when_one_ended_another_when_its_outcome_is_written() {
        for (is_quick, at_once) in [(true, 1), (false, 0)] {
            let mut lane = lane_with(100, true);
            assert_eq!(started(&mut lane), 32);
            lane.end(&ended(is_quick));
            assert_eq!(started(&mut lane), at_once, "{is_quick}");
            lane.written();
            assert_eq!(started(&mut lane), 1 - at_once, "{is_quick}");
        }
    }

    #[test]
    fn a_quick_lane_waits_too_when_many_outcomes_are_not_written() {
        let mut lane = lane_with(500, true);
        for _ in 0..MOST_UNWRITTEN + LANE_WIDTH {
            assert!(lane.start_next().is_some());
            lane.end(&ended(true));
        }
        assert_eq!(started(&mut lane), 0);
        lane.written();
        assert_eq!(started(&mut lane), 1);
    }

    #[test]
    fn a_batch_that_was_too_large_halves_the_next_ones_for_an_hour() {
        let mut lane = LaneState::default();
        assert_eq!(lane.batch_bytes(10_000, NOW), 10_000);
        for (bytes, next) in [(8_000, 4_000), (4_000, 2_000), (8_000, 2_000)] {
            lane.end(&Ended { too_large: Some(bytes), ..ended(false) });
            assert_eq!(lane.batch_bytes(10_000, NOW), next, "{bytes}");
        }
        assert_eq!(lane.batch_bytes(1_000, NOW), 1_000);
        assert_eq!(lane.batch_bytes(10_000, NOW.plus(TOO_LARGE)), 10_000);
    }

    #[test]
    fn what_is_not_started_in_time_is_given_back_and_counts_until_that_is_written() {
        let mut lane = lane_with(2, true);
        lane.keep(message(9, 1), NOW.plus(Duration::from_secs(1)));
        assert_eq!(lane.overdue(NOW).len(), 0);
        assert_eq!(lane.overdue(NOW.plus(Duration::from_micros(1))).len(), 2);
        assert_eq!(lane.start_by(), Some(NOW.plus(Duration::from_secs(1))));
        assert_eq!(lane.all_reserved().len(), 1);
        assert_eq!(lane.room(LANE_WIDTH, 100), 29);
        (0..3).for_each(|_| lane.written());
        assert!(lane.is_idle());
    }
}
