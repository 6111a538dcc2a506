//! The whole `filters` object: event names or patterns, each with conditions or one CEL expression.

use std::sync::Arc;

use serde_json::value::RawValue;

use super::action::{ActionCondition, is_of_action};
use super::condition::{Condition, ConditionOutcome};
use crate::catalog::canonical;
use crate::domain::json::{members, pointer};
use crate::send::language::expression::{Expression, NoValue};
use crate::send::language::scope::Scope;
use crate::send::language::template::Fault;

/// Compiled filters. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Filters(Arc<Vec<(String, Rule)>>);

/// The rule for one event type or pattern.
#[derive(Debug)]
pub enum Rule {
    /// All must match; an empty list always matches.
    Conditions(Vec<Condition>),
    /// TagoIO conditions: one must match.
    Action(Vec<ActionCondition>),
    /// It must be true.
    Expression(Expression),
}

/// The result of filters for an event.
#[derive(Clone, Debug, Default)]
pub struct Judgement {
    /// Whether the event passes.
    pub matches: bool,
    /// Each condition with its result.
    pub conditions: Vec<ConditionOutcome>,
    /// Why an expression had no value.
    pub error: Option<String>,
    /// Why the filter neither matches nor rejects the event: an expression failed, and no other rule decided.
    pub failure: Option<String>,
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

    /// Valid code in their expressions that is most likely a mistake.
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

    /// The result for an event: every entry of its type must match; an event without an entry passes.
    #[must_use]
    pub fn judge(&self, event_type: &str, scope: &Scope) -> Judgement {
        let mut judgement = Judgement { matches: true, ..Judgement::default() };
        let mut is_refused = false;
        for (_, rule) in self.0.iter().filter(|(pattern, _)| pattern_matches(pattern, event_type)) {
            let outcomes = rule.judge(scope);
            let holds = match rule {
                Rule::Action(_) => outcomes.iter().any(|outcome| outcome.matched),
                Rule::Conditions(_) | Rule::Expression(_) => outcomes.iter().all(|outcome| outcome.matched),
            };
            let error = outcomes.iter().find_map(|outcome| outcome.error.clone());
            judgement.matches &= holds;
            is_refused |= !holds && error.is_none();
            judgement.error = judgement.error.or(error);
            judgement.conditions.extend(outcomes);
        }
        judgement.failure = judgement.error.clone().filter(|_| !is_refused);
        judgement
    }

    /// Like `judge`, without the conditions and what they saw: a thousand subscriptions may ask about one event. Rules after
    /// one that rejects the event are not evaluated.
    ///
    /// # Errors
    /// The failure, if an expression failed and no other rule rejects the event.
    pub fn matches(&self, event_type: &str, scope: &Scope) -> Result<bool, String> {
        let mut failure = None;
        for (_, rule) in self.0.iter().filter(|(pattern, _)| pattern_matches(pattern, event_type)) {
            match rule.holds(scope) {
                Ok(true) => {}
                Ok(false) => return Ok(false),
                Err(why) => failure = failure.or(Some(why)),
            }
        }
        failure.map_or(Ok(true), Err)
    }

    /// Each event or pattern with its rule.
    pub(super) fn entries(&self) -> impl Iterator<Item = (&str, &Rule)> {
        self.0.iter().map(|(event, rule)| (event.as_str(), rule))
    }
}

impl Rule {
    fn holds(&self, scope: &Scope) -> Result<bool, String> {
        match self {
            Self::Conditions(conditions) => Ok(conditions.iter().all(|condition| condition.holds(scope))),
            Self::Action(conditions) => Ok(conditions.iter().any(|condition| condition.judge(scope).matched)),
            Self::Expression(expression) => {
                let outcome = judge_expression(expression, scope);
                outcome.error.map_or(Ok(outcome.matched), Err)
            }
        }
    }

    fn judge(&self, scope: &Scope) -> Vec<ConditionOutcome> {
        match self {
            Self::Conditions(conditions) => {
                conditions.iter().map(|condition| condition.judge(scope)).collect()
            }
            Self::Action(conditions) => conditions.iter().map(|condition| condition.judge(scope)).collect(),
            Self::Expression(expression) => vec![judge_expression(expression, scope)],
        }
    }
}

fn judge_expression(expression: &Expression, scope: &Scope) -> ConditionOutcome {
    let seen = expression.evaluate(scope);
    let error = match &seen {
        Err(NoValue::Missing(what)) => Some(format!("the event lacks {what}")),
        Err(NoValue::Failed(why)) => Some(why.clone()),
        Ok(seen) if !matches!(seen.get(), "true" | "false") => {
            Some(format!("{}: must be true or false, it is {}", expression.source(), seen.get()))
        }
        Ok(_) => None,
    };
    ConditionOutcome {
        field: String::new(),
        operator: "expression".to_owned(),
        value: RawValue::from_string(serde_json::Value::from(expression.source()).to_string()).ok(),
        matched: seen.as_ref().is_ok_and(|seen| seen.get() == "true"),
        seen: seen.ok(),
        error,
    }
}

fn rule(entry: &RawValue, pointer: &str, faults: &mut Vec<Fault>) -> Option<Rule> {
    let allowed = "{\"conditions\": [{\"field\", \"operator\", \"value\"}]} or {\"expression\": \"CEL\"}";
    let found = members(entry);
    let one = found.as_deref().and_then(|found| if let [only] = found { Some(only) } else { None });
    match one.map(|(key, value)| (key.as_str(), value)) {
        Some(("conditions", value)) if value.get().starts_with('[') => {
            conditions(value, &format!("{pointer}/conditions"), faults)
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

/// The conditions of a list: all in our format, or all in TagoIO's.
fn conditions(list: &RawValue, pointer: &str, faults: &mut Vec<Fault>) -> Option<Rule> {
    let items: Vec<Box<RawValue>> = serde_json::from_str(list.get()).unwrap_or_default();
    let of_action = items.iter().filter(|item| is_of_action(item)).count();
    if of_action > 0 && of_action < items.len() {
        let why = "mixes TagoIO's conditions (\"variable\", \"is\"; one must hold) with others (\"field\", \
                   \"operator\"; all must hold); write all of them one way";
        faults.push(fault(pointer, why));
        return None;
    }
    let places = (0..).map(|at: usize| format!("{pointer}/{at}"));
    let items = items.iter().map(|item| &**item).zip(places);
    if of_action > 0 {
        return all(items.map(|(item, place)| ActionCondition::compile(item, &place)), faults)
            .map(Rule::Action);
    }
    all(items.map(|(item, place)| Condition::compile(item, &place)), faults).map(Rule::Conditions)
}

/// The compiled values, if all of them compiled.
fn all<T>(compiled: impl Iterator<Item = Result<T, Vec<Fault>>>, faults: &mut Vec<Fault>) -> Option<Vec<T>> {
    let before = faults.len();
    let good: Vec<T> = compiled.filter_map(|one| one.map_err(|found| faults.extend(found)).ok()).collect();
    (faults.len() == before).then_some(good)
}

fn fault(pointer: &str, message: &str) -> Fault {
    Fault { pointer: pointer.to_owned(), message: message.to_owned() }
}

fn is_name_or_pattern(event: &str) -> bool {
    let stars = event.matches('*').count();
    !event.trim().is_empty() && (stars == 0 || event == "*" || (stars == 1 && event.ends_with(".*")))
}

/// Whether one of `patterns` matches this type: `user.login`, `user.*`, `*`.
#[must_use]
pub fn event_matches(patterns: &[String], event_type: &str) -> bool {
    patterns.iter().any(|pattern| pattern_matches(pattern, event_type))
}

/// Events have canonical names; a configured alias means the same event.
fn pattern_matches(pattern: &str, event_type: &str) -> bool {
    let pattern = canonical(pattern);
    match pattern.strip_suffix('*') {
        Some("") => true,
        Some(start) => event_type.len() > start.len() && event_type.starts_with(start),
        None => pattern == event_type,
    }
}

/// Whether some event type matches both patterns.
pub(super) fn overlap(one: &str, other: &str) -> bool {
    match (one.strip_suffix('*'), other.strip_suffix('*')) {
        (Some(one), Some(other)) => one.starts_with(other) || other.starts_with(one),
        (_, None) => pattern_matches(one, canonical(other)),
        (None, Some(_)) => pattern_matches(other, canonical(one)),
    }
}

#[cfg(test)]
mod tests;
