//! Where the inspector asks the program to read its configuration again.

use tokio::sync::{mpsc, oneshot};

use crate::config::Change;

/// Requests that may wait. A reload takes a moment.
const WAITING: usize = 8;

/// What a reload changed; or the faults of the configuration, one line each, and nothing was changed.
pub type ReloadOutcome = Result<Vec<Change>, Vec<String>>;

/// Asks for a reload. Clones ask the same program.
#[derive(Clone, Debug)]
pub struct ReloadDesk(mpsc::Sender<oneshot::Sender<ReloadOutcome>>);

/// The requests, for the program.
#[derive(Debug)]
pub struct ReloadRequests(mpsc::Receiver<oneshot::Sender<ReloadOutcome>>);

impl ReloadDesk {
    /// A desk, and what is asked there.
    #[must_use]
    pub fn new() -> (Self, ReloadRequests) {
        let (ask, asked) = mpsc::channel(WAITING);
        (Self(ask), ReloadRequests(asked))
    }

    /// Has the configuration read again; `None` if the program is stopping.
    pub async fn ask(&self) -> Option<ReloadOutcome> {
        let (answer, answered) = oneshot::channel();
        self.0.send(answer).await.ok()?;
        answered.await.ok()
    }
}

impl ReloadRequests {
    /// Waits for the next request; its sender takes the outcome.
    pub async fn next(&mut self) -> Option<oneshot::Sender<ReloadOutcome>> {
        self.0.recv().await
    }
}
