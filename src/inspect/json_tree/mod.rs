//! JSON as a tree that is made of the bytes themselves: no digit, key or repeat is lost, and invalid JSON is shown up to
//! where it breaks.

mod build;
mod expect;
mod leaf;
mod place;
mod rows;

pub use build::{Wish, tree};
pub use place::names_secret;
#[cfg(test)]
use rows::Node;
pub use rows::{Row, Tree};

#[cfg(test)]
mod tests;
