//! An entry, encoded on its caller's thread, and what every engine decides about it in the same way.

use std::time::{Duration, Instant};

use crate::domain::json::same_values;
use crate::domain::{
    Appended, Claim, ClaimKey, Decision, Delivery, DeliveryId, Entry, EventFacts, Headers, Reason, Timestamp,
    Verdict,
};
use crate::payload::decode;
use crate::store::log::encoding;
use crate::store::{Retention, StoreError};

/// The weight of a row in the budgets in addition to its body and its texts: keys, columns and index entries.
const ROW_OVERHEAD: usize = 400;

/// The longest body compared by value with the first delivery of its event, in bytes; also applies after decoding.
pub const MOST_COMPARED: usize = 64 * 1024;

/// The longer texts of a delivery, in the form in which an engine stores them.
pub trait Texts: Sized {
    /// Encodes the texts of `entry`, the checks from their JSON.
    fn of(entry: &Entry, checks: String) -> Self;

    /// The room that they take in the store, in bytes.
    fn size(&self) -> usize;
}

/// Texts as they are.
pub struct Plain {
    /// The header block.
    pub headers: Vec<u8>,
    /// The checks, as text.
    pub checks: String,
    /// The length of the explanation of the client's address.
    explanation: usize,
}

impl Texts for Plain {
    fn of(entry: &Entry, checks: String) -> Self {
        let headers = encoding::header_block(&entry.delivery.headers);
        Self { headers, checks, explanation: entry.delivery.client.explanation.len() }
    }

    fn size(&self) -> usize {
        self.headers.len().saturating_add(self.checks.len()).saturating_add(self.explanation)
    }
}

/// An entry, encoded.
pub struct Prepared<T = Plain> {
    /// The request, credentials masked.
    pub delivery: Delivery,
    /// What was read about the event.
    pub facts: EventFacts,
    /// What an unread body says about its event, as text.
    pub unverified: Option<String>,
    /// The decision of the checks before the store.
    pub decision: Decision,
    /// Its texts.
    pub texts: T,
    /// When the request's head was complete.
    pub started: Instant,
    /// Its weight, in bytes.
    pub weight: usize,
}

/// The result of a delivery, as stored in its row.
pub struct Settled {
    /// The result of its claim.
    pub appended: Appended,
    /// The verdict on it.
    pub verdict: Verdict,
    /// The reason for the verdict.
    pub reason: Option<Reason>,
    /// The status of the response.
    pub status: u16,
    /// The delivery that has its event, and when that one was received, if that is known.
    pub first: Option<(DeliveryId, Option<Timestamp>)>,
}

impl<T: Texts> Prepared<T> {
    /// Encodes `entry` on the caller's thread.
    ///
    /// # Errors
    /// `Unavailable` if its checks cannot be written.
    pub fn encode(entry: Entry) -> Result<Self, StoreError> {
        let checks = encoding::checks_text(&entry.checks)
            .map_err(|fault| StoreError::Unavailable(format!("checks cannot be written: {fault}")))?;
        let texts = T::of(&entry, checks);
        let weight = ROW_OVERHEAD
            .saturating_add(texts.size())
            .saturating_add(entry.delivery.path.len())
            .saturating_add(entry.delivery.source.len())
            .saturating_add(entry.delivery.body.len());
        let Entry { delivery, facts, unverified, decision, started, .. } = entry;
        let unverified = encoding::unverified_text(&unverified);
        let weight = weight.saturating_add(unverified.as_ref().map_or(0, String::len));
        Ok(Self { delivery, facts, unverified, decision, texts, started, weight })
    }
}

impl<T> Prepared<T> {
    /// Its claim on an event, if it has one.
    pub const fn claim(&self) -> Option<&Claim> {
        match &self.decision {
            Decision::Accept(claim) => claim.as_ref(),
            Decision::Reject(_) | Decision::Capture(_) | Decision::Handshake(_) | Decision::Import(_) => None,
        }
    }

    /// The time that it took until now, or in the instance that received it.
    pub fn took(&self) -> Duration {
        match &self.decision {
            Decision::Import(imported) => imported.duration,
            _ => self.started.elapsed(),
        }
    }

    /// Its result, with the result of its claim.
    pub fn settled(&self, appended: Appended) -> Settled {
        let (verdict, reason, status) = match (&self.decision, &appended) {
            (Decision::Reject(reason), _) => (Verdict::Rejected, Some(*reason), reason.status()),
            (Decision::Capture(status), _) => (Verdict::Captured, None, *status),
            (Decision::Handshake(status), _) => (Verdict::Handshake, None, *status),
            (Decision::Import(imported), _) => (imported.verdict, imported.reason, imported.status),
            (Decision::Accept(_), Appended::New) => (Verdict::Accepted, None, 200),
            (Decision::Accept(_), Appended::Duplicate { .. }) => (Verdict::Duplicate, None, 200),
            (Decision::Accept(_), Appended::Conflict { .. }) => {
                let reason = Reason::IdConflict;
                (Verdict::Rejected, Some(reason), reason.status())
            }
        };
        let first = match appended {
            Appended::New => match &self.decision {
                Decision::Import(imported) => imported.duplicate_of.map(|first| (first, None)),
                _ => None,
            },
            Appended::Duplicate { first, first_received_at }
            | Appended::Conflict { first, first_received_at } => Some((first, Some(first_received_at))),
        };
        Settled { appended, verdict, reason, status, first }
    }
}

/// The keys of a claim, in the order in which they are taken: the first one that another delivery has ends it.
pub fn keys(claim: &Claim) -> impl Iterator<Item = &ClaimKey> {
    claim.also.iter().chain([&claim.key])
}

/// When a claim that is made `now` ends.
pub fn expiry(claim: &Claim, retention: &Retention, now: Timestamp) -> Timestamp {
    now.plus(claim.window.map_or(retention.keep_event_ids, |window| window.min(retention.keep_event_ids)))
}

/// Whether a delivery has the same values as the first one of its event, in different bytes. Some senders serialise
/// their JSON again at each attempt. Only short bodies are compared, since others wait for the result.
pub fn says_the_same(delivery: &Delivery, first_headers: &Headers, first_body: &[u8]) -> bool {
    if delivery.body.len() > MOST_COMPARED || first_body.len() > MOST_COMPARED {
        return false;
    }
    let texts = (
        decode(first_headers, first_body, MOST_COMPARED),
        decode(&delivery.headers, &delivery.body, MOST_COMPARED),
    );
    matches!(texts, (Ok(first), Ok(again)) if same_values(&first, &again))
}
