//! Claims due messages and sends them: a lane for each subscription, so that a slow endpoint never delays another.

use std::collections::HashMap;

use std::time::Duration;

use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};

use super::sender::Sender;
use super::settler::{Done, Freed, settle_all};
use super::subscriptions::Active;
use super::throttle::Throttle;
use super::worker;
use crate::domain::{ClaimedMessage, Timestamp};
use crate::store::{Claim, Due, Lane, StoreError};

/// Requests of one subscription under way at once.
const LANE_WIDTH: u32 = 32;
/// Batches of one subscription under way at once.
const BATCH_WIDTH: u32 = 4;
/// Overdue retries are spread over this time after a start, so that an endpoint does not get them all at one instant.
const SPREAD: Duration = Duration::from_secs(3);
/// The longest sleep: a lease may have run out.
const IDLE: Duration = Duration::from_secs(10);
/// The pause after a fault of the store.
const PAUSE: Duration = Duration::from_millis(500);
/// How long requests under way may take after the program was told to stop.
const GRACE: Duration = Duration::from_secs(5);

/// What is known of a subscription's requests.
#[derive(Default)]
struct LaneState {
    under_way: u32,
    throttle: Option<Throttle>,
}

/// The dispatcher.
struct Dispatcher {
    sender: Sender,
    lanes: HashMap<String, LaneState>,
    done: UnboundedSender<Done>,
    freed: UnboundedReceiver<Freed>,
}

/// Sends until the program stops; then waits a moment for what is under way. What does not end in time is claimed again
/// after the next start.
pub async fn run(sender: Sender) {
    let (done, outcomes) = unbounded_channel();
    let (frees, freed) = unbounded_channel();
    let settler = tokio::spawn(settle_all(sender.clone(), outcomes, frees));
    let mut dispatcher = Dispatcher { sender, lanes: HashMap::new(), done, freed };
    dispatcher.recover().await;
    dispatcher.dispatch().await;
    drop(dispatcher);
    // The settler ends when the last request has.
    let _ = tokio::time::timeout(GRACE, settler).await;
}

impl Dispatcher {
    async fn recover(&self) {
        let stopping = self.sender.stopping();
        while !*stopping.borrow() {
            match self.sender.store().recover_messages(self.sender.now(), SPREAD).await {
                Ok(0) => return,
                Ok(messages) => {
                    tracing::info!(messages, "messages that were under way at the last stop are sent again");
                    return;
                }
                Err(fault) => self.wait_after(&fault).await,
            }
        }
    }

    async fn wait_after(&self, fault: &StoreError) {
        tracing::error!(%fault, "the sender cannot use the store");
        tokio::time::sleep(PAUSE).await;
    }

    async fn dispatch(&mut self) {
        let mut stopping = self.sender.stopping();
        loop {
            self.take_back();
            let due = match self.claim().await {
                Ok(due) => due,
                Err(fault) => {
                    self.wait_after(&fault).await;
                    Due::default()
                }
            };
            let has_sent_batches = self.send(due.messages);
            if has_sent_batches {
                // A batch lane is claimed one batch at a time; there may be another.
                continue;
            }
            let now = self.sender.now();
            let until = [due.next, self.next_permit(now)].into_iter().flatten().min();
            let sleep =
                until.map_or(IDLE, |at| if at > now { at.abs_diff(now) } else { Duration::from_millis(1) });
            tokio::select! {
                () = self.sender.woken() => {}
                freed = self.freed.recv() => self.free(freed),
                () = tokio::time::sleep(sleep.min(IDLE)) => {}
                _ = stopping.wait_for(|stop| *stop) => return,
            }
        }
    }

    fn take_back(&mut self) {
        while let Ok(freed) = self.freed.try_recv() {
            self.free(Some(freed));
        }
    }

    fn free(&mut self, freed: Option<Freed>) {
        let Some(freed) = freed else { return };
        let Some(lane) = self.lanes.get_mut(&freed.target) else { return };
        lane.under_way = lane.under_way.saturating_sub(1);
        if let (Some(throttle), Some(ticket)) = (&mut lane.throttle, freed.ticket) {
            throttle.end(ticket, freed.at);
        }
    }

    async fn claim(&mut self) -> Result<Due, StoreError> {
        let now = self.sender.now();
        let actives = self.sender.subscriptions().all();
        self.lanes.retain(|id, lane| {
            lane.under_way > 0 || actives.iter().any(|active| active.compiled.id() == id.as_str())
        });
        let mut lanes = Vec::new();
        for active in actives.iter().filter(|active| active.is_enabled()) {
            lanes.extend(self.free_lane(active, now).await?);
        }
        if lanes.is_empty() {
            return Ok(Due::default());
        }
        self.sender.store().claim_due(Claim { lanes, now }).await
    }

    /// The subscription's lane as it may be claimed now; `None` where it is full or its rate is used up.
    async fn free_lane(&mut self, active: &Active, now: Timestamp) -> Result<Option<Lane>, StoreError> {
        let subscription = &active.compiled.subscription;
        let state = self.lanes.entry(subscription.id.clone()).or_default();
        match (subscription.rate_limit, &mut state.throttle) {
            (None, throttle) => *throttle = None,
            (Some(limit), Some(throttle)) if throttle.limit() == limit => {}
            (Some(limit), Some(throttle)) => throttle.set_limit(limit),
            (Some(limit), throttle @ None) => {
                let since = now.minus(limit.window).minus(Duration::from_secs(1));
                let marks = self.sender.store().rate_marks(subscription.id.clone(), since).await?;
                *throttle = Some(Throttle::new(limit, &marks));
            }
        }
        let width = if subscription.batch.is_some() { BATCH_WIDTH } else { LANE_WIDTH };
        let permits = state.throttle.as_mut().map_or(u32::MAX, |throttle| throttle.free(now));
        let requests = width.saturating_sub(state.under_way).min(permits);
        if requests == 0 {
            return Ok(None);
        }
        Ok(Some(Lane {
            target: subscription.id.clone(),
            limit: subscription.batch.map_or(requests, |batch| batch.size),
            batch: subscription.batch.map(|batch| (batch.size, batch.flush_interval)),
            ordered: subscription.ordered,
            window: subscription.rate_limit.map(|limit| limit.window),
            lease_until: now.plus(subscription.timeout).plus(self.sender.parts().lease),
        }))
    }

    /// Starts a request for each message, or for each lane's batch; returns whether there were batches.
    fn send(&mut self, messages: Vec<ClaimedMessage>) -> bool {
        let mut batches: Vec<Vec<ClaimedMessage>> = Vec::new();
        let mut has_batches = false;
        for message in messages {
            let active = self.sender.subscriptions().get(&message.target);
            let is_batched = active.is_some_and(|active| active.compiled.subscription.batch.is_some());
            has_batches |= is_batched;
            match batches.last_mut().filter(|_| is_batched) {
                Some(batch) if batch.first().is_some_and(|first| first.target == message.target) => {
                    batch.push(message);
                }
                _ => batches.push(vec![message]),
            }
        }
        batches.into_iter().for_each(|batch| self.start(batch));
        has_batches
    }

    fn start(&mut self, messages: Vec<ClaimedMessage>) {
        let Some(target) = messages.first().map(|message| message.target.clone()) else { return };
        let state = self.lanes.entry(target.clone()).or_default();
        state.under_way = state.under_way.saturating_add(1);
        let ticket = state.throttle.as_mut().map(|throttle| throttle.start(self.sender.now()));
        let sender = self.sender.clone();
        let done = self.done.clone();
        tokio::spawn(async move {
            let settlements = worker::send(&sender, messages).await;
            let freed = Freed { target, ticket, at: sender.now() };
            // Nobody listens any more only when the program stops; the messages are claimed again after its start.
            let _ = done.send(Done { settlements, freed });
        });
    }

    fn next_permit(&mut self, now: Timestamp) -> Option<Timestamp> {
        let throttles = self.lanes.values_mut().filter_map(|lane| lane.throttle.as_mut());
        throttles
            .filter_map(|throttle| if throttle.free(now) == 0 { throttle.next_free() } else { None })
            .min()
    }
}
