//! The outbox in PostgreSQL.

mod by_hand;
mod claim;
mod dead_letters;
mod fanout;
mod figures;
mod messages;
mod subscriptions;
