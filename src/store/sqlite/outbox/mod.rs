//! The outbox in SQLite: each function runs inside the writer's transaction, or on a reader's connection.

mod by_hand;
mod claim;
mod columns;
mod dead_letters;
mod fanout;
mod figures;
mod messages;
mod ordered;
mod prune;
mod schedule;
mod settle;
mod subscriptions;

pub use by_hand::{cancel, move_parked, send_now};
pub use claim::{claim, marks, recover};
pub use columns::to_json;
pub use dead_letters::{discard, letter_groups, letters, oldest, replay, stranded, tell, untold};
pub use fanout::{by_hand, cursor, fan_out, publish, published_types, unfanned};
pub use figures::{add_health, figures, health};
pub use messages::{attempts, event_of, list, made_by, one};
pub use prune::{prune_outbox, retire};
pub use schedule::keep_wall_ahead;
pub use settle::settle;
pub use subscriptions::{delete, disable, park, put, records, waiting};
