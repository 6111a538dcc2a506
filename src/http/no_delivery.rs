//! Requests to the receiver that lead to no delivery: probes, other methods, other paths, and those over a rate. Each is
//! counted; those that may be a sender's slip are kept with what would mend them.

use std::net::{IpAddr, Ipv4Addr};

use actix_web::dev::RequestHead;
use actix_web::http::header::{ALLOW, CONTENT_TYPE, HeaderMap, HeaderName, HeaderValue};
use actix_web::http::{Method, StatusCode};
use actix_web::{HttpRequest, HttpResponse};

use super::receiver_state::{ReceiverState, Rules};
use super::refused_head::SIGNATURES;
use super::{client_ip, respond, route, wire_head};
use crate::telemetry::{NotKept, PortName, Refused};

/// Who sent what to where, as far as a refusal is told of it.
pub struct Sender<'a> {
    /// The client.
    pub client: IpAddr,
    /// The method.
    pub method: &'a str,
    /// Path and query.
    pub target: &'a str,
}

impl ReceiverState {
    /// Probes and handshakes on a webhook route: answered and counted, never an event.
    pub(super) fn not_an_event(&self, request: &HttpRequest, source: &str) -> HttpResponse {
        let answer = if self.rules.load().receiver.source(source).is_none() {
            respond::error_line(StatusCode::NOT_FOUND, "Not found")
        } else {
            match *request.method() {
                Method::GET | Method::HEAD => {
                    HttpResponse::Ok().json(serde_json::json!({"status": "ok", "send": "POST"}))
                }
                Method::OPTIONS => handshake(request),
                _ => respond::method_not_allowed(respond::ALLOWED_METHODS),
            }
        };
        if has_mark(request.head()) || answer.status() == StatusCode::METHOD_NOT_ALLOWED {
            let detail = "Only POST delivers an event; set the sender's method to POST.";
            self.refused(request, NotKept::Method, answer.status(), detail.to_owned(), true);
        } else {
            self.metrics.not_kept(NotKept::Method);
        }
        answer
    }

    /// A path that is not a route.
    pub(super) fn nowhere(&self, request: &HttpRequest) -> HttpResponse {
        let rules = self.rules.load();
        let sources = rules.receiver.sources().iter().map(|source| source.name.as_str());
        let meant = route::meant(request.path(), sources.clone());
        let first = sources.clone().next().unwrap_or_default();
        let detail = match &meant {
            Some(route) => format!("The route is {route}."),
            None => format!("The routes are /webhook/{first} and /webhook-test."),
        };
        let is_likely = meant.is_some() || has_mark(request.head());
        self.refused(request, NotKept::Path, StatusCode::NOT_FOUND, detail, is_likely);
        respond::error_line(StatusCode::NOT_FOUND, "Not found")
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
        let client = client(request.head(), &self.rules.load());
        let sender = Sender { client, method: request.method().as_str(), target };
        self.keep_refused(&sender, cause, status.as_u16(), detail, is_likely);
    }

    /// Answers 429 to one that is over the rate `option`.
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

fn client(head: &RequestHead, rules: &Rules) -> IpAddr {
    let peer = head.peer_addr.map_or(IpAddr::V4(Ipv4Addr::UNSPECIFIED), |peer| peer.ip());
    client_ip::locate(peer, &rules.trusted_proxies, &wire_head::from_map(&head.headers)).ip
}

/// Whether a request looks like an event: it is signed, or its body is JSON.
fn has_mark(head: &RequestHead) -> bool {
    let is_signed = SIGNATURES.iter().any(|name| head.headers.contains_key(*name));
    is_signed || is_json(&head.headers)
}

fn is_json(headers: &HeaderMap) -> bool {
    let media_type = headers.get(CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let media_type = media_type.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
    media_type == "application/json" || media_type.ends_with("+json")
}

/// `OPTIONS`: the methods, and the CloudEvents webhook handshake where it is asked for (its HTTP WebHook spec, 4).
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
