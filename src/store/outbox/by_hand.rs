//! What every store promises to a person who handles messages: send now, move, cancel, replay, drop.

use crate::domain::{MessageId, Now};
use crate::store::sqlite::outbox;
use crate::store::{DeadLetterFilter, Store, StoreError};

/// As with the rest of the outbox, every method fails with `Unavailable` where the store cannot be read or written.
impl Store {
    /// Makes messages at these positions due now; cancelled ones begin a new round of attempts. Returns the position and
    /// the subscription through which each is sent; those that are parked, under way or over stay as they are.
    ///
    /// # Errors
    /// `Unavailable`, `Full`.
    pub async fn send_now(&self, seqs: Vec<i64>, now: Now) -> Result<Vec<(i64, String)>, StoreError> {
        match self {
            Self::Sqlite(sqlite) => sqlite.write(false, move |to| outbox::send_now(to, &seqs, now)).await,
        }
    }

    /// Gives the parked messages at these positions to the subscription `to`, which is in force: due now, in a new round of
    /// attempts. Returns the positions of those that were moved; the others are not parked, or `to` has a message for their
    /// event.
    ///
    /// # Errors
    /// `Unavailable`, `Full`.
    pub async fn move_parked(&self, seqs: Vec<i64>, to: String, now: Now) -> Result<Vec<i64>, StoreError> {
        match self {
            Self::Sqlite(sqlite) => {
                sqlite.write(false, move |connection| outbox::move_parked(connection, &seqs, &to, now)).await
            }
        }
    }

    /// Cancels the messages at these positions that wait, parked ones too, or are being sent; returns the positions of
    /// those that were.
    ///
    /// # Errors
    /// `Unavailable`, `Full`.
    pub async fn cancel_messages(&self, seqs: Vec<i64>, now: Now) -> Result<Vec<i64>, StoreError> {
        match self {
            Self::Sqlite(sqlite) => sqlite.write(false, move |to| outbox::cancel(to, &seqs, now)).await,
        }
    }

    /// Replays dead letters that match, the oldest first, at most `limit`; those whose subscription is not in force stay.
    /// Returns each message with its subscription.
    ///
    /// # Errors
    /// `Unavailable`, `Full`.
    pub async fn replay_dead_letters(
        &self,
        filter: DeadLetterFilter,
        limit: usize,
        now: Now,
    ) -> Result<Vec<(MessageId, String)>, StoreError> {
        match self {
            Self::Sqlite(sqlite) => {
                sqlite.write(false, move |to| outbox::replay(to, &filter, limit, now)).await
            }
        }
    }

    /// Dead letters that match and cannot be replayed, because their subscription is not in force: how many of each.
    ///
    /// # Errors
    /// `Unavailable`.
    pub async fn stranded_dead_letters(
        &self,
        filter: DeadLetterFilter,
    ) -> Result<Vec<(String, u64)>, StoreError> {
        match self {
            Self::Sqlite(sqlite) => sqlite.read(move |from| outbox::stranded(from, &filter)).await,
        }
    }

    /// Drops a dead letter; its message stays dead. `false` where there is none.
    ///
    /// # Errors
    /// `Unavailable`, `Full`.
    pub async fn drop_dead_letter(&self, id: MessageId) -> Result<bool, StoreError> {
        match self {
            Self::Sqlite(sqlite) => sqlite.write(false, move |to| outbox::drop_letter(to, id)).await,
        }
    }
}
