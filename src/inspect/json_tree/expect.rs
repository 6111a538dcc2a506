//! What the grammar of JSON allows next.

/// What may come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Expect {
    Value,
    ValueOrEnd,
    Key,
    KeyOrEnd,
    Colon,
    CommaOrEnd,
    End,
}

impl Expect {
    /// In words.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Value => "a value",
            Self::ValueOrEnd => "a value or ]",
            Self::Key => "a key in quotes",
            Self::KeyOrEnd => "a key in quotes or }",
            Self::Colon => "a colon",
            Self::CommaOrEnd => "a comma",
            Self::End => "the end",
        }
    }
}
