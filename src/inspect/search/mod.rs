//! The search box: `verdict:rejected type:data.* NOT (ip:203.0.113.0/24 OR "bad gateway") after:-2h`.

mod fields;
mod numbers;
mod parameters;
mod parse;
mod range;
mod suggest;
mod words;

pub use fields::{FIELDS, Field, address_range};
pub use parameters::from_parameters;
pub use parse::parse;
pub use range::{Span, timeless, within};
pub use suggest::{Suggestion, Typing};
pub use words::{quoted, term};
