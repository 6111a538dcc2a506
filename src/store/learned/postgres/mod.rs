//! What is learnt, in PostgreSQL, by the learners of several nodes.
//!
//! A learner's transaction locks in one order: the cursor, event types, entities by source and id, counts. Whoever
//! changes entities otherwise locks them by source and id, too.

mod columns;
mod drift;
mod entities;
mod entity_list;
mod facts;
mod learn;
mod names;
mod silence;
