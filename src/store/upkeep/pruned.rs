//! What retention removed.

/// The number of rows that a retention run removed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Pruned {
    /// Deliveries.
    pub deliveries: u64,
    /// Event ids.
    pub event_ids: u64,
    /// Messages, dead letters and published events.
    pub messages: u64,
}

impl Pruned {
    /// Whether there was nothing to remove.
    #[must_use]
    pub fn is_nothing(&self) -> bool {
        *self == Self::default()
    }

    /// Adds what was removed after it.
    pub const fn add(&mut self, more: Self) {
        self.deliveries = self.deliveries.saturating_add(more.deliveries);
        self.event_ids = self.event_ids.saturating_add(more.event_ids);
        self.messages = self.messages.saturating_add(more.messages);
    }
}
