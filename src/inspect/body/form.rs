//! Forms, and the query of a path (WHATWG URL, application/x-www-form-urlencoded).

use crate::inspect::json_tree::names_secret;

/// The most pairs that are shown.
const MOST: usize = 500;
/// The longest value that is shown, in bytes.
const LONGEST: usize = 4_000;

/// A name with its value, resolved.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pair {
    /// The name.
    pub name: String,
    /// The value; a long one is cut.
    pub value: String,
    /// Whether it is a secret by its name.
    pub is_masked: bool,
    /// The bytes of the value that are not here.
    pub left_out: usize,
}

/// The pairs of a form in their order, repeats too, and how many there are.
#[must_use]
pub fn pairs(text: &[u8]) -> (Vec<Pair>, usize) {
    let mut count = 0_usize;
    let mut shown = Vec::new();
    for (name, value) in form_urlencoded::parse(text) {
        count = count.saturating_add(1);
        if shown.len() >= MOST {
            continue;
        }
        let end = value.floor_char_boundary(LONGEST.min(value.len()));
        shown.push(Pair {
            is_masked: names_secret(&name),
            name: name.into_owned(),
            left_out: value.len().saturating_sub(end),
            value: value.get(..end).unwrap_or_default().to_owned(),
        });
    }
    (shown, count)
}

/// The field `payload` of a form, in which GitHub sends its JSON.
#[must_use]
pub fn payload_of(text: &[u8]) -> Option<Vec<u8>> {
    let found = form_urlencoded::parse(text).find(|(name, _)| name == "payload");
    found.map(|(_, value)| value.into_owned().into_bytes())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pairs_keep_their_order_and_repeats() {
        let (shown, count) = pairs(b"a=1&b=%3Cb%3E+x&a=2&c");
        let shown: Vec<(&str, &str)> =
            shown.iter().map(|pair| (pair.name.as_str(), pair.value.as_str())).collect();
        assert_eq!((shown, count), (vec![("a", "1"), ("b", "<b> x"), ("a", "2"), ("c", "")], 4));
        let (long, _) = pairs(format!("a={}", "é".repeat(3_000)).as_bytes());
        assert_eq!((long[0].value.len(), long[0].left_out), (4_000, 2_000));
        assert_eq!(payload_of(b"x=1&payload=%7B%7D"), Some(b"{}".to_vec()));
    }
}
