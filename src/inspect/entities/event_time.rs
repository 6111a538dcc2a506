//! When an event happened, as it says itself.

use serde::Deserialize;
use serde_json::value::RawValue;
use serde_json::{Number, Value};

use crate::domain::json::without_mark;
use crate::domain::{Timestamp, is_of_the_future};
use crate::payload::raw_at;

/// The units in which programs count the time since 1970, each from the number where the unit below ends: from 2001 in
/// seconds to 5138 in seconds, and so on.
const UNITS: [(f64, f64); 4] = [(1e9, 1e6), (1e11, 1e3), (1e14, 1.0), (1e17, 1e-3)];
/// Numbers from here on are not times.
const END: f64 = 1e19;

/// The members with the time of an event, by the names that platforms give them; the first one found counts.
#[derive(Deserialize)]
struct Envelope<'a> {
    #[serde(borrow)]
    timestamp: Option<&'a RawValue>,
    #[serde(borrow)]
    time: Option<&'a RawValue>,
    #[serde(borrow)]
    created_at: Option<&'a RawValue>,
    /// Particle.
    #[serde(borrow)]
    published_at: Option<&'a RawValue>,
    /// Helium.
    #[serde(borrow)]
    reported_at: Option<&'a RawValue>,
    /// Loriot.
    #[serde(borrow)]
    ts: Option<&'a RawValue>,
    /// The Things Stack.
    #[serde(borrow)]
    received_at: Option<&'a RawValue>,
}

/// The time of the event in that JSON text, received at that time: the value at `pointer`, or else a member that usually
/// has it; for an array of points the newest one, but not a future one if there is another. An empty pointer is not used.
#[must_use]
pub fn event_time(text: &[u8], pointer: &str, received_at: Timestamp) -> Option<Timestamp> {
    let text = without_mark(text);
    let pointed = raw_at(text, pointer).filter(|_| !pointer.is_empty());
    if let Some(at) = pointed.and_then(|raw| event_time_of(&serde_json::from_str(raw).ok()?)) {
        return Some(at);
    }
    if text.trim_ascii_start().first() == Some(&b'[') {
        let points: Vec<Envelope<'_>> = serde_json::from_slice(text).ok()?;
        return points.iter().filter_map(time).max_by_key(|at| (!is_of_the_future(*at, received_at), *at));
    }
    time(&serde_json::from_slice(text).ok()?)
}

fn time(envelope: &Envelope<'_>) -> Option<Timestamp> {
    let Envelope { timestamp, time, created_at, published_at, reported_at, ts, received_at } = envelope;
    let raw = [timestamp, time, created_at, published_at, reported_at, ts, received_at];
    raw.into_iter().flatten().find_map(|raw| event_time_of(&serde_json::from_str(raw.get()).ok()?))
}

/// The time in a value: RFC 3339, also with a blank for the T and without a zone, which is UTC then; or a number,
/// also as text, of seconds since 1970 or of a thousandth, a millionth or a billionth of them.
#[must_use]
pub fn event_time_of(value: &Value) -> Option<Timestamp> {
    match value {
        Value::String(text) => {
            let text = text.trim();
            Timestamp::parse_rfc3339(text)
                .or_else(|| Timestamp::parse_rfc3339(&format!("{text}Z")))
                .or_else(|| since_1970(&text.parse().ok()?))
        }
        Value::Number(number) => since_1970(number),
        _ => None,
    }
}

fn since_1970(number: &Number) -> Option<Timestamp> {
    let count = number.as_f64().filter(|count| *count < END)?;
    let (_, micros) = UNITS.iter().rfind(|(from, _)| count >= *from)?;
    // Whole numbers keep their digits; a fraction has fewer digits than a double.
    let whole = number.as_i64().and_then(|count| whole_micros(count, *micros));
    Some(Timestamp::from_micros(whole.or_else(|| whole_of(count * micros))?))
}

fn whole_micros(count: i64, micros: f64) -> Option<i64> {
    if micros >= 1.0 { count.checked_mul(whole_of(micros)?) } else { Some(count / 1_000) }
}

/// A number without its fraction, where it fits.
fn whole_of(number: f64) -> Option<i64> {
    format!("{:.0}", number).parse().ok()
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
            assert_eq!(event_time(text.as_bytes(), "", now), at, "{text}");
        }
        for text in ["{}", "[]", r#"{"timestamp":42}"#, r#"{"timestamp":1e400}"#, "x", r#"{"timestamp":{}}"#]
        {
            assert_eq!(event_time(text.as_bytes(), "", now), None, "{text}");
        }
    }

    #[test]
    fn d13_the_times_of_platforms_and_of_scripts_are_read() {
        let at = |micros: i64| Some(Timestamp::from_micros(1_795_878_000_000_000 + micros));
        let now = at(0).unwrap();
        for (text, expected) in [
            (r#"{"received_at":"2026-11-28T15:00:00.123456789Z","uplink_message":{}}"#, at(123_456)),
            (r#"{"event":"temp","data":"21.5","published_at":"2026-11-28T15:00:00.5Z"}"#, at(500_000)),
            (r#"{"cmd":"rx","ts":1795878000250,"EUI":"0004A30B001C0530"}"#, at(250_000)),
            (r#"{"reported_at":1795878000001}"#, at(1_000)),
            (r#"{"timestamp":1795878000.123}"#, at(123_000)),
            (r#"{"timestamp":"1795878000"}"#, at(0)),
            (r#"{"timestamp":"1795878000.5"}"#, at(500_000)),
            (r#"{"timestamp":"2026-11-28T15:00:00"}"#, at(0)),
            (r#"{"timestamp":"2026-11-28 15:00:00"}"#, at(0)),
            (r#"{"timestamp":"2026-11-28 15:00:00.25"}"#, at(250_000)),
            (r#"{"timestamp":"2026-11-28T16:00:00+01:00"}"#, at(0)),
            (r#"{"time":1795878000000001}"#, at(1)),
            (r#"{"time":1795878000000001999}"#, at(1)),
            (r#"{"time":"soon","ts":1795878000}"#, at(0)),
        ] {
            assert_eq!(event_time(text.as_bytes(), "", now), expected, "{text}");
        }
        for text in
            [r#"{"timestamp":1e300}"#, r#"{"timestamp":-1795878000}"#, r#"{"ts":"42"}"#, r#"{"ts":"2026"}"#]
        {
            assert_eq!(event_time(text.as_bytes(), "", now), None, "{text}");
        }
    }

    #[test]
    fn d13_a_pointer_names_the_time_where_a_platform_hides_it() {
        let now = Timestamp::parse_rfc3339("2026-11-28T15:00:00Z").unwrap();
        let thingpark = br#"{"DevEUI_uplink":{"Time":"2026-11-28T16:00:00.000+01:00"},"timestamp":1}"#;
        assert_eq!(event_time(thingpark, "/DevEUI_uplink/Time", now), Some(now));
        let everynet = br#"{"params":{"rx_time":1795878000.0},"time":"2020-01-01T00:00:00Z"}"#;
        assert_eq!(event_time(everynet, "/params/rx_time", now), Some(now));
        let fallback = event_time(everynet, "/params/nothing", now);
        assert_eq!(fallback, Timestamp::parse_rfc3339("2020-01-01T00:00:00Z"), "where nothing is there");
    }
}
