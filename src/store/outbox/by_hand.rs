//! What every store promises for messages handled by hand: send now, move, cancel, replay, discard.

use crate::domain::{MessageId, Now, Timestamp};
use crate::store::sqlite::outbox;
use crate::store::{DeadLetterFilter, LetterGroup, Store, StoreError};

/// As with the rest of the outbox, every method fails with `Unavailable` if the store cannot be read or written.
impl Store {
    /// Makes the messages at these positions due now; cancelled messages start a new round of attempts.
    /// Returns the position of each message and the subscription it is sent through. Messages that are parked, being
    /// sent or finished do not change.
    ///
    /// # Errors
    /// `Unavailable`, `Full`.
    pub async fn send_now(&self, seqs: Vec<i64>, now: Now) -> Result<Vec<(i64, String)>, StoreError> {
        match self {
            Self::Sqlite(sqlite) => sqlite.write(false, move |to| outbox::send_now(to, &seqs, now)).await,
        }
    }

    /// Moves the parked messages at these positions to the subscription `to`, which is in force. They are due now, in
    /// a new round of attempts.
    /// Returns the positions of the moved messages. The others are not parked, or `to` already has a message for their
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

    /// Cancels the messages at these positions that wait, are parked or are being sent. Returns the positions of the
    /// cancelled messages.
    ///
    /// # Errors
    /// `Unavailable`, `Full`.
    pub async fn cancel_messages(&self, seqs: Vec<i64>, now: Now) -> Result<Vec<i64>, StoreError> {
        match self {
            Self::Sqlite(sqlite) => sqlite.write(false, move |to| outbox::cancel(to, &seqs, now)).await,
        }
    }

    /// Replays matching dead letters, the oldest first, at most `limit`. Those whose subscription is not in force do
    /// not change.
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

    /// Matching dead letters that cannot be replayed because their subscription is not in force, counted per
    /// subscription.
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

    /// Dead letters that match, by subscription and error, those that died last first; at most `limit` groups.
    ///
    /// # Errors
    /// `Unavailable`.
    pub async fn dead_letter_groups(
        &self,
        filter: DeadLetterFilter,
        limit: usize,
    ) -> Result<Vec<LetterGroup>, StoreError> {
        match self {
            Self::Sqlite(sqlite) => {
                sqlite.read(move |from| outbox::letter_groups(from, &filter, limit)).await
            }
        }
    }

    /// Discards dead letters that match, the oldest first, at most `limit`; their messages stay dead. Returns how many.
    ///
    /// # Errors
    /// `Unavailable`, `Full`.
    pub async fn discard_dead_letters(
        &self,
        filter: DeadLetterFilter,
        limit: usize,
    ) -> Result<usize, StoreError> {
        match self {
            Self::Sqlite(sqlite) => sqlite.write(false, move |to| outbox::discard(to, &filter, limit)).await,
        }
    }

    /// When the oldest dead letter failed.
    ///
    /// # Errors
    /// `Unavailable`.
    pub async fn oldest_dead_letter(&self) -> Result<Option<Timestamp>, StoreError> {
        match self {
            Self::Sqlite(sqlite) => sqlite.read(outbox::oldest).await,
        }
    }
}
