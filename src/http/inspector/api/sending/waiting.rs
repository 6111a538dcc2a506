//! `messages/send-now`, `messages/move` and `messages/cancel`: manual actions on waiting messages.

use actix_web::web;
use serde::Serialize;
use utoipa::ToSchema;

use super::objects::MessageSummary;
use super::waiting_choice::{CancelRequest, Chosen, MoveRequest, SendNowRequest};
use crate::domain::{MessageFilter, MessageId, MessageRow, MessageStatus};
use crate::http::inspector::api::openapi::{Accepted, Done, Either};
use crate::http::inspector::problem::Problem;
use crate::http::inspector::request::Json;
use crate::http::inspector::state::InspectorState;
use crate::send::Act;

/// The maximum number of messages in one step.
const STEP: usize = 500;
/// The maximum number of ids in a response.
const NAMED: usize = 100;

/// A message that was acted on.
#[derive(Debug, Serialize, ToSchema)]
pub struct ActedMessage {
    #[serde(flatten)]
    message: MessageSummary,
    warnings: Vec<String>,
}

/// Messages that were acted on: one of the three counts is there.
#[derive(Debug, Serialize, ToSchema)]
pub struct ActedMessages {
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    sent_now: Option<usize>,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    moved: Option<usize>,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    cancelled: Option<usize>,
    /// The first 100 of them.
    message_ids: Vec<String>,
    /// The first 100 of those that were left as they were.
    skipped: Vec<Skipped>,
    warnings: Vec<String>,
}

/// Messages that would be acted on.
#[derive(Debug, Serialize, ToSchema)]
pub struct MessagePlan {
    dry_run: bool,
    count: usize,
    /// The first 100 of them.
    message_ids: Vec<String>,
    skipped: Vec<Skipped>,
    warnings: Vec<String>,
}

/// A message that is left as it is.
#[derive(Debug, Serialize, ToSchema)]
pub struct Skipped {
    id: String,
    why: String,
}

type Many = Either<Done<MessagePlan>, Accepted<ActedMessages>>;

/// Sends a message now.
pub async fn send_one(
    id: web::Path<String>,
    _: Json<()>,
    state: web::Data<InspectorState>,
) -> Result<Accepted<ActedMessage>, Problem> {
    one(Act::SendNow, &id, &state).await
}

/// Cancels a message.
pub async fn cancel_one(
    id: web::Path<String>,
    _: Json<()>,
    state: web::Data<InspectorState>,
) -> Result<Accepted<ActedMessage>, Problem> {
    one(Act::Cancel, &id, &state).await
}

/// Sends matching messages now; with `dry_run`, only lists them.
pub async fn send_many(
    Json(SendNowRequest(asked)): Json<SendNowRequest>,
    state: web::Data<InspectorState>,
) -> Result<Many, Problem> {
    many(Act::SendNow, asked.meant()?, &state).await
}

/// Moves matching messages to another subscription; with `dry_run`, only lists them.
pub async fn move_many(
    Json(MoveRequest(asked)): Json<MoveRequest>,
    state: web::Data<InspectorState>,
) -> Result<Many, Problem> {
    many(Act::Move, asked.checked(&state)?.meant()?, &state).await
}

/// Cancels matching messages; with `dry_run`, only lists them.
pub async fn cancel_many(
    Json(CancelRequest(asked)): Json<CancelRequest>,
    state: web::Data<InspectorState>,
) -> Result<Many, Problem> {
    many(Act::Cancel, asked.meant()?, &state).await
}

async fn one(act: Act, id: &str, state: &InspectorState) -> Result<Accepted<ActedMessage>, Problem> {
    let row = stored(state, id).await?.ok_or_else(|| Problem::not_found(unknown(id)))?;
    if let Some(why) = state.sender.refusal(act, &row) {
        return Err(Problem::conflict(why));
    }
    let done = state.sender.act(act, "", vec![row.seq]).await?;
    let now = stored(state, id).await?.ok_or_else(|| Problem::not_found(unknown(id)))?;
    if done.is_empty() {
        let why = state.sender.refusal(act, &now);
        let changed = || format!("Message {id} changed at this moment. Try again.");
        return Err(Problem::conflict(why.unwrap_or_else(changed)));
    }
    let warnings = warnings(state, act, std::slice::from_ref(&row));
    Ok(Accepted(ActedMessage { message: MessageSummary::from(&now), warnings }))
}

fn unknown(id: &str) -> String {
    format!("There is no message {id}; it may have been removed by retention.")
}

async fn stored(state: &InspectorState, id: &str) -> Result<Option<MessageRow>, Problem> {
    let Ok(id) = id.parse::<MessageId>() else { return Ok(None) };
    let found = state.store.message(id).await?;
    Ok(found.map(|found| found.row))
}

/// What the response contains in addition to the count.
fn warnings(state: &InspectorState, act: Act, rows: &[MessageRow]) -> Vec<String> {
    match act {
        Act::SendNow => state.sender.waits_for_enabling(rows.iter().map(|row| row.target.as_str())),
        Act::Move => Vec::new(),
        Act::Cancel => match rows.iter().filter(|row| row.status == MessageStatus::Sending).count() {
            0 => Vec::new(),
            1 => vec!["1 message was being sent and may still be delivered.".to_owned()],
            count => vec![format!("{count} messages were being sent and may still be delivered.")],
        },
    }
}

/// The result of a request so far.
#[derive(Default)]
struct Acted {
    count: usize,
    named: Vec<String>,
    skipped: Vec<Skipped>,
    rows: Vec<MessageRow>,
}

impl Acted {
    fn add(&mut self, row: MessageRow) {
        self.count = self.count.saturating_add(1);
        if self.named.len() < NAMED {
            self.named.push(row.id.to_string());
        }
        self.rows.push(row);
    }

    fn skip(&mut self, id: &str, why: String) {
        if self.skipped.len() < NAMED {
            self.skipped.push(Skipped { id: id.to_owned(), why });
        }
    }
}

async fn many(act: Act, asked: Chosen, state: &InspectorState) -> Result<Many, Problem> {
    let mut done = Acted::default();
    match &asked.ids {
        Some(ids) => {
            for id in ids {
                match stored(state, id).await? {
                    None => done.skip(id, unknown(id)),
                    Some(row) if !asked.meets(&row) => {
                        done.skip(id, "It does not match the rest of the filter.".to_owned())
                    }
                    Some(row) => take(act, vec![row], &asked, state, &mut done).await?,
                }
            }
        }
        None => {
            let statuses = asked.filter.status.as_ref().map_or(act.usual(), std::slice::from_ref);
            for status in statuses {
                let filter = MessageFilter { status: Some(*status), ..asked.filter.clone() };
                let mut before = None;
                loop {
                    let rows = state.store.messages(filter.clone(), before, STEP).await?;
                    let is_last = rows.len() < STEP;
                    before = rows.last().map(|row| row.seq);
                    take(act, rows, &asked, state, &mut done).await?;
                    if is_last {
                        break;
                    }
                }
            }
        }
    }
    let warnings = match act {
        Act::Move => state.sender.waits_for_enabling(done.rows.iter().map(|_| asked.to.as_str())),
        _ => warnings(state, act, &done.rows),
    };
    let Acted { count, named: message_ids, skipped, .. } = done;
    if asked.dry_run {
        return Ok(Either::First(Done(MessagePlan { dry_run: true, count, message_ids, skipped, warnings })));
    }
    let count_of = |one: Act| (act == one).then_some(count);
    Ok(Either::Second(Accepted(ActedMessages {
        sent_now: count_of(Act::SendNow),
        moved: count_of(Act::Move),
        cancelled: count_of(Act::Cancel),
        message_ids,
        skipped,
        warnings,
    })))
}

async fn take(
    act: Act,
    rows: Vec<MessageRow>,
    asked: &Chosen,
    state: &InspectorState,
    done: &mut Acted,
) -> Result<(), Problem> {
    let mut possible = Vec::new();
    for row in rows {
        match state.sender.refusal(act, &row) {
            Some(why) => done.skip(&row.id.to_string(), why),
            None => possible.push(row),
        }
    }
    let seqs = possible.iter().map(|row| row.seq).collect();
    let acted = if asked.dry_run { None } else { Some(state.sender.act(act, &asked.to, seqs).await?) };
    for row in possible {
        if acted.as_ref().is_none_or(|acted| acted.contains(&row.seq)) {
            done.add(row);
        } else if act == Act::Move && is_parked(state, &row).await? {
            done.skip(
                &row.id.to_string(),
                format!("Subscription {} has a message for this event.", asked.to),
            );
        } else {
            done.skip(&row.id.to_string(), "It changed at this moment.".to_owned());
        }
    }
    Ok(())
}

async fn is_parked(state: &InspectorState, row: &MessageRow) -> Result<bool, Problem> {
    let now = stored(state, &row.id.to_string()).await?;
    Ok(now.is_some_and(|now| now.status == MessageStatus::Parked))
}
