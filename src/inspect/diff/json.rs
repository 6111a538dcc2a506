//! Two JSON texts, value by value, as they are written.

use std::collections::HashMap;
use std::ops::Range;

use serde::de::IgnoredAny;

use crate::domain::json::{Child, Number, children, key_text, pointer};

/// The most changes that are listed.
const MOST: usize = 500;
/// The longest pointer, in bytes; a longer one is cut.
const MAX_POINTER: usize = 1_000;
/// Deeper values are compared as a whole.
const MAX_DEPTH: usize = 64;
/// The most members or items of one object or array that are compared.
const MAX_CHILDREN: usize = 20_000;

/// The changes from one JSON text to another.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct JsonDiff {
    /// The changes, in the order of the first text; an added value follows its neighbour.
    pub changes: Vec<JsonChange>,
    /// Whether there are more.
    pub has_more: bool,
}

/// A value that is not the same.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct JsonChange {
    /// Its JSON pointer.
    pub pointer: String,
    /// As it was written; `None`: it was not there.
    pub before: Option<String>,
    /// As it is written; `None`: it is not there any more.
    pub after: Option<String>,
    /// Whether both are the same number, written otherwise.
    pub is_equal_number: bool,
}

/// The changes from `before` to `after`; `None` if one of them is not JSON.
#[must_use]
pub fn json_diff(before: &[u8], after: &[u8]) -> Option<JsonDiff> {
    let is_json = |text: &[u8]| serde_json::from_slice::<IgnoredAny>(text).is_ok();
    if !is_json(before) || !is_json(after) {
        return None;
    }
    let mut walk = Walk { before, after, diff: JsonDiff::default() };
    walk.go();
    Some(walk.diff)
}

/// Two values at the same place.
struct Pair {
    pointer: String,
    before: Option<Range<usize>>,
    after: Option<Range<usize>>,
    depth: usize,
}

struct Walk<'t> {
    before: &'t [u8],
    after: &'t [u8],
    diff: JsonDiff,
}

impl Walk<'_> {
    fn go(&mut self) {
        let whole = |text: &[u8]| {
            let trimmed = text.trim_ascii();
            let start = text.len().saturating_sub(text.trim_ascii_start().len());
            start..start.saturating_add(trimmed.len())
        };
        let first = Pair {
            pointer: String::new(),
            before: Some(whole(self.before)),
            after: Some(whole(self.after)),
            depth: 0,
        };
        let mut left = vec![first];
        while let Some(pair) = left.pop() {
            if self.diff.changes.len() >= MOST {
                self.diff.has_more = true;
                return;
            }
            let below = self.look_at(pair);
            left.extend(below.into_iter().rev());
        }
    }

    /// Notes a change, or queues the values below.
    fn look_at(&mut self, pair: Pair) -> Vec<Pair> {
        let old = pair.before.clone().and_then(|range| self.before.get(range));
        let new = pair.after.clone().and_then(|range| self.after.get(range));
        let kind = |text: Option<&[u8]>| text.and_then(|text| text.first().copied());
        let (old_kind, new_kind) = (kind(old), kind(new));
        if old == new {
            return Vec::new();
        }
        let both = old_kind == new_kind && pair.depth < MAX_DEPTH;
        match (pair.before.clone().filter(|_| both), pair.after.clone(), old_kind) {
            (Some(before), Some(after), Some(b'{')) => self.members(&pair, &before, &after),
            (Some(before), Some(after), Some(b'[')) => self.items(&pair, &before, &after),
            _ => {
                let text =
                    |bytes: Option<&[u8]>| bytes.map(|bytes| String::from_utf8_lossy(bytes).into_owned());
                let number = |bytes: Option<&[u8]>| Number::read(std::str::from_utf8(bytes?).ok()?);
                let is_equal_number = number(old).zip(number(new)).is_some_and(|(old, new)| old == new);
                self.diff.changes.push(JsonChange {
                    before: text(old),
                    after: text(new),
                    pointer: pair.pointer,
                    is_equal_number,
                });
                Vec::new()
            }
        }
    }

    /// Compares the direct members of both. Beyond the limit nothing is compared, only mentioned.
    fn children(&mut self, before: &Range<usize>, after: &Range<usize>) -> (Vec<Child>, Vec<Child>) {
        let (old, all_old) = children(self.before, before.start, 0, MAX_CHILDREN);
        let (new, all_new) = children(self.after, after.start, 0, MAX_CHILDREN);
        self.diff.has_more |= all_old > MAX_CHILDREN || all_new > MAX_CHILDREN;
        (old, new)
    }

    fn members(&mut self, pair: &Pair, before: &Range<usize>, after: &Range<usize>) -> Vec<Pair> {
        let (old, new) = self.children(before, after);
        let name = |text: &[u8], child: &Child| child.key.map_or(String::new(), |key| key_text(key.of(text)));
        // A repeated key meets the one with the same number.
        let mut places: HashMap<String, Vec<Range<usize>>> = HashMap::new();
        for child in new.iter().rev() {
            places.entry(name(self.after, child)).or_default().push(child.value.clone());
        }
        let mut pairs: Vec<Pair> = Vec::new();
        for child in &old {
            let name = name(self.before, child);
            let after = places.get_mut(&name).and_then(Vec::pop);
            pairs.push(below(pair, &name, Some(child.value.clone()), after));
        }
        for child in &new {
            let name = name(self.after, child);
            let left = places.get_mut(&name).and_then(Vec::pop);
            pairs.extend(left.map(|value| below(pair, &name, None, Some(value))));
        }
        pairs
    }

    fn items(&mut self, pair: &Pair, before: &Range<usize>, after: &Range<usize>) -> Vec<Pair> {
        let (old, new) = self.children(before, after);
        let value = |children: &[Child], at: usize| children.get(at).map(|child| child.value.clone());
        (0..old.len().max(new.len()))
            .map(|at| below(pair, &at.to_string(), value(&old, at), value(&new, at)))
            .collect()
    }
}

/// The part of a text that a pointer shows.
fn start(text: &str) -> &str {
    text.get(..text.floor_char_boundary(MAX_POINTER)).unwrap_or(text)
}

fn below(pair: &Pair, name: &str, before: Option<Range<usize>>, after: Option<Range<usize>>) -> Pair {
    // A pointer grows no further than anybody would read.
    let pointer = pointer::child(start(&pair.pointer), start(name));
    Pair { pointer, before, after, depth: pair.depth.saturating_add(1) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(before: &str, after: &str) -> Vec<String> {
        let diff = json_diff(before.as_bytes(), after.as_bytes()).unwrap();
        let one = |change: &JsonChange| {
            let side = |side: &Option<String>| side.clone().unwrap_or_else(|| "–".to_owned());
            let equal = if change.is_equal_number { " =" } else { "" };
            format!("{} {} → {}{equal}", change.pointer, side(&change.before), side(&change.after))
        };
        diff.changes.iter().map(one).collect()
    }

    #[test]
    fn values_are_compared_as_they_are_written() {
        assert_eq!(
            shown(
                r#"{"a":1,"b":[1,2],"c":{"d":"x"},"gone":null}"#,
                r#" {"c":{"d":"y"},"b":[1],"a":1.0,"new":true} "#
            ),
            ["/a 1 → 1.0 =", "/b/1 2 → –", "/c/d \"x\" → \"y\"", "/gone null → –", "/new – → true"]
        );
        assert_eq!(shown("[1]", "{}"), [" [1] → {}"]);
        assert_eq!(
            shown("1152921504606846977", "1152921504606846976"),
            [" 1152921504606846977 → 1152921504606846976"]
        );
        for (one, other) in [("1.0", "1"), ("100", "1e2"), ("0.5", "5E-1"), ("-0", "0.0"), ("1.50", "15e-1")]
        {
            assert_eq!(shown(one, other), [format!(" {one} → {other} =")]);
        }
        assert_eq!(shown("1", "-1"), [" 1 → -1"]);
        assert_eq!(shown("\"1\"", "1"), [" \"1\" → 1"]);
        assert_eq!(shown(r#"{"k":1,"k":2}"#, r#"{"k":1,"k":3,"k":4}"#), ["/k 2 → 3", "/k – → 4"]);
        assert_eq!(shown(r#"{"a/b":1}"#, r#"{"a/b":2}"#), ["/a~1b 1 → 2"]);
        assert!(shown("{\"a\": 1}", "{\"a\":1}").is_empty());
    }

    #[test]
    fn what_is_no_json_is_not_compared_and_much_is_cut() {
        assert_eq!(json_diff(b"{", b"{}"), None);
        let many = |value: u8| format!("[{}]", vec![value.to_string(); 1_000].join(","));
        let diff = json_diff(many(1).as_bytes(), many(2).as_bytes()).unwrap();
        assert!(diff.has_more && diff.changes.len() == 500);
        let long = |last: u8| format!("[{}{last}]", "1,".repeat(30_000));
        let diff = json_diff(long(1).as_bytes(), long(2).as_bytes()).unwrap();
        assert!(diff.has_more && diff.changes.is_empty(), "what was not compared is not said to be the same");
        let deep =
            |last: u8| format!("{{\"{}\":[{},{last}]}}", "k".repeat(100_000), vec!["[0]"; 9_000].join(","));
        let diff = json_diff(deep(1).as_bytes(), deep(2).as_bytes()).unwrap();
        assert!(diff.changes.len() == 1 && diff.changes[0].pointer.len() < 2_100);
    }
}
