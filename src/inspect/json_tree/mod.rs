//! JSON as a tree that is made of the bytes themselves: no digit, no key, no repeat is lost, and what is no JSON is shown up to
//! where it breaks.

mod build;
mod expect;
mod leaf;
mod place;
mod rows;

pub use build::{Wish, tree};
pub use place::names_secret;
pub use rows::{Leaf, Node, Row, Tree};

#[cfg(test)]
mod tests;
