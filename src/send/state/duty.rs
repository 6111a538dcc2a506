//! A task that one node at a time does.

use std::time::Duration;

use super::sender::Sender;
use crate::domain::Timestamp;

/// How long a task is a node's. So long it rests when its node dies.
const LASTS: Duration = Duration::from_secs(4);
/// The task is kept, or asked for, this often.
const ASKED_EVERY: Duration = Duration::from_secs(1);

/// A task that one node at a time does. For a moment two may do it, if one of them stood still; so each step of it must
/// bear that.
#[derive(Debug)]
pub struct Duty {
    name: &'static str,
    /// Until when it is this node's.
    until: Timestamp,
    ask_at: Timestamp,
}

impl Duty {
    /// A task that is not this node's yet.
    pub const fn new(name: &'static str) -> Self {
        Self { name, until: Timestamp::from_micros(i64::MIN), ask_at: Timestamp::from_micros(i64::MIN) }
    }

    /// How long to wait before the task is asked for again.
    pub const PAUSE: Duration = ASKED_EVERY;

    /// Whether the task is this node's now.
    pub async fn is_ours(&mut self, sender: &Sender) -> bool {
        // From before the question: the lease began later.
        let now = sender.now();
        if now >= self.ask_at {
            self.ask_at = now.plus(ASKED_EVERY);
            match sender.store().take_duty(self.name, LASTS).await {
                Ok(true) => self.until = now.plus(LASTS),
                Ok(false) => self.until = now,
                Err(fault) => tracing::debug!(%fault, duty = self.name, "a task cannot be taken"),
            }
        }
        sender.now() < self.until
    }
}
