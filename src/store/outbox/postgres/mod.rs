//! The outbox in PostgreSQL, which several nodes share.
//!
//! Transactions lock in one order: subscriptions by id, messages by position, then figures. A claim waits for no row:
//! what another transaction has is not its own.

mod by_hand;
mod claim;
mod columns;
mod dead_letters;
mod fanout;
mod figures;
mod messages;
mod ordered;
mod prune;
mod rate;
mod schedule;
mod settle;
mod subscriptions;

pub use fanout::publish;
pub use prune::{prune_outbox, retire};
pub use subscriptions::is_ordered;
