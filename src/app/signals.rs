//! The signals that the program listens to.

use std::time::Duration;

use tokio::signal::unix::{Signal, SignalKind, signal};

/// A stop that takes longer logs what it waits for.
const PATIENCE: Duration = Duration::from_millis(300);

/// What a signal asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Told {
    /// SIGTERM or SIGINT.
    Stop,
    /// SIGHUP.
    Reload,
}

/// The signals that the program listens to.
pub(super) struct Signals {
    terminate: Signal,
    interrupt: Signal,
    hangup: Signal,
}

impl Signals {
    pub(super) fn listen() -> std::io::Result<Self> {
        Ok(Self {
            terminate: signal(SignalKind::terminate())?,
            interrupt: signal(SignalKind::interrupt())?,
            hangup: signal(SignalKind::hangup())?,
        })
    }

    /// Waits for the next signal.
    pub(super) async fn next(&mut self) -> Told {
        tokio::select! {
            _ = self.terminate.recv() => Told::Stop,
            _ = self.interrupt.recv() => Told::Stop,
            _ = self.hangup.recv() => Told::Reload,
        }
    }

    /// Waits for a second signal. Logs how many requests a slow stop waits for.
    pub(super) async fn until_told_again(&mut self, waiting: impl Fn() -> usize) {
        let patience = tokio::time::sleep(PATIENCE);
        tokio::pin!(patience);
        let mut is_told = false;
        loop {
            tokio::select! {
                _ = self.terminate.recv() => break,
                _ = self.interrupt.recv() => break,
                () = &mut patience, if !is_told => {
                    is_told = true;
                    let requests = waiting();
                    let noun = if requests == 1 { "request" } else { "requests" };
                    tracing::info!("stopping, waiting for {requests} {noun} and attempts under way (Ctrl-C again to quit now)");
                }
            }
        }
        tracing::warn!(requests = waiting(), "quit before all requests were answered");
    }
}
