//! Claims due messages and sends them. Each subscription has its own lane, so a slow endpoint never delays another.

mod claims;
mod lanes;
#[cfg(test)]
mod tests;

use std::pin::Pin;
use std::time::{Duration, Instant};

use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};

use lanes::Lanes;

use super::connection_budget::ConnectionBudget;
use super::dispatcher_event::DispatcherEvent;
use super::lane::{Ended, LaneState};
use super::outcome_writer::{Done, write_outcomes};
use super::stall_detector::StallDetector;
use super::worker;
use crate::domain::{ClaimedMessage, Timestamp};
use crate::send::state::{Sender, Woken};
use crate::send::subscriptions::Active;
use crate::store::{Due, Next, StoreError};

/// A fast endpoint responds within this time.
const QUICK: Duration = Duration::from_millis(100);
/// Overdue retries are spread over this time after a start; otherwise an endpoint would get them all at once.
const SPREAD: Duration = Duration::from_secs(3);
/// The longest sleep: a lease may have expired.
const IDLE: Duration = Duration::from_secs(10);
/// The pause after a store error.
const PAUSE: Duration = Duration::from_millis(500);
/// How long requests in flight may take after the program was asked to stop.
const GRACE: Duration = Duration::from_secs(5);

/// The dispatcher.
struct Dispatcher {
    sender: Sender,
    lanes: Lanes,
    claiming: Option<Claiming>,
    /// Whether a new claim may return more than the last one.
    is_stale: bool,
    began: Timestamp,
    budget: ConnectionBudget,
    /// The total size of the event bodies in flight.
    bytes: usize,
    /// When lanes were last woken in turn.
    woken_in_turn: Timestamp,
    /// The place in the list of subscriptions where the next turn begins.
    next_turn: usize,
    stall_detector: StallDetector,
    done: UnboundedSender<Done>,
    tell: UnboundedSender<DispatcherEvent>,
    events: UnboundedReceiver<DispatcherEvent>,
}

/// A claim whose transaction is not finished yet.
struct Claiming {
    since: Timestamp,
    due: Pin<Box<dyn Future<Output = Result<Due, StoreError>> + Send>>,
}

/// Sends until the program stops, then waits briefly for requests in flight. Requests that do not finish in time are
/// claimed again after the next start.
pub async fn run(sender: Sender) {
    let (done, outcomes) = unbounded_channel();
    let (tell, events) = unbounded_channel();
    let mut outcome_writer = tokio::spawn(write_outcomes(sender.clone(), outcomes, tell.clone()));
    let mut dispatcher = Dispatcher::new(sender, done, (tell, events));
    dispatcher.recover().await;
    dispatcher.wake_all();
    tokio::select! {
        () = dispatcher.dispatch() => {}
        ended = &mut outcome_writer => {
            // Without the writer no outcome would be stored, so the whole sender restarts.
            if let Some(panic) = ended.err().and_then(|fault| fault.try_into_panic().ok()) {
                std::panic::resume_unwind(panic);
            }
        }
    }
    let end = async {
        dispatcher.give_back_all().await;
        drop(dispatcher);
        // The writer ends after the last request.
        let _ = outcome_writer.await;
    };
    let _ = tokio::time::timeout(GRACE, end).await;
}

impl Dispatcher {
    fn new(
        sender: Sender,
        done: UnboundedSender<Done>,
        (tell, events): (UnboundedSender<DispatcherEvent>, UnboundedReceiver<DispatcherEvent>),
    ) -> Self {
        let began = sender.now();
        Self {
            lanes: Lanes::default(),
            claiming: None,
            is_stale: true,
            began,
            budget: ConnectionBudget::new(sender.parts().connections),
            bytes: 0,
            woken_in_turn: began,
            next_turn: 0,
            stall_detector: StallDetector::new(began, sender.parts().lease),
            sender,
            done,
            tell,
            events,
        }
    }

    async fn recover(&self) {
        let stopping = self.sender.stopping();
        while !*stopping.borrow() {
            match self.sender.store().recover_messages(self.sender.both(), SPREAD).await {
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
        let sender = self.sender.clone();
        self.stall_detector = StallDetector::new(self.sender.now(), self.sender.parts().lease);
        loop {
            while let Ok(event) = self.events.try_recv() {
                self.take(event);
            }
            self.start_reserved();
            if self.is_stale && self.claiming.is_none() {
                self.begin_claim().await;
            }
            let sleep = self.time_to_sleep();
            self.beat(sleep);
            tokio::select! {
                () = sender.wakeups().wait() => self.hear(sender.wakeups().take()),
                event = self.events.recv() => event.into_iter().for_each(|event| self.take(event)),
                (since, due) = written(&mut self.claiming) => self.take_claimed(since, due).await,
                () = tokio::time::sleep(sleep) => self.is_stale = true,
                _ = stopping.wait_for(|stop| *stop) => return,
            }
            self.beat(Duration::ZERO);
        }
    }

    fn beat(&mut self, sleep: Duration) {
        let now = self.sender.now();
        if self.stall_detector.beat(now, sleep) {
            tracing::warn!("the sender stood still for a while");
            let throttles = self.lanes.all_mut().filter_map(|lane| lane.throttle.as_mut());
            throttles.for_each(|throttle| throttle.held_up(now));
        }
    }

    fn take(&mut self, event: DispatcherEvent) {
        match event {
            DispatcherEvent::Ended(ended) => {
                self.bytes = self.bytes.saturating_sub(ended.bytes);
                self.lanes.entry(&ended.target).end(&ended);
            }
            DispatcherEvent::Written(target) => {
                self.is_stale = true;
                self.lanes.entry(&target).written();
                self.lanes.wake(&target);
            }
        }
    }

    /// Something may be due in these lanes.
    fn hear(&mut self, woken: Woken) {
        self.is_stale = true;
        match woken {
            Woken::All => self.wake_all(),
            Woken::Some(targets) => targets.iter().for_each(|target| self.lanes.wake(target)),
        }
    }

    fn time_to_sleep(&mut self) -> Duration {
        let now = self.sender.now();
        let start_by = self.lanes.awake().filter_map(LaneState::start_by).min();
        let mut next_due = self.lanes.next_end().unwrap_or(Timestamp::MAX);
        for (_, lane) in self.lanes.awake_mut().filter(|(_, lane)| lane.is_resting()) {
            match lane.rests_until(now) {
                Some(until) => next_due = next_due.min(until),
                // The rest is over: query this lane.
                None => self.is_stale = true,
            }
        }
        if self.is_stale && self.claiming.is_none() {
            return Duration::ZERO;
        }
        let until = [Some(next_due), self.next_permit(now), start_by].into_iter().flatten().min();
        let sleep =
            until.map_or(IDLE, |at| if at > now { at.abs_diff(now) } else { Duration::from_millis(1) });
        sleep.min(IDLE)
    }

    fn next_permit(&mut self, now: Timestamp) -> Option<Timestamp> {
        let throttles = self.lanes.awake_mut().filter_map(|(_, lane)| lane.throttle.as_mut());
        throttles
            .filter_map(|throttle| if throttle.free(now) == 0 { throttle.next_free() } else { None })
            .min()
    }

    /// Starts reserved messages while there are places. Messages that were not started in time, or must not be sent
    /// now, are given back.
    fn start_reserved(&mut self) {
        let now = self.sender.now();
        let mut ready = Vec::new();
        let mut left = Vec::new();
        for (id, lane) in self.lanes.awake_mut().filter(|(_, lane)| lane.start_by().is_some()) {
            if self.sender.subscriptions().get(id).is_some_and(|active| !has_reserve(&active)) {
                left.extend(lane.all_reserved());
            }
            left.extend(lane.overdue(now));
            while let Some(message) = lane.start_next() {
                ready.push(message);
            }
        }
        for message in ready {
            self.send(vec![message], None);
        }
        self.give_back(left);
    }

    fn start(&mut self, messages: Vec<ClaimedMessage>) {
        let Some(first) = messages.first() else { return };
        let ticket = self.lanes.entry(&first.target).start(self.sender.now());
        self.send(messages, ticket);
    }

    fn send(&mut self, messages: Vec<ClaimedMessage>, ticket: Option<u64>) {
        let Some(target) = messages.first().map(|message| message.target.clone()) else { return };
        let bytes = messages.iter().map(|message| message.event.body.len()).sum();
        self.bytes = self.bytes.saturating_add(bytes);
        let sender = self.sender.clone();
        let narrow = self.lanes.entry(&target).batch_bytes(usize::MAX, sender.now());
        let (done, tell) = (self.done.clone(), self.tell.clone());
        tokio::spawn(async move {
            let started = Instant::now();
            // After a panic the place is free; the messages stay claimed until their lease ends.
            // In a box it is not copied again each time it is passed on: it has some kilobytes.
            let attempt = Box::pin(worker::send(&sender, messages, narrow));
            let sent = sender.metrics().workers().watch("attempt", attempt).await;
            let has_sent = sent.is_some();
            let worker::Sent { settlements, is_gone, too_large } = sent.unwrap_or_default();
            let is_quick = has_sent
                && started.elapsed() < QUICK
                && settlements.iter().all(|settlement| matches!(settlement.next, Next::Delivered));
            let ended =
                Ended { target: target.clone(), ticket, at: sender.now(), is_quick, bytes, too_large };
            // Sending fails only when the program stops; the messages are then claimed again after its start.
            let _ = tell.send(DispatcherEvent::Ended(ended));
            let _ = done.send(Done { target, settlements, is_gone });
        });
    }

    /// At the end, only messages in flight stay claimed.
    async fn give_back_all(&mut self) {
        if let Some(claiming) = self.claiming.take()
            && let Ok(due) = claiming.due.await
        {
            self.give_back(due.messages);
        }
        let reserved = self.lanes.awake_mut().flat_map(|(_, lane)| lane.all_reserved()).collect();
        self.give_back(reserved);
    }

    fn give_back(&self, messages: Vec<ClaimedMessage>) {
        let now = self.sender.both();
        for message in messages {
            let target = message.target.clone();
            let settlements = vec![worker::given_back(message, now)];
            // Fails only when the program stops, as above.
            let _ = self.done.send(Done { target, settlements, is_gone: false });
        }
    }
}

/// Whether claimed messages may wait for a place. With a rate they may not: a claim records that they are sent now.
fn has_reserve(active: &Active) -> bool {
    let subscription = &active.compiled.subscription;
    subscription.enabled && subscription.batch.is_none() && subscription.rate_limit.is_none()
}

/// The result of a claim, once its transaction is finished.
async fn written(claiming: &mut Option<Claiming>) -> (Timestamp, Result<Due, StoreError>) {
    match claiming {
        Some(Claiming { since, due }) => (*since, due.await),
        None => std::future::pending().await,
    }
}
