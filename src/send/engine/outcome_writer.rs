//! Writes the outcomes of attempts, many at a time, and reports them.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender};

use super::dispatcher_event::DispatcherEvent;
use crate::send::own_events::endpoint_gone;
use crate::send::state::Sender;
use crate::store::{Next, Settlement};

/// The most request outcomes written at once.
const AT_ONCE: usize = 500;
/// The pause before a failed write is repeated.
const PAUSE: Duration = Duration::from_millis(300);

/// A finished request.
pub struct Done {
    /// The subscription that made it.
    pub target: String,
    /// Its outcome, one settlement per message.
    pub settlements: Vec<Settlement>,
    /// Whether the endpoint responded that it is gone.
    pub is_gone: bool,
}

/// Writes outcomes until every request has ended.
pub async fn write_outcomes(
    sender: Sender,
    mut outcomes: UnboundedReceiver<Done>,
    tell: UnboundedSender<DispatcherEvent>,
) {
    let mut waiting = Vec::new();
    while outcomes.recv_many(&mut waiting, AT_ONCE).await > 0 {
        let mut settlements = Vec::with_capacity(waiting.len());
        let mut targets = Vec::with_capacity(waiting.len());
        let mut gone = BTreeSet::new();
        for done in waiting.drain(..) {
            settlements.extend(done.settlements);
            if done.is_gone {
                gone.insert(done.target.clone());
            }
            targets.push(done.target);
        }
        let settlements = Arc::new(settlements);
        write(&sender, &settlements).await;
        for settlement in settlements.iter() {
            follow_up(&sender, settlement);
        }
        for target in gone {
            endpoint_gone(&sender, &target).await;
        }
        for target in targets {
            // The dispatcher is gone when the program stops.
            let _ = tell.send(DispatcherEvent::Written(target));
        }
    }
}

/// The requests were made, so their outcome is written however long that takes.
async fn write(sender: &Sender, settlements: &Arc<Vec<Settlement>>) {
    while let Err(fault) = sender.store().settle(Arc::clone(settlements)).await {
        tracing::error!(%fault, attempts = settlements.len(), "outcomes of attempts cannot be written; they are tried again");
        tokio::time::sleep(PAUSE).await;
    }
}

fn follow_up(sender: &Sender, settlement: &Settlement) {
    let status = settlement.attempt.as_ref().and_then(|attempt| attempt.status);
    if let Some(attempt) = &settlement.attempt {
        sender.metrics().sender().attempt(attempt);
        log(settlement);
    }
    match &settlement.next {
        Next::Delivered => sender.metrics().sender().message("delivered"),
        Next::Cancelled => sender.metrics().sender().message("cancelled"),
        Next::Dead { error, .. } => {
            sender.metrics().sender().message("dead");
            let Settlement { id, subscription, .. } = settlement;
            tracing::warn!(message = %id, subscription, status, error, "message is dead");
            sender.tell_of_letters();
        }
        Next::Fallback { target, .. } => sender.wakeups().tell(std::iter::once(target.as_str())),
        Next::Retry(_) | Next::Smaller(_) => {}
    }
}

/// One line per attempt, without headers, body or query.
fn log(settlement: &Settlement) {
    let Some(attempt) = &settlement.attempt else { return };
    let next = match &settlement.next {
        Next::Delivered => "delivered",
        Next::Retry(_) => "retry",
        Next::Smaller(_) => "smaller_batch",
        Next::Fallback { .. } => "fallback",
        Next::Dead { .. } => "dead",
        Next::Cancelled => "cancelled",
    };
    let (number, status, error) = (attempt.number, attempt.status, attempt.error.map(|error| error.as_str()));
    let ms = attempt.duration_us / 1_000;
    tracing::info!(target: "tagohook::sent", message = %settlement.id, subscription = attempt.target, number, status, error, ms, next);
}
