//! Requests that reached a port without a delivery: the newest of each kind, with their client and first line.

use std::collections::VecDeque;
use std::net::IpAddr;
use std::time::Duration;

use parking_lot::Mutex;

use crate::domain::{Timestamp, is_secret_parameter};

/// The most kinds remembered.
const MOST: usize = 300;
/// The longest first line shown, in characters.
const LONGEST: usize = 240;
/// The replacement for a secret value.
const MASK: &str = "***";

/// Why a request was not stored.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NotKept {
    /// A method that cannot carry an event.
    Method,
    /// A path that is not a route.
    Path,
    /// The target contains a character that must be percent-encoded, or is not UTF-8.
    BadTarget,
    /// The first line is not an HTTP request line.
    BadRequestLine,
    /// A header line is invalid, missing or repeated.
    BadHeader,
    /// The head is too long or has too many lines.
    HeadTooLarge,
    /// The head did not arrive in time.
    SlowHead,
    /// Another protocol: TLS, HTTP/2, the PROXY protocol.
    NotHttp,
    /// The TLS handshake failed, or what came was HTTP.
    TlsHandshake,
    /// The body's chunks are malformed.
    BadChunk,
    /// The program was stopping.
    Stopping,
    /// A bug in the program.
    Fault,
    /// Over `refused_rate`: 429.
    RefusedRate,
    /// Over `capture_rate`: 429.
    CaptureRate,
    /// The queue or the memory for bodies is full: 503.
    Overloaded,
    /// The store could not write: 503.
    StoreFault,
}

impl NotKept {
    /// Its name in metrics and in the API.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Method => "method",
            Self::Path => "path",
            Self::BadTarget => "bad_target",
            Self::BadRequestLine => "bad_request_line",
            Self::BadHeader => "bad_header",
            Self::HeadTooLarge => "head_too_large",
            Self::SlowHead => "slow_head",
            Self::NotHttp => "not_http",
            Self::TlsHandshake => "tls_handshake",
            Self::BadChunk => "bad_chunk",
            Self::Stopping => "stopping",
            Self::Fault => "fault",
            Self::RefusedRate => "refused_rate",
            Self::CaptureRate => "capture_rate",
            Self::Overloaded => "overloaded",
            Self::StoreFault => "store_fault",
        }
    }
}

/// The port that a request reached.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PortName {
    /// The receiver's.
    Receiver,
    /// The inspector's.
    Inspector,
}

impl PortName {
    /// Its name.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Receiver => "receiver",
            Self::Inspector => "inspector",
        }
    }
}

/// A request without a delivery.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refused {
    /// The port it reached.
    pub port: PortName,
    /// Why there is no delivery.
    pub cause: NotKept,
    /// The response status.
    pub status: u16,
    /// The client, if its address is known.
    pub client: Option<IpAddr>,
    /// The method; empty if unknown.
    pub method: String,
    /// The target as on the request line; empty if unknown.
    pub target: String,
    /// What was wrong, and how to fix it, in one or two sentences.
    pub detail: String,
    /// Whether it looks like a delivery: a signature header, a JSON body, or a path near a route.
    pub is_likely: bool,
}

impl Refused {
    fn path(&self) -> &str {
        self.target.split(['?', '#']).next().unwrap_or_default()
    }

    fn is_like(&self, other: &Self) -> bool {
        (self.port, self.cause, self.client, self.is_likely)
            == (other.port, other.cause, other.client, other.is_likely)
            && self.method == other.method
            && self.path() == other.path()
            && self.detail == other.detail
    }

    /// Method and path for display.
    #[must_use]
    pub fn place(&self) -> String {
        self.line().split('?').next().unwrap_or_default().to_owned()
    }

    /// Method and target for display: shortened, without control characters, secret parameters masked.
    #[must_use]
    pub fn line(&self) -> String {
        let target = masked(&self.target);
        let line = format!("{} {target}", self.method);
        let mut shown: String = line
            .trim()
            .chars()
            .take(LONGEST)
            .map(|letter| if letter.is_control() { char::REPLACEMENT_CHARACTER } else { letter })
            .collect();
        if line.trim().chars().nth(LONGEST).is_some() {
            shown.push('…');
        }
        shown
    }
}

/// The target without a password before its host and with secret parameters masked.
fn masked(target: &str) -> String {
    let (path, query) = target.split_once('?').map_or((target, None), |(path, query)| (path, Some(query)));
    let path = match (path.find("://"), path.find('@')) {
        (Some(scheme), Some(at)) if scheme < at => {
            let (scheme, host) = (path.get(..scheme).unwrap_or_default(), path.get(at..).unwrap_or_default());
            format!("{scheme}://{MASK}{host}")
        }
        _ => path.to_owned(),
    };
    let Some(query) = query else { return path };
    let parameters = query.split('&').map(|parameter| match parameter.split_once('=') {
        Some((name, value)) if !value.is_empty() && is_secret_parameter(name) => format!("{name}={MASK}"),
        _ => parameter.to_owned(),
    });
    format!("{path}?{}", parameters.collect::<Vec<_>>().join("&"))
}

/// Requests of one kind.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RefusedKind {
    /// Its number, from 1.
    pub id: u64,
    /// The newest of them.
    pub newest: Refused,
    /// The number of requests.
    pub count: u64,
    /// When the first request arrived.
    pub first: Timestamp,
    /// When the newest request arrived.
    pub last: Timestamp,
}

/// The newest kinds of requests without a delivery.
#[derive(Debug, Default)]
pub struct Refusals(Mutex<Kept>);

#[derive(Debug, Default)]
struct Kept {
    /// Newest first.
    kinds: VecDeque<RefusedKind>,
    given: u64,
}

impl Refusals {
    /// Adds a request that arrived at `now`.
    pub fn add(&self, mut refused: Refused, now: Timestamp) {
        refused.target = refused.target.chars().take(LONGEST.saturating_mul(4)).collect();
        let mut kept = self.0.lock();
        let known = kept.kinds.iter().position(|kind| kind.newest.is_like(&refused));
        let kind = match known.and_then(|at| kept.kinds.remove(at)) {
            Some(kind) => {
                RefusedKind { newest: refused, count: kind.count.saturating_add(1), last: now, ..kind }
            }
            None => {
                kept.given = kept.given.saturating_add(1);
                RefusedKind { id: kept.given, newest: refused, count: 1, first: now, last: now }
            }
        };
        kept.kinds.push_front(kind);
        if kept.kinds.len() > MOST {
            // Requests of strangers must not displace those of our senders.
            let stranger = kept.kinds.iter().rposition(|kind| !kind.newest.is_likely);
            let gone = stranger.unwrap_or(MOST);
            kept.kinds.remove(gone);
        }
    }

    /// All kinds, newest first.
    #[must_use]
    pub fn list(&self) -> Vec<RefusedKind> {
        self.0.lock().kinds.iter().cloned().collect()
    }

    /// The kinds that look like deliveries and arrived within the last `time` before `now`.
    #[must_use]
    pub fn likely_within(&self, time: Duration, now: Timestamp) -> Vec<RefusedKind> {
        let kept = self.0.lock();
        let recent = kept.kinds.iter().filter(|kind| kind.newest.is_likely && kind.last.plus(time) >= now);
        recent.cloned().collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refused(target: &str, is_likely: bool) -> Refused {
        Refused {
            port: PortName::Receiver,
            cause: NotKept::Path,
            status: 404,
            client: Some("203.0.113.7".parse().unwrap()),
            method: "POST".into(),
            target: target.into(),
            detail: String::new(),
            is_likely,
        }
    }

    #[test]
    fn requests_of_one_kind_are_counted_together_and_the_newest_is_shown() {
        let refusals = Refusals::default();
        let at = Timestamp::from_secs;
        refusals.add(refused("/webhok?n=1", true), at(1));
        refusals.add(refused("/other", false), at(2));
        refusals.add(refused("/webhok?n=2", true), at(3));
        let all = refusals.list();
        assert_eq!(all.len(), 2);
        assert_eq!((all[0].id, all[0].count, all[0].first, all[0].last), (1, 2, at(1), at(3)));
        assert_eq!(all[0].newest.line(), "POST /webhok?n=2");
        assert_eq!(refusals.likely_within(Duration::from_secs(10), at(13)).len(), 1);
        assert!(refusals.likely_within(Duration::from_secs(10), at(14)).is_empty());
    }

    #[test]
    fn the_list_is_bounded_and_strangers_push_out_strangers() {
        let refusals = Refusals::default();
        refusals.add(refused("/webhok", true), Timestamp::from_secs(0));
        for number in 0..i64::try_from(MOST).unwrap() * 2 {
            refusals.add(refused(&format!("/{number}"), false), Timestamp::from_secs(number));
        }
        let all = refusals.list();
        assert_eq!(all.len(), MOST);
        assert_eq!(all.last().unwrap().newest.target, "/webhok");
        assert_eq!(all[0].newest.target, "/599");
    }

    #[test]
    fn a_line_is_cut_and_shows_no_secret_and_no_control_character() {
        let line = |target: &str| refused(target, false).line();
        assert_eq!(line("/a?token=abc&n=1&api_key=x"), "POST /a?token=***&n=1&api_key=***");
        assert_eq!(line("http://user:pass@host/a?key=1"), "POST http://***@host/a?key=***");
        assert_eq!(line("/a\u{1b}[31m\u{0}"), "POST /a\u{fffd}[31m\u{fffd}");
        assert_eq!(line(&"x".repeat(1000)).chars().count(), LONGEST + 1);
        assert_eq!(line("/a@b"), "POST /a@b");
    }
}
