//! Parts of a JSON Schema that are allowed but check nothing: non-standard keywords and formats.

use serde_json::Value;

use super::schema_fault::SchemaFault;
use crate::domain::json::pointer;
use crate::domain::{nearest, suggestion};

/// The keywords of every draft, and those added by OpenAPI.
const KEYWORDS: [&str; 67] = [
    "$anchor",
    "$comment",
    "$defs",
    "$dynamicAnchor",
    "$dynamicRef",
    "$id",
    "$recursiveAnchor",
    "$recursiveRef",
    "$ref",
    "$schema",
    "$vocabulary",
    "additionalItems",
    "additionalProperties",
    "allOf",
    "anyOf",
    "const",
    "contains",
    "contentEncoding",
    "contentMediaType",
    "contentSchema",
    "default",
    "definitions",
    "dependencies",
    "dependentRequired",
    "dependentSchemas",
    "deprecated",
    "description",
    "discriminator",
    "else",
    "enum",
    "example",
    "examples",
    "exclusiveMaximum",
    "exclusiveMinimum",
    "externalDocs",
    "format",
    "id",
    "if",
    "items",
    "maxContains",
    "maxItems",
    "maxLength",
    "maxProperties",
    "maximum",
    "minContains",
    "minItems",
    "minLength",
    "minProperties",
    "minimum",
    "multipleOf",
    "not",
    "nullable",
    "oneOf",
    "pattern",
    "patternProperties",
    "prefixItems",
    "properties",
    "propertyNames",
    "readOnly",
    "required",
    "then",
    "title",
    "type",
    "unevaluatedItems",
    "unevaluatedProperties",
    "uniqueItems",
    "writeOnly",
];
/// The formats that can be validated.
const FORMATS: [&str; 19] = [
    "date",
    "date-time",
    "duration",
    "email",
    "hostname",
    "idn-email",
    "idn-hostname",
    "ipv4",
    "ipv6",
    "iri",
    "iri-reference",
    "json-pointer",
    "regex",
    "relative-json-pointer",
    "time",
    "uri",
    "uri-reference",
    "uri-template",
    "uuid",
];
/// The keywords whose members are schemas.
const OF_NAMES: [&str; 6] =
    ["$defs", "definitions", "dependencies", "dependentSchemas", "patternProperties", "properties"];
/// The keywords whose value contains no schema, whatever it looks like.
const OF_DATA: [&str; 6] = ["const", "default", "discriminator", "enum", "example", "examples"];
/// The deepest nesting that is searched.
const DEEPEST: usize = 64;

/// The non-standard parts of a schema, each with its place.
pub fn of(schema: &Value) -> Vec<SchemaFault> {
    let mut found = Vec::new();
    look(schema, "", DEEPEST, &mut found);
    found
}

fn look(schema: &Value, place: &str, deeper: usize, found: &mut Vec<SchemaFault>) {
    let Some(deeper) = deeper.checked_sub(1) else { return };
    match schema {
        Value::Array(all) => {
            for (at, schema) in all.iter().enumerate() {
                look(schema, &format!("{place}/{at}"), deeper, found);
            }
        }
        Value::Object(members) => {
            for (name, value) in members {
                let place = pointer::child(place, name);
                found.extend(slip(name, value).map(|why| SchemaFault { pointer: place.clone(), why }));
                if OF_NAMES.contains(&name.as_str()) {
                    for (name, schema) in value.as_object().into_iter().flatten() {
                        look(schema, &pointer::child(&place, name), deeper, found);
                    }
                } else if !OF_DATA.contains(&name.as_str()) {
                    look(value, &place, deeper, found);
                }
            }
        }
        _ => {}
    }
}

fn slip(name: &str, value: &Value) -> Option<String> {
    if name == "format"
        && let Value::String(format) = value
        && !FORMATS.contains(&format.as_str())
    {
        let near = suggestion(format, FORMATS.into_iter());
        return Some(format!("{format:?} is not a format that is checked{near}"));
    }
    if KEYWORDS.contains(&name) {
        return None;
    }
    let near = nearest(name, KEYWORDS.into_iter())?;
    Some(format!("is not a keyword of JSON Schema and checks nothing (did you mean {near}?)"))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn told(schema: &Value) -> Vec<String> {
        of(schema).iter().map(ToString::to_string).collect()
    }

    #[test]
    fn a_keyword_or_format_that_is_nearly_one_of_the_standard_is_told_with_its_place() {
        let schema = json!({
            "requird": ["a"],
            "properties": {"mail": {"format": "emial"}, "list": {"items": {"minimun": 3}}},
            "allOf": [{"propertes": {}}],
        });
        assert_eq!(
            told(&schema),
            [
                "/requird: is not a keyword of JSON Schema and checks nothing (did you mean required?)",
                "/properties/mail/format: \"emial\" is not a format that is checked (did you mean email?)",
                "/properties/list/items/minimun: is not a keyword of JSON Schema and checks nothing (did you mean minimum?)",
                "/allOf/0/propertes: is not a keyword of JSON Schema and checks nothing (did you mean properties?)",
            ]
        );
    }

    #[test]
    fn names_of_members_data_and_other_words_are_no_slips() {
        let schema = json!({
            "x-owner": "me", "example": {"requird": 1}, "const": {"titel": 1}, "$comment": "x",
            "properties": {"requird": {"type": "string"}, "titel": {"nullable": true}},
            "$defs": {"propertes": true}, "anyOf": [true, {"format": "date-time"}],
        });
        assert_eq!(told(&schema), [""; 0]);
    }
}
