//! What a sender does differently from what its source asks for.

/// What somebody does differently: its name, and a sentence with the fix.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Difference {
    pub name: &'static str,
    pub fix: String,
}

impl Difference {
    pub fn new(name: &'static str, fix: impl Into<String>) -> Self {
        Self { name, fix: fix.into() }
    }
}
