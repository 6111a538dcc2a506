//! The differences between two deliveries: as bytes, as JSON by its tokens, as lines.

mod comparison;
mod json;
mod lines;

pub use comparison::Comparison;
pub use json::{JsonChange, JsonDiff, json_diff};
pub use lines::{Line, LineChange, lines};

/// How one body differs from another.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Changes {
    /// Not at all.
    Same,
    /// In this many values; or more, if there were too many to count.
    Json {
        /// How many.
        count: usize,
        /// Whether there are more.
        has_more: bool,
    },
    /// In its formatting, not in its values.
    Written {
        /// The first byte that differs.
        at: usize,
    },
    /// In its bytes, which are not JSON.
    Bytes {
        /// The first byte that differs.
        at: usize,
    },
}

/// How `after` differs from `before`.
#[must_use]
pub fn changes(before: &[u8], after: &[u8]) -> Changes {
    let Some(at) = first_difference(before, after) else { return Changes::Same };
    match json_diff(before, after) {
        Some(diff) if diff.changes.is_empty() && !diff.has_more => Changes::Written { at },
        Some(diff) => Changes::Json { count: diff.changes.len(), has_more: diff.has_more },
        None => Changes::Bytes { at },
    }
}

/// The first byte that differs; the end of the shorter body, if the longer one continues.
#[must_use]
pub fn first_difference(before: &[u8], after: &[u8]) -> Option<usize> {
    let same = before.iter().zip(after).take_while(|(one, other)| one == other).count();
    (before.len() != after.len() || same < before.len()).then_some(same)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bodies_differ_in_values_in_writing_or_in_bytes() {
        assert_eq!(changes(b"{}", b"{}"), Changes::Same);
        assert_eq!(changes(b"{\"a\":1}", b"{\"a\": 1}"), Changes::Written { at: 5 });
        assert_eq!(changes(b"{\"a\":1}", b"{\"a\":2}"), Changes::Json { count: 1, has_more: false });
        assert_eq!(changes(b"plain", b"plainer"), Changes::Bytes { at: 5 });
        assert_eq!(first_difference(b"", b""), None);
        assert_eq!(first_difference(b"ab", b"ac"), Some(1));
    }
}
