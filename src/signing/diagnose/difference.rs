//! The difference between a sender's request and its source's rules.

/// What somebody does differently: its name, what it is, and how to put it right.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Difference {
    /// Its name.
    pub name: &'static str,
    /// What it is.
    pub what: String,
    /// How to put it right; empty where that says itself.
    pub fix: String,
}

impl Difference {
    /// `said` is what it is and how to put it right, with ` | ` between.
    pub(super) fn new(name: &'static str, said: impl Into<String>) -> Self {
        let said: String = said.into();
        let (what, fix) = said.split_once(" | ").map_or((said.as_str(), ""), |(what, fix)| (what, fix));
        Self { name, what: what.to_owned(), fix: fix.to_owned() }
    }
}
