//! JSON as a tree that is made of the bytes themselves: no digit, no key, no repeat is lost, and what is no JSON is shown up to
//! where it breaks.

mod build;
mod children;
mod expect;
mod leaf;
mod lexer;
mod place;
mod rows;
mod text;

pub use build::{Wish, tree};
pub use children::{Child, children};
pub use lexer::{Kind, Lexer, Token};
pub use place::names_secret;
pub use rows::{Leaf, Node, Row, Tree};
pub use text::{Text, key as key_text, read as read_string};

#[cfg(test)]
mod tests;
