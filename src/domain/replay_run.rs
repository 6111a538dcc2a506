//! Many deliveries that a person sends again with one word.

use super::{ReplayId, ReplaySignature};

/// How far a run is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RunState {
    /// It goes on, over restarts of the program too.
    Running,
    /// A person or an error stopped it; it can be resumed.
    Stopped,
    /// It is through.
    Done,
}

impl RunState {
    /// Every state.
    pub const ALL: [Self; 3] = [Self::Running, Self::Stopped, Self::Done];

    /// Its word in the API.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Running => "running",
            Self::Stopped => "stopped",
            Self::Done => "done",
        }
    }

    /// The state of that word.
    #[must_use]
    pub fn from_word(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|state| state.as_str() == word)
    }
}

/// A run and how far it is. Its plan, the deliveries that are still to be sent, is kept beside it.
#[derive(Clone, Debug, PartialEq)]
pub struct ReplayRun {
    /// Its id, which tells when it was started.
    pub id: ReplayId,
    /// What chose the deliveries, as parameters of a list: `verdict=rejected&q=…`.
    pub filter: String,
    /// `receiver`, a URL, or the id of a subscription.
    pub target: String,
    /// What becomes of each signature.
    pub signature: ReplaySignature,
    /// Whether the newest delivery goes first.
    pub is_newest_first: bool,
    /// At most so many a second; `None`: as fast as it goes.
    pub per_second: Option<f64>,
    /// So many at once, 1 to 32. With one, each waits for the answer of the one before.
    pub concurrency: u32,
    /// Whether the first failure stops it.
    pub stops_on_error: bool,
    /// How far it is.
    pub state: RunState,
    /// Why it was stopped.
    pub why: Option<String>,
    /// Deliveries of its plan.
    pub total: u32,
    /// Those that are through, failed and gone ones among them.
    pub done: u32,
    /// Those without an answer, or with one of 400 and above.
    pub failed: u32,
    /// Those that retention took before their turn.
    pub gone: u32,
}

/// What became of one delivery of a run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RunStep {
    /// It was sent.
    Sent,
    /// It was not answered, or refused.
    Failed,
    /// It is not there any more.
    Gone,
}
