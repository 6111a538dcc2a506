//! The current requests of a port, and its shutdown: requests in progress are answered first, then the port is closed.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;

use actix_server::ServerHandle;
use tokio::sync::{Notify, watch};
use tokio::time::timeout;

/// How long requests in progress may take once the program stops, and then those whose body was cut.
#[derive(Clone, Copy, Debug)]
pub struct Grace(Duration, Duration);

impl Grace {
    /// For senders: their requests are not lost.
    pub const SENDERS: Self = Self(Duration::from_secs(4), Duration::from_secs(1));
    /// For people and their tools: they notice, and try again.
    pub const PEOPLE: Self = Self(Duration::from_millis(80), Duration::from_millis(20));
}

/// How long responses have sent `Connection: close` before idle connections are closed, at least. A busy client then
/// leaves its connection between two requests, not during one.
const FAREWELL: Duration = Duration::from_millis(60);
/// How long a new connection may take to send its request's head.
const FRESH: Duration = Duration::from_millis(20);
/// How long connections may take to close once every request is answered. Clients that do not read are then cut off.
const CLOSE: Duration = Duration::from_millis(100);

/// The phase of the shutdown.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Phase {
    Open,
    /// Each answer closes its connection.
    Ending,
    /// Incomplete bodies are cut.
    Cut,
    /// Idle connections close.
    Closing,
}

/// The current requests and connections of a port; clones share it.
#[derive(Clone, Debug)]
pub struct Traffic(Arc<Parts>);

#[derive(Debug)]
struct Parts {
    phase: watch::Sender<Phase>,
    /// Whether `phase` is past `Open`; checked by every request.
    is_ending: AtomicBool,
    requests: Arc<Count>,
    connections: Arc<Count>,
}

/// A current count.
#[derive(Debug, Default)]
struct Count {
    now: AtomicUsize,
    none: Notify,
}

impl Count {
    fn hold(self: &Arc<Self>) -> Token {
        self.now.fetch_add(1, Ordering::Relaxed);
        Token(Arc::clone(self))
    }

    async fn none(&self) {
        let mut told = std::pin::pin!(self.none.notified());
        // A token dropped between the check and the wait is still noticed.
        told.as_mut().enable();
        if self.now.load(Ordering::Acquire) > 0 {
            told.await;
        }
    }
}

/// Counts a request or a connection until it is dropped.
#[derive(Debug)]
pub struct Token(Arc<Count>);

impl Drop for Token {
    fn drop(&mut self) {
        if self.0.now.fetch_sub(1, Ordering::AcqRel) == 1 {
            self.0.none.notify_waiters();
        }
    }
}

impl Default for Traffic {
    fn default() -> Self {
        Self(Arc::new(Parts {
            phase: watch::Sender::new(Phase::Open),
            is_ending: AtomicBool::new(false),
            requests: Arc::default(),
            connections: Arc::default(),
        }))
    }
}

impl Traffic {
    /// A new request. A request that starts after the shutdown began is answered, but the shutdown does not wait for
    /// it.
    pub fn request(&self) -> Option<Token> {
        (!self.is_ending()).then(|| self.0.requests.hold())
    }

    /// A new connection.
    pub fn connection(&self) -> Token {
        self.0.connections.hold()
    }

    /// Whether the program is stopping.
    pub fn is_ending(&self) -> bool {
        self.0.is_ending.load(Ordering::Acquire)
    }

    fn enter(&self, phase: Phase) {
        self.0.is_ending.store(phase > Phase::Open, Ordering::Release);
        self.0.phase.send_replace(phase);
    }

    /// Waits until the program stops.
    pub async fn ending(&self) {
        self.reach(Phase::Ending).await;
    }

    /// Waits until incomplete bodies are cut.
    pub async fn cut(&self) {
        self.reach(Phase::Cut).await;
    }

    /// Waits until idle connections are closed.
    pub async fn closing(&self) {
        self.reach(Phase::Closing).await;
    }

    async fn reach(&self, phase: Phase) {
        // The sender is owned by this value, so this cannot fail.
        let _ = self.0.phase.subscribe().wait_for(|now| *now >= phase).await;
    }
}

/// A port with its server.
#[derive(Clone)]
pub struct Port {
    /// Its server.
    pub server: ServerHandle,
    /// Its current requests.
    pub traffic: Traffic,
}

impl Port {
    /// From now on, each response closes its connection. New requests are still answered.
    pub fn end(&self) {
        self.traffic.enter(Phase::Ending);
    }

    /// The number of unanswered requests that started before `end`.
    pub fn waiting(&self) -> usize {
        self.traffic.0.requests.now.load(Ordering::Acquire)
    }

    /// Waits for the requests that started before `end`, and cuts the bodies of slow ones.
    pub async fn answered(&self, grace: Grace) {
        let requests = &self.traffic.0.requests;
        let all = async {
            if timeout(grace.0, requests.none()).await.is_err() {
                self.traffic.enter(Phase::Cut);
                let _ = timeout(grace.1, requests.none()).await;
            }
        };
        tokio::join!(all, tokio::time::sleep(FAREWELL));
    }

    /// Closes the port, answers new connections, closes idle connections and ends the server.
    pub async fn close(&self) {
        self.server.pause().await;
        tokio::time::sleep(FRESH).await;
        self.traffic.enter(Phase::Closing);
        let _ = timeout(CLOSE, self.traffic.0.connections.none()).await;
        // No request is left: a graceful stop would only check that once a second.
        self.server.stop(false).await;
    }
}

#[cfg(test)]
mod tests {
    use futures_util::FutureExt as _;

    use super::*;

    #[test]
    fn those_who_came_before_the_end_are_waited_for_and_those_after_are_not() {
        let traffic = Traffic::default();
        let before = traffic.request();
        assert!(before.is_some() && !traffic.is_ending());
        assert!(traffic.ending().now_or_never().is_none());
        traffic.enter(Phase::Ending);
        assert!(traffic.is_ending() && traffic.request().is_none());
        assert!(traffic.0.requests.none().now_or_never().is_none());
        assert!(traffic.cut().now_or_never().is_none());
        drop(before);
        assert!(traffic.0.requests.none().now_or_never().is_some());
        traffic.enter(Phase::Closing);
        for reached in
            [traffic.ending().now_or_never(), traffic.cut().now_or_never(), traffic.closing().now_or_never()]
        {
            assert!(reached.is_some());
        }
    }
}
