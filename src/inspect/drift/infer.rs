//! A JSON Schema made of one delivery.

use serde_json::{Map, Value, json};

/// How deep the schema goes; below anything is allowed.
const DEEPEST: usize = 20;

/// The JSON Schema 2020-12 that `payload` fits: kinds of values, and every member that is there and not null required.
/// Numbers stay numbers, with or without a fraction; of null nothing is known.
#[must_use]
pub fn infer(event_type: &str, payload: &Value) -> Value {
    let mut schema = Map::new();
    schema.insert("$schema".to_owned(), json!("https://json-schema.org/draft/2020-12/schema"));
    schema.insert("title".to_owned(), json!(event_type));
    if let Value::Object(inferred) = of(payload, 0) {
        schema.extend(inferred);
    }
    Value::Object(schema)
}

fn of(value: &Value, depth: usize) -> Value {
    if depth > DEEPEST {
        return json!({});
    }
    match value {
        Value::Null => json!({}),
        Value::Bool(_) => json!({"type": "boolean"}),
        Value::Number(_) => json!({"type": "number"}),
        Value::String(_) => json!({"type": "string"}),
        Value::Array(items) => {
            let items =
                items.iter().map(|item| of(item, depth.saturating_add(1))).reduce(|a, b| both(&a, &b));
            match items {
                Some(items) => json!({"type": "array", "items": items}),
                None => json!({"type": "array"}),
            }
        }
        Value::Object(members) => {
            let properties: Map<String, Value> = members
                .iter()
                .map(|(key, value)| (key.clone(), of(value, depth.saturating_add(1))))
                .collect();
            let required: Vec<&String> =
                members.iter().filter(|(_, value)| !value.is_null()).map(|(key, _)| key).collect();
            let mut schema = json!({"type": "object"});
            put(&mut schema, "required", json!(required), !required.is_empty());
            put(&mut schema, "properties", Value::Object(properties), !members.is_empty());
            schema
        }
    }
}

fn put(schema: &mut Value, key: &str, value: Value, is_said: bool) {
    if let Some(members) = schema.as_object_mut().filter(|_| is_said) {
        members.insert(key.to_owned(), value);
    }
}

/// What both fit: kinds of either, members of either, required what both require.
fn both(a: &Value, b: &Value) -> Value {
    let empty = json!({});
    if a == b {
        return a.clone();
    }
    if *a == empty || *b == empty {
        return empty;
    }
    let mut words = words(a);
    words.extend(self::words(b).into_iter().filter(|word| !words.contains(word)).collect::<Vec<_>>());
    let kind = match words.as_slice() {
        [one] => json!(one),
        several => json!(several),
    };
    let mut schema = json!({"type": kind});
    let (is_object_a, is_object_b) = (self::words(a).contains(&"object"), self::words(b).contains(&"object"));
    let required = match (is_object_a, is_object_b) {
        (true, true) => {
            let of_b = texts(b);
            texts(a).into_iter().filter(|key| of_b.contains(key)).collect()
        }
        (true, false) => texts(a),
        _ => texts(b),
    };
    put(&mut schema, "required", json!(required), !required.is_empty());
    let mut properties = members(a);
    for (key, value) in members(b) {
        let merged = properties.get(&key).map_or_else(|| value.clone(), |known| both(known, &value));
        properties.insert(key, merged);
    }
    let is_said = !properties.is_empty();
    put(&mut schema, "properties", Value::Object(properties), is_said);
    let items = match (a.get("items"), b.get("items")) {
        (Some(a), Some(b)) => Some(both(a, b)),
        (one, other) => one.or(other).cloned(),
    };
    let is_said = items.is_some();
    put(&mut schema, "items", items.unwrap_or_default(), is_said);
    schema
}

fn words(schema: &Value) -> Vec<&str> {
    match schema.get("type") {
        Some(Value::String(word)) => vec![word],
        Some(Value::Array(words)) => words.iter().filter_map(Value::as_str).collect(),
        _ => Vec::new(),
    }
}

fn texts(schema: &Value) -> Vec<String> {
    let required = schema.get("required").and_then(Value::as_array);
    required.into_iter().flatten().filter_map(Value::as_str).map(str::to_owned).collect()
}

fn members(schema: &Value) -> Map<String, Value> {
    schema.get("properties").and_then(Value::as_object).cloned().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::catalog::Catalog;

    #[test]
    fn every_example_fits_the_schema_that_is_made_of_it() {
        for event_type in Catalog::builtin().iter() {
            let example: Value = serde_json::from_str(event_type.example().unwrap()).unwrap();
            let schema = infer(event_type.name(), &example).to_string();
            let catalog = Catalog::builtin().with_schema(event_type.name(), schema).unwrap();
            assert_eq!(
                catalog.get(event_type.name()).unwrap().check_as(event_type.name(), &example),
                [],
                "{}",
                event_type.name()
            );
        }
    }

    #[test]
    fn items_that_differ_require_what_they_share() {
        let payload =
            json!({"p": [{"v": 1, "u": "C"}, {"v": "on"}, {"v": true, "w": null}], "n": null, "e": []});
        let schema = infer("a", &payload);
        let items = &schema["properties"]["p"]["items"];
        assert_eq!(items["required"], json!(["v"]));
        assert_eq!(items["properties"]["v"]["type"], json!(["number", "string", "boolean"]));
        assert_eq!(schema["required"], json!(["p", "e"]));
        assert_eq!(schema["properties"]["n"], json!({}));
        let catalog = Catalog::builtin().with_schema("a", schema.to_string()).unwrap();
        assert_eq!(catalog.get("a").unwrap().check_as("a", &payload), []);
        assert!(!catalog.get("a").unwrap().check_as("a", &json!({"p": [{}], "e": []})).is_empty());
    }

    #[test]
    fn items_of_which_nothing_is_known_allow_anything() {
        let payload = json!({"p": [[null], [1], []]});
        let catalog = Catalog::builtin().with_schema("a", infer("a", &payload).to_string()).unwrap();
        assert_eq!(catalog.get("a").unwrap().check_as("a", &payload), []);
    }

    #[test]
    fn what_is_deep_may_be_anything() {
        let deep = (0..100).fold(json!(1), |inner, _| json!({"a": inner}));
        let schema = infer("a", &deep);
        assert!(Catalog::builtin().with_schema("a", schema.to_string()).is_ok());
        assert!(schema.to_string().len() < 3_000);
    }
}
