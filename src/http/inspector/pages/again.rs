//! The part of a delivery's page that sends it again: `POST /deliveries/{id}/replay`.

use actix_web::http::StatusCode;
use actix_web::http::header::LOCATION;
use actix_web::{HttpResponse, web};
use bytes::Bytes;
use serde::Deserialize;

use super::page;
use crate::domain::{DeliveryId, Header, Replay, ReplaySignature, ReplaysAbout, StoredDelivery, plain};
use crate::http::inspector::json_body;
use crate::http::inspector::operations::replay::{HeaderLines, Place, ReplayRequest, enabled_subscriptions};
use crate::http::inspector::problem::Problem;
use crate::http::inspector::request::{As, Fields, Members};
use crate::http::inspector::state::InspectorState;
use crate::http::inspector::words::When;
use crate::inspect::export::Format;
use crate::inspect::replay::{Asked, left_out};
use crate::send::redacted_url;

/// Longer bodies are not edited on the page, in bytes.
const MOST_EDITED: usize = 256 * 1024;
/// So much of an answer is shown, in characters.
const ANSWER: usize = 200;

/// What the section shows.
pub struct Again {
    pub formats: Vec<&'static str>,
    pub subscriptions: Vec<(String, String)>,
    pub method: String,
    pub path: String,
    pub headers: String,
    /// The body, where it is text that can be edited.
    pub body: Option<String>,
    /// Parameters of the query that cannot go to a URL.
    pub left_out: String,
    pub replay_of: Option<String>,
    pub replays: Vec<ReplayView>,
}

/// A row of its table.
pub struct ReplayView {
    pub sent: When,
    pub to: String,
    pub signature: &'static str,
    pub is_edited: bool,
    pub outcome: String,
    pub url: Option<String>,
    pub answer: String,
}

impl Again {
    /// The section of a delivery with its replays.
    pub fn of(state: &InspectorState, delivery: &StoredDelivery, about: &ReplaysAbout) -> Self {
        Self {
            formats: Format::ALL
                .iter()
                .filter(|format| **format != Format::Test)
                .map(|format| format.as_str())
                .collect(),
            subscriptions: enabled_subscriptions(state),
            method: delivery.row.method.clone(),
            path: delivery.row.path.clone(),
            headers: header_text(delivery),
            body: editable(delivery).map(str::to_owned),
            left_out: plain(&left_out(&delivery.row.path).join(", ")),
            replay_of: about.came_by.as_ref().map(|replay| replay.original.to_string()),
            replays: about.replays.iter().map(|replay| view(state, replay)).collect(),
        }
    }
}

/// The header lines as the form gives them back.
fn header_pairs(delivery: &StoredDelivery) -> Vec<(String, String)> {
    let pair = |header: &Header| (header.name.trim().to_owned(), header.text().trim().to_owned());
    delivery.headers.iter().map(pair).collect()
}

fn header_text(delivery: &StoredDelivery) -> String {
    delivery.headers.iter().map(|header| format!("{}: {}\n", header.name, header.text())).collect()
}

/// A body that a text field gives back as it is, line breaks aside.
fn editable(delivery: &StoredDelivery) -> Option<&str> {
    let text = std::str::from_utf8(&delivery.body).ok()?;
    (text.len() <= MOST_EDITED && !text.contains('\0')).then_some(text)
}

/// What a target of replays is called.
pub fn target_words(state: &InspectorState, target: &str) -> String {
    match state.sender.subscriptions().get(target) {
        Some(active) => plain(&active.compiled.subscription.name),
        None if target == "receiver" => "this receiver".to_owned(),
        None => plain(&redacted_url(target)),
    }
}

/// What the signature of replayed requests is called.
pub const fn signature_words(signature: ReplaySignature) -> &'static str {
    match signature {
        ReplaySignature::Fresh => "re-signed",
        ReplaySignature::Original => "original",
        ReplaySignature::None => "unsigned",
    }
}

/// A replay as a row.
pub fn view(state: &InspectorState, replay: &Replay) -> ReplayView {
    let outcome = match (replay.status, &replay.error, replay.message) {
        (Some(status), _, _) => format!("answered {status}"),
        (None, Some(error), _) => plain(error),
        (None, None, Some(_)) => "queued as a message".to_owned(),
        (None, None, None) => "–".to_owned(),
    };
    let answer = String::from_utf8_lossy(&replay.answer);
    ReplayView {
        sent: When::clock(replay.id.made_at(), state.clock.wall()),
        to: target_words(state, &replay.target),
        signature: signature_words(replay.signature),
        is_edited: replay.is_edited,
        outcome,
        url: replay
            .delivery
            .map(|id| format!("/deliveries/{id}"))
            .or(replay.message.map(|id| format!("/messages/{id}"))),
        // At our own receiver the delivery says more.
        answer: if replay.delivery.is_some() {
            String::new()
        } else {
            plain(&answer.chars().take(ANSWER).collect::<String>())
        },
    }
}

/// Replays the delivery as the form says, and shows the result.
pub async fn replay(
    id: web::Path<String>,
    payload: web::Payload,
    state: web::Data<InspectorState>,
) -> HttpResponse {
    match send(&id, payload, &state).await {
        Ok(replay) => {
            let to = match (replay.delivery, replay.message) {
                (Some(delivery), _) => format!("/deliveries/{delivery}"),
                (None, Some(message)) => format!("/messages/{message}"),
                (None, None) => format!("/deliveries/{}#again", replay.original),
            };
            HttpResponse::SeeOther().insert_header((LOCATION, to)).finish()
        }
        Err(problem) => {
            let why = problem.sentences();
            page::message(&state, problem.status(), "It was not replayed", &why)
        }
    }
}

async fn send(id: &str, payload: web::Payload, state: &InspectorState) -> Result<Replay, Problem> {
    let missing =
        || Problem::not_found("There is no delivery of that id; it may have been removed by retention.");
    let id: DeliveryId = id.parse().map_err(|_| missing())?;
    let form = json_body::bytes(payload).await?;
    let found = state.store.delivery(id).await?;
    let delivery = found.ok_or_else(missing)?;
    let asked = read(state, &delivery, &form)?;
    let replayer = state.replayer().map_err(|why| Problem::new(StatusCode::SERVICE_UNAVAILABLE, why))?;
    replayer
        .replay(delivery, &asked)
        .await
        .map_err(|fault| Problem::new(StatusCode::BAD_REQUEST, fault.to_string()))
}

/// Where it goes, if that is typed.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
struct TypedTarget {
    url: String,
}

impl Members for TypedTarget {}

/// What the form asks. A field that was not touched changes nothing, whatever browsers do to line breaks.
fn read(state: &InspectorState, delivery: &StoredDelivery, form: &Bytes) -> Result<Asked, Problem> {
    let mut fields = Fields::of_form(form, &["body", "headers"]);
    let mut request: ReplayRequest = fields.take();
    let TypedTarget { url } = fields.take();
    fields.finish_form()?;
    request.to = request.to.map(|As(Place(to))| As(Place(if to == "url" { url } else { to })));
    request.method = request.method.filter(|method| *method != delivery.row.method);
    request.path = request.path.filter(|path| *path != delivery.row.path);
    let present = |body: &str| editable(delivery).map(|kept| kept.replace("\r\n", "\n") == body);
    request.body = request.body.filter(|body| present(body) == Some(false));
    let untouched = HeaderLines(header_pairs(delivery));
    request.headers = request.headers.filter(|lines| *lines != untouched);
    request.asked(state)
}
