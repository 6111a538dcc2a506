//! One condition: a field, an operator, a value.

use serde::Serialize;
use serde_json::value::RawValue;

use super::operator::Operator;
use crate::domain::json::{Path, members};
use crate::domain::suggestion;
use crate::send::language::scope::Scope;
use crate::send::language::template::Fault;

/// A compiled condition.
#[derive(Debug)]
pub struct Condition {
    field: Path,
    word: String,
    operator: Operator,
    value: Option<Box<RawValue>>,
}

/// A condition with its result.
#[derive(Clone, Debug, Serialize)]
pub struct ConditionOutcome {
    /// The path; empty for an expression.
    pub field: String,
    /// The operator as written, or `expression`.
    pub operator: String,
    /// The value it is compared with, as written.
    pub value: Option<Box<RawValue>>,
    /// The event's value, as written; `null` if it is missing.
    pub seen: Option<Box<RawValue>>,
    /// Whether it matched.
    pub matched: bool,
    /// Why an expression had no value and therefore did not match.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub error: Option<String>,
}

impl Condition {
    /// Compiles one condition; `pointer` is its place.
    ///
    /// # Errors
    /// Every fault of it.
    pub fn compile(condition: &RawValue, pointer: &str) -> Result<Self, Vec<Fault>> {
        let mut faults = Vec::new();
        let found = members(condition).unwrap_or_default();
        let mut fault =
            |key: &str, message: String| faults.push(Fault { pointer: format!("{pointer}{key}"), message });
        let known = ["field", "operator", "value", "second_value"];
        for (key, _) in found.iter().filter(|(key, _)| !known.contains(&key.as_str())) {
            fault(&format!("/{key}"), format!("unknown key{}", suggestion(key, known.into_iter())));
        }
        let raw = |key: &str| found.iter().find(|(known, _)| known == key).map(|(_, value)| &**value);
        let text = |key: &str| raw(key).and_then(|value| serde_json::from_str::<String>(value.get()).ok());
        let field = text("field").as_deref().and_then(Path::read);
        if field.is_none() {
            let meant = text("field").and_then(|text| meant(&text)).unwrap_or_default();
            fault(
                "/field",
                format!("must be a path such as device.type{meant}; write a dot in a name as \\."),
            );
        }
        let word = text("operator").unwrap_or_default();
        let value = match (raw("value"), raw("second_value")) {
            // TagoIO's own conditions have separate ends.
            (Some(low), Some(high)) => RawValue::from_string(format!("[{},{}]", low.get(), high.get())).ok(),
            (value, _) => value.map(ToOwned::to_owned),
        };
        let operator = match Operator::compile(&word, value.as_deref()) {
            Ok(operator) => Some(operator),
            Err((key, why)) => {
                fault(key, why);
                None
            }
        };
        match (field, operator) {
            (Some(field), Some(operator)) if faults.is_empty() => Ok(Self { field, word, operator, value }),
            _ => Err(faults),
        }
    }

    /// Evaluates it on an event. A missing value makes every condition false except `not_exists`.
    #[must_use]
    pub fn judge(&self, scope: &Scope) -> ConditionOutcome {
        let seen = scope.at(&self.field);
        ConditionOutcome {
            field: self.field.text().to_owned(),
            operator: self.word.clone(),
            value: self.value.clone(),
            matched: self.operator.holds(seen),
            seen: seen.map(ToOwned::to_owned),
            error: None,
        }
    }

    /// Whether it matches an event.
    #[must_use]
    pub fn holds(&self, scope: &Scope) -> bool {
        self.operator.holds(scope.at(&self.field))
    }

    /// The path it reads, as written.
    #[must_use]
    pub fn field(&self) -> &str {
        self.field.text()
    }

    /// The top-level event member it reads.
    #[must_use]
    pub fn root(&self) -> &str {
        self.field.root()
    }

    /// Whether it can match any event.
    #[must_use]
    pub fn can_hold(&self) -> bool {
        self.operator.can_hold()
    }
}

/// The path that was probably meant, where it is written as JSONPath, a JSON pointer or a template: ` (did you mean a.b?)`.
fn meant(text: &str) -> Option<String> {
    let bare = text.trim().trim_start_matches("{{").trim_end_matches("}}").trim();
    let dotted = bare.replace(['/', '['], ".").replace([']', '"', '\''], "");
    let path = Path::read(dotted.trim_start_matches(['$', '.']))?;
    Some(format!(" (did you mean {}?)", path.text()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_in_another_notation_gets_the_one_that_is_meant() {
        for text in ["$.data.value", "/data/value", "{{data.value}}", "data['value']", "data[\"value\"]"] {
            assert_eq!(meant(text).as_deref(), Some(" (did you mean data.value?)"), "{text}");
        }
        assert_eq!(meant("data.list[0].v").as_deref(), Some(" (did you mean data.list.0.v?)"));
        for text in ["", "a..b", "data.a b", "1 + 1"] {
            assert_eq!(meant(text), None, "{text}");
        }
    }
}
