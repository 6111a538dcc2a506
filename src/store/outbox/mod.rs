//! The outbox: subscriptions, the messages they lead to, their attempts, dead letters and figures.

mod by_hand;
mod contract;
mod words;

pub use words::{
    DeadLetterFilter, Due, FanOut, FannedDelivery, HealthCheck, Lane, LaneBatch, LaneClaim, LetterGroup,
    NewMessage, Next, ParkedRecord, Published, PublishedType, SenderFigures, Settlement, StoredMessage,
    SubscriptionRecord, Told,
};
