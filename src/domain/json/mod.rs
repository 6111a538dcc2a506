//! JSON without loss: values stay as they are written, whatever their digits, their keys or their order.

mod children;
mod kind;
mod lexer;
mod number;
mod path;
mod text;

pub use children::{Child, children};
pub use kind::{JsonKind, JsonKinds};
pub use lexer::{Kind, Lexer, Token};
pub use number::Number;
pub use path::{Path, members};
pub use text::{Text, key as key_text, read as read_string};
