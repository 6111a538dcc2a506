//! The rules of a JSON Schema for each field: its kinds, and whether it is required.

use std::collections::BTreeMap;

use serde_json::Value;

use super::shape::member_of;
use crate::domain::{JsonKind, JsonKinds};

/// How deep a schema is read.
const DEEPEST: usize = 20;

/// The rules for a field.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Said {
    /// What it may be; empty: anything.
    pub kinds: JsonKinds,
    /// Whether it must be there.
    pub is_required: bool,
}

/// The rules for each named field, by its pointer. Alternatives (`anyOf` and the like) are not read.
pub fn read(schema: &str) -> BTreeMap<String, Said> {
    let mut said = BTreeMap::new();
    if let Ok(schema) = serde_json::from_str::<Value>(schema) {
        walk(&schema, String::new(), false, 0, &mut said);
    }
    said
}

fn walk(schema: &Value, pointer: String, is_required: bool, depth: usize, said: &mut BTreeMap<String, Said>) {
    if depth > DEEPEST {
        return;
    }
    let required: Vec<&str> = schema
        .get("required")
        .and_then(Value::as_array)
        .into_iter()
        .flatten()
        .filter_map(Value::as_str)
        .collect();
    let properties = schema.get("properties").and_then(Value::as_object);
    for (key, property) in properties.into_iter().flatten() {
        let is_required = required.contains(&key.as_str());
        walk(property, member_of(&pointer, key), is_required, depth.saturating_add(1), said);
    }
    for key in required.iter().filter(|key| properties.is_none_or(|known| !known.contains_key(**key))) {
        said.insert(member_of(&pointer, key), Said { kinds: JsonKinds::default(), is_required: true });
    }
    if let Some(items) = schema.get("items").filter(|items| items.is_object()) {
        walk(items, format!("{pointer}/*"), false, depth.saturating_add(1), said);
    }
    said.insert(pointer, Said { kinds: kinds(schema), is_required });
}

fn kinds(schema: &Value) -> JsonKinds {
    let words: Vec<&str> = match (schema.get("type"), schema.get("const"), schema.get("enum")) {
        (Some(Value::String(word)), _, _) => vec![word],
        (Some(Value::Array(words)), _, _) => words.iter().filter_map(Value::as_str).collect(),
        (_, Some(value), _) => return std::iter::once(JsonKind::of(value)).collect(),
        (_, _, Some(Value::Array(values))) => return values.iter().map(JsonKind::of).collect(),
        _ => Vec::new(),
    };
    words.into_iter().filter_map(JsonKind::from_word).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn kinds_and_requirements_are_read_at_their_places() {
        let said = read(
            r#"{"type":"object","required":["id","data"],"properties":{"event":{"const":"a"},"data":{"type":"object",
            "required":["list"],"properties":{"list":{"type":["array","null"],"items":{"type":"object",
            "required":["v"],"properties":{"v":{"type":"number"}}}}}}}}"#,
        );
        let of = |pointer: &str| said[pointer];
        assert!(of("/id").is_required && of("/id").kinds.is_empty());
        assert!(!of("/event").is_required && of("/event").kinds.has(JsonKind::String));
        assert_eq!(of("/data/list").kinds.words(), "null or array");
        assert!(of("/data/list/*/v").is_required);
        assert!(!of("/data/list/*").is_required);
        assert!(read("not json").is_empty());
    }
}
