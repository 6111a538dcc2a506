//! The outbox: subscriptions, the messages they lead to, their attempts, dead letters and figures.

mod by_hand;
mod contract;
mod encoding;
pub mod postgres;
pub mod sqlite;
mod tally;
mod unreported;
mod types;

pub use by_hand::ByHand;
pub use contract::{DeadLetters, FanningOut, Health, Messages, Sending, Subscriptions};
pub use types::{
    DeadLetterFilter, Due, FanOut, FannedDelivery, HealthCheck, Lane, LaneBatch, LaneClaim, LaneRate, LetterGroup, NewMessage, Next,
    ParkedRecord, Published, PublishedType, SenderFigures, Settlement, StoredMessage, SubscriptionRecord,
    UnreportedLetters,
};

#[cfg(test)]
mod tests;
