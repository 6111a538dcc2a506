//! JSON without loss: values stay as they are written, whatever their digits, their keys or their order.

mod kind;
mod number;
mod path;

pub use kind::{JsonKind, JsonKinds};
pub use number::Number;
pub use path::{Path, members};
