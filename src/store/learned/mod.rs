//! What is learnt from the log in the background: the fields of each event type, and the entities in deliveries.

mod columns;
mod contract;
pub mod fields;
pub mod limits;
mod listing;
mod parts;
pub mod postgres;
mod sightings;
pub mod sqlite;
pub mod statements;
mod types;

pub use contract::{Devices, Drift, Learning, Silences};
pub use limits::SHORTEST_OUTAGE;
pub use types::{
    DriftField, DriftType, EntityOrder, EntityPage, EntityPlace, EntityQuery, FieldLearnt, LearnerState,
    Learnt, LogSection, Moved, Outage, SeenEntity, SeenIn, TypeLearnt,
};
