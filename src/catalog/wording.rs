//! A validator's errors in the specification's wording, each with its place.

use jsonschema::ValidationError;
use jsonschema::error::{TypeKind, ValidationErrorKind};
use serde_json::Value;

use crate::domain::Fault;
use crate::domain::json::{pointer, seen};

/// The most faults that are listed; more would not help.
const MAX_FAULTS: usize = 100;

/// The longest message, in characters.
const MAX_MESSAGE: usize = 300;

/// The faults in the validator's order, without repeats; `schema` is the text of the schema.
pub fn faults<'a>(schema: &str, errors: impl Iterator<Item = ValidationError<'a>>) -> Vec<Fault> {
    let schema: Value = serde_json::from_str(schema).unwrap_or_default();
    let mut faults: Vec<Fault> = Vec::new();
    for error in errors {
        let fault = fault(&schema, &error);
        if !faults.contains(&fault) {
            faults.push(fault);
        }
        if faults.len() == MAX_FAULTS {
            break;
        }
    }
    faults
}

fn fault(schema: &Value, error: &ValidationError<'_>) -> Fault {
    let place = error.instance_path().as_str().to_owned();
    match error.kind() {
        ValidationErrorKind::Required { property } => {
            missing(&pointer::child(&place, property.as_str().unwrap_or_default()))
        }
        // `{"not": {"type": "null"}}` is how our schemas forbid null.
        ValidationErrorKind::Not { schema } if is_null_type(schema) => missing(&place),
        // A required field that is null counts as missing, as in the specification's own validator.
        ValidationErrorKind::Type { .. }
            if error.instance().is_null() && is_required(schema, error.schema_path().as_str()) =>
        {
            missing(&place)
        }
        ValidationErrorKind::Type { kind } => {
            let message =
                format!("{} must be {}, it is {}", dotted(&place), types(kind), seen(error.instance()));
            Fault::new(place, message)
        }
        ValidationErrorKind::Format { format } => {
            let message = format!("{} does not fit the format {format:?}", dotted(&place));
            Fault::new(place, message)
        }
        ValidationErrorKind::AnyOf { context } => {
            alternatives(&place, context).unwrap_or_else(|| other(error, place))
        }
        _ => other(error, place),
    }
}

/// `anyOf` of required fields: the first alternative is the one in the specification's example.
fn alternatives(place: &str, context: &[Vec<ValidationError<'static>>]) -> Option<Fault> {
    let first = context.first()?.first()?;
    let is_required = |errors: &Vec<ValidationError<'static>>| {
        errors.iter().all(|error| matches!(error.kind(), ValidationErrorKind::Required { .. }))
    };
    let ValidationErrorKind::Required { property } = first.kind() else { return None };
    context
        .iter()
        .all(is_required)
        .then(|| missing(&pointer::child(place, property.as_str().unwrap_or_default())))
}

fn other(error: &ValidationError<'_>, place: String) -> Fault {
    // Masked: the value may be long, and the place identifies it anyway.
    let message = format!("{}: {}", dotted(&place), error.masked());
    Fault::new(place, message.chars().take(MAX_MESSAGE).collect::<String>())
}

fn missing(place: &str) -> Fault {
    Fault::new(place, format!("Missing required field: {}", dotted(place)))
}

/// Converts `/user/email` to the specification's notation: `user.email`.
fn dotted(place: &str) -> String {
    if place.is_empty() {
        return "payload".to_owned();
    }
    pointer::names(place).collect::<Vec<_>>().join(".")
}

fn is_null_type(schema: &Value) -> bool {
    schema.get("type").and_then(Value::as_str) == Some("null")
}

/// Whether the field whose `type` is at `schema_path` is also required.
fn is_required(schema: &Value, schema_path: &str) -> bool {
    let of_field = schema_path.strip_suffix("/type").and_then(|path| path.rsplit_once('/'));
    let Some((parent, key)) = of_field else { return false };
    let Some(parent) = parent.strip_suffix("/properties") else { return false };
    let key = pointer::name(key);
    let required = schema.pointer(parent).and_then(|parent| parent.get("required")?.as_array());
    required.is_some_and(|required| required.iter().any(|name| name.as_str() == Some(&key)))
}

/// The types that a schema allows: "a number or a string".
pub fn types(kind: &TypeKind) -> String {
    match kind {
        TypeKind::Single(kind) => with_article(&kind.to_string()),
        TypeKind::Multiple(kinds) => {
            kinds.iter().map(|kind| with_article(&kind.to_string())).collect::<Vec<_>>().join(" or ")
        }
    }
}

fn with_article(word: &str) -> String {
    match word {
        "null" => word.to_owned(),
        "array" | "object" | "integer" => format!("an {word}"),
        _ => format!("a {word}"),
    }
}
