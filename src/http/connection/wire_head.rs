//! Keeps a request's head as it was on the wire.
//!
//! The server's header map loses the order of the lines and the spelling of their names, and both are displayed. The
//! connection therefore records what it reads on a short tape, and each request finds its own head there. A head is
//! used only if its lines are exactly those of the header map. A wrong guess can therefore show nothing that was not
//! sent. If no head matches, the map's order is used.

use std::cell::RefCell;
use std::mem::MaybeUninit;
use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use actix_web::http::Uri;
use actix_web::http::header::HeaderMap;
use bytes::Bytes;
use memchr::memmem;

use crate::domain::{Header, Headers};

/// The server rejects heads over 128 KiB, so the newest 256 KiB contain any head.
const TAPE_BYTES: usize = 256 * 1024;
/// The most positions that are tried; a body that imitates more heads is shown in the map's order.
const MAX_TRIES: usize = 16;
/// The server rejects more than 96 lines.
const MAX_LINES: usize = 128;

/// A tape up to this size is kept, regardless of the budget.
const SMALL_TAPE: usize = 16 * 1024;
/// The memory budget of all tapes; above it, tapes longer than a small one are cleared.
const ALL_TAPES: usize = 32 * 1024 * 1024;

/// The most bytes checked after a body.
const MAX_SURPLUS: usize = 64 * 1024;

/// The memory used by all tapes.
#[derive(Clone, Debug, Default)]
pub struct TapeBudget(Arc<AtomicUsize>);

/// The newest bytes received on a connection.
#[derive(Clone, Debug)]
pub struct WireTape(Rc<RefCell<Tape>>);

#[derive(Debug)]
struct Tape {
    bytes: Vec<u8>,
    /// The bytes up to here belong to answered requests.
    answered: usize,
    /// Whether a request was read from this connection.
    had_request: bool,
    /// The number of bytes it takes from the budget.
    held: usize,
    budget: TapeBudget,
}

impl Tape {
    fn record(&mut self, newest: &[u8]) {
        let length = self.bytes.len().saturating_add(newest.len());
        if length > TAPE_BYTES {
            let surplus = length.saturating_sub(TAPE_BYTES / 2).min(self.bytes.len());
            self.forget(surplus);
        }
        self.bytes.extend_from_slice(newest);
        self.hold();
        if self.held > SMALL_TAPE && self.budget.0.load(Ordering::Relaxed) > ALL_TAPES {
            self.bytes = Vec::new();
            self.answered = 0;
            self.hold();
        }
    }

    fn forget(&mut self, length: usize) {
        self.bytes.drain(..length);
        self.answered = self.answered.saturating_sub(length);
    }

    fn hold(&mut self) {
        let capacity = self.bytes.capacity();
        if capacity != self.held {
            self.budget.0.fetch_add(capacity, Ordering::Relaxed);
            self.budget.0.fetch_sub(self.held, Ordering::Relaxed);
            self.held = capacity;
        }
    }
}

impl Drop for Tape {
    fn drop(&mut self) {
        self.budget.0.fetch_sub(self.held, Ordering::Relaxed);
    }
}

impl WireTape {
    /// An empty tape that uses `budget`.
    pub fn new(budget: TapeBudget) -> Self {
        Self(Rc::new(RefCell::new(Tape {
            bytes: Vec::new(),
            answered: 0,
            had_request: false,
            held: 0,
            budget,
        })))
    }

    /// Everything on the tape belongs to answered requests.
    pub fn answered(&self) {
        let tape = &mut *self.0.borrow_mut();
        tape.answered = tape.bytes.len();
    }

    /// Whether the tape contains bytes that may belong to an unanswered request.
    pub fn has_unanswered(&self) -> bool {
        !self.0.borrow().bytes.is_empty()
    }

    /// Reads the bytes since the last response. If they arrived together with the previous request, passes the whole
    /// tape.
    pub fn unanswered<T>(&self, read: impl FnOnce(&[u8]) -> T) -> T {
        let tape = self.0.borrow();
        let newest = tape.bytes.get(tape.answered..).filter(|newest| !newest.is_empty());
        read(newest.unwrap_or(&tape.bytes))
    }

    /// Whether an earlier request was read from this connection.
    pub fn had_request(&self) -> bool {
        self.0.borrow().had_request
    }

    /// Whether the tape has more than this many bytes after the last taken head.
    pub fn has_more(&self, bytes: usize) -> bool {
        self.0.borrow().bytes.len() > bytes
    }

    /// The bytes after `body` that are not the next request; `body` starts at the end of the last taken head. Line
    /// breaks that some clients add there are ignored. The body is discarded, so the next head is found at the start.
    pub fn take_body(&self, body: &[u8]) -> Bytes {
        let tape = &mut *self.0.borrow_mut();
        if !tape.bytes.starts_with(body) {
            return Bytes::new();
        }
        tape.forget(body.len());
        let rest = tape.bytes.get(..MAX_SURPLUS).unwrap_or(&tape.bytes);
        if rest.trim_ascii().is_empty() || begins_request(rest.trim_ascii_start()) {
            return Bytes::new();
        }
        Bytes::copy_from_slice(rest)
    }

    /// Records the newest bytes.
    pub fn record(&self, newest: &[u8]) {
        self.0.borrow_mut().record(newest);
    }

    /// The header lines of this request, if the tape has a head with exactly the lines of `map`. Everything before the
    /// end of that head is discarded.
    pub fn take_head(&self, method: &str, target: &str, map: &HeaderMap) -> Option<Headers> {
        let tape = &mut *self.0.borrow_mut();
        let is_first = tape.bytes.starts_with(method.as_bytes());
        let first = if is_first { parse_head(&tape.bytes, target, map) } else { None };
        let (headers, end) = match first {
            Some(first) => first,
            None => find_head(&tape.bytes, method, target, map)?,
        };
        tape.had_request = true;
        tape.forget(end);
        Some(headers)
    }
}

/// The lines of the head in `bytes`, behind other bytes, and its end.
fn find_head(bytes: &[u8], method: &str, target: &str, map: &HeaderMap) -> Option<(Headers, usize)> {
    // The bytes contain the target as sent; a host or a fragment in it is not known here.
    let starts = [format!("{method} {target} HTTP/1."), format!("{method} ")];
    starts.iter().find_map(|start| {
        memmem::find_iter(bytes, start.as_bytes()).take(MAX_TRIES).find_map(|at| {
            parse_head(bytes.get(at..)?, target, map).map(|(lines, length)| (lines, at + length))
        })
    })
}

/// Whether bytes start like a request: a method in capitals and a blank.
fn begins_request(bytes: &[u8]) -> bool {
    let method = bytes.iter().take_while(|byte| byte.is_ascii_uppercase()).count();
    method > 0 && method < 20 && bytes.get(method).is_none_or(|byte| *byte == b' ')
}

/// Whether `sent`, a target on the wire, leads to `target`.
fn leads_to(sent: &str, target: &str) -> bool {
    let uri = || sent.parse::<Uri>().ok();
    sent == target || uri().is_some_and(|uri| uri.path_and_query().is_some_and(|path| path == target))
}

/// The lines and the length of the head at the start of `bytes`. `None` unless it requests `target` with the lines of
/// `map`.
fn parse_head(bytes: &[u8], target: &str, map: &HeaderMap) -> Option<(Headers, usize)> {
    let mut lines = [const { MaybeUninit::uninit() }; MAX_LINES];
    let mut request = httparse::Request::new(&mut []);
    let httparse::Status::Complete(length) = request.parse_with_uninit_headers(bytes, &mut lines).ok()?
    else {
        return None;
    };
    if !leads_to(request.path?, target) || !are_lines_of(request.headers, map) {
        return None;
    }
    let headers = request
        .headers
        .iter()
        .map(|line| Header { name: line.name.to_owned(), value: line.value.to_vec() })
        .collect();
    Some((headers, length))
}

/// Whether these are the lines of `map`, and lines with the same name have the same order.
fn are_lines_of(lines: &[httparse::Header<'_>], map: &HeaderMap) -> bool {
    // At most MAX_LINES. The map's own lookup would check and hash each name.
    let mut found = 0_u128;
    lines.len() == map.len()
        && map.iter().all(|(name, value)| {
            let mut left = lines.iter().enumerate().filter(|(at, _)| found & (1 << at) == 0);
            let first = left.find(|(_, line)| line.name.eq_ignore_ascii_case(name.as_str()));
            first.is_some_and(|(at, line)| {
                found |= 1 << at;
                line.value == value.as_bytes()
            })
        })
}

/// The lines in the order of the map; lines with the same name keep their order.
pub fn from_map(map: &HeaderMap) -> Headers {
    map.iter()
        .map(|(name, value)| Header { name: name.as_str().to_owned(), value: value.as_bytes().to_vec() })
        .collect()
}

#[cfg(test)]
mod tests {
    use actix_web::http::header::{HeaderName, HeaderValue};

    use super::*;

    fn map(lines: &[(&str, &str)]) -> HeaderMap {
        let mut map = HeaderMap::new();
        for (name, value) in lines {
            map.append(HeaderName::try_from(*name).unwrap(), HeaderValue::from_str(value).unwrap());
        }
        map
    }

    #[test]
    fn a_head_keeps_the_order_and_the_spelling_of_its_lines() {
        let tape = WireTape::new(TapeBudget::default());
        tape.record(
            b"{\"body\":\"of the one before\"}POST /a HTTP/1.1\r\nhOst: x\r\nB: 2\r\nA: 1\r\nb: 3\r\n\r\n{}",
        );
        let headers =
            tape.take_head("POST", "/a", &map(&[("a", "1"), ("b", "2"), ("b", "3"), ("host", "x")])).unwrap();
        let names: Vec<&str> = headers.iter().map(|line| line.name.as_str()).collect();
        assert_eq!(names, ["hOst", "B", "A", "b"]);
        assert_eq!(tape.0.borrow().bytes, b"{}");
    }

    #[test]
    fn a_head_that_a_body_pretends_is_passed_over() {
        let tape = WireTape::new(TapeBudget::default());
        tape.record(b"POST /a HTTP/1.1\r\nHost: fake\r\n\r\nPOST /a HTTP/1.1\r\nHost: real\r\n\r\n");
        let headers = tape.take_head("POST", "/a", &map(&[("host", "real")])).unwrap();
        assert_eq!(headers.get("host"), Some(&b"real"[..]));
        assert_eq!(tape.take_head("POST", "/a", &map(&[("host", "real")])), None);
    }

    #[test]
    fn a_head_is_found_however_its_target_is_written() {
        for sent in ["/a?b", "http://u@host:1/a?b", "HTTP://host/a?b", "/a?b#c"] {
            let tape = WireTape::new(TapeBudget::default());
            tape.record(format!("POST {sent} HTTP/1.1\r\nZ: 1\r\nhOst: x\r\n\r\n").as_bytes());
            let headers = tape.take_head("POST", "/a?b", &map(&[("host", "x"), ("z", "1")])).unwrap();
            let names: Vec<&str> = headers.iter().map(|line| line.name.as_str()).collect();
            assert_eq!(names, ["Z", "hOst"], "{sent}");
            assert_eq!(tape.0.borrow().bytes.len(), 0);
        }
    }

    #[test]
    fn all_tapes_together_stay_within_their_budget_and_small_ones_lose_nothing() {
        let budget = TapeBudget::default();
        let small = WireTape::new(budget.clone());
        let head = b"POST /a HTTP/1.1\r\nZ: 1\r\nA: 2\r\n\r\n";
        small.record(head);
        let large: Vec<WireTape> = (0..500).map(|_| WireTape::new(budget.clone())).collect();
        for tape in &large {
            tape.record(&[b'x'; TAPE_BYTES]);
        }
        let used = || budget.0.load(Ordering::Relaxed);
        assert!(used() > ALL_TAPES / 2 && used() <= ALL_TAPES + 2 * TAPE_BYTES, "{}", used());
        let headers = small.take_head("POST", "/a", &map(&[("a", "2"), ("z", "1")])).unwrap();
        assert_eq!(headers.iter().next().unwrap().name, "Z");
        large.last().unwrap().record(head);
        assert!(large.last().unwrap().take_head("POST", "/a", &map(&[("a", "2"), ("z", "1")])).is_some());
        drop(large);
        assert!(used() <= SMALL_TAPE, "{}", used());
    }

    #[test]
    fn what_follows_a_body_and_is_not_the_next_request_is_told() {
        let followed = |rest: &[u8]| {
            let tape = WireTape::new(TapeBudget::default());
            tape.record(&[b"{\"a\":1", rest].concat());
            tape.take_body(b"{\"a\":1")
        };
        assert_eq!(followed(b"}"), "}");
        assert_eq!(followed("ü\"}".as_bytes()), "ü\"}");
        for none in [&b""[..], b"\r\n", b"POST /a HTTP/1.1\r\n", b"\r\nPOST /a", b"GE"] {
            assert_eq!(followed(none), "", "{}", String::from_utf8_lossy(none));
        }
        assert_eq!(WireTape::new(TapeBudget::default()).take_body(b"gone"), "");
    }

    #[test]
    fn a_body_leaves_the_tape_and_the_next_request_stays() {
        let tape = WireTape::new(TapeBudget::default());
        tape.record(b"{}POST /a HTTP/1.1\r\nZ: 1\r\n\r\n[]");
        assert_eq!(tape.take_body(b"{}"), "");
        assert!(tape.0.borrow().bytes.starts_with(b"POST"));
        assert!(tape.take_head("POST", "/a", &map(&[("z", "1")])).is_some());
        assert_eq!(tape.take_body(b"{}"), "", "another body");
        assert_eq!(tape.0.borrow().bytes, b"[]");
    }

    #[test]
    fn the_tape_stays_short_however_long_a_body_is() {
        let tape = WireTape::new(TapeBudget::default());
        for _ in 0..1000 {
            tape.record(&[b'x'; 8192]);
        }
        assert!(tape.0.borrow().bytes.len() <= TAPE_BYTES);
        tape.record(b"GET / HTTP/1.1\r\n\r\n");
        assert!(tape.take_head("GET", "/", &map(&[])).is_some());
    }
}
