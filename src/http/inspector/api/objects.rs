//! The API's objects, as documented in `docs/API.md`.

use std::borrow::Cow;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::Serialize;
use serde_json::{Value, json};

use crate::domain::{Check, DeliveryRow, Replay, ReplaysAbout, StoredDelivery, Unverified};
use crate::inspect::{ClientRepeat, Diagnosis, Findings, Fix};
use crate::send::redacted_url;

/// Unverified facts.
#[derive(Debug, Serialize)]
struct UnverifiedObject<'a> {
    event: Option<&'a str>,
    event_id: Option<&'a str>,
    device: Option<&'a str>,
    device_name: Option<&'a str>,
}

impl<'a> UnverifiedObject<'a> {
    fn of(said: &'a Unverified) -> Option<Self> {
        (!said.is_empty()).then_some(Self {
            event: said.event.as_deref(),
            event_id: said.id.as_deref(),
            device: said.device.as_deref(),
            device_name: said.device_name.as_deref(),
        })
    }
}

/// A delivery in lists and in the stream.
#[derive(Debug, Serialize)]
pub struct RowObject<'a> {
    id: String,
    source: &'a str,
    received_at: String,
    method: &'a str,
    path: &'a str,
    client_ip: String,
    event_type: Option<&'a str>,
    event_name: Option<&'a str>,
    event_id: Option<&'a str>,
    entity: Option<&'a str>,
    verdict: &'static str,
    reason: Option<&'static str>,
    /// The result, in at most eight words.
    headline: Cow<'a, str>,
    /// What the body of a rejected delivery says about its event; null if nothing was read, or everything was verified.
    unverified: Option<UnverifiedObject<'a>>,
    status: u16,
    size_bytes: u64,
    duration_us: u64,
    duplicate_of: Option<String>,
    pinned: bool,
    note: Option<&'a str>,
    tags: &'a [String],
}

impl<'a> From<&'a DeliveryRow> for RowObject<'a> {
    fn from(row: &'a DeliveryRow) -> Self {
        Self {
            id: row.id.to_string(),
            source: &row.source,
            received_at: row.received_at.to_string(),
            method: &row.method,
            path: &row.path,
            client_ip: row.client_ip.to_string(),
            event_type: row.event_type.as_deref(),
            event_name: row.event_name.as_deref(),
            event_id: row.event_id.as_deref(),
            entity: row.entity.as_deref(),
            verdict: row.verdict.as_str(),
            reason: row.reason.map(|reason| reason.as_str()),
            headline: row.headline(),
            unverified: UnverifiedObject::of(&row.unverified),
            status: row.status,
            size_bytes: row.size_bytes,
            duration_us: row.duration_us,
            duplicate_of: row.duplicate_of.map(|first| first.to_string()),
            pinned: row.marks.is_pinned,
            note: row.marks.note.as_deref(),
            tags: &row.marks.tags,
        }
    }
}

/// A delivery with everything stored about it.
#[derive(Debug, Serialize)]
pub struct DeliveryObject<'a> {
    #[serde(flatten)]
    row: RowObject<'a>,
    http_version: &'a str,
    peer_ip: String,
    /// The port at the other end of the connection; null if there is none.
    peer_port: Option<u16>,
    /// How many deliveries had arrived on its connection, this one included; null if unknown.
    connection_deliveries: Option<u32>,
    /// When the client closed the connection, after the head; null if it did not close it before our response.
    hung_up_after_us: Option<u64>,
    /// Whether a client or a proxy repeated a request automatically, in words.
    repeat: Option<String>,
    client_explanation: &'a str,
    /// The node that took it; null where the store is a file of one node.
    node: Option<&'a str>,
    /// Name and value of each line, in the order received.
    headers: Vec<(&'a str, String)>,
    #[serde(skip_serializing_if = "Option::is_none")]
    body: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    body_base64: Option<String>,
    body_end: &'static str,
    checks: &'a [Check],
    diagnosis: String,
    /// The same in parts.
    cause: CauseObject<'a>,
    autopsy: Option<AutopsyObject<'a>>,
    /// The delivery that this one is a replay of.
    replay_of: Option<String>,
    /// The newest replays of this one.
    replays: Vec<Value>,
}

/// The cause of the verdict, and what to do.
#[derive(Debug, Serialize)]
struct CauseObject<'a> {
    /// Equal for the same cause.
    code: &'a str,
    text: &'a str,
    fixes: Vec<FixObject<'a>>,
    evidence: &'a [String],
    /// Whether today's configuration lets it pass.
    passes_today: bool,
}

#[derive(Debug, Serialize)]
struct FixObject<'a> {
    step: &'a str,
    /// The line to copy.
    line: Option<&'a str>,
}

impl<'a> CauseObject<'a> {
    fn of(diagnosis: &'a Diagnosis) -> Self {
        let fix = |fix: &'a Fix| FixObject { step: &fix.step, line: fix.line.as_deref() };
        Self {
            code: &diagnosis.code,
            text: &diagnosis.cause,
            fixes: diagnosis.fixes.iter().map(fix).collect(),
            evidence: &diagnosis.evidence,
            passes_today: diagnosis.passes_today,
        }
    }
}

/// Why a signature does not match.
#[derive(Debug, Serialize)]
struct AutopsyObject<'a> {
    /// The variant that matches; null if none does.
    variant: Option<&'a str>,
    sentence: &'a str,
    tried: usize,
}

impl<'a> DeliveryObject<'a> {
    /// A delivery and its diagnosis.
    pub fn of(delivery: &'a StoredDelivery, findings: &'a Findings, about: &ReplaysAbout) -> Self {
        let body = std::str::from_utf8(&delivery.body).ok();
        Self {
            row: RowObject::from(&delivery.row),
            http_version: &delivery.http_version,
            peer_ip: delivery.client.peer.to_string(),
            peer_port: delivery.connection.port,
            connection_deliveries: Some(delivery.connection.deliveries).filter(|deliveries| *deliveries > 0),
            hung_up_after_us: delivery.hung_up.and_then(|after| u64::try_from(after.as_micros()).ok()),
            repeat: findings.client_repeat.as_ref().map(ClientRepeat::sentence),
            client_explanation: &delivery.client.explanation,
            node: delivery.node.as_deref(),
            headers: delivery.headers.iter().map(|header| (header.name.as_str(), header.text())).collect(),
            body,
            body_base64: body.is_none().then(|| STANDARD.encode(&delivery.body)),
            body_end: delivery.body_end.as_str(),
            checks: &delivery.checks,
            diagnosis: findings.diagnosis.text(),
            cause: CauseObject::of(&findings.diagnosis),
            replay_of: about.came_by.as_ref().map(|replay| replay.original.to_string()),
            replays: about.replays.iter().map(replay_object).collect(),
            autopsy: findings.autopsy.as_ref().map(|autopsy| AutopsyObject {
                variant: autopsy.variant.as_deref(),
                sentence: &autopsy.sentence,
                tried: autopsy.tried,
            }),
        }
    }
}

/// A replay in responses.
pub fn replay_object(replay: &Replay) -> Value {
    let answer = std::str::from_utf8(&replay.answer).ok();
    json!({
        "id": replay.id.to_string(),
        "replay_id": replay.id.to_string(),
        "original": replay.original.to_string(),
        "to": redacted_url(&replay.target),
        "signature": replay.signature.as_str(),
        "edited": replay.is_edited,
        "run": replay.run.map(|run| run.to_string()),
        "delivery_id": replay.delivery.map(|id| id.to_string()),
        "message_id": replay.message.map(|id| id.to_string()),
        "status": replay.status,
        "error": replay.error,
        "answer": answer,
        "answer_base64": answer.is_none().then(|| STANDARD.encode(&replay.answer)),
    })
}
