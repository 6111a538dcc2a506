//! Which lanes the dispatcher queries, and what it does with the results.

use super::super::lane::{BATCH_WIDTH, LANE_WIDTH, LaneState};
use super::super::throttle::{self, ARRIVAL, START_WITHIN, Throttle};
use super::{Claiming, Dispatcher, IDLE, has_reserve};
use crate::domain::{ClaimedMessage, Timestamp};
use crate::send::subscriptions::Active;
use crate::store::{Due, Lane, LaneBatch, LaneClaim, StoreError};

/// The most messages claimed beyond those that can be sent at once, over all fast lanes. Two cores send about this
/// many during one claim.
const RESERVE: u32 = 512;
/// The most lanes of one claim. Deliveries wait while the store looks into each of them.
const MOST_LANES: usize = 256;

impl Dispatcher {
    /// Starts a claim for every lane that has room and may have due messages.
    pub(super) async fn begin_claim(&mut self) {
        match self.next_claim().await {
            Ok(None) => {}
            Ok(Some(claim)) => {
                let (store, since) = (self.sender.store().clone(), claim.now);
                self.claiming =
                    Some(Claiming { since, due: Box::pin(async move { store.claim_due(claim).await }) });
            }
            Err(fault) => self.wait_after(&fault).await,
        }
    }

    pub(super) async fn next_claim(&mut self) -> Result<Option<LaneClaim>, StoreError> {
        let now = self.sender.now();
        // Before the subscriptions are read: they are at least as new.
        let revision = *self.sender.followed().revision().borrow();
        if now > self.woken_in_turn.plus(IDLE) {
            self.woken_in_turn = now;
            self.wake_in_turn();
        }
        self.lanes.wake_due(now);
        let lanes = self.free_lanes(now).await?;
        // There are others that were not asked.
        self.is_stale = lanes.len() == MOST_LANES;
        let leases_ended = self.stall_detector.leases_ended(now);
        Ok((!lanes.is_empty()).then_some(LaneClaim { lanes, now, leases_ended, revision }))
    }

    /// Wakes every lane, also those that have never been asked.
    pub(super) fn wake_all(&mut self) {
        self.lanes.wake_all();
        for active in &*self.sender.subscriptions().all() {
            self.lanes.wake(active.compiled.id());
        }
    }

    /// Wakes as many lanes as one claim may ask, in case something was missed. The next call wakes the lanes after them, so
    /// the cost does not grow with the number of waiting endpoints.
    fn wake_in_turn(&mut self) {
        let all = self.sender.subscriptions().all();
        let enabled = || all.iter().filter(|active| active.is_enabled());
        let first = if self.next_turn < enabled().count() { self.next_turn } else { 0 };
        for active in enabled().skip(first).take(MOST_LANES) {
            self.lanes.wake(active.compiled.id());
        }
        self.next_turn = first.saturating_add(MOST_LANES);
    }

    async fn free_lanes(&mut self, now: Timestamp) -> Result<Vec<Lane>, StoreError> {
        let subscriptions = self.sender.subscriptions().clone();
        let mut ids = self.lanes.awake_ids();
        // A claim may end before it reaches the last lane, so each lane is sometimes first.
        let first = rand::random_range(0..ids.len().max(1));
        ids.rotate_left(first);
        let mut busy = self.lanes.awake().map(LaneState::under_way).fold(0, u32::saturating_add);
        let quick = self.lanes.awake().filter(|lane| lane.is_quick()).count();
        let reserve = RESERVE / u32::try_from(quick).unwrap_or(u32::MAX).max(1);
        let mut lanes = Vec::new();
        for id in ids {
            if lanes.len() == MOST_LANES {
                break;
            }
            match subscriptions.get(&id) {
                None => self.lanes.remove(&id),
                Some(active) if !active.is_enabled() => {
                    // Enabling it wakes its lane.
                    self.lanes.entry(&id).ask();
                    self.lanes.rest(&id, Timestamp::MAX);
                }
                Some(_) if self.lanes.entry(&id).rests_until(now).is_some() => {}
                Some(active) => {
                    if let Some((lane, requests)) = self.free_lane(&active, reserve, busy, now).await? {
                        busy = busy.saturating_add(requests);
                        lanes.push(lane);
                    }
                }
            }
        }
        Ok(lanes)
    }

    /// The subscription's lane for a claim now, and the number of requests it may start at once. `None` if the lane is
    /// full or its rate is used up.
    async fn free_lane(
        &mut self,
        active: &Active,
        reserve: u32,
        busy: u32,
        now: Timestamp,
    ) -> Result<Option<(Lane, u32)>, StoreError> {
        let subscription = &active.compiled.subscription;
        let state = self.lanes.entry(&subscription.id);
        match (subscription.rate_limit, &mut state.throttle) {
            (None, throttle) => *throttle = None,
            (Some(limit), Some(throttle)) if throttle.limit() == limit => {}
            (Some(limit), throttle) => {
                let since = now.minus(limit.window).minus(ARRIVAL).minus(ARRIVAL);
                let marks = self.sender.store().rate_marks(subscription.id.clone(), since).await?;
                match throttle {
                    Some(throttle) => throttle.change(limit, &marks),
                    None => *throttle = Some(Throttle::new(limit, &marks, self.began)),
                }
            }
        }
        let width = if subscription.batch.is_some() { BATCH_WIDTH } else { LANE_WIDTH };
        let places = self.budget.places(width, busy, self.bytes);
        state.set_places(places);
        let permits = state.throttle.as_mut().map_or(u32::MAX, |throttle| throttle.free(now));
        let requests = state.room(places, if has_reserve(active) { reserve } else { 0 }).min(permits);
        if requests == 0 {
            return Ok(None);
        }
        state.ask();
        let lane = Lane {
            target: subscription.id.clone(),
            limit: subscription.batch.map_or(requests, |batch| batch.size),
            batch: subscription.batch.map(|batch| LaneBatch {
                size: batch.size,
                bytes: state.batch_bytes(batch.max_bytes, now),
                flush: batch.flush_interval,
            }),
            ordered: subscription.ordered,
            rate: subscription.rate_limit.map(throttle::lane_rate),
            lease_until: now.plus(subscription.timeout).plus(self.sender.parts().lease),
        };
        Ok(Some((lane, requests.min(places))))
    }

    /// Starts a request for each batch and each message that its rate allows now; other messages go to the reserve.
    pub(super) async fn take_claimed(&mut self, since: Timestamp, due: Result<Due, StoreError>) {
        self.claiming = None;
        let due = match due {
            Ok(due) => due,
            Err(fault) => {
                self.is_stale = true;
                return self.wait_after(&fault).await;
            }
        };
        if due.is_outdated {
            // The lanes are woken as soon as the change is in force here.
            self.sender.followed().ask();
        }
        // There may be more messages after these.
        self.is_stale |= due.has_freed || !due.messages.is_empty();
        self.start_claimed(since, due.messages);
        for (target, until) in due.rests {
            self.lanes.rest(&target, until);
        }
        if due.has_freed {
            self.wake_all();
        }
    }

    /// What cannot be started in time any more, because this node stood still, is given back: others may have it.
    fn start_claimed(&mut self, since: Timestamp, messages: Vec<ClaimedMessage>) {
        let start_by = since.plus(self.sender.parts().lease / 2);
        let now = self.sender.now();
        let (mut batch, mut late): (Vec<ClaimedMessage>, Vec<ClaimedMessage>) = Default::default();
        for message in messages {
            if batch.first().is_some_and(|first| first.target != message.target) {
                self.start(std::mem::take(&mut batch));
            }
            let active = self.sender.subscriptions().get(&message.target);
            let lane = self.lanes.entry(&message.target);
            let is_batch = active.is_some_and(|active| active.compiled.subscription.batch.is_some());
            let has_rate = lane.throttle.is_some();
            if now > start_by || (has_rate && now > since.plus(START_WITHIN)) {
                late.extend(lane.give_back(vec![message]));
            } else if is_batch {
                batch.push(message);
            } else if has_rate {
                self.start(vec![message]);
            } else {
                lane.keep(message, start_by);
            }
        }
        self.start(batch);
        self.give_back(late);
    }
}
