//! JSON without loss: values stay as written, with all their digits, keys and order.

mod children;
mod kind;
mod layout;
mod lexer;
mod mark;
mod members;
mod number;
mod path;
pub mod pointer;
mod same;
mod text;
mod tree;

pub use children::{Child, children};
pub use kind::{JsonKind, JsonKinds, seen};
pub use layout::laid_out;
pub use lexer::{Kind, Lexer, Token};
pub use mark::without_mark;
pub use members::{Members, members, not_an_object, step, unique_members};
pub use number::Number;
pub use path::Path;
pub use same::same_values;
pub use text::{Text, key as key_text, read as read_string};
pub use tree::Tree;
