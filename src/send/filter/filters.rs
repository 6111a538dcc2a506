//! The whole `filters` object: event names or patterns, each with conditions or one CEL expression.

use std::sync::Arc;

use serde_json::value::RawValue;

use super::condition::{Condition, ConditionOutcome};
use crate::catalog::canonical;
use crate::domain::json::{members, pointer};
use crate::send::expression::{Expression, NoValue};
use crate::send::scope::Scope;
use crate::send::template::Fault;

/// Compiled filters. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Filters(Arc<Vec<(String, Rule)>>);

#[derive(Debug)]
enum Rule {
    /// All must hold; none is no condition.
    Conditions(Vec<Condition>),
    /// It must be true.
    Expression(Expression),
}

/// What filters say of an event.
#[derive(Clone, Debug, Default)]
pub struct Judgement {
    /// Whether the event passes.
    pub matches: bool,
    /// Each condition and what it saw.
    pub conditions: Vec<ConditionOutcome>,
    /// Why an expression had no value.
    pub error: Option<String>,
}

impl Filters {
    /// Compiles the object.
    ///
    /// # Errors
    /// Every fault with its place.
    pub fn compile(filters: &RawValue) -> Result<Self, Vec<Fault>> {
        let mut faults = Vec::new();
        let mut rules = Vec::new();
        for (event, entry) in members(filters).unwrap_or_default() {
            let pointer = pointer::child("", &event);
            if !is_name_or_pattern(&event) {
                faults.push(fault(&pointer, "an event name, or a pattern as data.* or *"));
            }
            rules.extend(rule(&entry, &pointer, &mut faults).map(|rule| (event, rule)));
        }
        if faults.is_empty() { Ok(Self(Arc::new(rules))) } else { Err(faults) }
    }

    /// What is legal in their expressions and most likely a slip.
    #[must_use]
    pub fn expression_warnings(&self) -> Vec<String> {
        let mut warnings = Vec::new();
        for (event, rule) in self.0.iter() {
            if let Rule::Expression(expression) = rule {
                warnings.extend(expression.warnings().iter().map(|why| format!("filters: {event:?}: {why}")));
            }
        }
        warnings
    }

    /// What they say of an event: every entry of its type must hold, and an event without an entry passes.
    #[must_use]
    pub fn judge(&self, event_type: &str, scope: &Scope) -> Judgement {
        let mut judgement = Judgement { matches: true, ..Judgement::default() };
        for (_, rule) in self.0.iter().filter(|(pattern, _)| pattern_matches(pattern, event_type)) {
            match rule {
                Rule::Conditions(conditions) => {
                    judgement.conditions.extend(conditions.iter().map(|condition| condition.judge(scope)));
                }
                Rule::Expression(expression) => judge_expression(expression, scope, &mut judgement),
            }
        }
        judgement.matches &= judgement.conditions.iter().all(|condition| condition.matched);
        judgement
    }
}

fn judge_expression(expression: &Expression, scope: &Scope, judgement: &mut Judgement) {
    let seen = expression.evaluate(scope);
    let matched = seen.as_ref().is_ok_and(|seen| seen.get() == "true");
    judgement.error = match &seen {
        Err(NoValue::Missing(what)) => Some(format!("the event lacks {what}")),
        Err(NoValue::Failed(why)) => Some(why.clone()),
        Ok(seen) if !matches!(seen.get(), "true" | "false") => {
            Some(format!("{}: true or false expected, {} seen", expression.source(), seen.get()))
        }
        Ok(_) => judgement.error.take(),
    };
    judgement.conditions.push(ConditionOutcome {
        field: String::new(),
        operator: "expression".to_owned(),
        value: RawValue::from_string(serde_json::Value::from(expression.source()).to_string()).ok(),
        seen: seen.ok(),
        matched,
    });
}

fn rule(entry: &RawValue, pointer: &str, faults: &mut Vec<Fault>) -> Option<Rule> {
    let allowed = "{\"conditions\": [{\"field\", \"operator\", \"value\"}]} or {\"expression\": \"CEL\"}";
    let found = members(entry);
    let one = found.as_deref().and_then(|found| if let [only] = found { Some(only) } else { None });
    match one.map(|(key, value)| (key.as_str(), value)) {
        Some(("conditions", value)) if value.get().starts_with('[') => {
            let items: Vec<Box<RawValue>> = serde_json::from_str(value.get()).unwrap_or_default();
            let before = faults.len();
            let mut conditions = Vec::new();
            for (at, item) in items.iter().enumerate() {
                let place = format!("{pointer}/conditions/{at}");
                match Condition::compile(item, &place) {
                    Ok(condition) => conditions.push(condition),
                    Err(found) => faults.extend(found),
                }
            }
            (faults.len() == before).then_some(Rule::Conditions(conditions))
        }
        Some(("expression", value)) => {
            let place = format!("{pointer}/expression");
            let compiled = serde_json::from_str::<String>(value.get())
                .map_err(|_| "a CEL expression in quotes".to_owned())
                .and_then(|source| Expression::condition(&source));
            compiled.map_err(|why| faults.push(fault(&place, &why))).ok().map(Rule::Expression)
        }
        _ => {
            faults.push(fault(pointer, allowed));
            None
        }
    }
}

fn fault(pointer: &str, message: &str) -> Fault {
    Fault { pointer: pointer.to_owned(), message: message.to_owned() }
}

fn is_name_or_pattern(event: &str) -> bool {
    let stars = event.matches('*').count();
    !event.trim().is_empty() && (stars == 0 || event == "*" || (stars == 1 && event.ends_with(".*")))
}

/// Whether one of `patterns` takes this type: `user.login`, `user.*`, `*`.
#[must_use]
pub fn event_matches(patterns: &[String], event_type: &str) -> bool {
    patterns.iter().any(|pattern| pattern_matches(pattern, event_type))
}

/// Events go by their canonical names; an alias that is configured means the same event.
fn pattern_matches(pattern: &str, event_type: &str) -> bool {
    let pattern = canonical(pattern);
    match pattern.strip_suffix('*') {
        Some("") => true,
        Some(start) => event_type.len() > start.len() && event_type.starts_with(start),
        None => pattern == event_type,
    }
}

#[cfg(test)]
mod tests;
