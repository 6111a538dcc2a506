//! A connection that records what it reads. It ends before the server reads something that it cannot handle. It also
//! says why a request was rejected if the server does not.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use actix_rt::net::{ActixStream, Ready};
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _, ReadBuf};
use tokio::runtime::Handle;

use super::caller::Caller;
use super::doorkeeper::Doorkeeper;
use super::name_watch::NameWatch;
use super::other_end::OtherEnd;
use super::traffic::Token;
use super::transport::Transport;
use super::wire_head::{TapeBudget, WireTape};
use crate::telemetry::NotKept;

/// How long, and for how many bytes, a rejected client is still read: a reset would discard its response.
const LINGER: (Duration, usize) = (Duration::from_secs(1), 4 * 1024 * 1024);

/// A connection that records what it reads.
pub struct RecordedStream<S: Transport> {
    /// `None` once the connection only lingers.
    io: Option<S>,
    end: OtherEnd,
    /// Bytes read before the server started to read.
    ahead: Vec<u8>,
    tape: WireTape,
    caller: Caller,
    names: NameWatch,
    door: Doorkeeper,
    /// Whether something was read since the last write.
    owes_answer: bool,
    /// Whether either side ended the connection.
    is_over: bool,
    /// Our response instead of the server's empty one, and how much of it is written.
    own: Option<(Vec<u8>, usize)>,
    /// A response to write when the server drops the connection.
    farewell: Option<Vec<u8>>,
    _token: Token,
}

impl<S: Transport> RecordedStream<S> {
    /// Records what is read from `io`.
    pub fn new(io: S, end: OtherEnd, budget: TapeBudget, door: Doorkeeper) -> Self {
        let port = io.peer().map(|peer| peer.port());
        Self {
            io: Some(io),
            end,
            ahead: Vec::new(),
            tape: WireTape::new(budget),
            caller: Caller::new(port),
            names: NameWatch::default(),
            owes_answer: false,
            is_over: false,
            own: None,
            farewell: None,
            _token: door.traffic.connection(),
            door,
        }
    }

    /// The tape of this connection.
    pub fn tape(&self) -> WireTape {
        self.tape.clone()
    }

    /// Its client, for responses that are still due.
    pub fn caller(&self) -> Caller {
        self.caller.clone()
    }

    /// Starts with `ahead`, which was already read.
    pub fn after(mut self, ahead: Vec<u8>) -> Self {
        self.ahead = ahead;
        self
    }

    /// Rejects a connection whose first bytes are invalid. `cause` is set if the bytes are not at fault.
    pub fn refuse(mut self, cause: Option<NotKept>) {
        self.tape.record(&self.ahead);
        self.farewell = Some(self.door.turn_away(&self.tape, self.end.nearest(), 400, cause));
    }

    /// Who is at the other end.
    pub fn end(&self) -> OtherEnd {
        self.end
    }

    fn io(&mut self) -> io::Result<Pin<&mut S>> {
        self.io.as_mut().map(Pin::new).ok_or_else(|| io::ErrorKind::NotConnected.into())
    }

    /// The response to a request that the server dropped without one.
    fn last_words(&self) -> Option<Vec<u8>> {
        if !self.owes_answer || self.is_over {
            return None;
        }
        let (status, cause) = if std::thread::panicking() {
            (500, NotKept::Fault)
        } else if self.door.traffic.is_ending() {
            (503, NotKept::Stopping)
        } else {
            // The server ends a connection without a response only if chunks are malformed.
            (400, NotKept::BadChunk)
        };
        Some(self.door.turn_away(&self.tape, self.end.nearest(), status, Some(cause)))
    }

    fn poll_write_own(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let Some((answer, mut written)) = self.own.take() else { return Poll::Ready(Ok(())) };
        let end = loop {
            let rest = answer.get(written..).unwrap_or_default();
            if rest.is_empty() {
                break Poll::Ready(Ok(()));
            }
            match self.io()?.poll_write(cx, rest) {
                Poll::Ready(Ok(0)) => break Poll::Ready(Err(io::ErrorKind::WriteZero.into())),
                Poll::Ready(Ok(more)) => written = written.saturating_add(more),
                Poll::Ready(Err(fault)) => break Poll::Ready(Err(fault)),
                Poll::Pending => break Poll::Pending,
            }
        };
        self.own = Some((answer, written));
        end
    }
}

impl<S: Transport> AsyncRead for RecordedStream<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let this = &mut *self;
        let before = buffer.filled().len();
        let read = if this.ahead.is_empty() {
            ready!(this.io()?.poll_read(cx, buffer))
        } else {
            let ahead = this.ahead.len().min(buffer.remaining());
            buffer.put_slice(this.ahead.drain(..ahead).as_slice());
            Ok(())
        };
        let newest = buffer.filled().get(before..).unwrap_or_default();
        if read.is_err() || newest.is_empty() {
            this.is_over = true;
            this.caller.hang_up();
            return Poll::Ready(read);
        }
        this.owes_answer = true;
        this.tape.record(newest);
        if this.names.sees_too_long(newest) {
            let told = this.door.turn_away(&this.tape, this.end.nearest(), 431, Some(NotKept::HeadTooLarge));
            this.farewell = Some(told);
            return Poll::Ready(Err(io::Error::new(io::ErrorKind::InvalidData, "a header name over 64 KiB")));
        }
        Poll::Ready(Ok(()))
    }
}

impl<S: Transport> AsyncWrite for RecordedStream<S> {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        let this = &mut *self;
        if this.own.is_none()
            && let Some((before, status)) = this.door.empty_refusal(bytes)
            && this.tape.has_unanswered()
        {
            let answer = this.door.turn_away(&this.tape, this.end.nearest(), status, None);
            this.own = Some(([before, answer.as_slice()].concat(), 0));
        }
        let written = if this.own.is_some() {
            ready!(this.poll_write_own(cx)).map(|()| bytes.len())
        } else {
            ready!(this.io()?.poll_write(cx, bytes))
        };
        this.owes_answer = false;
        this.is_over |= written.is_err();
        match &written {
            Ok(_) => this.caller.answered(),
            Err(_) => this.caller.hang_up(),
        }
        this.tape.answered();
        Poll::Ready(written)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.io()?.poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.is_over = true;
        self.io()?.poll_shutdown(cx)
    }
}

impl<S: Transport> ActixStream for RecordedStream<S> {
    fn poll_read_ready(&self, cx: &mut Context<'_>) -> Poll<io::Result<Ready>> {
        match &self.io {
            Some(io) => ActixStream::poll_read_ready(io, cx),
            None => Poll::Ready(Err(io::ErrorKind::NotConnected.into())),
        }
    }

    fn poll_write_ready(&self, cx: &mut Context<'_>) -> Poll<io::Result<Ready>> {
        match &self.io {
            Some(io) => ActixStream::poll_write_ready(io, cx),
            None => Poll::Ready(Err(io::ErrorKind::NotConnected.into())),
        }
    }
}

impl<S: Transport> Drop for RecordedStream<S> {
    fn drop(&mut self) {
        let farewell = self.farewell.take().or_else(|| self.last_words());
        let lingers = farewell.is_some() || self.own.is_some();
        // Without a runtime the program is ending.
        if lingers && let (Some(io), Ok(runtime)) = (self.io.take(), Handle::try_current()) {
            runtime.spawn(linger(io, farewell.unwrap_or_default()));
        }
    }
}

/// Writes the last response and reads what the client still sends.
async fn linger(mut io: impl Transport, farewell: Vec<u8>) {
    let ended = async {
        io.write_all(&farewell).await?;
        io.shutdown().await?;
        let (mut buffer, mut left) = ([0; 4096], LINGER.1);
        while left > 0 {
            match io.read(&mut buffer).await? {
                0 => break,
                read => left = left.saturating_sub(read),
            }
        }
        Ok::<_, io::Error>(())
    };
    // The client may be gone, or slow: it had its chance.
    let _ = tokio::time::timeout(LINGER.0, ended).await;
}
