//! The API describes itself: a handler's types say what it is asked and what it answers, and the router that registers it
//! writes that down. What is served and what is described cannot differ.

mod answers;
mod arguments;
mod document;
mod router;
mod schemas;

pub use answers::{Accepted, Created, Done, Download, Either, Events, NoContent, Text};
pub use arguments::{Body, Part, fields, together};
pub use document::{finished, show};
pub use router::Router;
pub use schemas::Schemas;
