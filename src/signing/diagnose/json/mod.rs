//! The body as other programs would write the same JSON: what somebody signs who parses it and writes it again.
//!
//! `serialisers` is the table: a row for each program, with the ways it writes. `rewriter` writes the body in each way.

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
