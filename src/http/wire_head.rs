//! Keeps a request's head as it was on the wire.
//!
//! The server's header map forgets the order of the lines and the spelling of their names, and both are shown. So
//! the connection's stream writes what it reads on a short tape, and a request finds its own head there. A head is
//! taken from the tape only if its lines are the very ones of the header map, so a wrong guess cannot show anything
//! that was not sent; where none is found the map's own order has to do.

use std::cell::RefCell;
use std::io;
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll, ready};

use actix_rt::net::{ActixStream, Ready, TcpStream};
use actix_web::http::Uri;
use actix_web::http::header::{HeaderMap, HeaderValue};
use memchr::memmem;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

use crate::domain::{Header, Headers};

/// The server refuses heads over 128 KiB, so the newest 256 KiB hold any head whole.
const TAPE_BYTES: usize = 256 * 1024;
/// So many places are tried; a body that pretends more heads than that is shown in the order of the map.
const MAX_TRIES: usize = 16;
/// The server panics at a header name that is longer.
const MAX_NAME: usize = 65_535;
/// The server refuses more lines than 96.
const MAX_LINES: usize = 128;

/// The newest bytes that a connection received.
#[derive(Clone, Debug, Default)]
pub struct WireTape(Rc<RefCell<Vec<u8>>>);

impl WireTape {
    fn record(&self, bytes: &[u8]) {
        let mut tape = self.0.borrow_mut();
        if tape.len().saturating_add(bytes.len()) > TAPE_BYTES {
            let surplus =
                tape.len().saturating_add(bytes.len()).saturating_sub(TAPE_BYTES / 2).min(tape.len());
            tape.drain(..surplus);
        }
        tape.extend_from_slice(bytes);
    }

    /// The header lines of the request with this request line, if the tape has a head with exactly the lines of
    /// `map`. What lies before the end of that head is forgotten.
    pub fn take_head(&self, method: &str, target: &str, map: &HeaderMap) -> Option<Headers> {
        let mut tape = self.0.borrow_mut();
        // A target with a host or a fragment is on the tape as it was sent, and known here without them.
        let starts = [format!("{method} {target} HTTP/1."), format!("{method} ")];
        let found = starts.iter().find_map(|start| {
            memmem::find_iter(&tape, start.as_bytes()).take(MAX_TRIES).find_map(|at| {
                parse_head(tape.get(at..)?, target, map).map(|(lines, length)| (lines, at + length))
            })
        });
        let (headers, end) = found?;
        tape.drain(..end);
        Some(headers)
    }

    /// Whether one of the newest `count` bytes ends a header name that is too long for the server.
    fn ends_endless_name(&self, count: usize) -> bool {
        let tape = self.0.borrow();
        let newest = tape.len().saturating_sub(count).max(MAX_NAME);
        memchr::memchr_iter(b':', tape.get(newest..).unwrap_or_default()).any(|colon| {
            let before = tape.get(..newest.saturating_add(colon)).unwrap_or_default();
            let is_name = |byte: &u8| !byte.is_ascii_control() && !b" \":,/[]{}".contains(byte);
            let name = before.iter().rev().take_while(|byte| is_name(byte)).count();
            name > MAX_NAME && before.iter().rev().nth(name) == Some(&b'\n')
        })
    }
}

/// Whether `sent`, a target as it was on the wire, leads to `target`.
fn leads_to(sent: &str, target: &str) -> bool {
    let uri = || sent.parse::<Uri>().ok();
    sent == target || uri().is_some_and(|uri| uri.path_and_query().is_some_and(|path| path == target))
}

/// The lines of the head at the start of `bytes` and its length, if it asks for `target` and its lines are those of `map`.
fn parse_head(bytes: &[u8], target: &str, map: &HeaderMap) -> Option<(Headers, usize)> {
    let mut lines = [httparse::EMPTY_HEADER; MAX_LINES];
    let mut request = httparse::Request::new(&mut lines);
    let httparse::Status::Complete(length) = request.parse(bytes).ok()? else { return None };
    let is_same = leads_to(request.path?, target)
        && request.headers.len() == map.len()
        && request.headers.iter().all(|line| {
            let on_tape = request.headers.iter().filter(|other| other.name.eq_ignore_ascii_case(line.name));
            on_tape.map(|other| other.value).eq(map.get_all(line.name).map(HeaderValue::as_bytes))
        });
    is_same.then(|| {
        let headers = request
            .headers
            .iter()
            .map(|line| Header { name: line.name.to_owned(), value: line.value.to_vec() })
            .collect();
        (headers, length)
    })
}

/// The lines in the order of the map: repeats of one name keep theirs.
pub fn from_map(map: &HeaderMap) -> Headers {
    map.iter()
        .map(|(name, value)| Header { name: name.as_str().to_owned(), value: value.as_bytes().to_vec() })
        .collect()
}

/// A connection that records what it reads.
pub struct RecordedStream {
    io: TcpStream,
    tape: WireTape,
}

impl RecordedStream {
    /// Records what is read from `io`.
    pub fn new(io: TcpStream) -> Self {
        Self { io, tape: WireTape::default() }
    }

    /// The tape that is written on.
    pub fn tape(&self) -> WireTape {
        self.tape.clone()
    }
}

impl AsyncRead for RecordedStream {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let before = buffer.filled().len();
        ready!(Pin::new(&mut self.io).poll_read(cx, buffer))?;
        let bytes = buffer.filled().get(before..).unwrap_or_default();
        self.tape.record(bytes);
        if self.tape.ends_endless_name(bytes.len()) {
            return Poll::Ready(Err(io::Error::new(io::ErrorKind::InvalidData, "a header name over 64 KiB")));
        }
        Poll::Ready(Ok(()))
    }
}

impl AsyncWrite for RecordedStream {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.io).poll_write(cx, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.io).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.io).poll_shutdown(cx)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        slices: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.io).poll_write_vectored(cx, slices)
    }

    fn is_write_vectored(&self) -> bool {
        self.io.is_write_vectored()
    }
}

impl ActixStream for RecordedStream {
    fn poll_read_ready(&self, cx: &mut Context<'_>) -> Poll<io::Result<Ready>> {
        ActixStream::poll_read_ready(&self.io, cx)
    }

    fn poll_write_ready(&self, cx: &mut Context<'_>) -> Poll<io::Result<Ready>> {
        ActixStream::poll_write_ready(&self.io, cx)
    }
}

#[cfg(test)]
mod tests {
    use actix_web::http::header::HeaderName;

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
        let tape = WireTape::default();
        tape.record(
            b"{\"body\":\"of the one before\"}POST /a HTTP/1.1\r\nhOst: x\r\nB: 2\r\nA: 1\r\nb: 3\r\n\r\n{}",
        );
        let headers =
            tape.take_head("POST", "/a", &map(&[("a", "1"), ("b", "2"), ("b", "3"), ("host", "x")])).unwrap();
        let names: Vec<&str> = headers.iter().map(|line| line.name.as_str()).collect();
        assert_eq!(names, ["hOst", "B", "A", "b"]);
        assert_eq!(&*tape.0.borrow(), b"{}");
    }

    #[test]
    fn a_head_that_a_body_pretends_is_passed_over() {
        let tape = WireTape::default();
        tape.record(b"POST /a HTTP/1.1\r\nHost: fake\r\n\r\nPOST /a HTTP/1.1\r\nHost: real\r\n\r\n");
        let headers = tape.take_head("POST", "/a", &map(&[("host", "real")])).unwrap();
        assert_eq!(headers.get("host"), Some(&b"real"[..]));
        assert_eq!(tape.take_head("POST", "/a", &map(&[("host", "real")])), None);
    }

    #[test]
    fn a_head_is_found_however_its_target_is_written() {
        for sent in ["/a?b", "http://u@host:1/a?b", "HTTP://host/a?b", "/a?b#c"] {
            let tape = WireTape::default();
            tape.record(format!("POST {sent} HTTP/1.1\r\nZ: 1\r\nhOst: x\r\n\r\n").as_bytes());
            let headers = tape.take_head("POST", "/a?b", &map(&[("host", "x"), ("z", "1")])).unwrap();
            let names: Vec<&str> = headers.iter().map(|line| line.name.as_str()).collect();
            assert_eq!(names, ["Z", "hOst"], "{sent}");
            assert_eq!(tape.0.borrow().len(), 0);
        }
    }

    #[test]
    fn a_header_name_is_endless_from_65536_bytes_and_no_body_that_is_json_looks_like_one() {
        let ends = |pieces: &[&str]| {
            let tape = WireTape::default();
            pieces.iter().any(|piece| {
                tape.record(piece.as_bytes());
                tape.ends_endless_name(piece.len())
            })
        };
        let (most, over) = ("n".repeat(MAX_NAME), "n".repeat(MAX_NAME + 1));
        assert!(!ends(&["GET / HTTP/1.1\r\n", &most, ": 1\r\n\r\n"]));
        assert!(ends(&["GET / HTTP/1.1\r\n", &over, ": 1\r\n\r\n"]));
        assert!(ends(&[&format!("GET / HTTP/1.1\na: 1\n{over}:")]));
        assert!(!ends(&[&format!("{{\n\"{over}\":\n\"{over}:{over}\"}}")]));
    }

    #[test]
    fn the_tape_stays_short_however_long_a_body_is() {
        let tape = WireTape::default();
        for _ in 0..1000 {
            tape.record(&[b'x'; 8192]);
        }
        assert!(tape.0.borrow().len() <= TAPE_BYTES);
        tape.record(b"GET / HTTP/1.1\r\n\r\n");
        assert!(tape.take_head("GET", "/", &map(&[])).is_some());
    }
}
