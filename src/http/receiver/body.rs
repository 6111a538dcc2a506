//! Reads a body with a size limit, a deadline, and a memory budget for all bodies.

use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::{Context, Poll, ready};
use std::time::Duration;

use actix_web::body::{BodySize, BoxBody, MessageBody};
use actix_web::dev::RequestHead;
use actix_web::http::Method;
use actix_web::http::header::{CONTENT_LENGTH, TRANSFER_ENCODING, UPGRADE};
use actix_web::web;
use bytes::{Bytes, BytesMut};
use futures_util::future::LocalBoxFuture;
use futures_util::{Stream, StreamExt as _};
use tokio::time::Instant;

use crate::domain::BodyEnd;
use crate::http::connection::traffic::Traffic;

/// How much of an oversized body is read and discarded. A client that writes before it reads, or a proxy, then gets
/// our response instead of a reset.
const DRAIN_BYTES: u64 = 16 * 1024 * 1024;
/// How long an oversized body is drained.
const DRAIN_TIME: Duration = Duration::from_secs(5);

/// Bodies up to this size may together exceed the budget by a quarter.
const SMALL_BODY: usize = 64 * 1024;

/// The memory budget of all bodies that are being read.
#[derive(Clone, Debug)]
pub struct BodyBudget {
    used: Arc<AtomicUsize>,
    limit: usize,
}

impl BodyBudget {
    /// A budget of `limit` bytes.
    pub fn new(limit: usize) -> Self {
        Self { used: Arc::default(), limit }
    }

    fn hold(&self) -> Hold {
        Hold { budget: self.clone(), bytes: 0 }
    }
}

/// A share of the budget, returned when dropped.
#[derive(Debug)]
pub struct Hold {
    budget: BodyBudget,
    bytes: usize,
}

impl Hold {
    fn take(&mut self, bytes: usize) -> bool {
        let before = self.budget.used.fetch_add(bytes, Ordering::Relaxed);
        self.bytes = self.bytes.saturating_add(bytes);
        // Clients that send endless large bodies must not block those that send small ones.
        let extra = if self.bytes <= SMALL_BODY { self.budget.limit / 4 } else { 0 };
        before.saturating_add(bytes) <= self.budget.limit.saturating_add(extra)
    }
}

impl Drop for Hold {
    fn drop(&mut self) {
        self.budget.used.fetch_sub(self.bytes, Ordering::Relaxed);
    }
}

/// The result of reading a body.
#[derive(Debug)]
pub struct ReadBody {
    /// Its bytes, at most the limit.
    pub bytes: Bytes,
    /// How reading ended.
    pub end: BodyEnd,
    /// How long before the end the last byte arrived; `None` if none arrived.
    pub quiet_for: Option<Duration>,
    /// Its share of the budget.
    _hold: Hold,
}

/// All bodies together are over their budget; the sender should retry.
#[derive(Debug, thiserror::Error)]
#[error("too many bodies are being read at once")]
pub struct OverBudget;

/// The limits of a body.
#[derive(Clone, Copy, Debug)]
pub struct BodyLimits {
    /// The most bytes kept.
    pub max_body: usize,
    /// The time limit for the whole body.
    pub timeout: Duration,
}

/// The declared length of a body.
#[derive(Clone, Copy, Debug)]
pub struct BodyLength {
    /// Its `Content-Length`, if it has one.
    pub declared: Option<u64>,
    /// Whether only that length determines its end.
    pub is_endless: bool,
}

impl BodyLength {
    /// The length according to `head`. The server treats the body of a CONNECT or WebSocket request as an endless
    /// stream, unless it is chunked.
    #[must_use]
    pub fn of(head: &RequestHead) -> Self {
        let is_websocket = head
            .headers
            .get_all(UPGRADE)
            .any(|value| value.as_bytes().trim_ascii().eq_ignore_ascii_case(b"websocket"));
        let is_chunked = head.headers.contains_key(TRANSFER_ENCODING);
        Self {
            declared: head
                .headers
                .get(CONTENT_LENGTH)
                .and_then(|length| length.to_str().ok()?.trim().parse().ok()),
            is_endless: !is_chunked && (is_websocket || head.method == Method::CONNECT),
        }
    }

    /// How much of the body is left after `read` bytes, as far as the length determines it.
    fn rest(self, read: usize) -> usize {
        if !self.is_endless {
            return usize::MAX;
        }
        usize::try_from(self.declared.unwrap_or(0)).unwrap_or(usize::MAX).saturating_sub(read)
    }
}

/// Reads `payload` with the declared `length`. A program stop may cut it short.
pub async fn read(
    payload: &mut web::Payload,
    length: BodyLength,
    limits: BodyLimits,
    budget: &BodyBudget,
    traffic: &Traffic,
) -> Result<ReadBody, OverBudget> {
    let mut hold = budget.hold();
    let mut bytes = BytesMut::new();
    let deadline = Instant::now() + limits.timeout;
    let mut last_byte = None;
    let end = loop {
        let rest = length.rest(bytes.len());
        if rest == 0 {
            break BodyEnd::Complete;
        }
        let chunk = tokio::select! {
            biased;
            chunk = tokio::time::timeout_at(deadline, payload.next()) => chunk,
            () = traffic.cut() => break BodyEnd::TimedOut,
        };
        match chunk {
            Err(_) => break BodyEnd::TimedOut,
            Ok(None) => break BodyEnd::Complete,
            Ok(Some(Err(_))) => break BodyEnd::Broken,
            Ok(Some(Ok(chunk))) => {
                last_byte = Some(Instant::now());
                // Bytes after the end do not belong to the body.
                let chunk = chunk.get(..rest).unwrap_or(&chunk);
                let room = limits.max_body.saturating_sub(bytes.len());
                let kept = chunk.get(..room).unwrap_or(chunk);
                if !hold.take(kept.len()) {
                    return Err(OverBudget);
                }
                bytes.extend_from_slice(kept);
                if chunk.len() > room {
                    let cap = u64::try_from(limits.max_body).unwrap_or(u64::MAX);
                    let left = length.declared.map(|declared| declared.saturating_sub(cap));
                    drain(payload, left, DRAIN_BYTES, deadline).await;
                    break BodyEnd::CutAtCap;
                }
            }
        }
    };
    let quiet_for = last_byte.map(|at| at.elapsed());
    Ok(ReadBody { bytes: bytes.freeze(), end, quiet_for, _hold: hold })
}

/// A response that is written at once; then the rest of the request's body is read and discarded.
struct ReadingOn {
    answer: BoxBody,
    is_written: bool,
    rest: LocalBoxFuture<'static, ()>,
}

impl MessageBody for ReadingOn {
    type Error = <BoxBody as MessageBody>::Error;

    fn size(&self) -> BodySize {
        self.answer.size()
    }

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Bytes, Self::Error>>> {
        let this = &mut *self;
        if !this.is_written {
            match ready!(Pin::new(&mut this.answer).poll_next(cx)) {
                None => this.is_written = true,
                part => return Poll::Ready(part),
            }
        }
        this.rest.as_mut().poll(cx).map(|()| None)
    }
}

/// The body of an early `answer` to a request that may still send its `payload`.
pub fn read_on<E: 'static>(
    answer: BoxBody,
    mut payload: impl Stream<Item = Result<Bytes, E>> + Unpin + 'static,
    length: BodyLength,
    limits: BodyLimits,
) -> BoxBody {
    let rest = async move {
        // Nothing was read yet, so the part that would have been kept is still to come.
        let most = DRAIN_BYTES.saturating_add(u64::try_from(limits.max_body).unwrap_or(u64::MAX));
        drain(&mut payload, length.declared, most, Instant::now() + limits.timeout).await;
    };
    BoxBody::new(ReadingOn { answer, is_written: false, rest: Box::pin(rest) })
}

/// Reads and discards the rest of a body, up to `most` bytes; nothing if it is longer than that.
async fn drain<E>(
    payload: &mut (impl Stream<Item = Result<Bytes, E>> + Unpin),
    left: Option<u64>,
    most: u64,
    deadline: Instant,
) {
    if left.is_some_and(|left| left > most) {
        return;
    }
    let deadline = deadline.min(Instant::now() + DRAIN_TIME);
    let mut drained: u64 = 0;
    while drained <= most {
        match tokio::time::timeout_at(deadline, payload.next()).await {
            Ok(Some(Ok(chunk))) => {
                drained = drained.saturating_add(u64::try_from(chunk.len()).unwrap_or(u64::MAX));
            }
            _ => return,
        }
    }
}
