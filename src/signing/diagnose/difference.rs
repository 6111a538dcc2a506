//! What a sender does differently from what its source asks for.

/// What somebody does differently: its name, and a sentence with the fix.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Difference {
    /// Its name.
    pub name: &'static str,
    /// What it is, and how to put it right.
    pub fix: String,
}

impl Difference {
    pub(super) fn new(name: &'static str, fix: impl Into<String>) -> Self {
        Self { name, fix: fix.into() }
    }
}
