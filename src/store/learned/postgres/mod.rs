//! What is learnt, in PostgreSQL.

mod drift;
mod entity_list;
mod learn;
mod silence;
