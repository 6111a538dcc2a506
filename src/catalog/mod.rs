//! The events that TagoRUN sends: for each what it must have, what it usually looks like, and an example.

mod builtin;
mod event_type;
mod registry;
mod save;
mod wording;

pub use builtin::{canonical, top_level_names};
pub use event_type::{EventType, Origin, fresh_example};
pub use registry::Catalog;
pub use save::{SaveFault, save_schema};
