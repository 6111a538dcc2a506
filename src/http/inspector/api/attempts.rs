//! `POST deliveries/attempts`: what an app answered to deliveries that `tagohook listen` forwarded to it.

use std::collections::HashSet;

use actix_web::web;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use futures_util::future::try_join_all;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use utoipa::openapi::{RefOr, Schema};

use super::openapi::{Accepted, Body, Schemas, fields as fields_of, together};
use crate::domain::{DeliveryFilter, DeliveryId, Replay, ReplayId, ReplaySignature};
use crate::http::inspector::problem::Problem;
use crate::http::inspector::request::{As, Fields, Json, Members, Readable, SignatureParam};
use crate::http::inspector::state::InspectorState;
use crate::send::redacted_url;

/// The most attempts of a request: as many ids as a filter takes.
const MOST: usize = 200;
/// The longest target and the longest error, in bytes.
const MAX_TEXT: usize = 2_048;
/// The most bytes of a response.
const MAX_ANSWER: usize = 16 * 1024;

/// The attempts of one target.
#[derive(Clone, Debug, Default, Deserialize, ToSchema)]
pub struct Reported {
    /// The URL of the app, or the command.
    #[schema(value_type = String, min_length = 1, max_length = 2_048)]
    to: Option<String>,
    /// `original`, unless the requests were signed again.
    #[schema(inline)]
    signature: Option<SignatureParam>,
    /// None: only asks whether they may be reported.
    #[schema(value_type = Vec<Attempt>, max_items = 200)]
    attempts: Option<Vec<Attempt>>,
}

impl Members for Reported {}

/// One attempt: it has a status or an error.
#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Attempt {
    delivery_id: String,
    /// The status, or the exit code of a command.
    #[schema(maximum = 999)]
    status: Option<u16>,
    /// Why there was no response.
    #[schema(min_length = 1, max_length = 2_048)]
    error: Option<String>,
    /// The first bytes of the response.
    answer_base64: Option<String>,
}

/// The attempts, with the ids and bytes in them read.
#[derive(Debug)]
pub struct AttemptsRequest {
    to: String,
    signature: ReplaySignature,
    attempts: Vec<(DeliveryId, Attempt, Bytes)>,
}

/// What was kept.
#[derive(Debug, Serialize, ToSchema)]
pub struct Kept {
    kept: usize,
    /// Deliveries that are not here any more.
    unknown: Vec<String>,
}

/// Keeps them next to the replays of their deliveries.
pub async fn report(
    Json(AttemptsRequest { to, signature, attempts }): Json<AttemptsRequest>,
    state: web::Data<InspectorState>,
) -> Result<Accepted<Kept>, Problem> {
    let ids = attempts.iter().map(|(id, ..)| *id).collect();
    let filter = DeliveryFilter { ids: Some(ids), ..DeliveryFilter::default() };
    let rows = state.store.list(&filter, None, MOST).await?;
    let known: HashSet<DeliveryId> = rows.iter().map(|row| row.id).collect();
    let now = state.clock.wall();
    let target = format!("listen {}", redacted_url(&to));
    let (kept, unknown): (Vec<_>, Vec<_>) = attempts.into_iter().partition(|(id, ..)| known.contains(id));
    let replays = kept.iter().map(|(original, attempt, answer)| Replay {
        id: ReplayId::new_at(now),
        original: *original,
        target: target.clone(),
        signature,
        is_edited: false,
        run: None,
        status: attempt.status,
        delivery: None,
        message: None,
        error: attempt.error.clone(),
        answer: answer.clone(),
    });
    // Together, so that they share a transaction.
    try_join_all(replays.map(|replay| state.store.add_replay(replay, now))).await?;
    let unknown = unknown.iter().map(|(id, ..)| id.to_string()).collect();
    Ok(Accepted(Kept { kept: kept.len(), unknown }))
}

impl Body for AttemptsRequest {
    fn schema(schemas: &mut Schemas) -> RefOr<Schema> {
        together("AttemptsRequest", &[(fields_of::<Reported>, &[])], schemas)
    }
}

impl Readable for AttemptsRequest {
    fn read(fields: &mut Fields) -> Self {
        let reported: Reported = fields.take();
        let to = reported.to.unwrap_or_default();
        if to.is_empty() || to.len() > MAX_TEXT {
            fields.fault("to", &format!("1 to {MAX_TEXT} bytes"));
        }
        if reported.attempts.as_ref().is_none_or(|given| given.len() > MOST) {
            fields.fault("attempts", &format!("a list of up to {MOST} attempts"));
        }
        let given = reported.attempts.unwrap_or_default().into_iter().enumerate().take(MOST);
        let attempts = given.filter_map(|(at, attempt)| read(at, attempt, fields)).collect();
        let signature = reported.signature.map_or(ReplaySignature::Original, |As(signature)| signature);
        Self { to, signature, attempts }
    }
}

fn read(at: usize, attempt: Attempt, fields: &mut Fields) -> Option<(DeliveryId, Attempt, Bytes)> {
    let mut wrong = |member: &str, message: &str| {
        fields.fault_at(format!("/attempts/{at}/{member}"), message);
    };
    let id: Option<DeliveryId> = attempt.delivery_id.parse().ok();
    if id.is_none() {
        wrong("delivery_id", "the id of a delivery");
    }
    if attempt.status.is_some_and(|status| status > 999) {
        wrong("status", "a status up to 999");
    }
    if attempt.status.is_some() == attempt.error.is_some() {
        wrong("status", "either a status or an error");
    }
    if attempt.error.as_ref().is_some_and(|error| error.is_empty() || error.len() > MAX_TEXT) {
        wrong("error", &format!("1 to {MAX_TEXT} bytes"));
    }
    let answer = STANDARD.decode(attempt.answer_base64.as_deref().unwrap_or_default()).ok();
    let answer = answer.filter(|answer| answer.len() <= MAX_ANSWER);
    if answer.is_none() {
        wrong("answer_base64", &format!("base64 of up to {MAX_ANSWER} bytes"));
    }
    Some((id?, attempt, Bytes::from(answer?)))
}

#[cfg(test)]
mod tests {
    use super::*;

    const ID: &str = "01a21fcf-796b-755c-806d-310216e04a1e";

    fn faults(body: &str) -> Vec<String> {
        match Fields::of_json(body).unwrap().read::<AttemptsRequest>() {
            Ok(_) => Vec::new(),
            Err(problem) => problem.into_faults().into_iter().map(|fault| fault.pointer).collect(),
        }
    }

    #[test]
    fn each_fault_is_told_with_its_place() {
        let good =
            format!(r#"{{"to": "http://a/", "attempts": [{{"delivery_id": "{ID}", "status": 200}}]}}"#);
        assert_eq!(faults(&good), [""; 0]);
        assert_eq!(faults(r#"{"to": "", "signature": "x", "attempts": []}"#), ["/signature", "/to"]);
        let wrong = format!(
            r#"{{"to": "http://a/", "attempts": [
                {{"delivery_id": "x", "status": 1000}}, {{"delivery_id": "{ID}"}},
                {{"delivery_id": "{ID}", "status": 200, "answer_base64": "?"}}
            ]}}"#
        );
        let places = [
            "/attempts/0/delivery_id",
            "/attempts/0/status",
            "/attempts/1/status",
            "/attempts/2/answer_base64",
        ];
        assert_eq!(faults(&wrong), places);
        assert_eq!(faults(r#"{"to": "a", "more": 1}"#), ["/attempts", "/more"]);
    }
}
