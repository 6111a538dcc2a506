//! `POST deliveries/attempts`: what an app answered to deliveries that `tagohook listen` forwarded to it.

use std::collections::HashSet;

use actix_web::{HttpResponse, web};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use futures_util::future::try_join_all;
use serde::{Deserialize, Serialize};

use crate::domain::{DeliveryFilter, DeliveryId, Replay, ReplayId, ReplaySignature};
use crate::http::inspector::InspectorState;
use crate::http::inspector::json_body::{bad, fault, text};
use crate::http::inspector::problem::{FieldFault, Problem, answer};
use crate::send::redacted_url;

/// The most attempts of a request: as many ids as a filter takes.
const MOST: usize = 200;
/// The longest target and the longest error, in bytes.
const MAX_TEXT: usize = 2_048;
/// The most bytes of a response.
const MAX_ANSWER: usize = 16 * 1024;

/// The attempts of one target.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Reported {
    /// The URL of the app, or the command.
    to: String,
    /// `original`, unless the requests were signed again.
    #[serde(default)]
    signature: Option<String>,
    attempts: Vec<Attempt>,
}

/// One attempt.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Attempt {
    delivery_id: String,
    /// The status, or the exit code of a command.
    #[serde(default)]
    status: Option<u16>,
    /// Why there was no response.
    #[serde(default)]
    error: Option<String>,
    /// The first bytes of the response.
    #[serde(default)]
    answer_base64: Option<String>,
}

/// What was kept.
#[derive(Debug, Serialize)]
struct Kept {
    kept: usize,
    /// Deliveries that are not here any more.
    unknown: Vec<String>,
}

/// Keeps them next to the replays of their deliveries.
pub async fn report(payload: web::Payload, state: web::Data<InspectorState>) -> HttpResponse {
    answer(keep(payload, &state).await)
}

async fn keep(payload: web::Payload, state: &InspectorState) -> Result<HttpResponse, Problem> {
    let body = text(payload).await?;
    let reported: Reported = serde_json::from_str(&body)
        .map_err(|wrong| bad(vec![fault("", &format!("not the attempts of a target: {wrong}"))]))?;
    let (signature, attempts) = checked(&reported).map_err(bad)?;
    let ids = attempts.iter().map(|(id, ..)| *id).collect();
    let filter = DeliveryFilter { ids: Some(ids), ..DeliveryFilter::default() };
    let rows = state.store.list(&filter, None, MOST).await.map_err(|fault| Problem::store_fault(&fault))?;
    let known: HashSet<DeliveryId> = rows.iter().map(|row| row.id).collect();
    let now = state.clock.wall();
    let target = format!("listen {}", redacted_url(&reported.to));
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
    try_join_all(replays.map(|replay| state.store.add_replay(replay, now)))
        .await
        .map_err(|fault| Problem::store_fault(&fault))?;
    let unknown = unknown.iter().map(|(id, ..)| id.to_string()).collect();
    Ok(HttpResponse::Accepted().json(Kept { kept: kept.len(), unknown }))
}

type Checked<'a> = Vec<(DeliveryId, &'a Attempt, Bytes)>;

/// The attempts, with the ids and bytes in them read.
fn checked(reported: &Reported) -> Result<(ReplaySignature, Checked<'_>), Vec<FieldFault>> {
    let mut faults = Vec::new();
    if reported.to.is_empty() || reported.to.len() > MAX_TEXT {
        faults.push(fault("/to", &format!("1 to {MAX_TEXT} bytes")));
    }
    let word = reported.signature.as_deref().unwrap_or(ReplaySignature::Original.as_str());
    let signature = ReplaySignature::from_word(word);
    if signature.is_none() {
        faults.push(fault("/signature", "one of fresh, original, none"));
    }
    if reported.attempts.is_empty() || reported.attempts.len() > MOST {
        faults.push(fault("/attempts", &format!("1 to {MOST} attempts")));
    }
    let mut read = Vec::new();
    for (at, attempt) in reported.attempts.iter().enumerate().take(MOST) {
        let mut wrong = |member: &str, message: &str| {
            faults.push(fault(&format!("/attempts/{at}/{member}"), message));
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
        read.extend(id.zip(answer).map(|(id, answer)| (id, attempt, Bytes::from(answer))));
    }
    match signature.filter(|_| faults.is_empty()) {
        Some(signature) => Ok((signature, read)),
        None => Err(faults),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ID: &str = "01a21fcf-796b-755c-806d-310216e04a1e";

    fn faults(body: &str) -> Vec<String> {
        let reported: Reported = serde_json::from_str(body).unwrap();
        match checked(&reported) {
            Ok(_) => Vec::new(),
            Err(faults) => faults.into_iter().map(|fault| fault.pointer).collect(),
        }
    }

    #[test]
    fn each_fault_is_told_with_its_place() {
        let good =
            format!(r#"{{"to": "http://a/", "attempts": [{{"delivery_id": "{ID}", "status": 200}}]}}"#);
        assert_eq!(faults(&good), [""; 0]);
        assert_eq!(
            faults(r#"{"to": "", "signature": "x", "attempts": []}"#),
            ["/to", "/signature", "/attempts"]
        );
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
        assert!(serde_json::from_str::<Reported>(r#"{"to": "a", "attempts": [], "more": 1}"#).is_err());
    }
}
