//! Deliveries as the API shows them.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::Serialize;
use utoipa::ToSchema;

use super::replay_objects::ReplayObject;
use crate::domain::{Check, DeliveryRow, Marks, ReplaysAbout, StoredDelivery, Unverified};
use crate::http::inspector::answer::{ReasonWord, Time, VerdictWord};
use crate::inspect::export::header_bytes;
use crate::inspect::{ClientRepeat, Diagnosis, Findings, Fix};

/// What the body of a rejected delivery says, unverified.
#[derive(Debug, Serialize, ToSchema)]
pub struct UnverifiedObject {
    /// The event type.
    event: Option<String>,
    /// The event id.
    event_id: Option<String>,
    /// The id of the device.
    device: Option<String>,
    /// The name of the device.
    device_name: Option<String>,
}

impl UnverifiedObject {
    fn of(said: &Unverified) -> Option<Self> {
        (!said.is_empty()).then(|| Self {
            event: said.event.clone(),
            event_id: said.id.clone(),
            device: said.device.clone(),
            device_name: said.device_name.clone(),
        })
    }
}

/// A delivery in lists and in the stream.
#[derive(Debug, Serialize, ToSchema)]
pub struct RowObject {
    /// Its id: a UUID of version 7.
    id: String,
    /// The source that it came to.
    source: String,
    received_at: Time,
    method: String,
    /// The path and the query, secrets masked.
    path: String,
    client_ip: String,
    /// The canonical event type.
    event_type: Option<String>,
    /// The event type as it was sent, where it differs.
    event_name: Option<String>,
    event_id: Option<String>,
    /// What the event is about, as a device.
    entity: Option<String>,
    verdict: VerdictWord,
    reason: Option<ReasonWord>,
    /// The result, in at most eight words.
    headline: String,
    /// What the body of a rejected delivery says about its event; null if nothing was read, or everything was verified.
    unverified: Option<UnverifiedObject>,
    /// The status that was answered.
    status: u16,
    size_bytes: u64,
    duration_us: u64,
    /// The first delivery of the same event.
    duplicate_of: Option<String>,
    /// Whether another instance received it.
    imported: bool,
    pinned: bool,
    note: Option<String>,
    tags: Vec<String>,
}

impl From<&DeliveryRow> for RowObject {
    fn from(row: &DeliveryRow) -> Self {
        Self {
            id: row.id.to_string(),
            source: row.source.clone(),
            received_at: row.received_at.into(),
            method: row.method.clone(),
            path: row.path.clone(),
            client_ip: row.client_ip.to_string(),
            event_type: row.event_type.clone(),
            event_name: row.event_name.clone(),
            event_id: row.event_id.clone(),
            entity: row.entity.clone(),
            verdict: row.verdict.into(),
            reason: row.reason.map(ReasonWord),
            headline: row.headline().into_owned(),
            unverified: UnverifiedObject::of(&row.unverified),
            status: row.status,
            size_bytes: row.size_bytes,
            duration_us: row.duration_us,
            duplicate_of: row.duplicate_of.map(|first| first.to_string()),
            imported: row.id.is_imported(),
            pinned: row.marks.is_pinned,
            note: row.marks.note.clone(),
            tags: row.marks.tags.clone(),
        }
    }
}

/// A delivery with everything stored about it.
#[derive(Debug, Serialize, ToSchema)]
pub struct DeliveryObject {
    #[serde(flatten)]
    row: RowObject,
    http_version: String,
    peer_ip: String,
    /// The port at the other end of the connection; null if there is none.
    peer_port: Option<u16>,
    /// How many deliveries had arrived on its connection, this one included; null if unknown.
    connection_deliveries: Option<u32>,
    /// When the client closed the connection, after the head; null if it did not close it before our response.
    hung_up_after_us: Option<u64>,
    /// Whether a client or a proxy repeated a request automatically, in words.
    repeat: Option<String>,
    /// How the address of the client was found.
    client_explanation: String,
    /// The node that took it; null where the store is a file of one node.
    node: Option<String>,
    /// Name and value of each line, in the order received.
    headers: Vec<(String, String)>,
    /// Values that are not UTF-8: the position of the line, from 0, and the value in base64.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    #[schema(required = false)]
    header_bytes: Vec<(usize, String)>,
    /// The body, where it is UTF-8.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    body: Option<String>,
    /// The body, where it is not UTF-8.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    body_base64: Option<String>,
    /// Whether the body is complete: `complete`, `cut_at_cap`, `timed_out` or `broken`.
    body_end: &'static str,
    checks: Vec<CheckObject>,
    /// The cause and what to do, as text.
    diagnosis: String,
    /// The same in parts.
    cause: CauseObject,
    autopsy: Option<AutopsyObject>,
    /// The delivery that this one is a replay of.
    replay_of: Option<String>,
    /// The newest replays of this one.
    replays: Vec<ReplayObject>,
}

/// One check: what was received, the rule, and the result.
#[derive(Debug, Serialize, ToSchema)]
pub struct CheckObject {
    /// Which one.
    check: &'static str,
    /// `pass`, `fail` or `skipped`.
    outcome: &'static str,
    reason: Option<ReasonWord>,
    /// The received value.
    seen: String,
    /// The rule it was checked against.
    rule: String,
    duration_us: u32,
    /// Every fault of a payload, with its place.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    #[schema(required = false)]
    faults: Vec<PayloadFault>,
    /// Further notes.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    #[schema(required = false)]
    notes: Vec<String>,
}

/// A fault of a payload.
#[derive(Debug, Serialize, ToSchema)]
pub struct PayloadFault {
    /// A JSON pointer; empty for the whole payload.
    path: String,
    message: String,
}

impl From<&Check> for CheckObject {
    fn from(check: &Check) -> Self {
        let fault = |fault: &crate::domain::Fault| PayloadFault {
            path: fault.path.clone(),
            message: fault.message.clone(),
        };
        Self {
            check: check.gate.as_str(),
            outcome: check.outcome.as_str(),
            reason: check.reason.map(ReasonWord),
            seen: check.seen.clone(),
            rule: check.rule.clone(),
            duration_us: check.duration_us,
            faults: check.faults.iter().map(fault).collect(),
            notes: check.notes.clone(),
        }
    }
}

/// The cause of the verdict, and what to do.
#[derive(Debug, Serialize, ToSchema)]
pub struct CauseObject {
    /// Equal for the same cause.
    code: String,
    text: String,
    fixes: Vec<FixObject>,
    evidence: Vec<String>,
    /// Whether today's configuration lets it pass.
    passes_today: bool,
}

/// What to do.
#[derive(Debug, Serialize, ToSchema)]
pub struct FixObject {
    step: String,
    /// The line to copy.
    line: Option<String>,
}

impl CauseObject {
    fn of(diagnosis: &Diagnosis) -> Self {
        let fix = |fix: &Fix| FixObject { step: fix.step.to_string(), line: fix.line.clone() };
        Self {
            code: diagnosis.code.to_string(),
            text: diagnosis.cause.to_string(),
            fixes: diagnosis.fixes.iter().map(fix).collect(),
            evidence: diagnosis.evidence.clone(),
            passes_today: diagnosis.passes_today,
        }
    }
}

/// Why a signature does not match.
#[derive(Debug, Serialize, ToSchema)]
pub struct AutopsyObject {
    /// The variant that matches; null if none does.
    variant: Option<String>,
    sentence: String,
    /// How many variants were tried.
    tried: usize,
}

impl DeliveryObject {
    /// A delivery and its diagnosis.
    pub fn of(delivery: &StoredDelivery, findings: &Findings, about: &ReplaysAbout) -> Self {
        let body = std::str::from_utf8(&delivery.body).ok();
        let header = |header: &crate::domain::Header| (header.name.clone(), header.text());
        Self {
            row: RowObject::from(&delivery.row),
            http_version: delivery.http_version.to_string(),
            peer_ip: delivery.client.peer.to_string(),
            peer_port: delivery.connection.port,
            connection_deliveries: Some(delivery.connection.deliveries).filter(|deliveries| *deliveries > 0),
            hung_up_after_us: delivery.hung_up.and_then(|after| u64::try_from(after.as_micros()).ok()),
            repeat: findings.client_repeat.as_ref().map(ClientRepeat::sentence),
            client_explanation: delivery.client.explanation.clone(),
            node: delivery.node.clone(),
            headers: delivery.headers.iter().map(header).collect(),
            header_bytes: header_bytes(delivery.headers.iter().map(|header| &*header.value)),
            body: body.map(str::to_owned),
            body_base64: body.is_none().then(|| STANDARD.encode(&delivery.body)),
            body_end: delivery.body_end.as_str(),
            checks: delivery.checks.iter().map(CheckObject::from).collect(),
            diagnosis: findings.diagnosis.text(),
            cause: CauseObject::of(&findings.diagnosis),
            replay_of: about.came_by.as_ref().map(|replay| replay.original.to_string()),
            replays: about.replays.iter().map(ReplayObject::from).collect(),
            autopsy: findings.autopsy.as_ref().map(|autopsy| AutopsyObject {
                variant: autopsy.variant.as_ref().map(ToString::to_string),
                sentence: autopsy.sentence.to_string(),
                tried: autopsy.tried,
            }),
        }
    }
}

/// The marks of a delivery.
#[derive(Debug, Serialize, ToSchema)]
pub struct MarksObject {
    id: String,
    pinned: bool,
    note: Option<String>,
    tags: Vec<String>,
}

impl MarksObject {
    /// Those of the delivery with this id.
    pub fn of(id: &str, marks: Marks) -> Self {
        Self { id: id.to_owned(), pinned: marks.is_pinned, note: marks.note, tags: marks.tags }
    }
}
