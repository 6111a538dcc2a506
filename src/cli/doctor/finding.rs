//! One line of the doctor.

use serde_json::{Value, json};

use crate::cli::colour::{Tone, toned};

/// How well something is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum State {
    /// Nothing to do.
    Well,
    /// It works; something is worth a look.
    Notice,
    /// It does not work.
    Bad,
    /// It could not be checked.
    Skipped,
}

impl State {
    const fn as_str(self) -> &'static str {
        match self {
            Self::Well => "ok",
            Self::Notice => "notice",
            Self::Bad => "problem",
            Self::Skipped => "skipped",
        }
    }
}

/// What was found, and what to do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    /// What was checked.
    pub check: &'static str,
    /// How well it is.
    pub state: State,
    /// What was found.
    pub found: String,
    /// What to do, if there is something to do.
    pub todo: Option<String>,
}

impl Finding {
    /// Nothing to do.
    pub fn well(check: &'static str, found: impl Into<String>) -> Self {
        Self { check, state: State::Well, found: found.into(), todo: None }
    }

    /// It works; `todo` is worth doing.
    pub fn notice(check: &'static str, found: impl Into<String>, todo: impl Into<String>) -> Self {
        Self { check, state: State::Notice, found: found.into(), todo: Some(todo.into()) }
    }

    /// It does not work; `todo` helps.
    pub fn bad(check: &'static str, found: impl Into<String>, todo: impl Into<String>) -> Self {
        Self { check, state: State::Bad, found: found.into(), todo: Some(todo.into()) }
    }

    /// It could not be checked.
    pub fn skipped(check: &'static str, why: impl Into<String>) -> Self {
        Self { check, state: State::Skipped, found: why.into(), todo: None }
    }

    /// The row of `--json`.
    pub fn row(&self) -> Value {
        json!({"check": self.check, "state": self.state.as_str(), "found": self.found, "todo": self.todo})
    }

    /// The lines for people.
    pub fn lines(&self) -> String {
        let state = format!("{:<8}", self.state.as_str());
        let state = match self.state {
            State::Well => toned(&state, Tone::Well),
            State::Notice => toned(&state, Tone::Notice),
            State::Bad => toned(&state, Tone::Bad),
            State::Skipped => state,
        };
        let mut lines = format!("{state} {:<15} {}\n", self.check, self.found);
        if let Some(todo) = &self.todo {
            lines.push_str(&format!("{:<24} {todo}\n", ""));
        }
        lines
    }
}
