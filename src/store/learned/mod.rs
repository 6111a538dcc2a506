//! What is learnt from the log in the background: the fields of each event type, and the entities in deliveries.

mod contract;
pub mod fields;
pub mod limits;
mod parts;
pub mod postgres;
mod sightings;
pub mod sqlite;
mod types;

pub use contract::{Devices, Drift, Learning, Silences};
pub use limits::SHORTEST_OUTAGE;
pub use types::{
    DriftField, DriftType, EntityOrder, EntityPage, EntityPlace, EntityQuery, FieldLearnt, LearnerState,
    Learnt, LogSection, Moved, Outage, SeenEntity, SeenIn, TypeLearnt,
};
