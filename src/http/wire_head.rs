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
use actix_web::http::header::{HeaderMap, HeaderValue};
use memchr::memmem;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

use crate::domain::{Header, Headers};

/// The server refuses heads over 128 KiB, so the newest 256 KiB hold any head whole.
const TAPE_BYTES: usize = 256 * 1024;
/// So many places are tried; a body that pretends more heads than that is shown in the order of the map.
const MAX_TRIES: usize = 16;
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
        let request_line = format!("{method} {target} HTTP/1.");
        let found = memmem::find_iter(&tape, request_line.as_bytes()).take(MAX_TRIES).find_map(|start| {
            parse_head(tape.get(start..)?, map).map(|(lines, length)| (lines, start + length))
        });
        let (headers, end) = found?;
        tape.drain(..end);
        Some(headers)
    }
}

/// The lines of the head at the start of `bytes` and its length, if they are those of `map`.
fn parse_head(bytes: &[u8], map: &HeaderMap) -> Option<(Headers, usize)> {
    let mut lines = [httparse::EMPTY_HEADER; MAX_LINES];
    let mut request = httparse::Request::new(&mut lines);
    let httparse::Status::Complete(length) = request.parse(bytes).ok()? else { return None };
    let is_same = request.headers.len() == map.len()
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
        self.tape.record(buffer.filled().get(before..).unwrap_or_default());
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
