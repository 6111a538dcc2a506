//! Claims due messages and sends them: a lane for each subscription, so that a slow endpoint never delays another.

use std::collections::HashMap;
use std::pin::Pin;
use std::time::{Duration, Instant};

use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};

use super::lane::{BATCH_WIDTH, Ended, LANE_WIDTH, LaneState};
use super::pulse::Pulse;
use super::sender::Sender;
use super::settler::{Done, settle_all};
use super::subscriptions::Active;
use super::throttle::{ARRIVAL, Throttle};
use super::worker;
use crate::domain::{ClaimedMessage, Timestamp};
use crate::store::{Claim, Due, Lane, Next, StoreError};

/// Messages claimed beyond what can be sent at once, all quick lanes together: about as many as two cores send while one
/// claim is written.
const RESERVE: u32 = 512;
/// A quick endpoint answers within this time.
const QUICK: Duration = Duration::from_millis(100);
/// Overdue retries are spread over this time after a start, so that an endpoint does not get them all at one instant.
const SPREAD: Duration = Duration::from_secs(3);
/// The longest sleep: a lease may have run out.
const IDLE: Duration = Duration::from_secs(10);
/// The pause after a fault of the store.
const PAUSE: Duration = Duration::from_millis(500);
/// How long requests under way may take after the program was told to stop.
const GRACE: Duration = Duration::from_secs(5);

/// What the dispatcher is told of requests.
pub enum Note {
    /// One ended: there is a place for another.
    Ended(Ended),
    /// What one through this subscription led to is on disk.
    Written(String),
}

/// The dispatcher.
struct Dispatcher {
    sender: Sender,
    lanes: HashMap<String, LaneState>,
    claiming: Option<Claiming>,
    /// Whether a claim may bring more than the last one did.
    is_stale: bool,
    /// When something is due beyond what was claimed.
    next_due: Option<Timestamp>,
    pulse: Pulse,
    done: UnboundedSender<Done>,
    tell: UnboundedSender<Note>,
    notes: UnboundedReceiver<Note>,
}

/// A claim that is being written.
struct Claiming {
    since: Timestamp,
    due: Pin<Box<dyn Future<Output = Result<Due, StoreError>> + Send>>,
}

/// Sends until the program stops; then waits a moment for what is under way. What does not end in time is claimed again
/// after the next start.
pub async fn run(sender: Sender) {
    let (done, outcomes) = unbounded_channel();
    let (tell, notes) = unbounded_channel();
    let settler = tokio::spawn(settle_all(sender.clone(), outcomes, tell.clone()));
    let pulse = Pulse::new(sender.now(), sender.parts().lease);
    let mut dispatcher = Dispatcher {
        sender,
        lanes: HashMap::new(),
        claiming: None,
        is_stale: true,
        next_due: None,
        pulse,
        done,
        tell,
        notes,
    };
    dispatcher.recover().await;
    dispatcher.dispatch().await;
    let end = async {
        dispatcher.give_back_all().await;
        drop(dispatcher);
        // The settler ends when the last request has.
        let _ = settler.await;
    };
    let _ = tokio::time::timeout(GRACE, end).await;
}

impl Dispatcher {
    async fn recover(&self) {
        let stopping = self.sender.stopping();
        while !*stopping.borrow() {
            match self.sender.store().recover_messages(self.sender.now(), SPREAD).await {
                Ok(0) => return,
                Ok(messages) => {
                    tracing::info!(
                        messages,
                        "messages that were claimed when the program ended are due again"
                    );
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
        self.pulse = Pulse::new(self.sender.now(), self.sender.parts().lease);
        loop {
            while let Ok(note) = self.notes.try_recv() {
                self.take(note);
            }
            self.start_reserved();
            if self.is_stale && self.claiming.is_none() {
                self.begin_claim().await;
            }
            let sleep = self.time_to_sleep();
            self.beat(sleep);
            tokio::select! {
                () = self.sender.woken() => self.is_stale = true,
                note = self.notes.recv() => note.into_iter().for_each(|note| self.take(note)),
                (since, due) = written(&mut self.claiming) => self.take_claimed(since, due).await,
                () = tokio::time::sleep(sleep) => self.is_stale = true,
                _ = stopping.wait_for(|stop| *stop) => return,
            }
            self.beat(Duration::ZERO);
        }
    }

    fn beat(&mut self, sleep: Duration) {
        let now = self.sender.now();
        if self.pulse.beat(now, sleep) {
            tracing::warn!("the sender stood still for a while");
            let throttles = self.lanes.values_mut().filter_map(|lane| lane.throttle.as_mut());
            throttles.for_each(|throttle| throttle.held_up(now));
        }
    }

    fn take(&mut self, note: Note) {
        match note {
            Note::Ended(ended) => {
                if let Some(lane) = self.lanes.get_mut(&ended.target) {
                    lane.end(&ended);
                }
            }
            Note::Written(target) => {
                self.is_stale = true;
                if let Some(lane) = self.lanes.get_mut(&target) {
                    lane.written();
                }
            }
        }
    }

    fn time_to_sleep(&mut self) -> Duration {
        let now = self.sender.now();
        let start_by = self.lanes.values().filter_map(LaneState::start_by).min();
        let until = [self.next_due, self.next_permit(now), start_by].into_iter().flatten().min();
        let sleep =
            until.map_or(IDLE, |at| if at > now { at.abs_diff(now) } else { Duration::from_millis(1) });
        sleep.min(IDLE)
    }

    fn next_permit(&mut self, now: Timestamp) -> Option<Timestamp> {
        let throttles = self.lanes.values_mut().filter_map(|lane| lane.throttle.as_mut());
        throttles
            .filter_map(|throttle| if throttle.free(now) == 0 { throttle.next_free() } else { None })
            .min()
    }

    /// Begins a claim for every lane that has room.
    async fn begin_claim(&mut self) {
        let now = self.sender.now();
        let lanes = match self.free_lanes(now).await {
            Ok(lanes) => lanes,
            Err(fault) => return self.wait_after(&fault).await,
        };
        self.is_stale = false;
        self.next_due = None;
        if !lanes.is_empty() {
            let store = self.sender.store().clone();
            let leases_ended = self.pulse.leases_ended(now);
            let claim = Claim { lanes, now, leases_ended };
            let due = Box::pin(async move { store.claim_due(claim).await });
            self.claiming = Some(Claiming { since: now, due });
        }
    }

    async fn free_lanes(&mut self, now: Timestamp) -> Result<Vec<Lane>, StoreError> {
        let actives = self.sender.subscriptions().all();
        self.lanes.retain(|id, lane| {
            !lane.is_idle() || actives.iter().any(|active| active.compiled.id() == id.as_str())
        });
        let quick = self.lanes.values().filter(|lane| lane.is_quick()).count();
        let reserve = RESERVE / u32::try_from(quick).unwrap_or(u32::MAX).max(1);
        let mut lanes = Vec::new();
        for active in actives.iter().filter(|active| active.is_enabled()) {
            lanes.extend(self.free_lane(active, reserve, now).await?);
        }
        Ok(lanes)
    }

    /// The subscription's lane as it may be claimed now; `None` where it is full or its rate is used up.
    async fn free_lane(
        &mut self,
        active: &Active,
        reserve: u32,
        now: Timestamp,
    ) -> Result<Option<Lane>, StoreError> {
        let subscription = &active.compiled.subscription;
        let state = self.lanes.entry(subscription.id.clone()).or_default();
        match (subscription.rate_limit, &mut state.throttle) {
            (None, throttle) => *throttle = None,
            (Some(limit), Some(throttle)) if throttle.limit() == limit => {}
            (Some(limit), throttle) => {
                let since = now.minus(limit.window).minus(ARRIVAL).minus(ARRIVAL);
                let marks = self.sender.store().rate_marks(subscription.id.clone(), since).await?;
                match throttle {
                    Some(throttle) => throttle.change(limit, &marks),
                    None => *throttle = Some(Throttle::new(limit, &marks)),
                }
            }
        }
        let width = if subscription.batch.is_some() { BATCH_WIDTH } else { LANE_WIDTH };
        let permits = state.throttle.as_mut().map_or(u32::MAX, |throttle| throttle.free(now));
        let requests = state.room(width, if has_reserve(active) { reserve } else { 0 }).min(permits);
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

    /// Starts a request for each batch and each message that its rate allows now; other messages go through the reserve.
    async fn take_claimed(&mut self, since: Timestamp, due: Result<Due, StoreError>) {
        self.claiming = None;
        let due = match due {
            Ok(due) => due,
            Err(fault) => {
                self.is_stale = true;
                return self.wait_after(&fault).await;
            }
        };
        self.next_due = due.next;
        let start_by = since.plus(self.sender.parts().lease / 2);
        let mut batch: Vec<ClaimedMessage> = Vec::new();
        for message in due.messages {
            if batch.first().is_some_and(|first| first.target != message.target) {
                self.start(std::mem::take(&mut batch));
            }
            let active = self.sender.subscriptions().get(&message.target);
            let lane = self.lanes.entry(message.target.clone()).or_default();
            if active.is_some_and(|active| active.compiled.subscription.batch.is_some()) {
                // A batch lane is claimed one batch at a time; there may be another.
                self.is_stale = true;
                batch.push(message);
            } else if lane.throttle.is_some() {
                self.start(vec![message]);
            } else {
                lane.keep(message, start_by);
            }
        }
        self.start(batch);
    }

    /// Starts what there is a place for. What was not started in time, or must not be sent now, is given back.
    fn start_reserved(&mut self) {
        let now = self.sender.now();
        let mut ready = Vec::new();
        let mut left = Vec::new();
        for (id, lane) in self.lanes.iter_mut().filter(|(_, lane)| lane.start_by().is_some()) {
            if self.sender.subscriptions().get(id).is_some_and(|active| !has_reserve(&active)) {
                left.extend(lane.all_reserved());
            }
            left.extend(lane.overdue(now));
            while let Some(message) = lane.start_next() {
                ready.push(message);
            }
        }
        ready.into_iter().for_each(|message| self.send(vec![message], None));
        self.give_back(left);
    }

    fn start(&mut self, messages: Vec<ClaimedMessage>) {
        let Some(first) = messages.first() else { return };
        let ticket = self.lanes.entry(first.target.clone()).or_default().start(self.sender.now());
        self.send(messages, ticket);
    }

    fn send(&self, messages: Vec<ClaimedMessage>, ticket: Option<u64>) {
        let Some(target) = messages.first().map(|message| message.target.clone()) else { return };
        let sender = self.sender.clone();
        let (done, tell) = (self.done.clone(), self.tell.clone());
        tokio::spawn(async move {
            let started = Instant::now();
            let worker::Sent { settlements, is_gone } = worker::send(&sender, messages).await;
            let is_quick = started.elapsed() < QUICK
                && settlements.iter().all(|settlement| matches!(settlement.next, Next::Delivered));
            let ended = Ended { target: target.clone(), ticket, at: sender.now(), is_quick };
            // Nobody listens any more only when the program stops; the messages are claimed again after its start.
            let _ = tell.send(Note::Ended(ended));
            let _ = done.send(Done { target, settlements, is_gone });
        });
    }

    /// At the end: nothing stays claimed that is not under way.
    async fn give_back_all(&mut self) {
        if let Some(claiming) = self.claiming.take()
            && let Ok(due) = claiming.due.await
        {
            self.give_back(due.messages);
        }
        let reserved = self.lanes.values_mut().flat_map(LaneState::all_reserved).collect();
        self.give_back(reserved);
    }

    fn give_back(&self, messages: Vec<ClaimedMessage>) {
        let now = self.sender.now();
        for message in messages {
            let target = message.target.clone();
            let settlements = vec![worker::given_back(message, now)];
            // As with what was sent.
            let _ = self.done.send(Done { target, settlements, is_gone: false });
        }
    }
}

/// Whether messages may wait for a place after they are claimed. With a rate a claim is a mark that they are sent now.
fn has_reserve(active: &Active) -> bool {
    let subscription = &active.compiled.subscription;
    subscription.enabled && subscription.batch.is_none() && subscription.rate_limit.is_none()
}

/// What a claim brought, once it is written.
async fn written(claiming: &mut Option<Claiming>) -> (Timestamp, Result<Due, StoreError>) {
    match claiming {
        Some(Claiming { since, due }) => (*since, due.await),
        None => std::future::pending().await,
    }
}
