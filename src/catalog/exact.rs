//! Finds integers beyond 64 bits in a schema's `const` and `enum`. A validator would round them and match a different
//! number. Such a schema is rejected when it is read.

use std::collections::BTreeMap;

use serde_json::value::RawValue;

use super::schema_fault::SchemaFault;
use crate::domain::json::pointer;

/// Keywords whose members have user-defined names, not keywords.
const NAMES: [&str; 5] = ["properties", "patternProperties", "$defs", "definitions", "dependentSchemas"];
/// Keywords that only describe.
const NOTES: [&str; 3] = ["default", "examples", "example"];

/// Every such number, with its place.
pub fn faults(schema: &str) -> Vec<SchemaFault> {
    let mut faults = Vec::new();
    if let Ok(schema) = serde_json::from_str::<&RawValue>(schema) {
        walk(schema, "", Place::Schema, &mut faults);
    }
    faults
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Place {
    /// Its members are keywords.
    Schema,
    /// Its members are named schemas.
    Names,
    /// It is compared with payloads.
    Compared,
}

fn walk(value: &RawValue, at: &str, place: Place, faults: &mut Vec<SchemaFault>) {
    let text = value.get();
    if let Ok(members) = serde_json::from_str::<BTreeMap<String, &RawValue>>(text) {
        for (key, value) in members {
            let below = match (place, key.as_str()) {
                (Place::Compared, _) | (Place::Schema, "const" | "enum") => Place::Compared,
                (Place::Schema, key) if NAMES.contains(&key) => Place::Names,
                (Place::Schema, key) if NOTES.contains(&key) => continue,
                (Place::Schema | Place::Names, _) => Place::Schema,
            };
            walk(value, &pointer::child(at, &key), below, faults);
        }
    } else if let Ok(items) = serde_json::from_str::<Vec<&RawValue>>(text) {
        for (nth, item) in items.into_iter().enumerate() {
            walk(item, &format!("{at}/{nth}"), place, faults);
        }
    } else if place == Place::Compared && is_beyond(text) {
        let why = format!(
            "{text} is beyond 64 bits, where numbers cannot be compared exactly; send it as a string, and write \
             it in quotes here"
        );
        faults.push(SchemaFault { pointer: at.to_owned(), why });
    }
}

/// Whether it is an integer that does not fit into 64 bits.
fn is_beyond(text: &str) -> bool {
    let digits = text.strip_prefix('-').unwrap_or(text);
    let is_whole = !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit());
    is_whole && text.parse::<i64>().is_err() && text.parse::<u64>().is_err()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn integers_beyond_64_bits_are_found_where_they_would_be_compared() {
        let schema = r#"{"const":18446744073709551615,"properties":{"const":{"minimum":89550100000012345678},
            "iccid":{"enum":["a",{"n":[89550100000012345678]}]}},"default":89550100000012345678,
            "items":[{"const":-9223372036854775809}]}"#;
        let found: Vec<_> = faults(schema).into_iter().map(|fault| fault.pointer).collect();
        assert_eq!(found, ["/items/0/const", "/properties/iccid/enum/1/n/0"]);
        assert_eq!(faults("true"), []);
    }
}
