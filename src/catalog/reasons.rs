//! Why a JSON Schema cannot be used, worded for its author.

use jsonschema::error::ValidationErrorKind;
use jsonschema::{ReferencingError, ValidationError};
use serde_json::Value;

use super::schema_fault::{SchemaFault, file_of};
use super::wording;
use crate::domain::json::{pointer, seen};
use crate::domain::suggestion;

/// The types of JSON Schema.
const TYPES: [&str; 7] = ["array", "boolean", "integer", "null", "number", "object", "string"];
/// The longest reason, in characters.
const MAX_REASON: usize = 300;

/// Every violation of its draft in a schema, at most `limit`.
pub fn of_schema(schema: &Value, limit: usize) -> Vec<SchemaFault> {
    let Ok(draft) = jsonschema::meta::validator_for(schema) else {
        // The draft is unknown: building the validator reports it.
        return Vec::new();
    };
    let mut faults: Vec<SchemaFault> = Vec::new();
    for error in draft.iter_errors(schema) {
        let pointer = error.instance_path().as_str().to_owned();
        let fault = SchemaFault { why: reason(&pointer, &error), pointer };
        if !faults.contains(&fault) && faults.len() < limit {
            faults.push(fault);
        }
    }
    faults
}

/// Why no validator can be built from a schema that conforms to its draft.
pub fn of_build(schema: &Value, error: &ValidationError<'_>) -> SchemaFault {
    let pointer = error.instance_path().as_str().to_owned();
    match error.kind() {
        ValidationErrorKind::Referencing(fault) => of_reference(schema, fault),
        _ => SchemaFault { why: reason(&pointer, error), pointer },
    }
}

fn reason(pointer: &str, error: &ValidationError<'_>) -> String {
    let keyword = pointer.rsplit('/').next().unwrap_or_default();
    let why = match (keyword, &**error.instance()) {
        ("type", Value::String(word)) => {
            let near = suggestion(word, TYPES.into_iter());
            format!("{word:?} is not a type{near}; there are {}", TYPES.join(", "))
        }
        ("exclusiveMinimum" | "exclusiveMaximum", Value::Bool(_)) => {
            let bound = keyword.trim_start_matches("exclusive").to_lowercase();
            format!(
                "must be the number itself, in place of {bound:?}; true and false are of draft-04, which needs \
                 \"$schema\": \"http://json-schema.org/draft-04/schema#\""
            )
        }
        ("required", Value::Bool(_)) => {
            "must be a list of names, next to \"properties\"; true and false are from draft-03".to_owned()
        }
        ("pattern", Value::String(pattern)) => format!("{pattern:?} is not a regular expression"),
        (_, instance) => match error.kind() {
            ValidationErrorKind::Type { kind } => {
                format!("must be {}, it is {}", wording::types(kind), seen(instance))
            }
            _ => error.to_string(),
        },
    };
    why.chars().take(MAX_REASON).collect()
}

fn of_reference(schema: &Value, fault: &ReferencingError) -> SchemaFault {
    let at = |fits: &dyn Fn(&str) -> bool| reference(schema, String::new(), fits).unwrap_or_default();
    match fault {
        ReferencingError::Unretrievable { uri, .. } => {
            let is_it = |text: &str| {
                let text = text.split('#').next().unwrap_or_default();
                !text.is_empty() && uri.ends_with(text)
            };
            let why = match file_of(uri) {
                Some(file) => format!("there is no file {file:?} in schemas_dir"),
                None => format!(
                    "{uri} is another document, and nothing is fetched; put it into schemas_dir with that \
                     \"$id\", or into \"$defs\" here"
                ),
            };
            SchemaFault { pointer: at(&is_it), why }
        }
        ReferencingError::PointerToNowhere { pointer } => {
            let pointer_of = |text: &str| text.split_once('#').map(|(_, pointer)| pointer.to_owned());
            let is_it = |text: &str| pointer_of(text).as_deref() == Some(pointer);
            SchemaFault { pointer: at(&is_it), why: format!("there is nothing at \"#{pointer}\"") }
        }
        ReferencingError::NoSuchAnchor { anchor } => {
            let is_it = |text: &str| text.ends_with(&format!("#{anchor}"));
            SchemaFault { pointer: at(&is_it), why: format!("there is no \"$anchor\" {anchor:?}") }
        }
        ReferencingError::UnknownSpecification { specification } => {
            let why = format!(
                "{specification} is not a draft that is known; without \"$schema\" a schema is of draft 2020-12"
            );
            SchemaFault { pointer: "/$schema".to_owned(), why }
        }
        other => SchemaFault { pointer: String::new(), why: other.to_string() },
    }
}

/// The place of the first matching reference.
fn reference(value: &Value, above: String, fits: &dyn Fn(&str) -> bool) -> Option<String> {
    match value {
        Value::Object(members) => members.iter().find_map(|(key, value)| {
            let place = pointer::child(&above, key);
            match value {
                Value::String(text) if matches!(key.as_str(), "$ref" | "$dynamicRef") && fits(text) => {
                    Some(place)
                }
                value => reference(value, place, fits),
            }
        }),
        Value::Array(items) => {
            let mut items = items.iter().enumerate();
            items.find_map(|(at, item)| reference(item, format!("{above}/{at}"), fits))
        }
        _ => None,
    }
}
