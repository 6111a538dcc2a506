//! The byte order mark, which RFC 8259 lets a reader skip.

const BYTE_ORDER_MARK: &[u8] = b"\xef\xbb\xbf";

/// The bytes without a leading mark.
#[must_use]
pub fn without_mark(bytes: &[u8]) -> &[u8] {
    bytes.strip_prefix(BYTE_ORDER_MARK).unwrap_or(bytes)
}
