//! Manual actions on waiting messages: send now, move to another subscription, or cancel.

use std::collections::{BTreeMap, HashSet};

use crate::domain::{MessageRow, MessageStatus};
use crate::send::state::Sender;
use crate::store::StoreError;

/// An action on messages.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Act {
    /// Sends them now, whenever their next attempt was due.
    SendNow,
    /// Moves parked ones to another subscription.
    Move,
    /// Cancels them.
    Cancel,
}

impl Act {
    /// The message statuses that allow it.
    #[must_use]
    pub const fn statuses(self) -> &'static [MessageStatus] {
        match self {
            Self::SendNow => &[MessageStatus::Pending, MessageStatus::Cancelled],
            Self::Move => &[MessageStatus::Parked],
            Self::Cancel => &[MessageStatus::Pending, MessageStatus::Parked, MessageStatus::Sending],
        }
    }

    /// The statuses used if a filter names none: cancelled messages are sent only on request.
    #[must_use]
    pub const fn usual(self) -> &'static [MessageStatus] {
        match self {
            Self::SendNow => &[MessageStatus::Pending],
            Self::Move => &[MessageStatus::Parked],
            Self::Cancel => &[MessageStatus::Pending, MessageStatus::Parked, MessageStatus::Sending],
        }
    }
}

impl Sender {
    /// Why the action is not possible for a message; `None` if it is.
    #[must_use]
    pub fn refusal(&self, act: Act, row: &MessageRow) -> Option<String> {
        let id = row.id;
        match (act, row.status) {
            (_, MessageStatus::Delivered) => Some(format!("Message {id} was delivered already.")),
            (Act::Move, MessageStatus::Parked) => None,
            (Act::Move, _) => Some(format!("Message {id} is not parked; only parked messages can be moved.")),
            (Act::SendNow, MessageStatus::Dead) => {
                Some(format!("Message {id} is dead: replay its dead letter."))
            }
            (Act::Cancel, MessageStatus::Dead) => {
                Some(format!("Message {id} is dead: discard its dead letter."))
            }
            (Act::SendNow, MessageStatus::Sending) => {
                Some(format!("Message {id} is being sent at this moment."))
            }
            (Act::Cancel, MessageStatus::Cancelled) => Some(format!("Message {id} was cancelled already.")),
            (Act::SendNow, _) => self.out_of_force(&row.subscription),
            (Act::Cancel, _) => None,
        }
    }

    /// Why nothing can be sent through a subscription; `None` if it is in force.
    #[must_use]
    pub fn out_of_force(&self, subscription: &str) -> Option<String> {
        if self.subscriptions().get(subscription).is_some() {
            return None;
        }
        Some(match self.subscriptions().parked(subscription) {
            Some(parked) => format!("{} {}", parked.sentence(), parked.cure()),
            None => {
                format!("Subscription {subscription} was deleted, so this message has no endpoint.")
            }
        })
    }

    /// Applies the action to messages; moved messages go to `to`. Returns the positions of the changed messages. The
    /// others have changed in the meantime, or cannot be moved there.
    ///
    /// # Errors
    /// When the store cannot be written.
    pub async fn act(&self, act: Act, to: &str, seqs: Vec<i64>) -> Result<HashSet<i64>, StoreError> {
        match act {
            Act::Move => {
                let moved = self.store().move_parked(seqs, to.to_owned(), self.both()).await?;
                self.wakeups().tell(std::iter::once(to));
                Ok(moved.into_iter().collect())
            }
            Act::SendNow => {
                let due = self.store().send_now(seqs, self.both()).await?;
                self.wakeups().tell(due.iter().map(|(_, target)| target.as_str()));
                Ok(due.into_iter().map(|(seq, _)| seq).collect())
            }
            Act::Cancel => {
                let cancelled = self.store().cancel_messages(seqs, self.both()).await?;
                let count = u64::try_from(cancelled.len()).unwrap_or(u64::MAX);
                self.metrics().sender().messages("cancelled", count);
                // A message behind one of them may be due now.
                self.wake();
                Ok(cancelled.into_iter().collect())
            }
        }
    }

    /// A warning for users who send messages through these subscriptions: disabled ones do not send them.
    #[must_use]
    pub fn waits_for_enabling<'a>(&self, subscriptions: impl Iterator<Item = &'a str>) -> Vec<String> {
        let mut counts: BTreeMap<&str, u64> = BTreeMap::new();
        for id in subscriptions {
            let count = counts.entry(id).or_default();
            *count = count.saturating_add(1);
        }
        let disabled = counts
            .into_iter()
            .filter(|(id, _)| self.subscriptions().get(id).is_some_and(|active| !active.is_enabled()));
        disabled
            .map(|(id, count)| match count {
                1 => format!("Subscription {id} is disabled: the message waits until it is enabled."),
                _ => format!("Subscription {id} is disabled: its {count} messages wait until it is enabled."),
            })
            .collect()
    }
}
