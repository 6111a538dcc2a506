//! Whether two documents have the same content, however they are formatted.

use std::borrow::Cow;

use super::mark::without_mark;
use super::number::Number;
use super::tree::Tree;

/// Whether two documents contain the same values. The order of members, blanks, escapes and number formats do not
/// matter. Documents that are not JSON are compared byte by byte.
#[must_use]
pub fn same_values(one: &[u8], other: &[u8]) -> bool {
    let read = |bytes| std::str::from_utf8(without_mark(bytes)).ok().and_then(Tree::read);
    one == other || matches!((read(one), read(other)), (Some(one), Some(other)) if same(&one, &other))
}

fn same(one: &Tree<'_>, other: &Tree<'_>) -> bool {
    match (one, other) {
        (Tree::Token(one), Tree::Token(other)) => {
            one == other
                || matches!((Number::read(one), Number::read(other)), (Some(one), Some(other)) if one == other)
        }
        (Tree::Text(one), Tree::Text(other)) => one == other || unescaped(one) == unescaped(other),
        (Tree::List(one), Tree::List(other)) => {
            one.len() == other.len() && one.iter().zip(other).all(|(one, other)| same(one, other))
        }
        (Tree::Object(one), Tree::Object(other)) => {
            let (one, other) = (sorted(one), sorted(other));
            let pairs = one.iter().zip(&other);
            one.len() == other.len()
                && pairs
                    .into_iter()
                    .all(|((name, value), (other_name, other))| name == other_name && same(value, other))
        }
        _ => false,
    }
}

/// The members sorted by name.
fn sorted<'t, 'j>(members: &'t [(&'j str, Tree<'j>)]) -> Vec<(Cow<'j, str>, &'t Tree<'j>)> {
    let mut sorted: Vec<_> = members.iter().map(|(name, value)| (unescaped(name), value)).collect();
    sorted.sort_by(|(one, _), (other, _)| one.cmp(other));
    sorted
}

/// The text between the quotes of a string, with escapes resolved.
fn unescaped(text: &str) -> Cow<'_, str> {
    if !text.contains('\\') {
        return Cow::Borrowed(text);
    }
    serde_json::from_str(&format!("\"{text}\"")).map_or(Cow::Borrowed(text), Cow::Owned)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn order_blanks_escapes_and_the_writing_of_numbers_do_not_matter() {
        for (one, other) in [
            (r#"{"id":"q1","event":"x","v":1}"#, r#"{"event":"x","id":"q1","v":1}"#),
            (r#"{"a":[1,{"b":2,"c":3}]}"#, "{ \"a\" : [ 1, {\"c\":3, \"b\":2} ] }\n"),
            (r#"{"n":"B\u00fcro \/ \ud83c\udf21"}"#, r#"{"n":"Büro / 🌡"}"#),
            (r#"{"\u0061":1.50}"#, r#"{"a":1.5}"#),
            ("\u{feff}{}", "{}"),
            ("not json", "not json"),
        ] {
            assert!(same_values(one.as_bytes(), other.as_bytes()), "{one} {other}");
        }
    }

    #[test]
    fn another_value_is_never_the_same() {
        for (one, other) in [
            (r#"{"v":1}"#, r#"{"v":2}"#),
            (r#"{"v":1}"#, r#"{"v":"1"}"#),
            (r#"{"v":123456789012345678901234567890}"#, r#"{"v":123456789012345678901234567891}"#),
            (r#"{"a":[1,2]}"#, r#"{"a":[2,1]}"#),
            (r#"{"a":1}"#, r#"{"a":1,"b":null}"#),
            (r#"{"a":1,"a":2}"#, r#"{"a":1,"b":2}"#),
            (r#"{"a":""}"#, r#"{"a":null}"#),
            (r#"{"a":false}"#, r#"{"a":0}"#),
            ("not json", "not  json"),
        ] {
            assert!(!same_values(one.as_bytes(), other.as_bytes()), "{one} {other}");
        }
    }
}
