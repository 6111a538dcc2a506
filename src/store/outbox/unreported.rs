//! Notices about dead letters: which of them one notice is about.

use crate::domain::MessageId;
use crate::store::UnreportedLetters;

/// The most dead letters read for one notice.
pub const LETTERS_AT_ONCE: usize = 10_000;
/// The most ids in a notice.
const MOST_IDS: usize = 20;

/// A dead letter without a notice.
pub struct Unreported {
    /// Its subscription.
    pub subscription: String,
    /// Its message.
    pub id: MessageId,
    /// The position of the message.
    pub seq: i64,
    /// The type of its event.
    pub event_type: String,
    /// The error.
    pub error: String,
}

/// Adds a dead letter; they come by subscription, then by position. `own_events` never cause a notice: notices about
/// notices would never end.
pub fn add(all: &mut Vec<UnreportedLetters>, letter: Unreported, own_events: &[&str]) {
    let Unreported { subscription, id, seq, event_type, error } = letter;
    if all.last().is_none_or(|last| last.subscription != subscription) {
        let (messages, error) = (Vec::new(), String::new());
        all.push(UnreportedLetters { subscription, count: 0, messages, error, through: seq });
    }
    let Some(notice) = all.last_mut() else { return };
    notice.through = seq;
    if own_events.contains(&event_type.as_str()) {
        return;
    }
    notice.count = notice.count.saturating_add(1);
    notice.error = error;
    if notice.messages.len() < MOST_IDS {
        notice.messages.push(id);
    }
}
