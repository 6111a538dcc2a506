//! `messages`, and their attempts.

use actix_web::{HttpRequest, HttpResponse, web};
use serde_json::{Value, json};

use super::objects::{attempt_object, message_row};
use crate::domain::{MessageFilter, MessageId, MessageStatus};
use crate::http::inspector::InspectorState;
use crate::http::inspector::api::deliveries::cursor;
use crate::http::inspector::operations::parked::parked_because;
use crate::http::inspector::params::{Blank, Params};
use crate::http::inspector::problem::{Problem, answer};
use crate::store::StoredMessage;

/// The default number of rows in a list.
pub const DEFAULT_LIMIT: usize = 50;

/// Reads `limit`: 1 to 500.
pub fn limit(params: &mut Params) -> usize {
    let limit = params.parsed("limit", "a number from 1 to 500", |text| {
        text.parse::<usize>().ok().filter(|limit| (1..=500).contains(limit))
    });
    limit.unwrap_or(DEFAULT_LIMIT)
}

/// The list, newest first.
pub async fn list(request: HttpRequest, state: web::Data<InspectorState>) -> HttpResponse {
    answer(
        async {
            let mut params = Params::read(request.query_string(), Blank::Fault);
            let words = MessageStatus::ALL.map(MessageStatus::as_str).join(", ");
            let filter = MessageFilter {
                subscription: params.text("subscription_id"),
                event_id: params.text("event_id"),
                status: params.parsed("status", &format!("one of {words}"), MessageStatus::from_word),
            };
            let limit = limit(&mut params);
            let before = params.parsed("before", "the next of an earlier response", cursor);
            params
                .finish(&["subscription_id", "event_id", "status", "limit", "before"])
                .map_err(Problem::bad_parameters)?;
            let found = state.store.messages(filter, before, limit.saturating_add(1)).await;
            let mut rows = found.map_err(|fault| Problem::store_fault(&fault))?;
            let has_more = rows.len() > limit;
            rows.truncate(limit);
            let next = rows.last().filter(|_| has_more).map(|row| row.seq.to_string());
            let messages: Vec<Value> = rows.iter().map(|row| Value::Object(message_row(row))).collect();
            Ok(HttpResponse::Ok().json(json!({"messages": messages, "next": next})))
        }
        .await,
    )
}

/// One message: its attempts, its event, and the payload that would be sent now.
pub async fn one(id: web::Path<String>, state: web::Data<InspectorState>) -> HttpResponse {
    answer(
        async {
            let missing = || {
                Problem::not_found("There is no message of that id; it may have been removed by retention.")
            };
            let id: MessageId = id.parse().map_err(|_| missing())?;
            let found = state.store.message(id).await.map_err(|fault| Problem::store_fault(&fault))?;
            let StoredMessage { row, event, attempts } = found.ok_or_else(missing)?;
            let target = state.sender.subscriptions().get(&row.target);
            let payload = target.and_then(|active| state.sender.payload_now(&active.compiled, &event, id));
            let mut object = message_row(&row);
            let mut put = |key: &str, value: Value| object.insert(key.to_owned(), value);
            put("attempts", attempts.iter().map(attempt_object).collect());
            put("source", event.source.clone().into());
            put("parked_because", parked_because(&state, &row).into());
            put("event", String::from_utf8_lossy(&event.body).into());
            put("payload", payload.into());
            Ok(HttpResponse::Ok().json(object))
        }
        .await,
    )
}

/// The message of a subscription for an event, if there is one.
///
/// # Errors
/// 503 if the store cannot be read.
pub async fn of_event(
    state: &InspectorState,
    subscription: &str,
    event_id: &str,
) -> Result<Option<MessageId>, Problem> {
    let filter = MessageFilter {
        subscription: Some(subscription.to_owned()),
        event_id: Some(event_id.to_owned()),
        status: None,
    };
    let found = state.store.messages(filter, None, 1).await.map_err(|fault| Problem::store_fault(&fault))?;
    Ok(found.first().map(|row| row.id))
}
