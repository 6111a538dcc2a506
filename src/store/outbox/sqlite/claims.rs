//! The messages that are being sent. One process owns the file, so only its memory knows them; in the file they still
//! wait. Where the process ends, its claims end with it, and these messages are sent again, with the same ids.

use std::collections::{HashMap, HashSet};
use std::sync::{Arc, Weak};

use parking_lot::Mutex;

use crate::domain::{ClaimedMessage, OutgoingEvent, Timestamp};

/// The claimed messages of a file.
#[derive(Default)]
pub struct Claims(Mutex<State>);

#[derive(Default)]
struct State {
    /// The number of the last claim.
    last: i64,
    /// By the position of the message.
    messages: HashMap<i64, Claim>,
    /// The events of claimed messages, by position, while one of them is in memory.
    events: HashMap<i64, Weak<OutgoingEvent>>,
}

/// What is known of a claimed message.
#[derive(Clone, Copy)]
pub struct Claim {
    number: i64,
    lease_until: Timestamp,
    /// When it was claimed.
    pub at: Timestamp,
}

impl Claims {
    /// The number of a new claim. Events that no message carries any more are forgotten.
    pub fn begin(&self) -> i64 {
        let mut state = self.0.lock();
        state.events.retain(|_, event| event.strong_count() > 0);
        state.last = state.last.saturating_add(1);
        state.last
    }

    /// Adds messages to the claim that they carry the number of.
    pub fn add(&self, messages: &[ClaimedMessage], lease_until: Timestamp, at: Timestamp) {
        let claim =
            |message: &ClaimedMessage| (message.seq, Claim { number: message.claim, lease_until, at });
        self.0.lock().messages.extend(messages.iter().map(claim));
    }

    /// The claim on a message, if this one is still in force.
    pub fn get(&self, seq: i64, number: i64) -> Option<Claim> {
        self.0.lock().messages.get(&seq).copied().filter(|claim| claim.number == number)
    }

    /// Whether a message is claimed.
    pub fn has(&self, seq: i64) -> bool {
        self.0.lock().messages.contains_key(&seq)
    }

    /// The positions of all claimed messages.
    pub fn all(&self) -> HashSet<i64> {
        self.0.lock().messages.keys().copied().collect()
    }

    /// Ends these claims, given as position and number. A message that was claimed again since stays claimed.
    pub fn end(&self, claims: impl Iterator<Item = (i64, i64)>) {
        let mut state = self.0.lock();
        for (seq, number) in claims {
            if state.messages.get(&seq).is_some_and(|claim| claim.number == number) {
                state.messages.remove(&seq);
            }
        }
    }

    /// Ends the claim on a message, whichever it is.
    pub fn end_any(&self, seq: i64) {
        self.0.lock().messages.remove(&seq);
    }

    /// Ends a claim whose result nobody got.
    pub fn end_number(&self, number: i64) {
        self.0.lock().messages.retain(|_, claim| claim.number != number);
    }

    /// Ends the claims whose lease ended before this time; `false` if there are none.
    pub fn end_expired(&self, before: Timestamp) -> bool {
        let mut state = self.0.lock();
        let count = state.messages.len();
        state.messages.retain(|_, claim| claim.lease_until >= before);
        state.messages.len() < count
    }

    /// Ends all claims; returns how many.
    pub fn end_all(&self) -> usize {
        std::mem::take(&mut self.0.lock().messages).len()
    }

    /// An event that a claimed message carries, if it is in memory.
    pub fn event(&self, seq: i64) -> Option<Arc<OutgoingEvent>> {
        self.0.lock().events.get(&seq)?.upgrade()
    }

    /// Remembers an event while a message carries it.
    pub fn keep_event(&self, seq: i64, event: &Arc<OutgoingEvent>) {
        self.0.lock().events.insert(seq, Arc::downgrade(event));
    }
}
