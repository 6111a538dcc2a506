//! Requests to the receiver without a delivery: probes, other methods, other paths, and those over a rate. Each is
//! counted. Possible mistakes of a sender are kept, with advice on how to fix them.

use std::net::IpAddr;

use actix_web::http::header::{ACCEPT, ALLOW, HeaderName, HeaderValue};
use actix_web::http::{Method, StatusCode};
use actix_web::{HttpRequest, HttpResponse};

use super::missing_handshake::line_to_add;
use super::reach::Seen;
use super::sender_marks::{Mark, is_of_a_sender};
use super::state::ReceiverState;
use super::{client_ip, respond};
use crate::domain::ClientAddress;
use crate::http::connection::other_end::OtherEnd;
use crate::http::connection::{route, wire_head};
use crate::telemetry::{NotKept, PortName, Refused};

/// The most sources named in a sentence.
const MOST_NAMED: usize = 5;

/// The client, method and target of a rejected request.
pub struct Sender<'a> {
    /// The client.
    pub client: IpAddr,
    /// The method.
    pub method: &'a str,
    /// Path and query.
    pub target: &'a str,
}

impl ReceiverState {
    /// Probes and handshakes on a webhook route: answered and counted, never an event. A request that was meant to be
    /// a POST is rejected, so that it does not count as delivered.
    pub(super) fn not_an_event(&self, request: &HttpRequest, source: &str) -> HttpResponse {
        let rules = self.rules.load();
        self.reach.saw(request.headers(), || {
            let found = self.client_of(request);
            let is_forwarded =
                ["x-forwarded-for", "forwarded"].iter().any(|name| request.headers().contains_key(*name));
            Seen { client: found.ip, peer: found.peer, explanation: found.explanation, is_forwarded }
        });
        let mark = match *request.method() {
            Method::GET => Mark::of(request.head(), rules.receiver.sources()),
            _ => None,
        };
        let answer = match (rules.receiver.source(source), request.method(), &mark) {
            (None, ..) => not_found(request),
            (_, &Method::GET, Some(_)) => respond::method_not_allowed(respond::METHODS_OF_SENDERS),
            (_, &Method::GET, None) if is_read_by_a_person(request) => {
                respond::page_for_people(StatusCode::OK)
            }
            (_, &Method::GET | &Method::HEAD, _) => {
                HttpResponse::Ok().json(serde_json::json!({"status": "ok", "send": "POST"}))
            }
            (_, &Method::OPTIONS, _) => handshake(request),
            _ => respond::method_not_allowed(respond::ALLOWED_METHODS),
        };
        let line = line_to_add(request.head(), source).filter(|_| answer.status() != StatusCode::NOT_FOUND);
        let is_refused = answer.status() == StatusCode::METHOD_NOT_ALLOWED;
        if let Some(line) = line {
            self.refused(request, NotKept::Method, answer.status(), line, true);
        } else if mark.is_some() || is_refused || is_of_a_sender(&request.head().headers) {
            let detail = match (rules.receiver.source(source), mark) {
                (None, _) => format!("There is no source of this name. {}", self.routes()),
                (_, Some(mark)) => mark.detail(),
                _ if request.method().as_str().eq_ignore_ascii_case("POST") => {
                    "The name of a method is case-sensitive; write POST in capitals.".to_owned()
                }
                _ => "Only POST delivers an event; set the sender's method to POST.".to_owned(),
            };
            self.refused(request, NotKept::Method, answer.status(), detail, true);
        } else {
            self.metrics.not_kept(NotKept::Method);
        }
        answer
    }

    /// A path without a route.
    pub(super) fn nowhere(&self, request: &HttpRequest) -> HttpResponse {
        let rules = self.rules.load();
        let sources = rules.receiver.sources().iter().map(|source| source.name.as_str());
        let meant = route::meant(request.path(), sources);
        let detail = match &meant {
            Some(route) => format!("The route is {route}."),
            None => self.routes(),
        };
        let is_likely = meant.is_some() || is_of_a_sender(&request.head().headers);
        self.refused(request, NotKept::Path, StatusCode::NOT_FOUND, detail, is_likely);
        not_found(request)
    }

    /// The routes that accept events, as text.
    fn routes(&self) -> String {
        let rules = self.rules.load();
        let mut routes = rules.receiver.sources().iter().map(|source| format!("/webhook/{}", source.name));
        let named: Vec<String> = routes.by_ref().take(MOST_NAMED).collect();
        let others = if routes.next().is_some() { ", …" } else { "" };
        format!("The routes are {}{others} and /webhook-test.", named.join(", "))
    }

    fn client_of(&self, request: &HttpRequest) -> ClientAddress {
        let headers = wire_head::from_map(request.headers());
        let end = OtherEnd::of_request(request);
        client_ip::locate(end, &self.rules.load().trusted_proxies, &headers)
    }

    fn refused(
        &self,
        request: &HttpRequest,
        cause: NotKept,
        status: StatusCode,
        detail: String,
        is_likely: bool,
    ) {
        let target = request.uri().path_and_query().map_or("/", |target| target.as_str());
        let client = self.client_of(request).ip;
        let sender = Sender { client, method: request.method().as_str(), target };
        self.keep_refused(&sender, cause, status.as_u16(), detail, is_likely);
    }

    /// Responds with 429 to a request over the rate `option`.
    pub(super) fn over_rate(
        &self,
        sender: &Sender<'_>,
        cause: NotKept,
        option: &str,
        retry_after_s: u64,
    ) -> HttpResponse {
        let detail =
            format!("The client sent more than [receiver] {option} allows. Raise it if the sender is yours.");
        self.keep_refused(sender, cause, StatusCode::TOO_MANY_REQUESTS.as_u16(), detail, true);
        respond::too_many(retry_after_s)
    }

    fn keep_refused(
        &self,
        sender: &Sender<'_>,
        cause: NotKept,
        status: u16,
        detail: String,
        is_likely: bool,
    ) {
        let refused = Refused {
            port: PortName::Receiver,
            cause,
            status,
            client: Some(sender.client),
            method: sender.method.to_owned(),
            target: sender.target.to_owned(),
            detail,
            is_likely,
        };
        self.metrics.refused(refused, self.clock.wall());
    }
}

/// 404; as a page if a browser asks for one.
fn not_found(request: &HttpRequest) -> HttpResponse {
    if request.method() == Method::GET && is_read_by_a_person(request) {
        return respond::page_for_people(StatusCode::NOT_FOUND);
    }
    respond::error_line(StatusCode::NOT_FOUND, "Not found")
}

/// Whether a browser will display the response.
pub fn is_read_by_a_person(request: &HttpRequest) -> bool {
    let accepted = request.headers().get(ACCEPT).and_then(|accepted| accepted.to_str().ok());
    accepted.is_some_and(|accepted| accepted.contains("text/html"))
}

/// `OPTIONS`: the methods, and the CloudEvents webhook handshake if requested (its HTTP WebHook spec, 4).
fn handshake(request: &HttpRequest) -> HttpResponse {
    let mut answer = HttpResponse::NoContent();
    answer.insert_header((ALLOW, respond::ALLOWED_METHODS));
    if let Some(origin) = request.headers().get("webhook-request-origin") {
        answer.insert_header((HeaderName::from_static("webhook-allowed-origin"), origin.clone()));
        answer
            .insert_header((HeaderName::from_static("webhook-allowed-rate"), HeaderValue::from_static("*")));
    }
    answer.finish()
}
