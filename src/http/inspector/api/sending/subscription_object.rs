//! Subscriptions as the API shows them. Filter and template keep their text.

use std::collections::BTreeMap;

use serde::{Serialize, Serializer};
use serde_json::value::RawValue;
use serde_json::{Value, json};
use utoipa::openapi::RefOr;
use utoipa::openapi::schema::{AdditionalProperties, Schema};
use utoipa::{PartialSchema, ToSchema};

use crate::config::shown_json;
use crate::domain::SubscriptionOrigin;
use crate::http::inspector::answer::Time;
use crate::send::{Active, Evaluations, Parked, Sender};
use crate::store::SenderFigures;

/// The configuration of a subscription, as TagoRUN writes it. There are more members; docs/API.md has them all.
#[derive(Serialize, ToSchema)]
pub struct SubscriptionInput {
    /// Its name.
    #[schema(example = "Alarms to the control room")]
    pub name: String,
    /// Where messages are sent. `webhook_url` is read too.
    #[schema(example = "http://localhost:3000/hook")]
    pub url: String,
    /// The event types that it gets: names, `data.*`, or `*`.
    #[schema(example = json!(["data.*"]))]
    pub events: Vec<String>,
    /// Whether it gets messages.
    #[schema(required = false)]
    pub enabled: bool,
    /// Headers of its requests. Values may be templates.
    #[schema(required = false)]
    pub headers: BTreeMap<String, String>,
    /// What is sent in place of the event.
    #[schema(required = false)]
    pub payload_template: Value,
    /// Conditions for each event type.
    #[schema(required = false, value_type = Object)]
    pub filters: Value,
}

/// Members of a subscription to change, by the rules of RFC 7396: null removes one.
#[derive(Serialize, ToSchema)]
pub struct SubscriptionPatch {
    /// Whether it gets messages.
    #[schema(required = false)]
    pub enabled: bool,
}

/// A subscription: its configuration with secrets masked, and its results.
#[derive(Serialize, ToSchema)]
pub struct SubscriptionFields {
    /// Its id.
    pub id: String,
    /// Its name.
    pub name: String,
    /// Where messages are sent.
    pub url: String,
    /// The event types that it gets.
    pub events: Vec<String>,
    /// Why it was disabled.
    pub disabled_reason: Option<String>,
    /// `api` or `config`.
    pub origin: String,
    /// When it was created.
    pub created_at: Time,
    /// When it was changed.
    pub updated_at: Time,
    /// What is odd about it.
    pub warnings: Vec<String>,
    /// The results of filter and template on the last events, at most 100 each.
    pub evaluations: BTreeMap<String, EvaluationsObject>,
}

/// The results of a filter or a template.
#[derive(Debug, Serialize, ToSchema)]
pub struct EvaluationsObject {
    failed: u32,
    of: u32,
    last_failure: Option<EvaluationFailure>,
}

/// Why a filter or a template failed.
#[derive(Debug, Serialize, ToSchema)]
pub struct EvaluationFailure {
    why: String,
    at: Time,
    event_type: String,
    event_id: Option<String>,
    delivery_id: Option<String>,
}

/// A subscription as JSON.
#[derive(Debug)]
pub struct SubscriptionObject(Box<RawValue>);

impl Serialize for SubscriptionObject {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        self.0.serialize(to)
    }
}

impl PartialSchema for SubscriptionObject {
    fn schema() -> RefOr<Schema> {
        let mut schema = SubscriptionFields::schema();
        if let RefOr::T(Schema::Object(object)) = &mut schema {
            // The rest of its configuration.
            object.additional_properties = Some(Box::new(AdditionalProperties::FreeForm(true)));
        }
        schema
    }
}

impl ToSchema for SubscriptionObject {
    fn schemas(schemas: &mut Vec<(String, RefOr<Schema>)>) {
        SubscriptionFields::schemas(schemas);
    }
}

impl SubscriptionObject {
    /// A subscription in force.
    pub fn of(sender: &Sender, active: &Active, warnings: &[String]) -> Self {
        let subscription = &active.compiled.subscription;
        let origin = match subscription.origin {
            SubscriptionOrigin::Api => "api",
            SubscriptionOrigin::Config => "config",
        };
        let more = json!({
            "disabled_reason": subscription.disabled_reason,
            "origin": origin,
            "created_at": Time(active.created_at),
            "updated_at": Time(active.updated_at),
            "warnings": warnings,
            "evaluations": evaluations(sender, &subscription.id),
        });
        let id = Value::from(&*subscription.id);
        let inside = |text: &str| {
            text.strip_prefix('{').and_then(|text| text.strip_suffix('}')).unwrap_or_default().to_owned()
        };
        let (shown, more) = (inside(&shown_json(subscription)), inside(&more.to_string()));
        let text = format!("{{\"id\":{id},{shown},{more}}}");
        Self(RawValue::from_string(text).unwrap_or_else(|_| RawValue::NULL.to_owned()))
    }
}

fn evaluations(sender: &Sender, subscription: &str) -> BTreeMap<&'static str, EvaluationsObject> {
    let of = |evaluations: Evaluations| EvaluationsObject {
        failed: evaluations.failed(),
        of: evaluations.of(),
        last_failure: evaluations.last.as_ref().map(|last| EvaluationFailure {
            why: last.why.clone(),
            at: last.at.into(),
            event_type: last.event_type.clone(),
            event_id: last.event_id.clone(),
            delivery_id: last.delivery.map(|id| id.to_string()),
        }),
    };
    let parts = sender.evaluations().of(subscription);
    parts.into_iter().map(|(part, evaluations)| (part.as_str(), of(evaluations))).collect()
}

/// A subscription that is not in force, with its waiting messages.
#[derive(Debug, Serialize, ToSchema)]
pub struct ParkedObject {
    id: String,
    name: String,
    url: String,
    /// `missing` or `unusable`.
    state: &'static str,
    since: Time,
    why: String,
    /// What to do.
    cure: String,
    parked_messages: u64,
    dead_letters: u64,
}

impl ParkedObject {
    /// A subscription with its figures.
    pub fn of(parked: &Parked, figures: &SenderFigures) -> Self {
        Self {
            id: parked.id.clone(),
            name: parked.name.clone(),
            url: parked.url.clone(),
            state: parked.word(),
            since: parked.since.into(),
            why: parked.sentence(),
            cure: parked.cure().to_string(),
            parked_messages: figures.parked,
            dead_letters: figures.dead,
        }
    }
}
