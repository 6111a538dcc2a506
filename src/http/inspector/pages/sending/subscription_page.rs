//! `/subscriptions/new` and `/subscriptions/{id}`: one subscription, edited next to a real event.

use actix_web::http::StatusCode;
use actix_web::{HttpRequest, HttpResponse, web};
use askama::Template;

use super::attempts::AttemptView;
use super::messages_page::subscription_names;
use super::subscriptions_page::state_word;
use crate::config::shown_json;
use crate::domain::json::laid_out;
use crate::domain::{
    Attempt, DeliveryFilter, DeliveryRow, MessageFilter, SubscriptionOrigin, Verdict, plain,
};
use crate::http::inspector::pages::page::{self, Frame};
use crate::http::inspector::state::InspectorState;
use crate::http::inspector::words::{When, shown_time};
use crate::send::{Evaluations, OPERATORS, Part, presets};
use crate::store::StoreError;

/// The stored deliveries that a preview may be made on.
const CHOICES: usize = 20;

/// The messages of its send log.
const LOGGED: usize = 10;

/// The editor's contents for a new subscription.
const DRAFT: &str = r#"{
  "name": "",
  "url": "",
  "events": []
}"#;

/// The URL that the empty field shows.
const URL_EXAMPLE: &str = "https://example.com/hook";

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
    /// The URL that the empty field shows.
    url_example: String,
    /// What is legal and odd; the preview says it, and adds what it finds.
    warnings: Vec<String>,
    failures: Vec<FailureLine>,
    /// Those whose fallback it is.
    names_as_fallback: String,
    deliveries: Vec<Choice>,
    examples: Vec<String>,
    /// The event type that a preview begins with.
    first_example: String,
    event_groups: Vec<EventGroup>,
    sources: Vec<String>,
    operators: Vec<&'static str>,
    /// Id and name of the subscriptions that can be a fallback.
    others: Vec<(String, String)>,
    log: Log,
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

/// A message of the subscription, with how its last attempt ended.
struct LogRow {
    id: String,
    event_type: String,
    status: &'static str,
    outcome: String,
    created: When,
}

/// What was sent last.
#[derive(Default)]
struct Log {
    rows: Vec<LogRow>,
    /// The newest attempt of them.
    last: Option<AttemptView>,
}

impl Log {
    async fn of(state: &InspectorState, subscription: &str) -> Result<Self, StoreError> {
        let filter =
            MessageFilter { subscription: Some(subscription.to_owned()), ..MessageFilter::default() };
        let now = state.clock.wall();
        let mut log = Self::default();
        let mut newest: Option<Attempt> = None;
        for row in state.store.messages(filter, None, LOGGED).await? {
            let found = state.store.message(row.id).await?;
            let last = found.and_then(|found| found.attempts.into_iter().next_back());
            log.rows.push(LogRow {
                id: row.id.to_string(),
                event_type: plain(&row.event_type),
                status: row.status.as_str(),
                outcome: last.as_ref().map(|last| AttemptView::of(last, now).outcome).unwrap_or_default(),
                created: When::relative(row.created_at, now),
            });
            if last.as_ref().map(|last| last.started_at) > newest.as_ref().map(|known| known.started_at) {
                newest = last;
            }
        }
        log.last = newest.map(|attempt| AttemptView::of(&attempt, now));
        Ok(log)
    }
}

/// A group of event types to choose from: its pattern, and each with its meaning.
struct EventGroup {
    pattern: String,
    events: Vec<(String, String)>,
}

impl EventGroup {
    fn all(state: &InspectorState) -> Vec<Self> {
        let mut groups: Vec<Self> = Vec::new();
        for known in state.catalog.iter() {
            let pattern = format!("{}.*", known.name().split('.').next().unwrap_or_default());
            let event = (known.name().to_owned(), known.title().to_owned());
            match groups.iter_mut().find(|group| group.pattern == pattern) {
                Some(group) => group.events.push(event),
                None => groups.push(Self { pattern, events: vec![event] }),
            }
        }
        groups
    }
}

/// The page of a new one; `?preset=slack` begins with a preset.
pub async fn new(request: HttpRequest, state: web::Data<InspectorState>) -> HttpResponse {
    let query = form_urlencoded::parse(request.query_string().as_bytes()).find(|(name, _)| name == "preset");
    let chosen = query.and_then(|(_, value)| presets().iter().find(|preset| preset.name == value));
    let json = chosen.map_or(DRAFT, |preset| preset.subscription).trim();
    let draft: serde_json::Value = serde_json::from_str(json).unwrap_or_default();
    let events: Option<Vec<String>> =
        draft.get("events").and_then(|events| serde_json::from_value(events.clone()).ok());
    // Nobody means to send to the URL of an example.
    let example = draft.get("url").and_then(serde_json::Value::as_str).filter(|url| !url.is_empty());
    let json = example.map_or(json.to_owned(), |url| json.replacen(&format!("\"{url}\""), "\"\"", 1));
    match OnePage::of(&state, json, &events.unwrap_or_default()).await {
        Ok(page) => {
            let url_example = example.map_or(page.url_example, str::to_owned);
            page::html(StatusCode::OK, &OnePage { url_example, ..page })
        }
        Err(fault) => page::store_fault(&state, &fault),
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
    let subscription = &active.compiled.subscription;
    let warnings = state.sender.warnings_of(&active.compiled);
    let found = async {
        let page = OnePage::of(&state, laid_out(&shown_json(subscription)), &subscription.events).await?;
        Ok((page, Log::of(&state, &id).await?))
    };
    let (page, log) = match found.await {
        Ok(found) => found,
        Err(fault) => return page::store_fault(&state, &fault),
    };
    let page = OnePage {
        id: subscription.id.clone(),
        name: plain(&subscription.name),
        state: state_word(&active),
        why: subscription.disabled_reason.clone().unwrap_or_default(),
        is_read_only: subscription.origin == SubscriptionOrigin::Config,
        warnings: warnings.iter().map(|warning| plain(warning)).collect(),
        failures: FailureLine::all(&state, &subscription.id),
        names_as_fallback: plain(&state.sender.names_as_fallback(&id).join(", ")),
        log,
        ..page
    };
    page::html(StatusCode::OK, &page)
}

impl OnePage {
    /// The page of a draft.
    async fn of(state: &InspectorState, json: String, events: &[String]) -> Result<Self, StoreError> {
        let examples = state.catalog.iter().filter(|known| known.example().is_some());
        Ok(Self {
            frame: Frame::of(state, "subscriptions"),
            id: String::new(),
            name: "New subscription".to_owned(),
            state: "",
            why: String::new(),
            is_read_only: false,
            json,
            url_example: URL_EXAMPLE.to_owned(),
            warnings: Vec::new(),
            failures: Vec::new(),
            names_as_fallback: String::new(),
            deliveries: choices(state).await?,
            examples: examples.map(|known| known.name().to_owned()).collect(),
            first_example: first_example(state, events),
            event_groups: EventGroup::all(state),
            sources: state.source_names(),
            operators: OPERATORS.into_iter().filter(|word| word.starts_with(char::is_alphabetic)).collect(),
            others: subscription_names(state),
            log: Log::default(),
        })
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

/// The stored deliveries that a preview may be made on.
async fn choices(state: &InspectorState) -> Result<Vec<Choice>, StoreError> {
    let accepted = DeliveryFilter { verdict: Some(Verdict::Accepted), ..DeliveryFilter::default() };
    let rows = state.store.list(&accepted, None, CHOICES).await?;
    let now = state.clock.wall();
    let choice = |row: &DeliveryRow| Choice {
        id: row.id.to_string(),
        words: format!(
            "{} from {}, {}",
            plain(row.event_type.as_deref().unwrap_or("unknown")),
            plain(&row.source),
            When::relative(row.received_at, now).shown
        ),
    };
    Ok(rows.iter().map(choice).collect())
}
