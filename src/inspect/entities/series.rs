//! The values that deliveries about an entity carry, over time: numbers as series, everything else as states.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use super::event_time_of;
use super::place::{Limit, Place, limit_of, named_variable, place_of};
use super::states::{States, state_of};
use crate::domain::{Timestamp, is_of_the_future};

/// The most series that are shown, and the most states; those with the most points.
const MOST_SERIES: usize = 24;
/// The most fields that are looked at.
const MOST_FIELDS: usize = 500;
/// How deep numbers are looked for.
const DEEPEST: usize = 8;
/// The longest name of a series, in bytes.
const LONGEST: usize = 120;
/// The longest text that is looked at as a number, in bytes.
const LONGEST_NUMBER: usize = 32;
/// The most places of a track.
const MOST_PLACES: usize = 1_000;
/// The most items of an array that are looked at by their places; of points all are.
const MOST_ITEMS: usize = 20;

/// A value at a time.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Point {
    /// When.
    pub at: Timestamp,
    /// What.
    pub value: f64,
}

/// The values of one field, or of one TagoIO variable.
#[derive(Clone, Debug, PartialEq)]
pub struct Series {
    /// The variable, or where the field is.
    pub name: String,
    /// The unit, if points have one.
    pub unit: Option<String>,
    /// The values, the oldest first.
    pub points: Vec<Point>,
}

impl Series {
    /// The last value.
    #[must_use]
    pub fn last(&self) -> Option<Point> {
        self.points.last().copied()
    }

    /// The least and the greatest value.
    #[must_use]
    pub fn range(&self) -> (f64, f64) {
        let values = self.points.iter().map(|point| point.value);
        values
            .fold((f64::INFINITY, f64::NEG_INFINITY), |(low, high), value| (low.min(value), high.max(value)))
    }
}

/// All values of some payloads.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Values {
    /// The numbers.
    pub series: Vec<Series>,
    /// What is true, false or text.
    pub states: Vec<States>,
    /// Values that must not be passed, the newest of each variable.
    pub limits: Vec<Limit>,
    /// Where it was, the earliest first.
    pub track: Vec<Place>,
    /// Variables that say where it was, and nothing else.
    pub located: Vec<String>,
    /// Variables that never came with a value.
    pub without: Vec<String>,
    /// How many series and states are left out.
    pub left_out: usize,
}

impl Values {
    /// The values of payloads, each with the time to use if a value has no time of its own, or a time after `newest`,
    /// when the newest of them was received.
    #[must_use]
    pub fn of(payloads: &[(Timestamp, Value)], newest: Timestamp) -> Self {
        let mut collected = Collected { newest, ..Collected::default() };
        let mut limits: BTreeMap<String, (Timestamp, Limit)> = BTreeMap::new();
        for (at, payload) in payloads {
            if let Some((name, value, unit)) = named_variable(payload) {
                collected.put(name, unit, value, *at);
            }
            if let Some(limit) = limit_of(payload)
                && limits.get(&limit.name).is_none_or(|(known, _)| known <= at)
                && limits.len() < MOST_FIELDS
            {
                limits.insert(limit.name.clone(), (*at, limit));
            }
            collected.add("", payload, *at, 0);
        }
        let Collected { series, states, mut without, mut track, located, .. } = collected;
        track.sort_by_key(|place| place.at);
        track.dedup_by(|after, before| (after.lat, after.lng) == (before.lat, before.lng));
        without.retain(|name| !series.contains_key(name) && !states.contains_key(name));
        let mut series: Vec<Series> = series.into_values().collect();
        for series in &mut series {
            series.points.sort_by_key(|point| point.at);
            // A point that was repeated, as in an envelope that names its first variable twice, is one.
            series.points.dedup();
        }
        let mut states: Vec<States> = states.into_values().collect();
        for states in &mut states {
            states.points.sort_by_key(|(at, _)| *at);
            states.points.dedup();
        }
        series.sort_by(|a, b| (b.points.len(), &a.name).cmp(&(a.points.len(), &b.name)));
        states.sort_by(|a, b| (b.points.len(), &a.name).cmp(&(a.points.len(), &b.name)));
        let all = series.len().saturating_add(states.len());
        series.truncate(MOST_SERIES);
        states.truncate(MOST_SERIES);
        let left_out = all.saturating_sub(series.len()).saturating_sub(states.len());
        let limits = limits.into_values().map(|(_, limit)| limit).collect();
        let without: Vec<String> = without.into_iter().take(MOST_SERIES).collect();
        let located = located.into_iter().filter(|name| without.contains(name)).collect();
        Self { series, states, limits, track, located, without, left_out }
    }
}

#[derive(Default)]
struct Collected {
    series: BTreeMap<String, Series>,
    states: BTreeMap<String, States>,
    without: BTreeSet<String>,
    track: Vec<Place>,
    located: BTreeSet<String>,
    newest: Timestamp,
}

impl Collected {
    fn add(&mut self, name: &str, value: &Value, at: Timestamp, depth: usize) {
        if depth > DEEPEST || name.len() > LONGEST {
            return;
        }
        let below = |key: &str| if name.is_empty() { key.to_owned() } else { format!("{name}.{key}") };
        match value {
            // An event's variable and limit are read before.
            Value::Object(members) if is_told_above(name, members) => {}
            Value::Object(_) if place_of(value).is_some() => self.locate(value, at),
            // A text that no variable says is a name or an id, unless it is wholly a number.
            Value::Number(_) | Value::Bool(_) => self.put(name, None, value, at),
            Value::String(_) if number(value).is_some() && !is_named_like_an_id(name) => {
                self.put(name, None, value, at);
            }
            Value::Object(members) => {
                if let Some(Value::String(variable)) = members.get("variable") {
                    let at = self.time_of(members.get("time")).unwrap_or(at);
                    let unit = members.get("unit").and_then(Value::as_str);
                    self.put(variable, unit, members.get("value").unwrap_or(&Value::Null), at);
                }
                let is_point = members.get("variable").is_some_and(Value::is_string);
                let unit = members.get("unit").and_then(Value::as_str);
                for (key, value) in members.iter().filter(|(key, _)| !(is_point && key.as_str() == "value")) {
                    if key == "value" && unit.is_some() {
                        self.put(&below(key), unit, value, at);
                    } else if !is_time(key, value) {
                        self.add(&below(key), value, at, depth.saturating_add(1));
                    }
                }
            }
            Value::Array(items) => {
                let is_points = items.iter().all(|item| item.get("variable").is_some_and(Value::is_string));
                for (place, item) in items.iter().enumerate() {
                    if is_points {
                        self.point(item, at);
                    } else if place < MOST_ITEMS {
                        self.add(&below(&place.to_string()), item, at, depth.saturating_add(1));
                    }
                }
            }
            _ => {}
        }
    }

    fn time_of(&self, value: Option<&Value>) -> Option<Timestamp> {
        value.and_then(event_time_of).filter(|at| !is_of_the_future(*at, self.newest))
    }

    fn point(&mut self, point: &Value, at: Timestamp) {
        let at = self.time_of(point.get("time")).unwrap_or(at);
        let variable = point.get("variable").and_then(Value::as_str).unwrap_or_default();
        let unit = point.get("unit").and_then(Value::as_str);
        let value = point.get("value").unwrap_or(&Value::Null);
        let is_located = point.get("location").is_some_and(|place| place_of(place).is_some());
        if let Some(place) = point.get("location").filter(|_| is_located) {
            self.locate(place, at);
        }
        // The text of a place is its coordinates once more.
        let value =
            if is_located && value.is_string() && number(value).is_none() { &Value::Null } else { value };
        if is_located && self.located.len() < MOST_FIELDS {
            self.located.insert(variable.to_owned());
        }
        self.put(variable, unit, value, at);
    }

    fn locate(&mut self, value: &Value, at: Timestamp) {
        if let Some((lat, lng)) = place_of(value).filter(|_| self.track.len() < MOST_PLACES) {
            self.track.push(Place { at, lat, lng });
        }
    }

    fn put(&mut self, name: &str, unit: Option<&str>, value: &Value, at: Timestamp) {
        if name.len() > LONGEST {
            return;
        }
        match (number(value), state_of(value)) {
            (Some(value), _) => self.put_number(name, unit, Point { at, value }),
            (None, Some(state)) if may_grow(&self.states, name) => {
                let new = || States::new(name.to_owned());
                self.states.entry(name.to_owned()).or_insert_with(new).points.push((at, state));
            }
            (None, _) if self.without.len() < MOST_FIELDS => drop(self.without.insert(name.to_owned())),
            (None, _) => {}
        }
    }

    fn put_number(&mut self, name: &str, unit: Option<&str>, point: Point) {
        if !may_grow(&self.series, name) {
            return;
        }
        let new = || Series { name: name.to_owned(), unit: None, points: Vec::new() };
        let series = self.series.entry(name.to_owned()).or_insert_with(new);
        series.points.push(point);
        if let Some(unit) = unit.filter(|unit| unit.len() <= LONGEST) {
            series.unit = Some(unit.to_owned());
        }
    }
}

/// Whether the event that an object belongs to named it as its variable or its limit.
fn is_told_above(name: &str, members: &serde_json::Map<String, Value>) -> bool {
    (name == "variable" && members.contains_key("name") && members.contains_key("value"))
        || (name == "threshold" && members.contains_key("value"))
}

fn may_grow<T>(known: &BTreeMap<String, T>, name: &str) -> bool {
    known.len() < MOST_FIELDS || known.contains_key(name)
}

/// A number, or text that is wholly one, as many devices and platforms send it.
fn number(value: &Value) -> Option<f64> {
    let number = match value {
        Value::String(text) if text.len() <= LONGEST_NUMBER => {
            text.trim().parse::<serde_json::Number>().ok()?.as_f64()
        }
        other => other.as_f64(),
    };
    number.filter(|number| number.is_finite())
}

/// Whether a text's name shows that its digits are not a measurement.
fn is_named_like_an_id(name: &str) -> bool {
    const ENDS: [&str; 10] =
        ["_id", "eui", "imei", "imsi", "iccid", "serial", "phone", "addr", "version", "firmware"];
    const NAMES: [&str; 4] = ["id", "mac", "zip", "coreid"];
    let last = name.rsplit('.').next().unwrap_or_default();
    let lower = last.to_ascii_lowercase();
    NAMES.contains(&lower.as_str()) || last.ends_with("Id") || ENDS.iter().any(|end| lower.ends_with(end))
}

/// A number that is a time draws a straight line and shows nothing.
fn is_time(key: &str, value: &Value) -> bool {
    let names =
        ["time", "timestamp", "created_at", "ts", "published_at", "reported_at", "received_at", "rx_time"];
    names.contains(&key) && event_time_of(value).is_some()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn at(secs: i64) -> Timestamp {
        Timestamp::from_secs(1_800_000_000 + secs)
    }

    fn names(series: &[Series]) -> Vec<(&str, usize)> {
        series.iter().map(|series| (series.name.as_str(), series.points.len())).collect()
    }

    #[test]
    fn points_are_series_by_their_variables_and_times() {
        let early = at(-60).to_string();
        let payload = json!([{"variable": "t", "value": 0, "unit": "°C", "time": early},
            {"variable": "h", "value": "wet"}, {"variable": "t", "value": -3.5}]);
        let series = Values::of(&[(at(0), payload)], at(0)).series;
        assert_eq!(names(&series), [("t", 2)]);
        assert_eq!(series[0].unit.as_deref(), Some("°C"));
        assert_eq!(series[0].points[0], Point { at: at(-60), value: 0.0 });
        assert_eq!(series[0].range(), (-3.5, 0.0));
    }

    #[test]
    fn numbers_of_an_envelope_are_series_by_their_places() {
        let one = |n: i64| {
            let data = json!({"variable": "co2", "value": n, "quality": 0.5,
                "variables": [{"variable": "co2", "value": n}]});
            (at(n), json!({"timestamp": 1_800_000_000 + n, "device": {"battery": 90 - n}, "data": data}))
        };
        let series = Values::of(&[one(2), one(1)], at(2)).series;
        assert_eq!(names(&series), [("co2", 2), ("data.quality", 2), ("device.battery", 2)]);
        assert_eq!(series[2].points[0].value, 89.0);
    }

    #[test]
    fn d12_text_that_is_wholly_a_number_is_drawn_and_a_unit_beside_a_value_is_its_unit() {
        let particle = json!({"event": "temp", "data": "21.5", "coreid": "0123456789", "published_at": "2026-11-28T15:00:00Z"});
        let uplink = json!({"DevEUI": "0018", "DevAddr": "15", "FCntUp": "7", "LrrRSSI": "-57.000000", "id": "9", "note": "7 up",
            "empty": "", "hex": "0x15", "version": "2"});
        let decentlab = json!({"air": {"value": 21.5, "unit": "°C", "displayName": "Air temperature"},
            "humidity": {"value": "48", "unit": "%"}});
        assert_eq!(names(&Values::of(&[(at(0), particle)], at(0)).series), [("data", 1)]);
        let series = Values::of(&[(at(0), uplink)], at(0)).series;
        assert_eq!(names(&series), [("FCntUp", 1), ("LrrRSSI", 1)]);
        assert_eq!(series[1].points[0].value, -57.0);
        let series = Values::of(&[(at(0), decentlab)], at(0)).series;
        assert_eq!(names(&series), [("air.value", 1), ("humidity.value", 1)]);
        assert_eq!([series[0].unit.as_deref(), series[1].unit.as_deref()], [Some("°C"), Some("%")]);
    }

    #[test]
    fn a_point_of_the_future_is_drawn_where_it_arrived() {
        let payload = json!([{"variable": "t", "value": 1, "time": at(10 * 365 * 86_400).to_string()}]);
        assert_eq!(Values::of(&[(at(5), payload)], at(5)).series[0].points[0].at, at(5));
    }

    #[test]
    fn a_payload_of_many_numbers_is_cut() {
        let many: serde_json::Map<String, Value> = (0..9_999).map(|n| (format!("k{n}"), json!(n))).collect();
        let values = Values::of(&[(at(0), many.into())], at(0));
        assert_eq!((values.series.len(), values.left_out), (MOST_SERIES, MOST_FIELDS - MOST_SERIES));
        assert_eq!(Values::of(&[(at(0), json!({"a": 1e300, "b": "1 V"}))], at(0)).series.len(), 1);
    }

    #[test]
    fn truth_and_text_are_states_and_a_variable_without_a_value_is_named() {
        let payload = json!([{"variable": "door", "value": true}, {"variable": "door", "value": false, "time": at(-9).to_string()},
            {"variable": "mode", "value": "eco"}, {"variable": "mode", "value": 3}, {"variable": "gps"}]);
        let values = Values::of(&[(at(0), payload), (at(1), json!({"online": true, "id": "x"}))], at(1));
        let states: Vec<(&str, Vec<&str>)> =
            values.states.iter().map(|states| (states.name.as_str(), states.distinct())).collect();
        assert_eq!(
            states,
            [("door", vec!["false", "true"]), ("mode", vec!["eco"]), ("online", vec!["true"])]
        );
        assert_eq!(names(&values.series), [("mode", 1)]);
        assert_eq!((values.without, values.left_out), (vec!["gps".to_owned()], 0));
    }

    #[test]
    fn places_are_a_track_and_a_threshold_is_the_limit_of_its_variable() {
        let event = json!({"event": "data.threshold", "device": {"id": "d", "location": {"lat": 52.5, "lng": 13.4}},
            "variable": {"name": "co2", "value": 1412, "unit": "ppm"}, "threshold": {"value": 1200, "operator": ">"}});
        let points = json!([{"variable": "pos", "value": "52.6,13.5", "location": {"lat": 52.6, "lng": 13.5}},
            {"variable": "gps", "location": {"type": "Point", "coordinates": [13.5, 52.6]}}]);
        let values = Values::of(&[(at(0), event), (at(1), points)], at(1));
        assert_eq!(names(&values.series), [("co2", 1)]);
        assert_eq!(values.series[0].unit.as_deref(), Some("ppm"));
        assert_eq!(
            (values.limits.len(), values.limits[0].value, values.limits[0].name.as_str()),
            (1, 1_200.0, "co2")
        );
        let track: Vec<(f64, f64)> = values.track.iter().map(|place| (place.lat, place.lng)).collect();
        assert_eq!(track, [(52.5, 13.4), (52.6, 13.5)], "where it stayed it is once");
        assert_eq!((values.states.len(), values.without == ["gps", "pos"]), (0, true), "{values:?}");
        assert_eq!(values.located, values.without);
    }
}
