//! Watches for header names that are too long: the server panics on names over 65,535 bytes.
//!
//! Heads and bodies are not distinguished here. A line in a body only looks like such a name in a rare case. It must
//! have more than 65,535 bytes without a blank, a quote or a bracket before a colon. JSON never has that.

/// The longest name that the server can handle, in bytes.
const MAX_NAME: usize = 65_535;

/// The current position within a line.
#[derive(Debug, Default)]
pub struct NameWatch {
    /// The number of bytes in the line, while it may still be a name.
    name: Option<usize>,
}

impl NameWatch {
    /// Whether one of the newest bytes ends a name that is too long.
    pub fn sees_too_long(&mut self, newest: &[u8]) -> bool {
        let mut rest = newest;
        loop {
            let Some(before) = self.name else {
                let Some(end) = memchr::memchr(b'\n', rest) else { return false };
                self.name = Some(0);
                rest = rest.get(end.saturating_add(1)..).unwrap_or_default();
                continue;
            };
            let own = rest.iter().position(|byte| !may_be_in_name(*byte)).unwrap_or(rest.len());
            let length = before.saturating_add(own);
            let Some(next) = rest.get(own) else {
                self.name = Some(length);
                return false;
            };
            if *next == b':' && length > MAX_NAME {
                return true;
            }
            self.name = None;
            rest = rest.get(own..).unwrap_or_default();
        }
    }
}

/// A superset of the characters of a token (RFC 9110, 5.6.2).
const fn may_be_in_name(byte: u8) -> bool {
    byte.is_ascii_alphanumeric()
        || matches!(byte, b'!' | b'#'..=b'\'' | b'*' | b'+' | b'-' | b'.' | b'^'..=b'`' | b'|' | b'~')
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sees(pieces: &[&str]) -> bool {
        let mut watch = NameWatch::default();
        pieces.iter().any(|piece| watch.sees_too_long(piece.as_bytes()))
    }

    #[test]
    fn a_name_is_too_long_from_65536_bytes_however_it_is_cut_into_pieces() {
        let (most, over) = ("n".repeat(MAX_NAME), "n".repeat(MAX_NAME + 1));
        assert!(!sees(&["GET / HTTP/1.1\r\n", &most, ": 1\r\n\r\n"]));
        assert!(sees(&["GET / HTTP/1.1\r\n", &over, ": 1\r\n\r\n"]));
        assert!(sees(&["GET / HTTP/1.1\na: 1\n", &most, "!", ":"]));
        assert!(sees(&[&format!("GET / HTTP/1.1\na: 1\n{over}:")]));
    }

    #[test]
    fn no_body_that_is_json_looks_like_one() {
        let over = "n".repeat(MAX_NAME + 1);
        assert!(!sees(&[&format!("{{\n\"{over}\":\n\"{over}:{over}\"}}")]));
        assert!(!sees(&[&format!("\n{over}\n:")]));
    }
}
