//! `dead-letters`: list, count by cause, replay, discard.

use actix_web::web;
use serde::Serialize;
use utoipa::ToSchema;

use super::letter_choice::{LetterParams, LetterRequest};
use super::objects::{AttemptObject, DeadLetterObject};
use crate::domain::{MessageId, MessageStatus};
use crate::http::inspector::answer::Time;
use crate::http::inspector::api::openapi::{Accepted, Done, Either, NoContent};
use crate::http::inspector::operations::replay::fault;
use crate::http::inspector::problem::Problem;
use crate::http::inspector::request::{Json, Page, Query, cut};
use crate::http::inspector::state::InspectorState;
use crate::store::{DeadLetterFilter, LetterGroup};

/// The maximum number of dead letters in one step of a replay.
const STEP: usize = 1_000;
/// The maximum number of groups returned.
const GROUPS: usize = 500;
/// The maximum number of ids in a plan or response.
const NAMED: usize = 100;

/// Dead letters.
#[derive(Debug, Serialize, ToSchema)]
pub struct DeadLetterList {
    dead_letters: Vec<DeadLetterObject>,
    next: Option<String>,
}

/// A dead letter with the attempts of its message.
#[derive(Debug, Serialize, ToSchema)]
pub struct DeadLetterDetail {
    #[serde(flatten)]
    letter: DeadLetterObject,
    history: Vec<AttemptObject>,
}

/// Dead letters by subscription and error.
#[derive(Debug, Serialize, ToSchema)]
pub struct LetterGroups {
    groups: Vec<LetterGroupObject>,
    next: Option<String>,
}

/// Dead letters of one subscription with one error.
#[derive(Debug, Serialize, ToSchema)]
pub struct LetterGroupObject {
    id: String,
    subscription_id: String,
    error: String,
    count: u64,
    since: Time,
    last: Time,
}

/// A dead letter that is replayed.
#[derive(Debug, Serialize, ToSchema)]
pub struct ReplayedLetter {
    id: String,
    message_id: String,
    replayed: usize,
    warnings: Vec<String>,
}

/// Dead letters that are replayed.
#[derive(Debug, Serialize, ToSchema)]
pub struct ReplayedLetters {
    replayed: usize,
    /// The first 100 of them.
    message_ids: Vec<String>,
    warnings: Vec<String>,
}

/// Dead letters that would be replayed.
#[derive(Debug, Serialize, ToSchema)]
pub struct LetterPlan {
    dry_run: bool,
    count: usize,
    /// The first 100 of them.
    message_ids: Vec<String>,
    warnings: Vec<String>,
}

/// How many dead letters would be discarded.
#[derive(Debug, Serialize, ToSchema)]
pub struct LetterCount {
    dry_run: bool,
    count: u64,
}

/// How many dead letters were discarded.
#[derive(Debug, Serialize, ToSchema)]
pub struct DiscardedLetters {
    discarded: usize,
}

/// What a discard did, or with `dry_run` would do.
#[derive(Debug, Serialize, ToSchema)]
#[serde(untagged)]
pub enum Discard {
    /// It would.
    Planned(LetterCount),
    /// It did.
    Done(DiscardedLetters),
}

/// The list, newest message first.
pub async fn list(
    Query((params, page)): Query<(LetterParams, Page)>,
    state: web::Data<InspectorState>,
) -> Result<Done<DeadLetterList>, Problem> {
    let limit = page.rows();
    let mut letters = state.store.dead_letters(params.into(), page.before(), limit.saturating_add(1)).await?;
    let next = cut(&mut letters, limit, |letter| letter.message.seq.to_string());
    Ok(Done(DeadLetterList { dead_letters: letters.iter().map(DeadLetterObject::from).collect(), next }))
}

/// The number of dead letters for each subscription and error.
pub async fn groups(
    Query(params): Query<LetterParams>,
    state: web::Data<InspectorState>,
) -> Result<Done<LetterGroups>, Problem> {
    let found = state.store.dead_letter_groups(params.into(), GROUPS).await?;
    let object = |group: &LetterGroup| LetterGroupObject {
        id: format!("{} {}", group.subscription, group.error),
        subscription_id: group.subscription.clone(),
        error: group.error.clone(),
        count: group.count,
        since: group.since.into(),
        last: group.last.into(),
    };
    Ok(Done(LetterGroups { groups: found.iter().map(object).collect(), next: None }))
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
pub async fn one(
    id: web::Path<String>,
    state: web::Data<InspectorState>,
) -> Result<Done<DeadLetterDetail>, Problem> {
    let letters = state.store.dead_letters(only(&id)?, None, 1).await?;
    let letter = letters.first().ok_or_else(missing)?;
    let attempts = state.store.message(letter.message.id).await?.map(|found| found.attempts);
    Ok(Done(DeadLetterDetail {
        letter: DeadLetterObject::from(letter),
        history: attempts.unwrap_or_default().iter().map(AttemptObject::from).collect(),
    }))
}

/// Replays a dead letter.
pub async fn replay(
    id: web::Path<String>,
    _: Json<()>,
    state: web::Data<InspectorState>,
) -> Result<Accepted<ReplayedLetter>, Problem> {
    let replayed = state.store.replay_dead_letters(only(&id)?, 1, state.clock.both()).await?;
    if replayed.is_empty() {
        return Err(why_not(&state, &id).await?);
    }
    state.sender.wake();
    let warnings = waiting(&state, &replayed);
    Ok(Accepted(ReplayedLetter { id: id.clone(), message_id: id.into_inner(), replayed: 1, warnings }))
}

/// Why a dead letter was not replayed: another request was first, or its subscription is not in force.
async fn why_not(state: &InspectorState, id: &str) -> Result<Problem, Problem> {
    let message: MessageId = id.parse().map_err(|_| missing())?;
    let found = state.store.message(message).await?;
    let row = found.ok_or_else(missing)?.row;
    let letters = state.store.dead_letters(only(id)?, None, 1).await;
    let is_there = !letters?.is_empty();
    Ok(match row.replayed_at.filter(|_| row.status != MessageStatus::Dead) {
        Some(at) => {
            let status = row.status.as_str();
            Problem::conflict(format!(
                "This dead letter was replayed already, at {at}: message {id} is {status}."
            ))
        }
        None if is_there => Problem::conflict(
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
pub async fn replay_many(
    Json(LetterRequest { filter, dry_run, .. }): Json<LetterRequest>,
    state: web::Data<InspectorState>,
) -> Result<Either<Done<LetterPlan>, Accepted<ReplayedLetters>>, Problem> {
    if dry_run {
        return Ok(Either::First(Done(plan(&state, filter).await?)));
    }
    let mut replayed = Vec::new();
    loop {
        let step = state.store.replay_dead_letters(filter.clone(), STEP, state.clock.both()).await?;
        let is_last = step.len() < STEP;
        replayed.extend(step);
        if is_last {
            break;
        }
    }
    state.sender.wake();
    let message_ids = replayed.iter().take(NAMED).map(|(id, _)| id.to_string()).collect();
    let mut warnings = waiting(&state, &replayed);
    warnings.extend(stranded(&state, filter).await?);
    Ok(Either::Second(Accepted(ReplayedLetters { replayed: replayed.len(), message_ids, warnings })))
}

/// Sentences about dead letters that stay because their subscription is not in force.
async fn stranded(state: &InspectorState, filter: DeadLetterFilter) -> Result<Vec<String>, Problem> {
    let found = state.store.stranded_dead_letters(filter).await;
    let found = found?;
    let told = |(id, count): (String, u64)| {
        let letters =
            if count == 1 { "1 dead letter stays".to_owned() } else { format!("{count} dead letters stay") };
        format!("{letters}. {}", state.sender.out_of_force(&id).unwrap_or_default())
    };
    Ok(found.into_iter().map(told).collect())
}

async fn plan(state: &InspectorState, filter: DeadLetterFilter) -> Result<LetterPlan, Problem> {
    let mut count = 0_usize;
    let mut message_ids = Vec::new();
    let mut before = None;
    loop {
        let page = state.store.dead_letters(filter.clone(), before, STEP).await?;
        let can_go = page
            .iter()
            .filter(|letter| state.sender.subscriptions().get(&letter.message.subscription).is_some());
        for letter in can_go {
            count = count.saturating_add(1);
            if message_ids.len() < NAMED {
                message_ids.push(letter.message.id.to_string());
            }
        }
        before = page.last().map(|letter| letter.message.seq);
        if page.len() < STEP {
            let warnings = stranded(state, filter).await?;
            return Ok(LetterPlan { dry_run: true, count, message_ids, warnings });
        }
    }
}

/// Discards a dead letter; its message stays dead.
pub async fn delete(id: web::Path<String>, state: web::Data<InspectorState>) -> Result<NoContent, Problem> {
    let discarded = state.store.discard_dead_letters(only(&id)?, 1).await?;
    if discarded == 1 { Ok(NoContent) } else { Err(missing()) }
}

/// Discards matching dead letters; with `dry_run`, only counts them. Discards all only if the body says so.
pub async fn discard_many(
    Json(LetterRequest { filter, dry_run, is_meant }): Json<LetterRequest>,
    state: web::Data<InspectorState>,
) -> Result<Done<Discard>, Problem> {
    if dry_run {
        let groups = state.store.dead_letter_groups(filter, usize::MAX).await?;
        let count = groups.iter().map(|group| group.count).sum();
        return Ok(Done(Discard::Planned(LetterCount { dry_run: true, count })));
    }
    if !is_meant {
        let what = "choose dead letters: ids, subscription_id, event_id, event_type, error, error_is, from, to; or \
                    \"all\": true";
        return Err(Problem::bad_body(vec![fault("", what)]));
    }
    let mut discarded = 0_usize;
    loop {
        let step = state.store.discard_dead_letters(filter.clone(), STEP).await?;
        discarded = discarded.saturating_add(step);
        if step < STEP {
            break;
        }
    }
    tracing::info!(discarded, "dead letters discarded");
    Ok(Done(Discard::Done(DiscardedLetters { discarded })))
}
