//! Selects waiting messages by the members of a body.

use serde::Deserialize;
use utoipa::ToSchema;
use utoipa::openapi::{RefOr, Schema};

use super::ids::WrittenIds;
use crate::domain::{MessageFilter, MessageRow};
use crate::http::inspector::api::openapi::{Body, Part, Schemas, fields, together};
use crate::http::inspector::operations::replay::fault;
use crate::http::inspector::problem::Problem;
use crate::http::inspector::request::{As, Fields, Members, MessageStatusParam, Readable};
use crate::http::inspector::state::InspectorState;
use crate::send::Act;

/// Which messages to act on.
#[derive(Clone, Debug, Default, Deserialize, ToSchema)]
pub struct WaitingParams {
    /// Only these; at most 1,000.
    #[schema(value_type = Option<Vec<String>>, min_items = 1, max_items = 1_000)]
    pub ids: Option<WrittenIds>,
    /// Those of this subscription.
    pub subscription_id: Option<String>,
    /// Those of this event.
    pub event_id: Option<String>,
    /// Those in this state.
    #[schema(inline)]
    pub status: Option<MessageStatusParam>,
    /// Explicitly all.
    pub all: Option<bool>,
    /// Whether to only say what would be done.
    pub dry_run: Option<bool>,
}

impl Members for WaitingParams {}

/// Where messages are moved.
#[derive(Clone, Debug, Default, Deserialize, ToSchema)]
pub struct MoveParams {
    /// The id of a subscription that is in force.
    #[schema(value_type = String)]
    pub to: Option<String>,
}

impl Members for MoveParams {}

/// Messages to send now.
pub struct SendNowRequest(pub Chosen);
/// Messages to cancel.
pub struct CancelRequest(pub Chosen);
/// Messages to move.
pub struct MoveRequest(pub Chosen);

impl Readable for SendNowRequest {
    fn read(fields: &mut Fields) -> Self {
        Self(Chosen::read(Act::SendNow, fields))
    }
}

impl Readable for CancelRequest {
    fn read(fields: &mut Fields) -> Self {
        Self(Chosen::read(Act::Cancel, fields))
    }
}

impl Readable for MoveRequest {
    fn read(fields: &mut Fields) -> Self {
        let MoveParams { to } = fields.take();
        Self(Chosen { to: to.unwrap_or_default(), ..Chosen::read(Act::Move, fields) })
    }
}

impl Body for SendNowRequest {
    fn schema(schemas: &mut Schemas) -> RefOr<Schema> {
        together("SendNowRequest", &[(fields::<WaitingParams>, &[])], schemas)
    }
}

impl Body for CancelRequest {
    fn schema(schemas: &mut Schemas) -> RefOr<Schema> {
        together("CancelRequest", &[(fields::<WaitingParams>, &[])], schemas)
    }
}

impl Body for MoveRequest {
    fn schema(schemas: &mut Schemas) -> RefOr<Schema> {
        let parts: [Part; 2] = [(fields::<MoveParams>, &[]), (fields::<WaitingParams>, &[])];
        together("MoveRequest", &parts, schemas)
    }
}

/// The chosen messages.
#[derive(Clone, Debug, Default)]
pub struct Chosen {
    /// The subscription to move them to.
    pub to: String,
    /// These, where they are named.
    pub ids: Option<Vec<String>>,
    /// The rest of the filter.
    pub filter: MessageFilter,
    /// Whether to only list them.
    pub dry_run: bool,
    is_meant: bool,
}

impl Chosen {
    fn read(act: Act, fields: &mut Fields) -> Self {
        let params: WaitingParams = fields.take();
        let status = params.status.map(|As(status)| status);
        if status.is_some_and(|status| !act.statuses().contains(&status)) {
            let known: Vec<&str> = act.statuses().iter().map(|status| status.as_str()).collect();
            fields.fault("status", &format!("one of {}", known.join(", ")));
        }
        let filter =
            MessageFilter { subscription: params.subscription_id, event_id: params.event_id, status };
        let is_chosen = params.ids.is_some() || filter != MessageFilter::default();
        Self {
            to: String::new(),
            ids: params.ids.map(|WrittenIds(ids)| ids),
            filter,
            dry_run: params.dry_run.unwrap_or_default(),
            is_meant: is_chosen || params.all.unwrap_or_default(),
        }
    }

    /// The same, if it chooses some, or explicitly all.
    ///
    /// # Errors
    /// 400.
    pub fn meant(self) -> Result<Self, Problem> {
        if self.is_meant {
            return Ok(self);
        }
        let what = "choose messages: ids, subscription_id, event_id or status; or \"all\": true";
        Err(Problem::bad_body(vec![fault("", what)]))
    }

    /// The same, if the subscription to move them to is in force.
    ///
    /// # Errors
    /// 400.
    pub fn checked(self, state: &InspectorState) -> Result<Self, Problem> {
        if state.sender.subscriptions().get(&self.to).is_some() {
            return Ok(self);
        }
        Err(Problem::bad_body(vec![fault("/to", "the id of a subscription that is in force")]))
    }

    /// Whether a message is one of those of the filter.
    pub fn meets(&self, row: &MessageRow) -> bool {
        let MessageFilter { subscription, event_id, status } = &self.filter;
        subscription.as_ref().is_none_or(|subscription| *subscription == row.subscription)
            && event_id.as_ref().is_none_or(|event_id| Some(event_id) == row.event_id.as_ref())
            && status.is_none_or(|status| status == row.status)
    }
}
