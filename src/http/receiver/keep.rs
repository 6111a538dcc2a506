//! Stores what was decided on, counts it, logs it and answers.

use actix_web::HttpResponse;
use tracing::Instrument as _;

use super::no_delivery::Sender;
use super::respond;
use super::state::{ReceiverState, Rules};
use crate::domain::{Appended, Decision, Delivery, Entry, Fault};
use crate::http::connection::caller::Caller;
use crate::store::StoreError;
use crate::telemetry::{DeliveryLine, NotKept, traces};

impl ReceiverState {
    /// Stores a checked delivery and responds. A rejection over its address's rate is counted, not stored.
    pub(super) fn keep_and_answer<'a>(
        &'a self,
        rules: &'a Rules,
        entry: Entry,
        faults: &'a [Fault],
        caller: Option<&'a Caller>,
    ) -> impl Future<Output = HttpResponse> + 'a {
        let refusal = match &entry.decision {
            Decision::Reject(reason) => Some(*reason),
            Decision::Accept(_) | Decision::Capture(_) | Decision::Handshake(_) | Decision::Import(_) => None,
        };
        let client = entry.delivery.client.ip;
        let id = entry.delivery.id;
        let event_id = entry.facts.event_id.clone();
        let kept = if refusal.is_some() && !rules.refused_rate.allows(client) {
            let Delivery { method, path, .. } = &entry.delivery;
            let sender = Sender { client, method, target: path };
            let retry = rules.refused_rate.retry_after_s();
            Err(self.over_rate(&sender, NotKept::RefusedRate, "refused_rate", retry))
        } else {
            Ok(self.keep(entry, caller))
        };
        async move {
            let kept = match kept {
                Ok(kept) => kept.await,
                Err(answer) => Err(answer),
            };
            match (kept, refusal) {
                (Err(answer), _) => answer,
                (Ok(_), Some(reason)) => respond::refused(reason, faults),
                (Ok(Appended::New), None) => respond::processed(id, event_id.as_deref()),
                (Ok(Appended::Duplicate { first_received_at, .. }), None) => {
                    respond::already_processed(id, event_id.as_deref(), first_received_at)
                }
                (Ok(Appended::Conflict { .. }), None) => {
                    // Only counted here: it became a rejection when it was already on disk.
                    let _ = rules.refused_rate.allows(client);
                    respond::conflict()
                }
            }
        }
    }

    /// Appends an entry, counts it and logs it; on failure, returns the response for an unavailable store. The future
    /// does not contain the entry, which would be moved with it.
    pub(super) fn keep<'a>(
        &'a self,
        entry: Entry,
        caller: Option<&'a Caller>,
    ) -> impl Future<Output = Result<Appended, HttpResponse>> + 'a {
        let line = DeliveryLine::of(&entry);
        let started = entry.started;
        traces::judged(&entry);
        let written = self.store.append(entry).instrument(traces::commit_span());
        async move {
            match written.await {
                Ok(written) => {
                    let taken = started.elapsed();
                    let (verdict, reason) = line.verdict(&written.appended);
                    traces::decided(verdict, reason);
                    self.metrics.kept(&line, &written.appended, (written.took, taken));
                    line.write(&written.appended, taken);
                    if let Some(caller) = caller {
                        caller.owes(written.seq, started, &self.store);
                    }
                    Ok(written.appended)
                }
                Err(fault) => {
                    self.metrics.not_kept(match fault {
                        StoreError::Full => NotKept::Overloaded,
                        _ => NotKept::StoreFault,
                    });
                    line.write_fault(&fault);
                    Err(respond::cannot_keep())
                }
            }
        }
    }
}
