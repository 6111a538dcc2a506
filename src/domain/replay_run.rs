//! A replay of many deliveries in one run.

use super::{ReplayId, ReplaySignature};

/// The state of a run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RunState {
    /// It is running, also across restarts of the program.
    Running,
    /// Stopped by a user or an error; it can be resumed.
    Stopped,
    /// It is finished.
    Done,
}

impl RunState {
    /// Every state.
    pub const ALL: [Self; 3] = [Self::Running, Self::Stopped, Self::Done];

    /// Its name in the API.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Running => "running",
            Self::Stopped => "stopped",
            Self::Done => "done",
        }
    }

    /// The state with that API name.
    #[must_use]
    pub fn from_word(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|state| state.as_str() == word)
    }
}

/// A run and its progress. Its plan, the deliveries that are still to be sent, is stored separately.
#[derive(Clone, Debug, PartialEq)]
pub struct ReplayRun {
    /// Its id, which contains its start time.
    pub id: ReplayId,
    /// The search that selected the deliveries, as parameters of a list: `verdict=rejected&q=…`.
    pub filter: String,
    /// `receiver`, a URL, or the id of a subscription.
    pub target: String,
    /// The treatment of signatures.
    pub signature: ReplaySignature,
    /// Whether the newest delivery is sent first.
    pub is_newest_first: bool,
    /// The most requests per second; `None` for no limit.
    pub per_second: Option<f64>,
    /// Parallel requests, 1 to 32. With 1, each request waits for the previous response.
    pub concurrency: u32,
    /// Whether the first failure stops it.
    pub stops_on_error: bool,
    /// Its state.
    pub state: RunState,
    /// Why it was stopped.
    pub why: Option<String>,
    /// The number of deliveries in its plan.
    pub total: u32,
    /// Processed deliveries, including failed and removed ones.
    pub done: u32,
    /// Deliveries without a response, or with a status of 400 or above.
    pub failed: u32,
    /// Deliveries that retention removed before their turn.
    pub gone: u32,
}

/// The result for one delivery of a run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RunStep {
    /// It was sent.
    Sent,
    /// It got no response, or a rejection.
    Failed,
    /// It no longer exists.
    Gone,
}
