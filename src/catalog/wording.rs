//! A validator's errors in the words of the specification, each at its place.

use jsonschema::ValidationError;
use jsonschema::error::{TypeKind, ValidationErrorKind};
use serde_json::Value;

use crate::domain::Fault;
use crate::domain::json::pointer;

/// How many faults are listed; a payload with more says enough.
const MAX_FAULTS: usize = 100;

/// The longest message, in characters.
const MAX_MESSAGE: usize = 300;

/// The faults, in the validator's order, no two the same.
pub fn faults<'a>(errors: impl Iterator<Item = ValidationError<'a>>) -> Vec<Fault> {
    let mut faults: Vec<Fault> = Vec::new();
    for error in errors {
        let fault = fault(&error);
        if !faults.contains(&fault) {
            faults.push(fault);
        }
        if faults.len() == MAX_FAULTS {
            break;
        }
    }
    faults
}

fn fault(error: &ValidationError<'_>) -> Fault {
    let place = error.instance_path().as_str().to_owned();
    match error.kind() {
        ValidationErrorKind::Required { property } => {
            missing(&pointer::child(&place, property.as_str().unwrap_or_default()))
        }
        // `{"not": {"type": "null"}}` is how the schemas say that null is not there.
        ValidationErrorKind::Not { schema } if is_null_type(schema) => missing(&place),
        ValidationErrorKind::Type { .. } if error.instance().is_null() => missing(&place),
        ValidationErrorKind::Type { kind } => {
            let message =
                format!("{}: {} expected, {} seen", dotted(&place), types(kind), seen(error.instance()));
            Fault::new(place, message)
        }
        ValidationErrorKind::AnyOf { context } => {
            alternatives(&place, context).unwrap_or_else(|| other(error, place))
        }
        _ => other(error, place),
    }
}

/// `anyOf` of required fields: the first alternative is what the specification's example has.
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
    // Masked: the value itself may be long, and it stands at its place anyway.
    let message = format!("{}: {}", dotted(&place), error.masked());
    Fault::new(place, message.chars().take(MAX_MESSAGE).collect::<String>())
}

fn missing(place: &str) -> Fault {
    Fault::new(place, format!("Missing required field: {}", dotted(place)))
}

/// `/user/email` as the specification writes it: `user.email`.
fn dotted(place: &str) -> String {
    if place.is_empty() {
        return "payload".to_owned();
    }
    pointer::names(place).collect::<Vec<_>>().join(".")
}

fn is_null_type(schema: &Value) -> bool {
    schema.get("type").and_then(Value::as_str) == Some("null")
}

fn types(kind: &TypeKind) -> String {
    match kind {
        TypeKind::Single(kind) => kind.to_string(),
        TypeKind::Multiple(kinds) => {
            kinds.iter().map(|kind| kind.to_string()).collect::<Vec<_>>().join(" or ")
        }
    }
}

const fn seen(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "boolean",
        Value::Number(_) => "number",
        Value::String(_) => "string",
        Value::Array(_) => "array",
        Value::Object(_) => "object",
    }
}
