//! Header values that JSON cannot have as text.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

/// The values that are not UTF-8: their positions, from 0, and the values in base64.
#[must_use]
pub fn header_bytes(values: impl Iterator<Item = impl AsRef<[u8]>>) -> Vec<(usize, String)> {
    values
        .enumerate()
        .filter(|(_, value)| std::str::from_utf8(value.as_ref()).is_err())
        .map(|(at, value)| (at, STANDARD.encode(value)))
        .collect()
}
