//! Conditions in the format of a TagoIO Action: `{"variable": "temperature", "is": ">", "value": "20", "value_type":
//! "number"}`. They check data points. As in TagoIO, one matching point is enough.

use serde::Deserialize;
use serde_json::Value;
use serde_json::value::RawValue;

use super::condition::ConditionOutcome;
use super::operator::Operator;
use crate::domain::json::{Path, members};
use crate::domain::suggestion;
use crate::send::language::scope::Scope;
use crate::send::language::template::Fault;

/// The keys of TagoIO's conditions.
const KEYS: [&str; 7] = ["device", "variable", "is", "value", "second_value", "value_type", "unlock"];
/// The signs allowed in `is`.
const SIGNS: [&str; 6] = ["=", "!", ">", "<", "><", "*"];

/// A compiled condition on data points.
#[derive(Debug)]
pub struct ActionCondition {
    device: Option<String>,
    variable: String,
    sign: String,
    operator: Operator,
    value: Option<Box<RawValue>>,
}

/// The data of an event that points need.
#[derive(Deserialize)]
struct Data<'a> {
    #[serde(borrow)]
    variables: Option<&'a RawValue>,
    #[serde(borrow)]
    variable: Option<&'a RawValue>,
    #[serde(borrow)]
    value: Option<&'a RawValue>,
}

#[derive(Deserialize)]
struct Point<'a> {
    #[serde(borrow)]
    device: Option<&'a RawValue>,
    #[serde(borrow)]
    variable: Option<&'a RawValue>,
    #[serde(borrow)]
    value: Option<&'a RawValue>,
}

/// Whether a condition has the format of a TagoIO Action.
#[must_use]
pub fn is_of_action(condition: &RawValue) -> bool {
    let found = members(condition).unwrap_or_default();
    let has = |key: &str| found.iter().any(|(known, _)| known == key);
    (has("variable") || has("is")) && !has("field") && !has("operator")
}

impl ActionCondition {
    /// Compiles one condition; `pointer` is its place.
    ///
    /// # Errors
    /// Every fault of it.
    pub fn compile(condition: &RawValue, pointer: &str) -> Result<Self, Vec<Fault>> {
        let mut faults = Vec::new();
        let found = members(condition).unwrap_or_default();
        let mut fault =
            |key: &str, message: String| faults.push(Fault { pointer: format!("{pointer}{key}"), message });
        let raw = |key: &str| {
            let found = found.iter().find(|(known, _)| known == key).map(|(_, value)| &**value);
            found.filter(|value| value.get() != "null")
        };
        let text = |key: &str| raw(key).and_then(text_of);
        for (key, _) in found.iter().filter(|(key, _)| !KEYS.contains(&key.as_str())) {
            fault(&format!("/{key}"), unknown_key(key));
        }
        if raw("unlock").is_some_and(|unlock| unlock.get() == "true") {
            let why = "conditions that unlock an Action have no meaning here; leave this condition out";
            fault("/unlock", why.to_owned());
        }
        let variable = text("variable").filter(|variable| !variable.is_empty());
        if variable.is_none() {
            fault("/variable", "must be the name of a variable, such as \"temperature\"".to_owned());
        }
        let kind = text("value_type").unwrap_or_default();
        let sign = text("is").unwrap_or_default();
        let value = match sign.as_str() {
            "*" => Ok(None),
            "><" => value(raw("value"), raw("second_value"), &kind),
            _ => value(raw("value"), None, &kind),
        };
        let value = value.map_err(|(key, why)| fault(key, why)).unwrap_or_default();
        let operator = match SIGNS.contains(&sign.as_str()) {
            true => Operator::compile(&sign, value.as_deref()).map_err(|(key, why)| fault(key, why)).ok(),
            false => {
                fault("/is", format!("must be one of {}", SIGNS.join(" ")));
                None
            }
        };
        match (variable, operator) {
            (Some(variable), Some(operator)) if faults.is_empty() => {
                Ok(Self { device: text("device"), variable, sign, operator, value })
            }
            _ => Err(faults),
        }
    }

    /// Whether one of the event's data points matches.
    #[must_use]
    pub fn judge(&self, scope: &Scope) -> ConditionOutcome {
        let data = scope.member("data").and_then(|data| serde_json::from_str::<Data<'_>>(data.get()).ok());
        let mut values = data.as_ref().map(|data| self.values(data, scope)).unwrap_or_default();
        let fits = values.iter().position(|value| self.operator.holds(Some(value)));
        let seen = (!values.is_empty()).then(|| values.swap_remove(fits.unwrap_or(0)));
        ConditionOutcome {
            field: self.variable.clone(),
            operator: self.sign.clone(),
            value: self.value.clone(),
            seen: seen.map(ToOwned::to_owned),
            matched: fits.is_some(),
            error: None,
        }
    }

    /// The values of its variable.
    fn values<'a>(&self, data: &Data<'a>, scope: &Scope) -> Vec<&'a RawValue> {
        let points: Vec<Point<'a>> = match data.variables {
            Some(points) => serde_json::from_str(points.get()).unwrap_or_default(),
            None => vec![Point { device: None, variable: data.variable, value: data.value }],
        };
        let is = |raw: Option<&RawValue>, expected: &str| raw.and_then(text_of).as_deref() == Some(expected);
        let of_event = Path::read("device.id").and_then(|path| scope.at(&path).and_then(text_of));
        let is_of_device = |point: &Point<'_>| match &self.device {
            None => true,
            Some(device) if point.device.is_some() => is(point.device, device),
            Some(device) => of_event.as_ref() == Some(device),
        };
        let fitting =
            points.into_iter().filter(|point| is(point.variable, &self.variable) && is_of_device(point));
        fitting.filter_map(|point| point.value).collect()
    }
}

fn text_of(raw: &RawValue) -> Option<String> {
    serde_json::from_str(raw.get()).ok()
}

fn unknown_key(key: &str) -> String {
    if matches!(key, "tag_key" | "tag_value") {
        return "data points carry no tags of their device; write a condition on \"device\", or leave it out"
            .to_owned();
    }
    format!("unknown key{}; TagoIO's conditions have {}", suggestion(key, KEYS.into_iter()), KEYS.join(", "))
}

type Wrong = (&'static str, String);

/// The value, or the two of `><`, converted as `value_type` says.
fn value(
    value: Option<&RawValue>,
    second: Option<&RawValue>,
    kind: &str,
) -> Result<Option<Box<RawValue>>, Wrong> {
    let typed = |raw: &RawValue, key: &'static str| typed(raw, kind).map_err(|why| (key, why));
    let text = match (value, second) {
        (None, _) => return Ok(None),
        (Some(only), None) => typed(only, "/value")?,
        (Some(low), Some(high)) => format!("[{},{}]", typed(low, "/value")?, typed(high, "/second_value")?),
    };
    Ok(RawValue::from_string(text).ok())
}

/// Values from a form are always text: `"20"` with `"value_type": "number"` is 20.
fn typed(raw: &RawValue, kind: &str) -> Result<String, String> {
    let text = text_of(raw).unwrap_or_else(|| raw.get().to_owned());
    match kind {
        "number" => {
            let number = serde_json::from_str::<serde_json::Number>(text.trim());
            number.map(|_| text.trim().to_owned()).map_err(|_| format!("{text:?} is not a number"))
        }
        "boolean" => match text.trim() {
            "true" | "1" => Ok("true".to_owned()),
            "false" | "0" => Ok("false".to_owned()),
            _ => Err(format!("{text:?} is not true or false")),
        },
        "string" => Ok(Value::from(text).to_string()),
        "" | "*" => Ok(raw.get().to_owned()),
        other => Err(format!("value_type {other:?} must be string, number or boolean")),
    }
}
