//! A delivery of another instance, as an export of it has it: what is read, and what may be in it.

use std::time::{Duration, Instant};

use serde::Deserialize;
use sha2::{Digest as _, Sha256};
use utoipa::ToSchema;

use super::imported_members::{Reading, Whole};
use super::objects::CheckObject;
use crate::domain::{
    Cause, Connection, Decision, Delivery, DeliveryId, Entry, EventFacts, Header, Imported, MarksChange,
    Reason, Timestamp, Unverified, Verdict,
};
use crate::http::inspector::operations::import::{Attached, Import};
use crate::http::inspector::operations::marks::{Note, Tags};
use crate::http::inspector::request::{As, AsWritten, Fields, Members};

/// The tag of an imported delivery.
const TAG: &str = "imported";
/// The longest time that something took, in microseconds: a year.
const MAX_MICROS: u64 = 366 * 86_400 * 1_000_000;
/// How far ahead of our clock another instance's may be.
const AHEAD: Duration = Duration::from_secs(86_400);

/// A delivery as an export has it. Other members of an export follow from these, and are ignored.
#[derive(Clone, Debug, Default, Deserialize, ToSchema)]
pub struct ImportedDelivery {
    /// Its id in the export. Without one, an id is made from the time and the contents.
    #[schema(value_type = Option<String>)]
    id: Option<String>,
    #[schema(value_type = String, min_length = 1)]
    source: Option<String>,
    #[schema(value_type = String, format = DateTime)]
    received_at: Option<As<Timestamp>>,
    /// `POST` without it.
    method: Option<String>,
    /// The path and the query.
    #[schema(value_type = String, min_length = 1)]
    path: Option<String>,
    /// `HTTP/1.1` without it.
    http_version: Option<String>,
    client_ip: Option<String>,
    peer_ip: Option<String>,
    #[schema(value_type = Option<u16>)]
    peer_port: Option<As<Whole>>,
    #[schema(value_type = Option<u32>)]
    connection_deliveries: Option<As<Whole>>,
    client_explanation: Option<String>,
    #[schema(value_type = Option<u64>)]
    hung_up_after_us: Option<As<Whole>>,
    /// Name and value of each line. Credentials that are not masked are masked here.
    #[schema(value_type = Option<Vec<(String, String)>>)]
    headers: Option<AsWritten>,
    /// Values that are not UTF-8: the position of the line, from 0, and the value in base64.
    #[schema(value_type = Option<Vec<(usize, String)>>)]
    header_bytes: Option<AsWritten>,
    /// The body, where it is UTF-8.
    body: Option<String>,
    /// The body, where it is not.
    body_base64: Option<String>,
    /// `complete`, `cut_at_cap`, `timed_out` or `broken`; `complete` without it.
    body_end: Option<String>,
    /// `captured` without it.
    #[schema(value_type = Option<String>)]
    verdict: Option<As<Verdict>>,
    /// Of a rejected delivery.
    #[schema(value_type = Option<String>)]
    reason: Option<As<Reason>>,
    #[schema(value_type = u16, maximum = 999)]
    status: Option<As<Whole>>,
    #[schema(value_type = Option<u64>)]
    duration_us: Option<As<Whole>>,
    event_type: Option<String>,
    event_name: Option<String>,
    event_id: Option<String>,
    entity: Option<String>,
    #[schema(value_type = Option<ImportedUnverified>)]
    unverified: Option<AsWritten>,
    /// The id of the first delivery of the same event, in the export.
    duplicate_of: Option<String>,
    /// None, or all seven in their order.
    #[schema(value_type = Option<Vec<CheckObject>>)]
    checks: Option<AsWritten>,
    /// The result in a few words, of a rejected or repeated delivery.
    headline: Option<String>,
    #[schema(value_type = Option<ImportedCause>)]
    cause: Option<AsWritten>,
    #[schema(value_type = Option<String>, max_length = 10_000)]
    note: Option<As<Note>>,
    #[schema(value_type = Option<Vec<String>>, max_items = 20)]
    tags: Option<Tags>,
}

impl Members for ImportedDelivery {}

/// What the body of a rejected delivery says, unverified.
#[derive(Clone, Debug, Default, Deserialize, ToSchema)]
pub struct ImportedUnverified {
    event: Option<String>,
    event_id: Option<String>,
    device: Option<String>,
    device_name: Option<String>,
}

/// The cause of a rejected or repeated delivery.
#[derive(Clone, Debug, Default, Deserialize, ToSchema)]
pub struct ImportedCause {
    code: Option<String>,
}

impl ImportedDelivery {
    /// The delivery as the store takes it. What is wrong with it are faults of `fields`.
    pub fn import(mut self, fields: &mut Fields, now: Timestamp) -> Option<Import> {
        let mut read = Reading::new(fields);
        let original = read.id("id", self.id.as_deref());
        let delivery = self.delivery(&mut read, original, now);
        let imported = self.decision(&mut read);
        let cause = self.cause(&mut read, imported.verdict);
        let hung_up = read.number("hung_up_after_us", self.hung_up_after_us, MAX_MICROS);
        let entry = Entry {
            facts: self.facts(&mut read),
            unverified: self.unverified(&mut read),
            checks: read.checks(self.checks),
            decision: Decision::Import(imported),
            delivery: delivery?,
            started: Instant::now(),
        };
        read.is_good().then(|| Import {
            original,
            entry,
            attached: Attached {
                cause,
                marks: marks(self.note, self.tags),
                hung_up: hung_up.map(Duration::from_micros),
            },
        })
    }

    fn delivery(
        &mut self,
        read: &mut Reading<'_>,
        original: Option<DeliveryId>,
        now: Timestamp,
    ) -> Option<Delivery> {
        let received_at = read.needed("received_at", self.received_at).map(|As(at)| at);
        if received_at.is_some_and(|at| at > now.plus(AHEAD)) {
            read.fault("received_at", "is in the future");
        }
        let source = self.source.take().filter(|source| !source.is_empty());
        let source = read.needed("source", source);
        let path = read.needed("path", self.path.take());
        let method = self.method.take().unwrap_or_else(|| "POST".to_owned());
        let http_version = self.http_version.take().unwrap_or_else(|| "HTTP/1.1".to_owned());
        let connections = read.number("connection_deliveries", self.connection_deliveries, u64::MAX);
        let mut delivery = Delivery {
            id: DeliveryId::of_contents(received_at.unwrap_or_default(), [0; 32]),
            source: read.text("source", source).unwrap_or_default(),
            received_at: received_at.unwrap_or_default(),
            method: read.plain("method", Some(method)).unwrap_or_default(),
            path: read.plain("path", path).unwrap_or_default(),
            http_version: read.plain("http_version", Some(http_version)).unwrap_or_default(),
            client: read.client(
                self.client_ip.as_deref(),
                self.peer_ip.as_deref(),
                self.client_explanation.take(),
            ),
            connection: Connection {
                port: read.number("peer_port", self.peer_port, u64::MAX),
                deliveries: connections.unwrap_or_default(),
            },
            headers: read.headers(self.headers.take(), self.header_bytes.take()),
            body: read.body(self.body.take(), self.body_base64.take()),
            body_end: read.body_end(self.body_end.as_deref()),
        };
        delivery.id = original.map_or_else(|| id_of(&delivery), DeliveryId::imported);
        received_at.map(|_| delivery)
    }

    fn decision(&self, read: &mut Reading<'_>) -> Imported {
        let verdict = self.verdict.map_or(Verdict::Captured, |As(verdict)| verdict);
        let reason = self.reason.map(|As(reason)| reason);
        if reason.is_some() != (verdict == Verdict::Rejected) {
            read.fault("reason", "belongs to the verdict rejected, and to no other");
        }
        let status = read.needed("status", self.status);
        let duration = read.number("duration_us", self.duration_us, MAX_MICROS);
        Imported {
            verdict,
            reason,
            status: read.number("status", status, 999).unwrap_or_default(),
            duration: Duration::from_micros(duration.unwrap_or_default()),
            duplicate_of: read.id("duplicate_of", self.duplicate_of.as_deref()).map(DeliveryId::imported),
        }
    }

    fn cause(&mut self, read: &mut Reading<'_>, verdict: Verdict) -> Option<Cause> {
        let headline = read.text("headline", self.headline.take());
        let cause: ImportedCause = read.json("cause", self.cause.take(), "an object with a code");
        let code = read.text("cause", cause.code);
        let is_caused = matches!(verdict, Verdict::Rejected | Verdict::Duplicate);
        code.zip(headline).filter(|_| is_caused).map(|(code, headline)| Cause { code, headline })
    }

    fn facts(&mut self, read: &mut Reading<'_>) -> EventFacts {
        EventFacts {
            event_type: read.text("event_type", self.event_type.take()),
            event_name: read.text("event_name", self.event_name.take()),
            event_id: read.text("event_id", self.event_id.take()),
            entity: read.text("entity", self.entity.take()),
        }
    }

    fn unverified(&mut self, read: &mut Reading<'_>) -> Unverified {
        let said: ImportedUnverified = read.json("unverified", self.unverified.take(), "an object of texts");
        Unverified {
            event: read.text("unverified", said.event),
            id: read.text("unverified", said.event_id),
            device: read.text("unverified", said.device),
            device_name: read.text("unverified", said.device_name),
        }
    }
}

/// The note and the tags of the export, and the tag of imported deliveries. Pins are not taken over: there is room for few.
fn marks(note: Option<As<Note>>, tags: Option<Tags>) -> MarksChange {
    let tags = tags.unwrap_or_default().with_first(TAG);
    MarksChange { is_pinned: None, note: note.map(|As(Note(note))| Some(note)), tags: Some(tags) }
}

/// The id of a delivery that has none in its file: the same each time.
fn id_of(delivery: &Delivery) -> DeliveryId {
    let mut hash = Sha256::new();
    let mut add = |bytes: &[u8]| {
        hash.update(u64::try_from(bytes.len()).unwrap_or(u64::MAX).to_be_bytes());
        hash.update(bytes);
    };
    add(delivery.source.as_bytes());
    add(delivery.method.as_bytes());
    add(delivery.path.as_bytes());
    for Header { name, value } in delivery.headers.iter() {
        add(name.as_bytes());
        add(value);
    }
    add(&delivery.body);
    DeliveryId::of_contents(delivery.received_at, hash.finalize().into())
}
