//! The difference between a sender's request and its source's rules.

/// A sender's mistake: its name, and a sentence with the fix.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Difference {
    /// Its name.
    pub name: &'static str,
    /// What it is, and how to fix it.
    pub fix: String,
}

impl Difference {
    pub(super) fn new(name: &'static str, fix: impl Into<String>) -> Self {
        Self { name, fix: fix.into() }
    }
}
