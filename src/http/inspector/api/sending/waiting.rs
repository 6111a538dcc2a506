//! `messages/send-now`, `messages/move` and `messages/cancel`: manual actions on waiting messages.

use actix_web::http::StatusCode;
use actix_web::{HttpResponse, web};
use serde_json::{Map, Value, json};

use crate::domain::{MessageFilter, MessageId, MessageRow, MessageStatus};
use crate::http::inspector::InspectorState;
use crate::http::inspector::json_body::{bad, fault, flag, object};
use crate::http::inspector::problem::{FieldFault, Problem, answer};
use crate::send::Act;

/// The allowed members of the body.
const KEYS: [&str; 7] = ["ids", "subscription_id", "event_id", "status", "all", "dry_run", TO];
/// The member with the subscription to move them to.
const TO: &str = "to";
/// The maximum number of ids in a request.
const MOST_IDS: usize = 1_000;
/// The maximum number of messages in one step.
const STEP: usize = 500;
/// The maximum number of ids in a response.
const NAMED: usize = 100;

/// Sends a message now.
pub async fn send_one(
    id: web::Path<String>,
    payload: web::Payload,
    state: web::Data<InspectorState>,
) -> HttpResponse {
    answer(one(Act::SendNow, &id, payload, &state).await)
}

/// Cancels a message.
pub async fn cancel_one(
    id: web::Path<String>,
    payload: web::Payload,
    state: web::Data<InspectorState>,
) -> HttpResponse {
    answer(one(Act::Cancel, &id, payload, &state).await)
}

/// Sends matching messages now; with `dry_run`, only lists them.
pub async fn send_many(payload: web::Payload, state: web::Data<InspectorState>) -> HttpResponse {
    answer(many(Act::SendNow, payload, &state).await)
}

/// Moves matching messages to another subscription; with `dry_run`, only lists them.
pub async fn move_many(payload: web::Payload, state: web::Data<InspectorState>) -> HttpResponse {
    answer(many(Act::Move, payload, &state).await)
}

/// Cancels matching messages; with `dry_run`, only lists them.
pub async fn cancel_many(payload: web::Payload, state: web::Data<InspectorState>) -> HttpResponse {
    answer(many(Act::Cancel, payload, &state).await)
}

async fn one(
    act: Act,
    id: &str,
    payload: web::Payload,
    state: &InspectorState,
) -> Result<HttpResponse, Problem> {
    object(payload, &[]).await?;
    let row = stored(state, id).await?.ok_or_else(|| Problem::not_found(unknown(id)))?;
    let conflict = |why: String| Problem::new(StatusCode::CONFLICT, why);
    if let Some(why) = state.sender.refusal(act, &row) {
        return Err(conflict(why));
    }
    let done =
        state.sender.act(act, "", vec![row.seq]).await.map_err(|fault| Problem::store_fault(&fault))?;
    let now = stored(state, id).await?.ok_or_else(|| Problem::not_found(unknown(id)))?;
    if done.is_empty() {
        let why = state.sender.refusal(act, &now);
        return Err(conflict(
            why.unwrap_or_else(|| format!("Message {id} changed at this moment. Try again.")),
        ));
    }
    let mut told = super::objects::message_row(&now);
    told.insert("warnings".to_owned(), warnings(state, act, std::slice::from_ref(&row)).into());
    Ok(HttpResponse::Accepted().json(told))
}

fn unknown(id: &str) -> String {
    format!("There is no message {id}; it may have been removed by retention.")
}

async fn stored(state: &InspectorState, id: &str) -> Result<Option<MessageRow>, Problem> {
    let Ok(id) = id.parse::<MessageId>() else { return Ok(None) };
    let found = state.store.message(id).await.map_err(|fault| Problem::store_fault(&fault))?;
    Ok(found.map(|found| found.row))
}

/// What the response contains besides the count.
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
struct Done {
    count: usize,
    named: Vec<String>,
    skipped: Vec<Value>,
    rows: Vec<MessageRow>,
}

impl Done {
    fn add(&mut self, row: MessageRow) {
        self.count = self.count.saturating_add(1);
        if self.named.len() < NAMED {
            self.named.push(row.id.to_string());
        }
        self.rows.push(row);
    }

    fn skip(&mut self, id: &str, why: String) {
        if self.skipped.len() < NAMED {
            self.skipped.push(json!({"id": id, "why": why}));
        }
    }
}

async fn many(act: Act, payload: web::Payload, state: &InspectorState) -> Result<HttpResponse, Problem> {
    let keys = if act == Act::Move { &KEYS[..] } else { KEYS.split_last().map_or(&[][..], |(_, keys)| keys) };
    let asked = Asked::read(act, &object(payload, keys).await?, state)?;
    let mut done = Done::default();
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
                    let rows = state.store.messages(filter.clone(), before, STEP).await;
                    let rows = rows.map_err(|fault| Problem::store_fault(&fault))?;
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
    if asked.dry_run {
        return Ok(HttpResponse::Ok().json(json!({
            "dry_run": true, "count": done.count, "message_ids": done.named, "skipped": done.skipped, "warnings": warnings,
        })));
    }
    let key = match act {
        Act::SendNow => "sent_now",
        Act::Move => "moved",
        Act::Cancel => "cancelled",
    };
    Ok(HttpResponse::Accepted().json(json!({
        key: done.count, "message_ids": done.named, "skipped": done.skipped, "warnings": warnings,
    })))
}

async fn take(
    act: Act,
    rows: Vec<MessageRow>,
    asked: &Asked,
    state: &InspectorState,
    done: &mut Done,
) -> Result<(), Problem> {
    let mut possible = Vec::new();
    for row in rows {
        match state.sender.refusal(act, &row) {
            Some(why) => done.skip(&row.id.to_string(), why),
            None => possible.push(row),
        }
    }
    let seqs = possible.iter().map(|row| row.seq).collect();
    let acted = if asked.dry_run {
        None
    } else {
        Some(state.sender.act(act, &asked.to, seqs).await.map_err(|fault| Problem::store_fault(&fault))?)
    };
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

/// Which messages to act on.
struct Asked {
    /// The subscription to move them to.
    to: String,
    ids: Option<Vec<String>>,
    filter: MessageFilter,
    dry_run: bool,
}

impl Asked {
    fn read(act: Act, members: &Map<String, Value>, state: &InspectorState) -> Result<Self, Problem> {
        let mut faults: Vec<FieldFault> = Vec::new();
        let to = text(members, TO, &mut faults).unwrap_or_default();
        if act == Act::Move && state.sender.subscriptions().get(&to).is_none() {
            faults.push(fault("/to", "the id of a subscription that is in force"));
        }
        let ids = ids(members.get("ids"), &mut faults);
        let (all, dry_run) = (flag(members, "all", &mut faults), flag(members, "dry_run", &mut faults));
        let filter = MessageFilter {
            subscription: text(members, "subscription_id", &mut faults),
            event_id: text(members, "event_id", &mut faults),
            status: text(members, "status", &mut faults).and_then(|word| {
                let status = MessageStatus::from_word(&word).filter(|status| act.statuses().contains(status));
                if status.is_none() {
                    let known: Vec<&str> = act.statuses().iter().map(|status| status.as_str()).collect();
                    faults.push(fault("/status", &format!("one of {}", known.join(", "))));
                }
                status
            }),
        };
        let is_chosen = ids.is_some() || filter != MessageFilter::default();
        if !is_chosen && !all && faults.is_empty() {
            let what = "choose messages: ids, subscription_id, event_id or status; or \"all\": true";
            faults.push(fault("", what));
        }
        if faults.is_empty() { Ok(Self { to, ids, filter, dry_run }) } else { Err(bad(faults)) }
    }

    fn meets(&self, row: &MessageRow) -> bool {
        let MessageFilter { subscription, event_id, status } = &self.filter;
        subscription.as_ref().is_none_or(|subscription| *subscription == row.subscription)
            && event_id.as_ref().is_none_or(|event_id| Some(event_id) == row.event_id.as_ref())
            && status.is_none_or(|status| status == row.status)
    }
}

fn ids(value: Option<&Value>, faults: &mut Vec<FieldFault>) -> Option<Vec<String>> {
    let ids: Option<Vec<String>> = match value {
        None | Some(Value::Null) => return None,
        Some(Value::Array(items)) if (1..=MOST_IDS).contains(&items.len()) => {
            items.iter().map(|item| item.as_str().map(str::to_owned)).collect()
        }
        Some(_) => None,
    };
    if ids.is_none() {
        faults.push(fault("/ids", &format!("a list of 1 to {MOST_IDS} message ids")));
    }
    ids
}

fn text(members: &Map<String, Value>, key: &str, faults: &mut Vec<FieldFault>) -> Option<String> {
    match members.get(key) {
        None | Some(Value::Null) => None,
        Some(Value::String(text)) => Some(text.clone()),
        Some(_) => {
            faults.push(fault(&format!("/{key}"), "a text in quotes"));
            None
        }
    }
}
