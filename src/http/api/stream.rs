//! `GET deliveries/stream`: server-sent events, one a delivery, resumed without a gap.

use std::convert::Infallible;
use std::fmt::Write as _;
use std::time::Duration;

use actix_web::http::header::{CACHE_CONTROL, CONTENT_TYPE};
use actix_web::{HttpRequest, HttpResponse, web};
use bytes::Bytes;
use futures_util::stream;
use tokio::sync::watch;
use tokio::time::Instant;

use super::objects::RowObject;
use super::params::{Blank, Params, filter, filter_names};
use crate::domain::DeliveryRow;
use crate::http::inspector::InspectorState;
use crate::http::problem::Problem;
use crate::inspect::{LiveTail, Resumption};

/// At least this often something is written, so that a dead connection is noticed.
const HEARTBEAT: Duration = Duration::from_secs(10);
/// How long a client waits before it comes again, in milliseconds.
const RETRY_MS: u32 = 2000;

/// The stream.
pub async fn stream(request: HttpRequest, state: web::Data<InspectorState>) -> HttpResponse {
    let mut params = Params::read(request.query_string(), Blank::Fault);
    let filter = filter(&mut params);
    let asked = params.text("last_event_id");
    if let Err(faults) = params.finish(&filter_names(&["last_event_id"])) {
        return Problem::bad_parameters(faults).response();
    }
    // What the browser sends by itself is newer than what stands in the page's URL.
    let header = request.headers().get("last-event-id");
    let cursor = header.map(|value| value.to_str().unwrap_or("garbage").to_owned()).or(asked);
    let newest = *state.store.newest().borrow();
    let (start, is_reset) = match Resumption::of(cursor.as_deref(), newest, state.store.pruned_through()) {
        Resumption::After(seq) => (seq, false),
        Resumption::Reset(seq) => (seq, true),
    };
    let mut greeting = format!(": connected\nretry: {RETRY_MS}\n\n");
    if is_reset {
        greeting.push_str(&reset(start));
    } else {
        let _ = write!(greeting, "id: {start}\n\n");
    }
    let writer = Writer {
        tail: LiveTail::after(state.store.clone(), filter, start),
        stop: state.stopping(),
        greeting: Some(greeting),
        beat: Instant::now() + HEARTBEAT,
    };
    let body = stream::unfold(writer, |mut writer| async move {
        writer.next().await.map(|text| (Ok::<_, Infallible>(Bytes::from(text)), writer))
    });
    HttpResponse::Ok()
        .insert_header((CONTENT_TYPE, "text/event-stream"))
        .insert_header((CACHE_CONTROL, "no-store"))
        .insert_header(("X-Accel-Buffering", "no"))
        .streaming(body)
}

struct Writer {
    tail: LiveTail,
    stop: watch::Receiver<bool>,
    greeting: Option<String>,
    beat: Instant,
}

impl Writer {
    /// The next text to write; `None` ends the stream.
    async fn next(&mut self) -> Option<String> {
        if let Some(greeting) = self.greeting.take() {
            return Some(greeting);
        }
        loop {
            if self.tail.skip_if_overtaken() {
                return Some(reset(self.tail.cursor()));
            }
            let rows = tokio::select! {
                rows = self.tail.next() => rows?,
                _ = self.stop.wait_for(|stopped| *stopped) => return None,
                () = tokio::time::sleep_until(self.beat) => {
                    self.beat = Instant::now() + HEARTBEAT;
                    // The id moves on where the filter lets nothing pass: coming again does not read all that anew.
                    // A page cannot see comments, and has to notice a connection that died without a word.
                    let at = self.tail.cursor();
                    return Some(format!(": alive\nid: {at}\nevent: alive\ndata: {{}}\n\n"));
                }
            };
            match rows {
                Ok(rows) if rows.is_empty() => {}
                Ok(rows) => {
                    self.beat = Instant::now() + HEARTBEAT;
                    return Some(rows.iter().map(event).collect());
                }
                Err(fault) => {
                    tracing::error!(%fault, "a live stream cannot read the store; its client reconnects");
                    return None;
                }
            }
        }
    }
}

/// JSON has no line break of its own, so one data line is enough.
fn event(row: &DeliveryRow) -> String {
    let data = serde_json::to_string(&RowObject::from(row)).unwrap_or_default();
    format!("id: {}\nevent: delivery\ndata: {data}\n\n", row.seq)
}

fn reset(cursor: i64) -> String {
    format!("id: {cursor}\nevent: reset\ndata: {{}}\n\n")
}
