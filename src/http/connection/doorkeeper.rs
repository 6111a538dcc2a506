//! Responds to requests that the server of a port rejects on its own, and records them.

use std::collections::BTreeSet;
use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use memchr::memmem;
use parking_lot::Mutex;
use serde_json::json;

use super::refused_head::{self, RefusedHead};
use super::route;
use super::traffic::Traffic;
use super::wire_head::WireTape;
use crate::domain::Clock;
use crate::payload::Sources;
use crate::telemetry::{Metrics, NotKept, PortName, Refused};

/// The message about bytes after a request that are not a request.
const LEFT_OVER: &str = "These bytes follow a request and are not another one. The Content-Length before them is too small or missing.";
/// Protocols already logged, of three possible ones.
static TOLD: Mutex<BTreeSet<String>> = Mutex::new(BTreeSet::new());

/// The doorkeeper of a port.
#[derive(Clone)]
pub struct Doorkeeper {
    /// The port.
    pub port: PortName,
    /// The time limit for the head of a request.
    pub head_timeout: Duration,
    /// The requests and connections of the port.
    pub traffic: Traffic,
    /// Where rejections are counted and kept.
    pub metrics: Arc<Metrics>,
    /// The clock.
    pub clock: Arc<dyn Clock>,
    /// The sources.
    pub sources: Sources,
}

impl Doorkeeper {
    /// Checks whether `bytes`, which are about to be written, end with a response of the server itself. Returns the
    /// bytes before that response, and its status.
    pub fn empty_refusal<'b>(&self, bytes: &'b [u8]) -> Option<(&'b [u8], u16)> {
        if !bytes.ends_with(b"\r\n\r\n") {
            return None;
        }
        let at = match self.port {
            // The receiver's responses are JSON without line breaks, so none looks like a response head.
            PortName::Receiver => memmem::rfind(bytes, b"HTTP/1.")?,
            // A page may contain anything, but the server writes its own responses separately.
            PortName::Inspector => 0,
        };
        let (before, head) = bytes.split_at_checked(at)?;
        let status = match head.get(..12)? {
            b"HTTP/1.1 400" | b"HTTP/1.0 400" => 400,
            b"HTTP/1.1 408" | b"HTTP/1.0 408" => 408,
            b"HTTP/1.1 431" | b"HTTP/1.0 431" => 431,
            _ => return None,
        };
        let is_empty = memmem::find(head, b"\r\ncontent-length: 0\r\n").is_some();
        let is_alone = memmem::find(head, b"\r\n\r\n") == head.len().checked_sub(4);
        (is_empty && is_alone).then_some((before, status))
    }

    /// Records the rejection of the request at the end of `tape`; returns the response. `cause` is set if the head is
    /// not at fault.
    pub fn turn_away(
        &self,
        tape: &WireTape,
        peer: Option<IpAddr>,
        status: u16,
        cause: Option<NotKept>,
    ) -> Vec<u8> {
        let mut head = tape.unanswered(refused_head::read);
        match (cause, status) {
            (Some(cause), _) => (head.cause, head.detail) = (cause, detail(cause)),
            (None, 408) => (head.cause, head.detail) = (NotKept::SlowHead, self.slow()),
            (None, 431) => head.cause = NotKept::HeadTooLarge,
            (None, _) if head.cause == NotKept::BadRequestLine && tape.had_request() => {
                LEFT_OVER.clone_into(&mut head.detail);
            }
            (None, _) => {}
        }
        let answer = self.answer(status, &head.detail);
        self.keep(head, peer, status);
        answer
    }

    /// Records a connection that ended before its TLS handshake was over.
    pub fn no_handshake(&self, client: Option<IpAddr>, why: String) {
        tracing::debug!(port = self.port.as_str(), ?client, why, "no TLS handshake");
        let refused = Refused {
            port: self.port,
            cause: NotKept::TlsHandshake,
            status: 0,
            client,
            method: String::new(),
            target: String::new(),
            detail: format!("The TLS handshake failed: {why}."),
            is_likely: false,
        };
        self.metrics.refused(refused, self.clock.wall());
    }

    fn slow(&self) -> String {
        let seconds = self.head_timeout.as_secs_f64();
        let option = if self.port == PortName::Receiver {
            " For a slow line raise [receiver] head_timeout."
        } else {
            ""
        };
        format!("The head of the request did not arrive within {seconds} s.{option}")
    }

    fn keep(&self, head: RefusedHead, client: Option<IpAddr>, status: u16) {
        let RefusedHead { cause, method, target, detail, has_mark } = head;
        tracing::debug!(
            port = self.port.as_str(),
            cause = cause.as_str(),
            ?client,
            status,
            "not a request that is read"
        );
        if cause == NotKept::NotHttp && TOLD.lock().insert(detail.clone()) {
            tracing::warn!(
                port = self.port.as_str(),
                ?client,
                "not HTTP: {detail} Logged once; later ones are only counted."
            );
        }
        let is_near = || {
            let sources = self.sources.all();
            let path = target.split('?').next().unwrap_or_default();
            route::meant(path, sources.iter().map(|source| source.name.as_str())).is_some()
        };
        let is_likely = self.port == PortName::Receiver && (has_mark || is_near());
        let refused = Refused { port: self.port, cause, status, client, method, target, detail, is_likely };
        self.metrics.refused(refused, self.clock.wall());
    }

    fn answer(&self, status: u16, detail: &str) -> Vec<u8> {
        let title = match status {
            408 => "Request Timeout",
            431 => "Request Header Fields Too Large",
            500 => "Internal Server Error",
            503 => "Service Unavailable",
            _ => "Bad Request",
        };
        let (media_type, body) = match self.port {
            PortName::Receiver => {
                ("application/json", json!({"error": title, "details": [{"path": "", "message": detail}]}))
            }
            PortName::Inspector => (
                "application/problem+json",
                json!({"title": title, "status": status, "detail": detail, "errors": []}),
            ),
        };
        let body = body.to_string();
        let length = body.len();
        let retry = if status == 503 { "retry-after: 2\r\n" } else { "" };
        format!(
            "HTTP/1.1 {status} {title}\r\ncontent-type: {media_type}\r\ncontent-length: {length}\r\ncache-control: no-store\r\n{retry}connection: close\r\n\r\n{body}"
        )
        .into_bytes()
    }
}

/// The message if the head is not at fault, or was not checked.
fn detail(cause: NotKept) -> String {
    let text = match cause {
        NotKept::BadChunk => "The chunks of the body are malformed.",
        NotKept::HeadTooLarge => "A header name has more than 64 KiB.",
        NotKept::TlsHandshake => "This port speaks HTTPS. Use https:// in the URL.",
        NotKept::Stopping => "The server is stopping; send it again.",
        _ => "The request could not be processed.",
    };
    text.to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::{ManualClock, Timestamp};

    fn door(port: PortName) -> Doorkeeper {
        Doorkeeper {
            port,
            head_timeout: Duration::from_secs(10),
            traffic: Traffic::default(),
            metrics: Arc::default(),
            clock: Arc::new(ManualClock::at(Timestamp::from_secs(0))),
            sources: Sources::new(Vec::new(), 0),
        }
    }

    #[test]
    fn only_an_answer_that_the_server_made_by_itself_is_replaced() {
        let (receiver, inspector) = (door(PortName::Receiver), door(PortName::Inspector));
        let own = b"HTTP/1.1 400 Bad Request\r\ncontent-length: 0\r\nconnection: close\r\ndate: x\r\n\r\n";
        assert_eq!(receiver.empty_refusal(own), Some((&b""[..], 400)));
        assert_eq!(inspector.empty_refusal(own), Some((&b""[..], 400)));
        let first = b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\n{}";
        let both = [&first[..], own].concat();
        assert_eq!(receiver.empty_refusal(&both), Some((&first[..], 400)));
        assert_eq!(inspector.empty_refusal(&both), None, "a download may hold anything");
        for other in [
            &first[..],
            b"HTTP/1.1 204 No Content\r\ndate: x\r\n\r\n",
            b"HTTP/1.1 400 Bad Request\r\ncontent-length: 4\r\n\r\n\r\n\r\n",
            b"HTTP/1.1 404 Not Found\r\ncontent-length: 0\r\n\r\n",
            b"",
        ] {
            assert_eq!(receiver.empty_refusal(other), None);
            assert_eq!(inspector.empty_refusal(other), None);
        }
    }
}
