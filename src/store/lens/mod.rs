//! What is learnt from the log in the background: the fields of each event type, and the entities in deliveries.

mod contract;
mod words;

pub use words::{
    DriftField, DriftType, EntityOrder, EntityPage, EntityPlace, EntityQuery, FieldLearnt, Learnt, LensState,
    Moved, Outage, SeenEntity, SeenIn, TypeLearnt,
};
