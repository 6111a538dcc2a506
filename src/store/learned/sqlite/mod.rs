//! The lens in SQLite: each function runs inside the writer's transaction, or on a reader's connection.

mod drift;
mod entities;
mod entity_list;
mod facts;
mod learn;
mod names;
mod silence;
