//! `POST deliveries/{id}/replay`, `GET replays`, `GET replays/{id}`.

use actix_web::{HttpRequest, HttpResponse, web};
use serde_json::{Value, json};

use super::objects::replay_object;
use crate::domain::ReplayId;
use crate::http::inspector::InspectorState;
use crate::http::inspector::json_body::{bad, fault, object};
use crate::http::inspector::operations::deliveries::stored;
use crate::http::inspector::operations::replay::asked;
use crate::http::inspector::params::{Blank, Params};
use crate::http::inspector::problem::{Problem, answer};
use crate::inspect::replay::{ReplayFault, Target, left_out};

/// The allowed members of a replay's body.
const KEYS: [&str; 7] = ["to", "signature", "method", "path", "headers", "body", "body_base64"];
/// The default and the maximum number of rows in a list.
const LIMITS: (usize, usize) = (50, 500);

/// Sends a delivery again.
pub async fn replay(
    id: web::Path<String>,
    payload: web::Payload,
    state: web::Data<InspectorState>,
) -> HttpResponse {
    answer(
        async {
            let members = object(payload, &KEYS).await?;
            let asked = asked(&state, &members)?;
            let delivery = stored(&id, &state).await?;
            let replayer = state.replayer().map_err(|why| bad(vec![fault("", &why)]))?;
            let to_url = matches!(asked.target, Target::Url(_));
            let left_out = if to_url { left_out(&delivery.row.path) } else { Vec::new() };
            let replay = replayer.replay(delivery, &asked).await.map_err(|wrong| match wrong {
                ReplayFault::Asked(why) => bad(vec![fault("", &why)]),
                ReplayFault::Store(wrong) => Problem::store_fault(&wrong),
            })?;
            let mut object = replay_object(&replay);
            if let Some(members) = object.as_object_mut().filter(|_| !left_out.is_empty()) {
                members.insert("query_left_out".to_owned(), left_out.into());
            }
            Ok(HttpResponse::Accepted().json(object))
        }
        .await,
    )
}

/// The replays, newest first.
pub async fn list(request: HttpRequest, state: web::Data<InspectorState>) -> HttpResponse {
    let mut params = Params::read(request.query_string(), Blank::Fault);
    let (limit, before) = page(&mut params);
    let run = params.parsed("run", "the id of a run", |text| text.parse::<ReplayId>().ok());
    if let Err(faults) = params.finish(&["limit", "before", "run"]) {
        return Problem::bad_parameters(faults).response();
    }
    match state.store.replays(run, before, limit.saturating_add(1)).await {
        Err(wrong) => Problem::store_fault(&wrong).response(),
        Ok(mut replays) => {
            let has_more = replays.len() > limit;
            replays.truncate(limit);
            let next = replays.last().filter(|_| has_more).map(|replay| replay.id.to_string());
            let replays: Vec<Value> = replays.iter().map(replay_object).collect();
            HttpResponse::Ok().json(json!({"replays": replays, "next": next}))
        }
    }
}

/// Takes how many rows of a list, and before which.
pub fn page(params: &mut Params) -> (usize, Option<ReplayId>) {
    let limit = params.parsed("limit", "a number from 1 to 500", |text| {
        text.parse::<usize>().ok().filter(|limit| (1..=LIMITS.1).contains(limit))
    });
    let before =
        params.parsed("before", "the next of an earlier response", |text| text.parse::<ReplayId>().ok());
    (limit.unwrap_or(LIMITS.0), before)
}

/// One replay.
pub async fn one(id: web::Path<String>, state: web::Data<InspectorState>) -> HttpResponse {
    let missing = || Problem::not_found("There is no replay of that id; they are kept for thirty days.");
    let Ok(id) = id.parse::<ReplayId>() else { return missing().response() };
    match state.store.replay(id).await {
        Ok(Some(replay)) => HttpResponse::Ok().json(replay_object(&replay)),
        Ok(None) => missing().response(),
        Err(wrong) => Problem::store_fault(&wrong).response(),
    }
}
