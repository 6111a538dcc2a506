//! What people put on a delivery.

/// A pin, a note, tags.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Marks {
    /// Whether no retention takes it.
    pub is_pinned: bool,
    /// A note, at most 10,000 characters.
    pub note: Option<String>,
    /// At most twenty tags, each at most fifty characters.
    pub tags: Vec<String>,
}

/// What is changed of them; `None` stays.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct MarksChange {
    /// Pinned, or not.
    pub is_pinned: Option<bool>,
    /// Another note, or none.
    pub note: Option<Option<String>>,
    /// Other tags, all of them.
    pub tags: Option<Vec<String>>,
}

impl Marks {
    /// Whether there is nothing.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }

    /// These, with a change.
    #[must_use]
    pub fn changed(mut self, change: MarksChange) -> Self {
        self.is_pinned = change.is_pinned.unwrap_or(self.is_pinned);
        if let Some(note) = change.note {
            self.note = note;
        }
        self.tags = change.tags.unwrap_or(self.tags);
        self
    }
}
