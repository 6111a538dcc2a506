//! The outbox in SQLite: each function runs inside the writer's transaction, or on a reader's connection.

mod by_hand;
mod claim;
mod claims;
mod columns;
mod dead_letters;
mod fanout;
mod figures;
mod messages;
mod ordered;
mod prune;
mod schedule;
mod settle;
mod sharing;
mod subscriptions;

pub use claims::Claims;
pub use columns::to_json;
pub use fanout::publish;
pub use prune::{prune_outbox, retire};
