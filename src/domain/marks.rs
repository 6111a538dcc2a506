//! Pins, notes and tags of a delivery.

/// A pin, a note, tags.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Marks {
    /// Whether retention never removes it.
    pub is_pinned: bool,
    /// A note, at most 10,000 characters.
    pub note: Option<String>,
    /// At most twenty tags, each at most fifty characters.
    pub tags: Vec<String>,
}

/// A change of marks; `None` keeps a value.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct MarksChange {
    /// The new pin state.
    pub is_pinned: Option<bool>,
    /// The new note, or none.
    pub note: Option<Option<String>>,
    /// The new list of tags.
    pub tags: Option<Vec<String>>,
}

impl Marks {
    /// Whether nothing is changed.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }

    /// Applies a change.
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
