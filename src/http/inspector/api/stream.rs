//! `GET deliveries/stream`: server-sent events, one for each delivery, resumed without a gap.

use std::convert::Infallible;
use std::fmt::Write as _;
use std::time::Duration;

use actix_web::http::header::{CACHE_CONTROL, CONTENT_TYPE};
use actix_web::{HttpRequest, HttpResponse, web};
use bytes::Bytes;
use futures_util::stream;
use serde::{Deserialize, Serialize};
use tokio::sync::watch;
use tokio::time::Instant;
use utoipa::IntoParams;
use utoipa::openapi::RefOr;
use utoipa::openapi::schema::Schema;

use super::objects::RowObject;
use super::openapi::Events;
use crate::domain::{DeliveryFilter, DeliveryRow};
use crate::http::inspector::access::Access;
use crate::http::inspector::problem::Problem;
use crate::http::inspector::request::{As, DeliveryParams, Members, Query, Word, one_of};
use crate::http::inspector::{InspectorState, list_row};
use crate::inspect::{LiveTail, Resumption};

/// `Html` as a request writes it.
type HtmlParam = As<Html>;

/// The longest time without output, so that a dead connection is noticed.
const HEARTBEAT: Duration = Duration::from_secs(10);
/// The reconnection delay for clients, in milliseconds.
const RETRY_MS: u32 = 2000;

/// How the stream is written.
#[derive(Clone, Debug, Default, Deserialize, IntoParams)]
pub struct StreamParams {
    /// The id of the last event that was read: the stream resumes after it. The header `Last-Event-ID` comes first.
    last_event_id: Option<String>,
    /// `html`: rows of the list's page in place of objects.
    #[param(inline)]
    rows: Option<HtmlParam>,
}

impl Members for StreamParams {}

/// The word `html`.
#[derive(Clone, Copy, Debug)]
pub struct Html;

impl Word for Html {
    fn expected() -> String {
        "html, or nothing".to_owned()
    }

    fn read(text: &str) -> Result<Self, Option<String>> {
        (text == "html").then_some(Self).ok_or(None)
    }

    fn schema() -> RefOr<Schema> {
        one_of(&["html"])
    }
}

/// The stream.
pub async fn stream(
    Query((params, how)): Query<(DeliveryParams, StreamParams)>,
    request: HttpRequest,
    state: web::Data<InspectorState>,
) -> Result<Events, Problem> {
    let filter = DeliveryFilter::from(params);
    let (asked, is_html) = (how.last_event_id, how.rows);
    // The browser's own header is newer than the URL of the page.
    let header = request.headers().get("last-event-id");
    let cursor = header.map(|value| value.to_str().unwrap_or("garbage").to_owned()).or(asked);
    let (start, is_reset) = match Resumption::find(cursor.as_deref(), &state.store).await? {
        Resumption::After(seq) => (seq, false),
        Resumption::Reset(seq) => (seq, true),
    };
    let mut greeting = format!(": connected\nretry: {RETRY_MS}\n\n");
    if is_reset {
        greeting.push_str(&reset(start));
    } else {
        let _ = write!(greeting, "id: {start}\n\n");
    }
    let tail = LiveTail::after(state.store.clone(), filter, start);
    let access = Access::of(&request);
    let writer = Writer {
        // A page is drawn less often than a program reads.
        tail: if is_html.is_some() { tail } else { tail.at_once() },
        stop: state.stopping(),
        is_html: is_html.is_some(),
        access,
        state,
        greeting: Some(greeting),
        beat: Instant::now() + HEARTBEAT,
    };
    let body = stream::unfold(writer, |mut writer| async move {
        writer.next().await.map(|text| (Ok::<_, Infallible>(Bytes::from(text)), writer))
    });
    let answer = HttpResponse::Ok()
        .insert_header((CONTENT_TYPE, "text/event-stream"))
        .insert_header((CACHE_CONTROL, "no-store"))
        .insert_header(("X-Accel-Buffering", "no"))
        .streaming(body);
    Ok(Events(answer))
}

struct Writer {
    tail: LiveTail,
    stop: watch::Receiver<bool>,
    /// Whether the rows are HTML, for the list's own page.
    is_html: bool,
    /// What let the client in.
    access: Option<Access>,
    state: web::Data<InspectorState>,
    greeting: Option<String>,
    beat: Instant,
}

impl Writer {
    /// Whether the client's token was revoked, or its user has logged out.
    async fn is_shut(&self) -> bool {
        match &self.access {
            Some(access) => access.is_over(&self.state).await,
            None => false,
        }
    }

    /// The next text to write; `None` at the end.
    async fn next(&mut self) -> Option<String> {
        if let Some(greeting) = self.greeting.take() {
            return Some(greeting);
        }
        loop {
            if self.tail.skip_if_overtaken() {
                return Some(reset(self.tail.cursor()));
            }
            let rows = tokio::select! {
                rows = self.tail.next() => Some(rows?),
                _ = self.stop.wait_for(|stopped| *stopped) => return None,
                () = tokio::time::sleep_until(self.beat) => None,
            };
            if self.is_shut().await {
                return None;
            }
            let Some(rows) = rows else {
                self.beat = Instant::now() + HEARTBEAT;
                // The id also passes deliveries that do not match: a reconnection does not read them again.
                // Pages cannot see comments, but must notice a dead connection.
                let at = self.tail.cursor();
                return Some(format!(": alive\nid: {at}\nevent: alive\ndata: {{}}\n\n"));
            };
            match rows {
                Ok(rows) if rows.is_empty() => {}
                Ok(rows) => {
                    self.beat = Instant::now() + HEARTBEAT;
                    return Some(if self.is_html {
                        html_events(&self.state, &rows).await
                    } else {
                        rows.iter().map(|row| event(row.seq, &RowObject::from(row))).collect()
                    });
                }
                Err(fault) => {
                    tracing::error!(%fault, "a live stream cannot read the store; its client reconnects");
                    return None;
                }
            }
        }
    }
}

/// The rows as HTML for the page. The template has escaped every text in it.
async fn html_events(state: &InspectorState, rows: &[DeliveryRow]) -> String {
    let views = list_row::views(state, rows).await;
    let event_of = |(row, view): (&DeliveryRow, _)| {
        let html = list_row::html(view, state.public_path());
        event(row.seq, &serde_json::json!({"id": row.id.to_string(), "html": html}))
    };
    rows.iter().zip(&views).map(event_of).collect()
}

/// JSON has no line break of its own, so one data line is enough.
fn event(seq: i64, data: &impl Serialize) -> String {
    let data = serde_json::to_string(data).unwrap_or_default();
    format!("id: {seq}\nevent: delivery\ndata: {data}\n\n")
}

fn reset(cursor: i64) -> String {
    format!("id: {cursor}\nevent: reset\ndata: {{}}\n\n")
}
