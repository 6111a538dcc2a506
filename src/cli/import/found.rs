//! What is found at a place in a file.

/// What is at a place in the file.
pub enum Found {
    /// A delivery, as JSON.
    Delivery(String),
    /// A request without a body, in an archive of another tool.
    Skipped,
    /// Why it cannot be read.
    Broken(String),
}

/// What is at a place in the file, with its number, from 1.
pub struct Numbered {
    pub number: usize,
    pub found: Found,
}
