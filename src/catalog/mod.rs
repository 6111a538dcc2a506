//! The events that TagoRUN sends, each with its required contents, its usual contents, and an example.

mod builtin;
mod event_type;
mod exact;
mod folder;
mod reasons;
mod registry;
mod save;
mod schema;
mod schema_fault;
mod slips;
mod wording;

pub use builtin::{canonical, names, top_level_names};
pub use event_type::{EventType, Origin, Strictness, fresh_example};
pub use folder::CatalogFaults;
pub use registry::{Catalog, POINTS};
pub use save::{SaveFault, save_schema};

#[cfg(test)]
mod suite;
