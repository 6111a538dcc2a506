//! `dead-letters`: list, count by cause, replay, discard.

use actix_web::http::StatusCode;
use actix_web::{HttpRequest, HttpResponse, web};
use serde_json::{Value, json};

use super::letter_choice::{Chosen, FILTERS, of_params};
use super::messages;
use super::objects::{attempt_object, dead_letter_object};
use crate::domain::{MessageId, MessageStatus};
use crate::http::inspector::InspectorState;
use crate::http::inspector::api::deliveries::cursor;
use crate::http::inspector::json_body::{bad, fault, object};
use crate::http::inspector::params::{Blank, Params};
use crate::http::inspector::problem::{Problem, answer};
use crate::store::{DeadLetterFilter, LetterGroup};

/// The maximum number of dead letters in one step of a replay.
const STEP: usize = 1_000;
/// The maximum number of groups returned.
const GROUPS: usize = 500;
/// The maximum number of ids in a plan or response.
const NAMED: usize = 100;

/// The list, newest message first.
pub async fn list(request: HttpRequest, state: web::Data<InspectorState>) -> HttpResponse {
    answer(
        async {
            let mut params = Params::read(request.query_string(), Blank::Fault);
            let filter = of_params(&mut params);
            let limit = messages::limit(&mut params);
            let before = params.parsed("before", "the next of an earlier response", cursor);
            let known: Vec<&str> = FILTERS.into_iter().chain(["limit", "before"]).collect();
            params.finish(&known).map_err(Problem::bad_parameters)?;
            let found = state.store.dead_letters(filter, before, limit.saturating_add(1)).await;
            let mut letters = found.map_err(|fault| Problem::store_fault(&fault))?;
            let has_more = letters.len() > limit;
            letters.truncate(limit);
            let next = letters.last().filter(|_| has_more).map(|letter| letter.message.seq.to_string());
            let objects: Vec<Value> =
                letters.iter().map(|letter| Value::Object(dead_letter_object(letter))).collect();
            Ok(HttpResponse::Ok().json(json!({"dead_letters": objects, "next": next})))
        }
        .await,
    )
}

/// The number of dead letters for each subscription and error.
pub async fn groups(request: HttpRequest, state: web::Data<InspectorState>) -> HttpResponse {
    answer(
        async {
            let mut params = Params::read(request.query_string(), Blank::Fault);
            let filter = of_params(&mut params);
            params.finish(&FILTERS).map_err(Problem::bad_parameters)?;
            let found = state.store.dead_letter_groups(filter, GROUPS).await;
            let found = found.map_err(|fault| Problem::store_fault(&fault))?;
            let object = |group: &LetterGroup| {
                json!({
                    "id": format!("{} {}", group.subscription, group.error),
                    "subscription_id": group.subscription,
                    "error": group.error,
                    "count": group.count,
                    "since": group.since.to_string(),
                    "last": group.last.to_string(),
                })
            };
            let groups: Vec<Value> = found.iter().map(object).collect();
            Ok(HttpResponse::Ok().json(json!({"groups": groups, "next": null})))
        }
        .await,
    )
}

fn missing() -> Problem {
    Problem::not_found("There is no dead letter of that id; it may have been replayed or discarded.")
}

/// The filter that selects one dead letter.
fn only(id: &str) -> Result<DeadLetterFilter, Problem> {
    let id: MessageId = id.parse().map_err(|_| missing())?;
    Ok(DeadLetterFilter { ids: vec![id], ..DeadLetterFilter::default() })
}

/// One dead letter with the attempts of its message.
pub async fn one(id: web::Path<String>, state: web::Data<InspectorState>) -> HttpResponse {
    answer(
        async {
            let found = state.store.dead_letters(only(&id)?, None, 1).await;
            let letters = found.map_err(|fault| Problem::store_fault(&fault))?;
            let letter = letters.first().ok_or_else(missing)?;
            let found = state.store.message(letter.message.id).await;
            let attempts = found.map_err(|fault| Problem::store_fault(&fault))?.map(|found| found.attempts);
            let mut object = dead_letter_object(letter);
            let history: Vec<Value> = attempts.unwrap_or_default().iter().map(attempt_object).collect();
            object.insert("history".to_owned(), history.into());
            Ok(HttpResponse::Ok().json(object))
        }
        .await,
    )
}

/// Replays a dead letter.
pub async fn replay(
    id: web::Path<String>,
    payload: web::Payload,
    state: web::Data<InspectorState>,
) -> HttpResponse {
    answer(
        async {
            object(payload, &[]).await?;
            let replayed = state.store.replay_dead_letters(only(&id)?, 1, state.clock.both()).await;
            let replayed = replayed.map_err(|fault| Problem::store_fault(&fault))?;
            if replayed.is_empty() {
                return Err(why_not(&state, &id).await?);
            }
            state.sender.wake();
            Ok(HttpResponse::Accepted().json(json!({
                "id": id.as_str(),
                "message_id": id.as_str(),
                "replayed": 1,
                "warnings": waiting(&state, &replayed),
            })))
        }
        .await,
    )
}

/// Why a dead letter was not replayed: another request was first, or its subscription is not in force.
async fn why_not(state: &InspectorState, id: &str) -> Result<Problem, Problem> {
    let conflict = |detail: String| Problem::new(StatusCode::CONFLICT, detail);
    let message: MessageId = id.parse().map_err(|_| missing())?;
    let found = state.store.message(message).await.map_err(|fault| Problem::store_fault(&fault))?;
    let row = found.ok_or_else(missing)?.row;
    let letters = state.store.dead_letters(only(id)?, None, 1).await;
    let is_there = !letters.map_err(|fault| Problem::store_fault(&fault))?.is_empty();
    Ok(match row.replayed_at.filter(|_| row.status != MessageStatus::Dead) {
        Some(at) => {
            let status = row.status.as_str();
            conflict(format!("This dead letter was replayed already, at {at}: message {id} is {status}."))
        }
        None if is_there => conflict(
            state
                .sender
                .out_of_force(&row.subscription)
                .unwrap_or_else(|| "This dead letter changed at this moment. Try again.".to_owned()),
        ),
        None => missing(),
    })
}

/// The waiting messages in the response.
fn waiting(state: &InspectorState, replayed: &[(MessageId, String)]) -> Vec<String> {
    state.sender.waits_for_enabling(replayed.iter().map(|(_, subscription)| subscription.as_str()))
}

/// Replays matching dead letters, or all without a filter; with `dry_run`, only lists them.
pub async fn replay_many(payload: web::Payload, state: web::Data<InspectorState>) -> HttpResponse {
    answer(
        async {
            let Chosen { filter, dry_run, .. } = Chosen::read(object(payload, &Chosen::keys()).await?)?;
            if dry_run {
                return plan(&state, filter).await;
            }
            let mut replayed = Vec::new();
            loop {
                let step = state.store.replay_dead_letters(filter.clone(), STEP, state.clock.both()).await;
                let step = step.map_err(|fault| Problem::store_fault(&fault))?;
                let is_last = step.len() < STEP;
                replayed.extend(step);
                if is_last {
                    break;
                }
            }
            state.sender.wake();
            let ids: Vec<String> = replayed.iter().take(NAMED).map(|(id, _)| id.to_string()).collect();
            let mut warnings = waiting(&state, &replayed);
            warnings.extend(stranded(&state, filter).await?);
            Ok(HttpResponse::Accepted().json(json!({
                "replayed": replayed.len(), "message_ids": ids, "warnings": warnings,
            })))
        }
        .await,
    )
}

/// Sentences about dead letters that stay because their subscription is not in force.
async fn stranded(state: &InspectorState, filter: DeadLetterFilter) -> Result<Vec<String>, Problem> {
    let found = state.store.stranded_dead_letters(filter).await;
    let found = found.map_err(|fault| Problem::store_fault(&fault))?;
    let told = |(id, count): (String, u64)| {
        let letters =
            if count == 1 { "1 dead letter stays".to_owned() } else { format!("{count} dead letters stay") };
        format!("{letters}. {}", state.sender.out_of_force(&id).unwrap_or_default())
    };
    Ok(found.into_iter().map(told).collect())
}

async fn plan(state: &InspectorState, filter: DeadLetterFilter) -> Result<HttpResponse, Problem> {
    let mut count = 0_usize;
    let mut ids = Vec::new();
    let mut before = None;
    loop {
        let page = state.store.dead_letters(filter.clone(), before, STEP).await;
        let page = page.map_err(|fault| Problem::store_fault(&fault))?;
        let can_go = page
            .iter()
            .filter(|letter| state.sender.subscriptions().get(&letter.message.subscription).is_some());
        for letter in can_go {
            count = count.saturating_add(1);
            if ids.len() < NAMED {
                ids.push(letter.message.id.to_string());
            }
        }
        before = page.last().map(|letter| letter.message.seq);
        if page.len() < STEP {
            let warnings = stranded(state, filter).await?;
            return Ok(HttpResponse::Ok().json(json!({
                "dry_run": true, "count": count, "message_ids": ids, "warnings": warnings,
            })));
        }
    }
}

/// Discards a dead letter; its message stays dead.
pub async fn delete(id: web::Path<String>, state: web::Data<InspectorState>) -> HttpResponse {
    answer(
        async {
            let discarded = state.store.discard_dead_letters(only(&id)?, 1).await;
            let discarded = discarded.map_err(|fault| Problem::store_fault(&fault))?;
            if discarded == 1 { Ok(HttpResponse::NoContent().finish()) } else { Err(missing()) }
        }
        .await,
    )
}

/// Discards matching dead letters; with `dry_run`, only counts them. Discards all only if the body says so.
pub async fn discard_many(payload: web::Payload, state: web::Data<InspectorState>) -> HttpResponse {
    answer(
        async {
            let chosen = Chosen::read(object(payload, &Chosen::keys()).await?)?;
            let Chosen { filter, dry_run, is_meant } = chosen;
            if dry_run {
                let groups = state.store.dead_letter_groups(filter, usize::MAX).await;
                let groups = groups.map_err(|fault| Problem::store_fault(&fault))?;
                let count: u64 = groups.iter().map(|group| group.count).sum();
                return Ok(HttpResponse::Ok().json(json!({"dry_run": true, "count": count})));
            }
            if !is_meant {
                let what = format!("choose dead letters: ids, {}; or \"all\": true", FILTERS.join(", "));
                return Err(bad(vec![fault("", &what)]));
            }
            let mut discarded = 0_usize;
            loop {
                let step = state.store.discard_dead_letters(filter.clone(), STEP).await;
                let step = step.map_err(|fault| Problem::store_fault(&fault))?;
                discarded = discarded.saturating_add(step);
                if step < STEP {
                    break;
                }
            }
            tracing::info!(discarded, "dead letters discarded");
            Ok(HttpResponse::Ok().json(json!({"discarded": discarded})))
        }
        .await,
    )
}
