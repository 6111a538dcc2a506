//! `/subscriptions/new` and `/subscriptions/{id}`: one subscription, edited beside a real event.

use actix_web::http::StatusCode;
use actix_web::{HttpRequest, HttpResponse, web};
use askama::Template;

use super::subscriptions_page::state_word;
use crate::config::shown_json;
use crate::domain::json::laid_out;
use crate::domain::{DeliveryFilter, SubscriptionOrigin, Verdict, plain};
use crate::http::inspector::page::{self, Frame};
use crate::http::inspector::row_view::shown_time;
use crate::http::inspector::state::InspectorState;
use crate::send::{Evaluations, Part, presets};

/// The stored deliveries that a preview may be made on.
const CHOICES: usize = 20;

/// What stands in the editor of a new subscription.
const DRAFT: &str = r#"{
  "name": "My endpoint",
  "url": "https://example.com/hook",
  "events": ["data.*"]
}"#;

#[derive(Template)]
#[template(path = "subscription.html")]
struct OnePage {
    frame: Frame,
    /// Empty for a new one.
    id: String,
    name: String,
    state: &'static str,
    why: String,
    is_read_only: bool,
    json: String,
    warnings: Vec<String>,
    failures: Vec<FailureLine>,
    /// Those whose fallback it is.
    names_as_fallback: String,
    deliveries: Vec<Choice>,
    examples: Vec<String>,
    /// The event type that a preview begins with.
    first_example: String,
}

/// What is said of a filter or template that failed lately.
struct FailureLine {
    words: String,
    /// The delivery of the last event on which it failed, where it came as one.
    delivery: String,
}

impl FailureLine {
    fn all(state: &InspectorState, subscription: &str) -> Vec<Self> {
        let parts = state.sender.evaluations().of(subscription);
        parts.into_iter().filter_map(|(part, evaluations)| Self::of(part, evaluations)).collect()
    }

    fn of(part: Part, evaluations: Evaluations) -> Option<Self> {
        let (failed, of) = (evaluations.failed(), evaluations.of());
        let last = evaluations.last?;
        let events = if of == 1 { "the last event".to_owned() } else { format!("the last {of} events") };
        let effect = match part {
            Part::Filter => format!("The filter failed on {failed} of {events}: nothing was sent for them."),
            Part::Template => format!("The template failed on {failed} of {events}."),
        };
        let (why, at) = (plain(&last.why), shown_time(&last.at.to_string()));
        let event_type = plain(&last.event_type);
        Some(Self {
            words: format!("{effect} Latest, on {event_type} at {at}: {why}"),
            delivery: last.delivery.map(|id| id.to_string()).unwrap_or_default(),
        })
    }
}

struct Choice {
    id: String,
    words: String,
}

/// The page of a new one; `?preset=slack` begins with a preset.
pub async fn new(request: HttpRequest, state: web::Data<InspectorState>) -> HttpResponse {
    let query = form_urlencoded::parse(request.query_string().as_bytes()).find(|(name, _)| name == "preset");
    let chosen = query.and_then(|(_, value)| presets().iter().find(|preset| preset.name == value));
    let json = chosen.map_or(DRAFT, |preset| preset.subscription).trim().to_owned();
    let events: Vec<String> = serde_json::from_str::<serde_json::Value>(&json)
        .ok()
        .and_then(|draft| serde_json::from_value(draft.get("events")?.clone()).ok())
        .unwrap_or_default();
    let first_example = first_example(&state, &events);
    match choices(&state).await {
        Ok((deliveries, examples)) => {
            let page = OnePage {
                frame: Frame::of(&state, "subscriptions"),
                id: String::new(),
                name: "New subscription".to_owned(),
                state: "",
                why: String::new(),
                is_read_only: false,
                json,
                warnings: Vec::new(),
                failures: Vec::new(),
                names_as_fallback: String::new(),
                deliveries,
                examples,
                first_example,
            };
            page::html(StatusCode::OK, &page)
        }
        Err(answer) => answer,
    }
}

/// The page of one.
pub async fn one(id: web::Path<String>, state: web::Data<InspectorState>) -> HttpResponse {
    let Some(active) = state.sender.subscriptions().get(&id) else {
        let why = state.sender.subscriptions().parked(&id);
        let why = why.map(|parked| format!("{} {}", parked.sentence(), parked.cure()));
        return page::not_found(
            &state,
            &plain(why.as_deref().unwrap_or("There is no subscription of this id.")),
        );
    };
    let warnings = state.sender.warnings_of(&active.compiled);
    let subscription = &active.compiled.subscription;
    match choices(&state).await {
        Ok((deliveries, examples)) => {
            let page = OnePage {
                frame: Frame::of(&state, "subscriptions"),
                id: subscription.id.clone(),
                name: plain(&subscription.name),
                state: state_word(&active),
                why: subscription.disabled_reason.clone().unwrap_or_default(),
                is_read_only: subscription.origin == SubscriptionOrigin::Config,
                json: laid_out(&shown_json(subscription)),
                failures: FailureLine::all(&state, &subscription.id),
                warnings: warnings.iter().map(|warning| plain(warning)).collect(),
                names_as_fallback: plain(&state.sender.names_as_fallback(&id).join(", ")),
                deliveries,
                examples,
                first_example: first_example(&state, &subscription.events),
            };
            page::html(StatusCode::OK, &page)
        }
        Err(answer) => answer,
    }
}

fn first_example(state: &InspectorState, events: &[String]) -> String {
    let named = events.iter().find(|event| state.catalog.resolve(event).is_some());
    let begun = || {
        let starts: Vec<&str> = events.iter().filter_map(|event| event.strip_suffix('*')).collect();
        let begins = |name: &str| starts.iter().any(|start| name.starts_with(start));
        state.catalog.iter().map(crate::catalog::EventType::name).find(|name| begins(name)).map(str::to_owned)
    };
    named.cloned().or_else(begun).unwrap_or_else(|| "webhook.test".to_owned())
}

/// The events that a preview may be made on.
async fn choices(state: &InspectorState) -> Result<(Vec<Choice>, Vec<String>), HttpResponse> {
    let accepted = DeliveryFilter { verdict: Some(Verdict::Accepted), ..DeliveryFilter::default() };
    let rows = state.store.list(&accepted, None, CHOICES).await;
    let rows = rows.map_err(|fault| page::store_fault(state, &fault))?;
    let choice = |row: &crate::domain::DeliveryRow| Choice {
        id: row.id.to_string(),
        words: format!(
            "{} from {} at {}",
            plain(row.event_type.as_deref().unwrap_or("unknown")),
            plain(&row.source),
            shown_time(&row.received_at.to_string())
        ),
    };
    let examples = state.catalog.iter().filter(|known| known.example().is_some());
    Ok((rows.iter().map(choice).collect(), examples.map(|known| known.name().to_owned()).collect()))
}
