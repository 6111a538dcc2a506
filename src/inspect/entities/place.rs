//! Where something is, and which value it must not pass, as payloads say it.

use serde_json::Value;

use crate::domain::Timestamp;

/// Where something was.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Place {
    /// When.
    pub at: Timestamp,
    /// Degrees north.
    pub lat: f64,
    /// Degrees east.
    pub lng: f64,
}

/// A value that a variable must not pass, as an event of a threshold has it.
#[derive(Clone, Debug, PartialEq)]
pub struct Limit {
    /// The variable.
    pub name: String,
    /// The value.
    pub value: f64,
    /// `>`, `<` and the like; empty if the event does not say it.
    pub operator: String,
}

/// Latitude and longitude: members of these names, or a point of GeoJSON. `None` for anything else.
pub fn place_of(value: &Value) -> Option<(f64, f64)> {
    let number = |names: &[&str]| names.iter().find_map(|name| value.get(name)?.as_f64());
    let named = number(&["lat", "latitude"]).zip(number(&["lng", "lon", "long", "longitude"]));
    let point = || {
        let coordinates = value.get("coordinates")?.as_array()?;
        Some((coordinates.get(1)?.as_f64()?, coordinates.first()?.as_f64()?))
    };
    named.or_else(point).filter(|(lat, lng)| lat.abs() <= 90.0 && lng.abs() <= 180.0)
}

/// The variable that an event names with its value: name, value, unit.
pub fn named_variable(payload: &Value) -> Option<(&str, &Value, Option<&str>)> {
    let variable = payload.get("variable")?;
    let unit = variable.get("unit").and_then(Value::as_str);
    Some((variable.get("name")?.as_str()?, variable.get("value")?, unit))
}

/// The limit that an event names.
pub fn limit_of(payload: &Value) -> Option<Limit> {
    let threshold = payload.get("threshold")?;
    let value = threshold.get("value").unwrap_or(threshold).as_f64()?;
    let name = payload.get("variable").and_then(|variable| variable.get("name").unwrap_or(variable).as_str());
    let operator = threshold.get("operator").and_then(Value::as_str).unwrap_or_default();
    Some(Limit { name: name?.to_owned(), value, operator: operator.to_owned() })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn places_are_read_in_the_forms_that_platforms_use() {
        for value in [
            json!({"lat": 52.5, "lng": 13.4, "site": "x"}),
            json!({"latitude": 52.5, "longitude": 13.4}),
            json!({"type": "Point", "coordinates": [13.4, 52.5]}),
        ] {
            assert_eq!(place_of(&value), Some((52.5, 13.4)), "{value}");
        }
        for value in
            [json!({"lat": 91, "lng": 0}), json!({"lat": 1}), json!([13.4, 52.5]), json!("52.5,13.4")]
        {
            assert_eq!(place_of(&value), None, "{value}");
        }
    }

    #[test]
    fn a_threshold_is_read_with_its_variable() {
        let event = json!({"variable": {"name": "co2", "value": 1412}, "threshold": {"value": 1200, "operator": ">"}});
        let limit = limit_of(&event).unwrap();
        assert_eq!((limit.name.as_str(), limit.value, limit.operator.as_str()), ("co2", 1_200.0, ">"));
        assert_eq!(limit_of(&json!({"variable": "t", "threshold": 7})).unwrap().value, 7.0);
        assert_eq!(limit_of(&json!({"threshold": 7})), None);
    }
}
