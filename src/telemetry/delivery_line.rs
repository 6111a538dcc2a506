//! One log line for each delivery at `info`: verdict, reason, source, event, milliseconds. No body, no header, no
//! query.

use std::time::Duration;

use crate::domain::{Appended, Decision, DeliveryId, Entry, Reason, Timestamp, Verdict};

/// The longest sender-controlled text in a line, in characters.
const MAX_TEXT: usize = 80;

/// The contents of a delivery's log line, taken before the entry goes to the store.
#[derive(Clone, Debug)]
pub struct DeliveryLine {
    id: DeliveryId,
    source: String,
    event: Option<String>,
    decision: Option<Reason>,
    /// The verdict of deliveries without checks.
    unjudged: Option<Verdict>,
    client: std::net::IpAddr,
    size: usize,
    received_at: Timestamp,
}

impl DeliveryLine {
    /// The line of `entry`.
    #[must_use]
    pub fn of(entry: &Entry) -> Self {
        Self {
            id: entry.delivery.id,
            source: short(&entry.delivery.source),
            event: entry.facts.event_type.as_deref().map(short),
            decision: match &entry.decision {
                Decision::Reject(reason) => Some(*reason),
                Decision::Import(imported) => imported.reason,
                Decision::Accept(_) | Decision::Capture(_) | Decision::Handshake(_) => None,
            },
            unjudged: match &entry.decision {
                Decision::Capture(_) => Some(Verdict::Captured),
                Decision::Handshake(_) => Some(Verdict::Handshake),
                Decision::Import(imported) => Some(imported.verdict),
                Decision::Accept(_) | Decision::Reject(_) => None,
            },
            client: entry.delivery.client.ip,
            size: entry.delivery.body.len(),
            received_at: entry.delivery.received_at,
        }
    }

    /// The verdict on the delivery.
    #[must_use]
    pub fn verdict(&self, appended: &Appended) -> (Verdict, Option<Reason>) {
        match (self.decision, appended) {
            (Some(reason), _) => (Verdict::Rejected, Some(reason)),
            (None, Appended::New) => (self.unjudged.unwrap_or(Verdict::Accepted), None),
            (None, Appended::Duplicate { .. }) => (Verdict::Duplicate, None),
            (None, Appended::Conflict { .. }) => (Verdict::Rejected, Some(Reason::IdConflict)),
        }
    }

    /// The source, if it is configured: names invented by callers must not become metric labels.
    #[must_use]
    pub fn known_source(&self) -> &str {
        if self.decision == Some(Reason::UnknownSource) { "unknown" } else { &self.source }
    }

    /// When it was received.
    #[must_use]
    pub const fn received_at(&self) -> Timestamp {
        self.received_at
    }

    /// Writes the line of a stored delivery.
    pub fn write(&self, appended: &Appended, taken: Duration) {
        let (verdict, reason) = self.verdict(appended);
        tracing::info!(
            target: "tagohook::delivery",
            reason = reason.map(Reason::as_str),
            source = %self.source,
            event = self.event.as_deref(),
            client = %self.client,
            bytes = self.size,
            ms = %format_args!("{:.1}", taken.as_secs_f64() * 1000.0),
            id = %self.id,
            "{}", verdict.as_str(),
        );
        if let Appended::Conflict { first, .. } = appended {
            tracing::warn!(target: "tagohook::delivery", id = %self.id, first = %first,
                "the same event id came with another body; both are kept");
        }
    }

    /// Writes the line of a delivery that could not be stored and got a 503.
    pub fn write_fault(&self, fault: &(dyn std::error::Error + 'static)) {
        tracing::error!(target: "tagohook::delivery", source = %self.source, id = %self.id, fault,
            "not kept: answered 503");
    }
}

/// External text made safe for one line: shortened, and without control characters.
fn short(text: &str) -> String {
    text.chars().take(MAX_TEXT).map(|letter| if letter.is_control() { '\u{fffd}' } else { letter }).collect()
}
