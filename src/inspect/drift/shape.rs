//! The fields of payloads, folded: items of an array are one field, `*`.

use std::collections::BTreeMap;

use serde_json::Value;

use super::variable;
use crate::domain::json::pointer;
use crate::domain::{JsonKind, Timestamp};
use crate::store::{FieldLearnt, SeenIn};

/// The most fields that are listed for a stretch of deliveries.
const MOST_FIELDS: usize = 2_000;
/// The deepest level of fields that is listed.
const DEEPEST: usize = 20;
/// The longest pointer that is shown, in bytes.
const LONGEST: usize = 512;

/// A field, and those below it.
#[derive(Debug, Default)]
struct Node {
    counts: [u64; 7],
    /// The first sample of each kind, in the order in which they came.
    firsts: Vec<(JsonKind, SeenIn)>,
    last_seen: Timestamp,
    members: BTreeMap<String, Node>,
    items: Option<Box<Node>>,
}

/// The fields of some payloads of one event type.
#[derive(Debug, Default)]
pub struct Shape {
    root: Node,
    fields: usize,
    /// Whether there were more fields, or deeper ones, than are listed.
    pub is_cut: bool,
}

impl Shape {
    /// Adds a payload.
    pub fn add(&mut self, payload: &Value, seen: SeenIn) {
        let mut walk = Walk { seen, fields: self.fields, is_cut: self.is_cut };
        walk.add(&mut self.root, payload, 0, 0);
        (self.fields, self.is_cut) = (walk.fields, walk.is_cut);
    }

    /// How many fields there are.
    #[must_use]
    pub const fn fields(&self) -> usize {
        self.fields
    }
}

struct Walk {
    seen: SeenIn,
    fields: usize,
    is_cut: bool,
}

impl Walk {
    fn add(&mut self, node: &mut Node, value: &Value, depth: usize, length: usize) {
        let kind = JsonKind::of(value);
        if let Some(count) = node.counts.get_mut(kind.place()) {
            if *count == 0 {
                node.firsts.push((kind, self.seen));
            }
            *count = count.saturating_add(1);
        }
        node.last_seen = node.last_seen.max(self.seen.at);
        match value {
            Value::Object(members) => {
                let variable = members.get("variable").and_then(Value::as_str);
                for (key, value) in members {
                    match variable.filter(|_| key == variable::VALUE).map(variable::key_of) {
                        Some(key) => self.add_member(node, &key, value, depth, length),
                        None => self.add_member(node, key, value, depth, length),
                    }
                }
            }
            Value::Array(items) if !items.is_empty() => {
                if node.items.is_none() && !self.may_grow(depth, length.saturating_add(2)) {
                    return;
                }
                let node = node.items.get_or_insert_default();
                for item in items {
                    self.add(node, item, depth.saturating_add(1), length.saturating_add(2));
                }
            }
            _ => {}
        }
    }

    fn add_member(&mut self, node: &mut Node, key: &str, value: &Value, depth: usize, length: usize) {
        let length = length.saturating_add(key.len()).saturating_add(1);
        if let Some(member) = node.members.get_mut(key) {
            self.add(member, value, depth.saturating_add(1), length);
        } else if self.may_grow(depth, length) {
            let member = node.members.entry(key.to_owned()).or_default();
            self.add(member, value, depth.saturating_add(1), length);
        }
    }

    fn may_grow(&mut self, depth: usize, length: usize) -> bool {
        let may = depth < DEEPEST && length <= LONGEST && self.fields < MOST_FIELDS;
        if may {
            self.fields = self.fields.saturating_add(1);
        } else {
            self.is_cut = true;
        }
        may
    }
}

/// The fields by their pointers; the payload itself is the empty one.
#[must_use]
pub fn learnt_fields(shape: Shape) -> Vec<FieldLearnt> {
    let mut fields = Vec::new();
    tell(String::new(), shape.root, &mut fields);
    fields
}

fn tell(pointer: String, node: Node, fields: &mut Vec<FieldLearnt>) {
    if node.firsts.is_empty() {
        return;
    }
    if let Some(items) = node.items {
        tell(format!("{pointer}/*"), *items, fields);
    }
    for (key, member) in node.members {
        tell(member_of(&pointer, &key), member, fields);
    }
    fields.push(FieldLearnt { pointer, counts: node.counts, firsts: node.firsts, last_seen: node.last_seen });
}

/// The pointer of a member. A key `*` is escaped too, so that it differs from the items of an array.
pub fn member_of(pointer: &str, key: &str) -> String {
    if key == "*" {
        return format!("{pointer}/~2");
    }
    pointer::child(pointer, key)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::domain::DeliveryId;

    fn seen(sample: u64) -> SeenIn {
        let at = Timestamp::from_secs(1_800_000_000);
        SeenIn { delivery: DeliveryId::new_at(at), at, sample }
    }

    fn shape(payloads: &[Value]) -> Shape {
        let mut shape = Shape::default();
        for (sample, payload) in (1..).zip(payloads) {
            shape.add(payload, seen(sample));
        }
        shape
    }

    fn field(fields: &[FieldLearnt], pointer: &str) -> FieldLearnt {
        fields.iter().find(|field| field.pointer == pointer).cloned().unwrap()
    }

    #[test]
    fn items_of_arrays_are_one_field_and_every_kind_is_counted() {
        let fields = learnt_fields(shape(&[
            json!({"a": [{"v": 1}, {"v": "x"}], "b": null}),
            json!({"a": [], "b": 2.5, "c/d": true, "*": 1}),
        ]));
        let value = field(&fields, "/a/*/v");
        assert_eq!(value.counts, [0, 0, 1, 0, 1, 0, 0]);
        let order: Vec<_> = value.firsts.iter().map(|(kind, seen)| (*kind, seen.sample)).collect();
        assert_eq!(order, [(JsonKind::Integer, 1), (JsonKind::String, 1)]);
        let changed = field(&fields, "/b");
        assert_eq!(changed.firsts[1].1.sample, 2);
        assert_eq!(field(&fields, "/a").counts[JsonKind::Array.place()], 2);
        assert_eq!(field(&fields, "").counts[JsonKind::Object.place()], 2);
        for pointer in ["/c~1d", "/~2", "/a/*"] {
            field(&fields, pointer);
        }
    }

    #[test]
    fn the_value_of_each_variable_is_a_field_of_its_own() {
        let points =
            json!([{"variable": "t", "value": 21.5}, {"variable": "door/1", "value": "open"}, {"value": 1}]);
        let event = json!({"data": {"variable": "t", "value": 1, "variables": points.clone()}});
        let fields = learnt_fields(shape(&[points, event]));
        for (pointer, kind) in [
            ("/*/value[t]", JsonKind::Number),
            ("/*/value[door~11]", JsonKind::String),
            ("/*/value", JsonKind::Integer),
            ("/data/value[t]", JsonKind::Integer),
            ("/data/variables/*/value[t]", JsonKind::Number),
        ] {
            let found = field(&fields, pointer);
            assert_eq!((found.firsts.len(), found.firsts[0].0), (1, kind), "{pointer}");
        }
    }

    #[test]
    fn a_payload_of_many_fields_or_of_great_depth_is_cut_and_says_so() {
        let many = |count: usize| -> Value {
            (0..count).map(|n| (format!("k{n}"), json!(n))).collect::<serde_json::Map<_, _>>().into()
        };
        let just = shape(&[many(MOST_FIELDS)]);
        assert!(!just.is_cut && learnt_fields(just).len() == MOST_FIELDS + 1);
        let more = shape(&[many(MOST_FIELDS + 1)]);
        assert!(more.is_cut && learnt_fields(more).len() == MOST_FIELDS + 1);
        let deep = |depth: usize| (0..depth).fold(json!(1), |inner, _| json!({"a": inner}));
        assert!(!shape(&[deep(DEEPEST)]).is_cut);
        assert!(shape(&[deep(DEEPEST + 1)]).is_cut);
        assert!(shape(&[json!({"k".repeat(LONGEST): 1})]).is_cut);
        assert!(!shape(&[json!({"k".repeat(LONGEST - 1): 1})]).is_cut);
    }
}
