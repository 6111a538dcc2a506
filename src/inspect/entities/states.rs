//! Values that are not numbers: true, false and text.

use std::collections::HashSet;

use serde_json::Value;

use crate::domain::Timestamp;

/// The most characters of a text that are kept.
const LONGEST: usize = 120;

/// The values of one field or variable that are not numbers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct States {
    /// The variable, or where the field is.
    pub name: String,
    /// Each value with its time, the oldest first: `true`, `false`, or a text.
    pub points: Vec<(Timestamp, String)>,
}

impl States {
    /// Those of that name, without a value yet.
    #[must_use]
    pub const fn new(name: String) -> Self {
        Self { name, points: Vec::new() }
    }

    /// The last value.
    #[must_use]
    pub fn last(&self) -> Option<&str> {
        self.points.last().map(|(_, value)| value.as_str())
    }

    /// Each value with the time from which on it was that one.
    #[must_use]
    pub fn runs(&self) -> Vec<(Timestamp, &str)> {
        let mut runs: Vec<(Timestamp, &str)> = Vec::new();
        for (at, value) in &self.points {
            if runs.last().is_none_or(|(_, before)| before != value) {
                runs.push((*at, value));
            }
        }
        runs
    }

    /// The values in the order in which they first came.
    #[must_use]
    pub fn distinct(&self) -> Vec<&str> {
        let mut known = HashSet::new();
        let values = self.points.iter().map(|(_, value)| value.as_str());
        values.filter(|value| known.insert(*value)).collect()
    }
}

/// A value that is not a number, as text; `None` for a number, and for null.
#[must_use]
pub fn state_of(value: &Value) -> Option<String> {
    let text = match value {
        Value::Null | Value::Number(_) => return None,
        Value::String(text) => text.clone(),
        other => other.to_string(),
    };
    let is_long = text.chars().nth(LONGEST).is_some();
    Some(if is_long { text.chars().take(LONGEST).chain(['…']).collect() } else { text })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn runs_begin_where_the_value_changes() {
        let at = Timestamp::from_secs;
        let points = [(1, "open"), (2, "open"), (3, "closed"), (4, "open")];
        let points = points.map(|(secs, value)| (at(secs), value.to_owned())).to_vec();
        let states = States { name: "door".to_owned(), points };
        assert_eq!(states.runs(), [(at(1), "open"), (at(3), "closed"), (at(4), "open")]);
        assert_eq!((states.distinct(), states.last()), (vec!["open", "closed"], Some("open")));
    }

    #[test]
    fn every_value_but_numbers_and_nothing_is_a_state() {
        let state = |value: Value| state_of(&value);
        assert_eq!(state(json!(false)).as_deref(), Some("false"));
        assert_eq!(state(json!("")).as_deref(), Some(""));
        assert_eq!(state(json!({"a": 1})).as_deref(), Some(r#"{"a":1}"#));
        assert_eq!([state(json!(1)), state(json!(null))], [None, None]);
        assert_eq!(state(json!("x".repeat(LONGEST))).unwrap().chars().count(), LONGEST);
        assert!(state(json!("x".repeat(LONGEST + 1))).unwrap().ends_with("x…"));
    }
}
