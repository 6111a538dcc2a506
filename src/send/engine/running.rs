//! The running sender: on its own thread, so that neither receiving nor the pages ever wait for an endpoint.

use super::{clock_watch, dispatcher, fanout, follower, health};
use crate::send::own_events;
use crate::send::state::Sender;
use crate::telemetry::Worker;

/// A running sender.
pub struct RunningSender {
    sender: Sender,
    thread: Worker,
}

impl RunningSender {
    /// Starts the thread: fan-out, dispatcher, health checks, clock watch, notices, and what other
    /// nodes do. A panic in one of them restarts
    /// all of them. As after a program restart, requests in flight are sent again.
    ///
    /// # Errors
    /// When no thread can be started.
    pub fn start(sender: Sender) -> std::io::Result<Self> {
        let own = sender.clone();
        let thread = sender.metrics().workers().start_async("sender", 0, move || {
            let own = own.clone();
            async move {
                tokio::join!(
                    fanout::run(own.clone()),
                    follower::run(own.clone()),
                    dispatcher::run(own.clone()),
                    health::run(own.clone()),
                    clock_watch::run(own.clone()),
                    own_events::run_notices(own),
                );
            }
        })?;
        Ok(Self { sender, thread })
    }

    /// Stops: nothing new is claimed, requests in flight get a short time, and the rest waits for the next start.
    pub async fn stop(self) {
        self.sender.stop();
        let _ = tokio::task::spawn_blocking(move || self.thread.join()).await;
    }
}
