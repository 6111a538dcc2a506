//! A body that is not JSON, as the causes look at it.

use crate::domain::Headers;

/// A body that was refused as JSON.
pub struct Look<'a> {
    /// The header lines.
    pub headers: &'a Headers,
    /// All of it, without a byte order mark.
    pub bytes: &'a [u8],
    /// Its start as text; what is not UTF-8 is replaced.
    pub text: &'a str,
}
