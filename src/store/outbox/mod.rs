//! The outbox: subscriptions, the messages they lead to, their attempts, dead letters and figures.

mod by_hand;
mod columns;
mod contract;
mod letter_filter;
mod limits;
pub mod postgres;
mod sharing;
pub mod sqlite;
mod tally;
mod types;
mod unreported;

pub use by_hand::ByHand;
pub use contract::{DeadLetters, FanningOut, Health, Messages, Sending, Subscriptions};
pub use sharing::{News, Sharing};
pub use types::{
    DeadLetterFilter, Due, FanOut, HealthCheck, Lane, LaneBatch, LaneClaim, LaneRate, LetterGroup,
    NewMessage, Next, ParkedRecord, Published, PublishedType, SenderFigures, Settlement, StoredMessage,
    SubscriptionRecord, UnreportedLetters,
};

#[cfg(test)]
mod tests;
