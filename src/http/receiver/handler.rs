//! The receiver's routes: reads a request, has it checked and stored, and responds. It decides nothing itself.

use std::sync::Arc;
use std::time::{Duration, Instant};

use actix_web::dev::RequestHead;
use actix_web::http::header::{CONTENT_LENGTH, TRANSFER_ENCODING};
use actix_web::http::{ConnectionType, Method, StatusCode, Version};
use actix_web::{HttpRequest, HttpResponse, web};
use tracing::{Instrument as _, Span};

use super::body::{self, BodyLength, ReadBody};
use super::handshake::without_body;
use super::no_delivery::Sender;
use super::state::{ReceiverState, Rules};
use super::test_route::{self, Wish};
use super::to_the_end::ToTheEnd;
use super::{replayed, respond};
use crate::domain::{Arrival, BodyEnd, DeliveryId, Handshake, Reason, Source, Transfer};
use crate::http::connection::wire_head::{self, WireTape};
use crate::http::connection::{caller::Caller, other_end::OtherEnd, readiness, route::Route, unread};
use crate::receive::handshake::Question;
use crate::send::PROBE_HEADER;
use crate::telemetry::{NotKept, traces};

/// From this size on, a body is checked outside the event loop, so that no other request waits for it.
const LARGE_BODY: usize = 128 * 1024;
/// The same for a body with a content coding: it can be a thousand times as long as it was sent.
const LARGE_CODED_BODY: usize = 4 * 1024;

/// How long to wait for a body after a POST without a length.
const BARE_BODY: Duration = Duration::from_millis(50);

/// A request's head, with the state of its connection.
pub struct WireRequest<'a> {
    /// The head as the server read it.
    pub head: &'a RequestHead,
    /// The tape of the connection.
    pub tape: Option<&'a WireTape>,
    /// The client of the connection.
    pub caller: Option<&'a Caller>,
    /// Who sent it, as far as the connection itself shows.
    pub end: OtherEnd,
}

impl WireRequest<'_> {
    fn arrival(&self, state: &ReceiverState, rules: &Rules) -> Arrival {
        let now = state.clock.both();
        let received_at = now.wall;
        let target = self.head.uri.path_and_query().map_or("/", |target| target.as_str());
        let method = self.head.method.as_str();
        let headers = self
            .tape
            .and_then(|tape| tape.take_head(method, target, &self.head.headers))
            .unwrap_or_else(|| wire_head::from_map(&self.head.headers));
        Arrival {
            id: DeliveryId::new_at(now.due),
            received_at,
            method: method.to_owned(),
            target: target.to_owned(),
            http_version: if self.head.version == Version::HTTP_10 { "HTTP/1.0" } else { "HTTP/1.1" },
            client: replayed::client(self.end, state, rules, &headers),
            connection: self.caller.map(Caller::delivery).unwrap_or_default(),
            headers,
            body: bytes::Bytes::new(),
            body_end: BodyEnd::Complete,
            transfer: Transfer { declared: BodyLength::of(self.head).declared, ..Transfer::default() },
        }
    }
}

/// Handles every request to the receiver's port.
pub fn handle(
    request: HttpRequest,
    payload: web::Payload,
    state: web::Data<ReceiverState>,
) -> impl Future<Output = HttpResponse> + 'static {
    let route = Route::of(request.path());
    let is_delivery = match route {
        Route::Webhook(_) => *request.method() == Method::POST,
        Route::Test => true,
        Route::Healthz | Route::Readyz | Route::Nothing => false,
    };
    let traffic = state.door.traffic.clone();
    let token = traffic.request();
    let span = if is_delivery {
        traces::delivery_span(|| wire_head::from_map(request.headers()))
    } else {
        Span::none()
    };
    let answer = answer(request, payload, state, route, Instant::now()).instrument(span.clone());
    // A client that disconnects ends its connection, not the storing of its delivery.
    let answer = ToTheEnd::new(async move {
        let answer = answer.await;
        traces::answered(&span, answer.status().as_u16());
        drop(token);
        answer
    });
    async move {
        let mut answer = answer.await.unwrap_or_else(respond::cannot_keep);
        respond::never_cached(&mut answer);
        if traffic.is_ending() {
            answer.head_mut().set_connection_type(ConnectionType::Close);
        }
        answer
    }
}

async fn answer(
    request: HttpRequest,
    mut payload: web::Payload,
    state: web::Data<ReceiverState>,
    route: Route,
    started: Instant,
) -> HttpResponse {
    let answer = match route {
        Route::Webhook(source) if *request.method() == Method::POST => {
            webhook(&request, &mut payload, &state, &source, started).await
        }
        Route::Webhook(source) if state.is_question(&request, &source) => {
            webhook(&request, &mut payload, &state, &source, started).await
        }
        Route::Webhook(source) => state.not_an_event(&request, &source),
        Route::Test if test_route::is_preflight(&request) => test_route::preflight(&request),
        Route::Test if state.is_own_probe(&request) => Box::pin(probed(&request, &state)).await,
        Route::Test => {
            test_route::for_any_page(Box::pin(test(&request, &mut payload, &state, started)).await)
        }
        Route::Healthz | Route::Readyz if !matches!(*request.method(), Method::GET | Method::HEAD) => {
            respond::method_not_allowed("GET, HEAD")
        }
        Route::Healthz => readiness::running(),
        Route::Readyz => Box::pin(state.readiness.answer()).await,
        Route::Nothing => state.nowhere(&request),
    };
    unread::answer(&request, answer, payload)
}

async fn webhook(
    request: &HttpRequest,
    payload: &mut web::Payload,
    state: &ReceiverState,
    source: &str,
    started: Instant,
) -> HttpResponse {
    let rules = state.rules.load_full();
    let mut arrival = wire(request).arrival(state, &rules);
    let Some(read) = read_body(request, payload, state, &rules, &mut arrival).await else {
        return respond::cannot_keep();
    };
    let now = state.clock.wall();
    let large = if arrival.headers.get("content-encoding").is_some() { LARGE_CODED_BODY } else { LARGE_BODY };
    let judged = if arrival.body.len() >= large {
        let (source, rules) = (source.to_owned(), Arc::clone(&rules));
        let judging = Box::pin(async move {
            let _turn = state.large_bodies.acquire().await;
            web::block(move || rules.receiver.judge(&source, arrival, now, started)).await
        });
        match judging.await {
            Ok(judged) => judged,
            Err(_) => return respond::cannot_keep(),
        }
    } else {
        rules.receiver.judge(source, arrival, now, started)
    };
    drop(read);
    let is_mute = rules.receiver.source(source).is_some_and(has_no_answer_body);
    let answer = match judged.reply {
        Some(reply) => Box::pin(state.shake_hands(&rules, judged.entry, reply, request.conn_data())).await,
        None => state.keep_and_answer(&rules, judged.entry, &judged.faults, request.conn_data()).await,
    };
    if is_mute { without_body(answer) } else { answer }
}

/// Xero treats a response with a body as a failure (Xero, "Configuring your server").
fn has_no_answer_body(source: &Source) -> bool {
    source.handshake.as_ref().is_some_and(|rule| rule.kind == Handshake::Xero)
}

async fn test(
    request: &HttpRequest,
    payload: &mut web::Payload,
    state: &ReceiverState,
    started: Instant,
) -> HttpResponse {
    let rules = state.rules.load_full();
    let mut arrival = wire(request).arrival(state, &rules);
    if !rules.capture_rate.allows(arrival.client.ip) {
        let sender = Sender { client: arrival.client.ip, method: &arrival.method, target: &arrival.target };
        let retry = rules.capture_rate.retry_after_s();
        return state.over_rate(&sender, NotKept::CaptureRate, "capture_rate", retry);
    }
    let Some(read) = read_body(request, payload, state, &rules, &mut arrival).await else {
        return respond::cannot_keep();
    };
    let (id, received_at) = (arrival.id, arrival.received_at);
    let refusal = match arrival.body_end {
        BodyEnd::Complete => None,
        BodyEnd::CutAtCap => Some(Reason::TooLarge),
        BodyEnd::TimedOut => Some(Reason::TooSlow),
        BodyEnd::Broken => Some(Reason::Incomplete),
    };
    if let Some(reason) = refusal {
        let entry = rules.receiver.refuse_capture(arrival, reason, started);
        return state.keep_and_answer(&rules, entry, &[], request.conn_data()).await;
    }
    let wish = Wish::read(request.query_string());
    let status = wish.as_ref().map_or(400, |wish| wish.status(rand::random()));
    let entry = rules.receiver.capture(arrival, status, started);
    drop(read);
    if let Err(answer) = state.keep(entry, request.conn_data()).await {
        return answer;
    }
    match wish {
        Ok(wish) => {
            // When the program stops, waiting requests get their response at once.
            let _ = tokio::time::timeout(wish.delay, state.door.traffic.ending()).await;
            test_route::received(status, received_at, id)
        }
        Err(fault) => respond::error_line(StatusCode::BAD_REQUEST, &fault),
    }
}

/// Answers our own look at this endpoint as a capture would be answered. Nothing is captured.
async fn probed(request: &HttpRequest, state: &ReceiverState) -> HttpResponse {
    let wish = Wish::read(request.query_string());
    let delay = wish.as_ref().map_or(Duration::ZERO, |wish| wish.delay);
    let _ = tokio::time::timeout(delay, state.door.traffic.ending()).await;
    test_route::probed(wish.map_or(400, |wish| wish.status(rand::random())))
}

fn wire(request: &HttpRequest) -> WireRequest<'_> {
    let (tape, caller) = (request.conn_data(), request.conn_data());
    WireRequest { head: request.head(), tape, caller, end: OtherEnd::of_request(request) }
}

/// Reads the body into `arrival`; `None` if there is no memory for it.
async fn read_body(
    request: &HttpRequest,
    payload: &mut web::Payload,
    state: &ReceiverState,
    rules: &Rules,
    arrival: &mut Arrival,
) -> Option<ReadBody> {
    match body::read(payload, BodyLength::of(request.head()), rules.body, &state.budget, &state.door.traffic)
        .await
    {
        Ok(read) => {
            arrival.body = read.bytes.clone();
            arrival.body_end = read.end;
            arrival.transfer.quiet_for = read.quiet_for;
            arrival.transfer.surplus = surplus(request, &read, rules.body.max_body).await;
            Some(read)
        }
        Err(_) => {
            tracing::warn!("too many bodies at once (max_buffered): answered 503");
            state.metrics.not_kept(NotKept::Overloaded);
            None
        }
    }
}

/// Bytes after a body on its connection that are not another request. A body without a length arrives shortly after
/// its head, since most clients send it separately.
async fn surplus(request: &HttpRequest, read: &ReadBody, max_body: usize) -> bytes::Bytes {
    let Some(tape) = request.conn_data::<WireTape>() else { return bytes::Bytes::new() };
    let head = request.head();
    if read.end != BodyEnd::Complete
        || head.headers.contains_key(TRANSFER_ENCODING)
        || read.bytes.len() > max_body
    {
        return bytes::Bytes::new();
    }
    let is_bare = head.method == Method::POST && !head.headers.contains_key(CONTENT_LENGTH);
    if is_bare && !tape.has_more(0) {
        tokio::time::sleep(BARE_BODY).await;
    }
    tape.take_body(&read.bytes)
}

impl ReceiverState {
    /// Whether a request is our own look at an endpoint. It is answered and not captured.
    fn is_own_probe(&self, request: &HttpRequest) -> bool {
        let mark = request.headers().get(PROBE_HEADER).and_then(|mark| mark.to_str().ok());
        let target = request.uri().path_and_query().map_or("/", |target| target.as_str());
        *request.method() == Method::HEAD && mark.is_some_and(|mark| self.probes.take(mark, target))
    }

    /// Whether a request other than POST is a platform's question.
    fn is_question(&self, request: &HttpRequest, source: &str) -> bool {
        if *request.method() != Method::GET {
            return false;
        }
        let headers = wire_head::from_map(request.headers());
        let target = request.uri().path_and_query().map_or("/", |target| target.as_str());
        let question = Question { method: "GET", target, headers: &headers, body: b"" };
        self.rules.load().receiver.is_question(source, &question)
    }

    /// Responds to `Expect: 100-continue` if the `Content-Length` is too large: the request is rejected and stored
    /// without its body. `None`: the client may continue.
    pub async fn refuse_unsent(&self, wire: WireRequest<'_>) -> Option<HttpResponse> {
        let started = Instant::now();
        let Route::Webhook(source) = Route::of(wire.head.uri.path()) else { return None };
        let rules = self.rules.load_full();
        let declared = BodyLength::of(wire.head).declared?;
        let cap = u64::try_from(rules.body.max_body).unwrap_or(u64::MAX);
        if declared <= cap || wire.head.method != Method::POST {
            return None;
        }
        let mut arrival = wire.arrival(self, &rules);
        arrival.body_end = BodyEnd::CutAtCap;
        let span = traces::delivery_span(|| wire_head::from_map(&wire.head.headers));
        let judged = rules.receiver.judge(&source, arrival, self.clock.wall(), started);
        let kept = self.keep_and_answer(&rules, judged.entry, &judged.faults, wire.caller);
        let answer = kept.instrument(span.clone()).await;
        traces::answered(&span, answer.status().as_u16());
        Some(answer)
    }
}

/// The most large bodies checked at once.
pub const LARGE_AT_ONCE: usize = 2;
