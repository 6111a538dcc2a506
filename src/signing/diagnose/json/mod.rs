//! The body as other programs would serialise the same JSON. Senders that parse and re-serialise it sign such a text.
//!
//! `serialisers` is the table: a row for each program, with its output styles. `rewriter` writes the body in each
//! style.

mod compiled;
mod document;
mod layouts;
mod letters;
mod naming;
mod number;
mod numbers;
mod rewriter;
mod scripts;
mod serialisers;
mod spellings;
mod style;
mod texts;
mod ways;
mod write;

pub use document::Document;
pub use letters::python_bytes;
pub use naming::named;
pub use rewriter::Rewriter;
