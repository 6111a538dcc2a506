//! What is learnt from the log in the background: the fields of each event type, and the entities in deliveries.

mod contract;
pub mod fields;
pub mod limits;
pub mod postgres;
pub mod sqlite;
mod types;

pub use contract::{Devices, Drift, Learning, Silences};
pub use types::{
    DriftField, DriftType, EntityOrder, EntityPage, EntityPlace, EntityQuery, FieldLearnt, Learnt, LensState,
    Moved, Outage, SeenEntity, SeenIn, TypeLearnt,
};
