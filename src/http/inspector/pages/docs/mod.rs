//! `/docs`: the documentation, compiled in, as pages with a search.

mod files;
mod library;
mod markdown;
mod page;
mod place;
mod search;

pub use page::docs;
