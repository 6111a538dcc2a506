//! When an event happened, as it says itself.

use serde::Deserialize;
use serde_json::Value;
use serde_json::value::RawValue;

use crate::domain::json::without_mark;
use crate::domain::{Timestamp, is_of_the_future};

/// Epoch numbers below are seconds, from here on milliseconds: the year 5138, or the March of 1973.
const MILLIS_FROM: i64 = 100_000_000_000;
/// Numbers below are no times of today: counters, years.
const SECONDS_FROM: i64 = 1_000_000_000;

#[derive(Deserialize)]
struct Envelope<'a> {
    #[serde(borrow)]
    timestamp: Option<&'a RawValue>,
    #[serde(borrow)]
    time: Option<&'a RawValue>,
    #[serde(borrow)]
    created_at: Option<&'a RawValue>,
}

/// The time of the event in that JSON text, received at that time: `timestamp`, `time` or `created_at`; the newest one of
/// an array of points, but none of the future where there is another.
#[must_use]
pub fn event_time(text: &[u8], received_at: Timestamp) -> Option<Timestamp> {
    let text = without_mark(text);
    if text.trim_ascii_start().first() == Some(&b'[') {
        let points: Vec<Envelope<'_>> = serde_json::from_slice(text).ok()?;
        return points.iter().filter_map(time).max_by_key(|at| (!is_of_the_future(*at, received_at), *at));
    }
    time(&serde_json::from_slice(text).ok()?)
}

fn time(envelope: &Envelope<'_>) -> Option<Timestamp> {
    let raw = [envelope.timestamp, envelope.time, envelope.created_at];
    raw.into_iter().flatten().find_map(|raw| event_time_of(&serde_json::from_str(raw.get()).ok()?))
}

/// The time that a value tells: RFC 3339, or seconds or milliseconds since 1970.
#[must_use]
pub fn event_time_of(value: &Value) -> Option<Timestamp> {
    match value {
        Value::String(text) => Timestamp::parse_rfc3339(text),
        Value::Number(_) => match value.as_i64()? {
            seconds @ SECONDS_FROM..MILLIS_FROM => Some(Timestamp::from_secs(seconds)),
            millis if millis >= MILLIS_FROM => Some(Timestamp::from_micros(millis.checked_mul(1_000)?)),
            _ => None,
        },
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_time_of_an_event_is_read_in_every_form() {
        let at = Timestamp::parse_rfc3339("2026-03-09T07:14:58Z");
        let now = at.unwrap();
        for text in [
            r#"{"timestamp":"2026-03-09T07:14:58Z","data":{"timestamp":"2020-01-01T00:00:00Z"}}"#,
            r#"{"timestamp":1773040498}"#,
            r#"{"time":1773040498000,"timestamp":null}"#,
            r#"{"timestamp":"soon","created_at":"2026-03-09T08:14:58+01:00"}"#,
            r#"[{"time":"2036-03-09T07:14:58Z"},{"time":"2026-03-09T07:14:58Z"}]"#,
            "\u{feff} [{\"time\":\"2026-03-09T07:14:58Z\"},{\"time\":\"2026-03-09T07:00:00Z\"},{}]",
        ] {
            assert_eq!(event_time(text.as_bytes(), now), at, "{text}");
        }
        for text in ["{}", "[]", r#"{"timestamp":42}"#, r#"{"timestamp":1e400}"#, "x", r#"{"timestamp":{}}"#]
        {
            assert_eq!(event_time(text.as_bytes(), now), None, "{text}");
        }
    }
}
