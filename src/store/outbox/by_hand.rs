//! What every store promises for messages handled by hand: send now, move, cancel, replay, discard.

use async_trait::async_trait;

use crate::domain::Now;
use crate::store::StoreError;

/// Messages handled by hand: send now, move, cancel.
///
/// Every method fails with `Unavailable` if the store cannot be read or written; methods that write fail with `Full`
/// while too much waits to be written.
#[async_trait]
pub trait ByHand: Send + Sync {
    /// Makes the messages at these positions due now; cancelled messages start a new round of attempts.
    /// Returns the position of each message and the subscription it is sent through. Messages that are parked, being
    /// sent or finished do not change.
    async fn send_now(&self, seqs: Vec<i64>, now: Now) -> Result<Vec<(i64, String)>, StoreError>;

    /// Moves the parked messages at these positions to the subscription `to`, which is in force. They are due now, in
    /// a new round of attempts.
    /// Returns the positions of the moved messages. The others are not parked, or `to` already has a message for their
    /// event.
    async fn move_parked(&self, seqs: Vec<i64>, to: String, now: Now) -> Result<Vec<i64>, StoreError>;

    /// Cancels the messages at these positions that wait, are parked or are being sent. Returns the positions of the
    /// cancelled messages.
    async fn cancel_messages(&self, seqs: Vec<i64>, now: Now) -> Result<Vec<i64>, StoreError>;
}
