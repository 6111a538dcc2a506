//! Signs of a sender in a request: they distinguish a GET that should have been a POST from a probe.

use actix_web::dev::RequestHead;
use actix_web::http::header::{
    AUTHORIZATION, CONTENT_LENGTH, CONTENT_TYPE, HeaderMap, REFERER, TRANSFER_ENCODING,
};

use crate::domain::{Credential, SIGNATURE_HEADERS, Source};
use crate::http::connection::route::Route;

/// Further headers that only senders of events set.
const OF_SENDERS: [&str; 8] = [
    "tagoio-retries",
    "webhook-id",
    "svix-id",
    "x-github-event",
    "x-github-delivery",
    "x-tagorun-event-id",
    "ce-id",
    "ce-type",
];

/// The sign that a GET carries an event.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Mark {
    /// The remains of a POST: its headers, without its body.
    Redirected(String),
    /// Data.
    Data(String),
}

impl Mark {
    /// The sign in a request, if there is one. `sources` define which other headers carry a credential.
    pub fn of(head: &RequestHead, sources: &[Source]) -> Option<Self> {
        let headers = &head.headers;
        let is_typed = || headers.contains_key(CONTENT_TYPE).then(|| "Content-Type".to_owned());
        let is_referred = || referer_of_a_hook(headers).then(|| "the Referer of a webhook".to_owned());
        if let Some(name) = sender_header(headers) {
            return Some(Self::Redirected(name));
        }
        // Some clients that follow a redirect keep the length of the body that they no longer send.
        if has_body(headers) {
            return Some(Self::Data("a body".to_owned()));
        }
        credential_header(headers, sources)
            .or_else(is_typed)
            .or_else(is_referred)
            .map(Self::Redirected)
            .or_else(|| data_in_query(head.uri.query().unwrap_or_default()).map(Self::Data))
    }

    /// What it is, and how to fix it.
    pub fn detail(&self) -> String {
        match self {
            Self::Redirected(what) => format!(
                "A redirect turned a POST into this GET, and the data is lost: {what} is still there. Enter the final URL \
                 in the sender, usually https:// instead of http://."
            ),
            Self::Data(what) => format!(
                "This GET carries {what}, but only POST delivers an event. Set the sender's method to POST; if it is POST, \
                 a redirect changed it: enter the final URL."
            ),
        }
    }
}

/// Whether a request looks like an event: it has a sender's header, or a JSON body.
pub fn is_of_a_sender(headers: &HeaderMap) -> bool {
    sender_header(headers).is_some() || is_json(headers)
}

fn sender_header(headers: &HeaderMap) -> Option<String> {
    let known = OF_SENDERS.iter().chain(&SIGNATURE_HEADERS);
    known.into_iter().find(|name| headers.contains_key(**name)).map(|name| shown_name(name))
}

/// `tagoio-retries` in its usual spelling.
fn shown_name(name: &str) -> String {
    match name {
        "tagoio-retries" => "TagoIO-Retries".to_owned(),
        "x-github-event" | "x-github-delivery" | "x-hub-signature" | "x-hub-signature-256" => {
            "a header of GitHub".to_owned()
        }
        "x-tagorun-signature" => "X-TagoRUN-Signature".to_owned(),
        "stripe-signature" => "Stripe-Signature".to_owned(),
        other => other.to_owned(),
    }
}

fn credential_header(headers: &HeaderMap, sources: &[Source]) -> Option<String> {
    if headers.contains_key(AUTHORIZATION) {
        return Some("Authorization".to_owned());
    }
    let of = |credential: &Credential| match credential {
        Credential::ApiKey { header, .. } => Some(header.clone()),
        Credential::Bearer(_) | Credential::Basic { .. } => None,
    };
    let mut known = sources.iter().flat_map(|source| &source.credentials).filter_map(of);
    known.find(|name| headers.contains_key(name.as_str()))
}

/// Whether a body is declared. Some probes send a length of zero.
fn has_body(headers: &HeaderMap) -> bool {
    let length = headers.get(CONTENT_LENGTH).and_then(|value| value.to_str().ok()).unwrap_or_default();
    headers.contains_key(TRANSFER_ENCODING) || length.bytes().any(|digit| digit != b'0')
}

fn referer_of_a_hook(headers: &HeaderMap) -> bool {
    let referer = headers.get(REFERER).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let rest = referer.split_once("://").map_or(referer, |(_, rest)| rest);
    let path = rest.find('/').and_then(|at| rest.get(at..)).unwrap_or_default();
    let path = path.split(['?', '#']).next().unwrap_or_default();
    matches!(Route::of(path), Route::Webhook(_))
}

/// The first parameter with content. Names that start with an underscore only prevent caching.
fn data_in_query(query: &str) -> Option<String> {
    let mut parameters = form_urlencoded::parse(query.as_bytes());
    let (name, _) = parameters.find(|(name, value)| !name.starts_with('_') && !value.is_empty())?;
    let name: String = name.chars().filter(|letter| !letter.is_control()).take(40).collect();
    Some(format!("the query parameter {name}"))
}

fn is_json(headers: &HeaderMap) -> bool {
    let media_type = headers.get(CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let media_type = media_type.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
    media_type == "application/json" || media_type.ends_with("+json")
}

#[cfg(test)]
mod tests {
    use super::*;
    use actix_web::test::TestRequest;

    fn mark(target: &str, lines: &[(&str, &str)]) -> Option<Mark> {
        let request =
            lines.iter().fold(TestRequest::get().uri(target), |request, line| request.insert_header(*line));
        Mark::of(request.to_http_request().head(), &[])
    }

    #[test]
    fn what_is_left_of_a_post_is_told_from_a_probe() {
        for line in [
            ("TagoIO-Retries", "1"),
            ("X-TagoRUN-Signature", "00"),
            ("webhook-id", "a"),
            ("Authorization", "Bearer x"),
            ("Content-Type", "application/octet-stream"),
            ("Referer", "http://hooks.example.com/webhook/none?a=1"),
        ] {
            assert!(matches!(mark("/webhook/none", &[line]), Some(Mark::Redirected(_))), "{line:?}");
        }
        for line in [("Content-Length", "40"), ("Transfer-Encoding", "chunked")] {
            assert!(matches!(mark("/webhook/none", &[line]), Some(Mark::Data(_))), "{line:?}");
        }
        assert_eq!(
            mark("/webhook/none?temp=21.5", &[]),
            Some(Mark::Data("the query parameter temp".to_owned()))
        );
        for (target, line) in [
            ("/webhook/none", ("User-Agent", "kube-probe/1.30")),
            ("/webhook/none", ("Content-Length", "0")),
            ("/webhook/none", ("Referer", "https://example.com/")),
            ("/webhook/none?_=1773040498", ("Accept", "*/*")),
            ("/webhook/none?probe", ("Cookie", "a=b")),
        ] {
            assert_eq!(mark(target, &[line]), None, "{target} {line:?}");
        }
    }
}
