//! The silences that the learner remembers while the program runs.

use std::collections::HashMap;

use crate::domain::{SilenceAfter, Timestamp};

/// The silences remembered while the program runs.
pub struct Silences {
    /// When the program last listened; `None`: there was no rule by which to listen.
    pub heard_at: Option<Timestamp>,
    /// When that was last kept.
    pub kept_at: Option<Timestamp>,
    /// The rule with which all silences of a source were computed.
    pub computed: HashMap<String, SilenceAfter>,
}

impl Silences {
    /// As of the last time that the program listened.
    pub fn resume(heard_at: Option<Timestamp>) -> Self {
        Self { heard_at, kept_at: None, computed: HashMap::new() }
    }
}
