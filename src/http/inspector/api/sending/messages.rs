//! `messages`, and their attempts.

use actix_web::web;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::objects::{AttemptObject, MessageObject, MessageSummary};
use crate::domain::{MessageFilter, MessageId};
use crate::http::inspector::api::openapi::Done;
use crate::http::inspector::operations::parked::parked_because;
use crate::http::inspector::problem::Problem;
use crate::http::inspector::request::{As, Members, MessageStatusParam, Page, Query, cut};
use crate::http::inspector::state::InspectorState;
use crate::store::StoredMessage;

/// Which messages.
#[derive(Clone, Debug, Default, Deserialize, IntoParams)]
pub struct MessageParams {
    /// Those of this subscription.
    subscription_id: Option<String>,
    /// Those of this event.
    event_id: Option<String>,
    /// Those in this state.
    #[param(inline)]
    status: Option<MessageStatusParam>,
}

impl Members for MessageParams {}

/// Messages.
#[derive(Debug, Serialize, ToSchema)]
pub struct MessageList {
    messages: Vec<MessageSummary>,
    next: Option<String>,
}

/// A message with its attempts and its event.
#[derive(Debug, Serialize, ToSchema)]
pub struct MessageDetail {
    #[serde(flatten)]
    message: MessageObject,
    attempts: Vec<AttemptObject>,
    source: String,
    /// Why it is parked, and what would send it.
    parked_because: Option<String>,
    /// The body of its event.
    event: String,
    /// What would be sent now.
    payload: Option<String>,
}

/// The list, newest first.
pub async fn list(
    Query((params, page)): Query<(MessageParams, Page)>,
    state: web::Data<InspectorState>,
) -> Result<Done<MessageList>, Problem> {
    let filter = MessageFilter {
        subscription: params.subscription_id,
        event_id: params.event_id,
        status: params.status.map(|As(status)| status),
    };
    let limit = page.rows();
    let mut rows = state.store.messages(filter, page.before(), limit.saturating_add(1)).await?;
    let next = cut(&mut rows, limit, |row| row.seq.to_string());
    Ok(Done(MessageList { messages: rows.iter().map(MessageSummary::from).collect(), next }))
}

/// One message: its attempts, its event, and the payload that would be sent now.
pub async fn one(
    id: web::Path<String>,
    state: web::Data<InspectorState>,
) -> Result<Done<MessageDetail>, Problem> {
    let missing =
        || Problem::not_found("There is no message of that id; it may have been removed by retention.");
    let id: MessageId = id.parse().map_err(|_| missing())?;
    let StoredMessage { row, event, attempts } = state.store.message(id).await?.ok_or_else(missing)?;
    let target = state.sender.subscriptions().get(&row.target);
    let payload = target.and_then(|active| state.sender.payload_now(&active.compiled, &event, id));
    Ok(Done(MessageDetail {
        message: MessageObject::from(&row),
        attempts: attempts.iter().map(AttemptObject::from).collect(),
        source: event.source.clone(),
        parked_because: parked_because(&state, &row),
        event: String::from_utf8_lossy(&event.body).into_owned(),
        payload,
    }))
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
    Ok(state.store.messages(filter, None, 1).await?.first().map(|row| row.id))
}
