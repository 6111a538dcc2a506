//! Views of a body, besides text and bytes.

mod form;
mod image;
mod parts;
mod points;

pub use form::{Pair, pairs, payload_of};
pub use image::{Image, image};
pub use parts::{Part, Parts, parts};
pub use points::{Points, is_points, points};

use crate::domain::Headers;

/// The media type of a `Content-Type`, in lower case and without its parameters.
#[must_use]
pub fn media_type(headers: &Headers) -> String {
    let value = headers.get("content-type").map(String::from_utf8_lossy).unwrap_or_default();
    value.split(';').next().unwrap_or_default().trim().to_ascii_lowercase()
}
