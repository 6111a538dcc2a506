//! Times, sizes and JSON as pages write them.

use crate::domain::json::laid_out;
use crate::domain::{Piece, Timestamp, pieces};

/// Seconds of a day.
const DAY: i64 = 86_400;

/// A time as a page shows it.
#[derive(Clone, Debug, Default)]
pub struct When {
    /// RFC 3339; empty if there is no such time.
    pub iso: String,
    /// `12 s ago`, `in 5 min`; `–` if there is no such time.
    pub shown: String,
}

impl When {
    /// How long before or after `now` it is.
    #[must_use]
    pub fn relative(at: Timestamp, now: Timestamp) -> Self {
        let span = span(at.abs_diff(now).as_secs());
        let shown = match (at.as_micros() > now.as_micros(), span) {
            (_, None) => "just now".to_owned(),
            (true, Some(span)) => format!("in {span}"),
            (false, Some(span)) => format!("{span} ago"),
        };
        Self { iso: at.to_string(), shown }
    }

    /// The same in a list that is under headings of days: what is older than a day has its time of day.
    #[must_use]
    pub fn in_list(at: Timestamp, now: Timestamp) -> Self {
        let is_old = now.as_secs().saturating_sub(at.as_secs()) >= DAY;
        let iso = at.to_string();
        let shown = match iso.get(11..19).filter(|_| is_old) {
            Some(time) => time.to_owned(),
            // Clocks differ: what is in a list has arrived.
            None => Self::relative(at.min(now), now).shown,
        };
        Self { iso, shown }
    }

    /// The same for an optional time.
    #[must_use]
    pub fn maybe(at: Option<Timestamp>, now: Timestamp) -> Self {
        at.map_or_else(|| Self { iso: String::new(), shown: "–".to_owned() }, |at| Self::relative(at, now))
    }

    /// The time of day, with the date where it is not today's.
    #[must_use]
    pub fn clock(at: Timestamp, now: Timestamp) -> Self {
        let (iso, today) = (at.to_string(), now.to_string());
        let (date, time) = iso.split_once('T').unwrap_or((&iso, ""));
        let time: String = time.chars().take(8).collect();
        let is_today = today.starts_with(date);
        let shown = if is_today { time } else { format!("{date} {time}") };
        Self { shown, iso }
    }
}

/// Seconds in their largest unit; nothing below one second.
fn span(seconds: u64) -> Option<String> {
    Some(match seconds {
        0 => return None,
        1..60 => format!("{seconds} s"),
        60..3_600 => format!("{} min", seconds / 60),
        3_600..172_800 => format!("{} h", seconds / 3_600),
        _ => format!("{} days", seconds / 86_400),
    })
}

/// Milliseconds for people, where something was measured.
#[must_use]
pub fn millis(ms: Option<f64>) -> String {
    match ms {
        None => "–".to_owned(),
        Some(ms) if ms < 10.0 => format!("{ms:.1} ms"),
        Some(ms) if ms < 1_000.0 => format!("{ms:.0} ms"),
        Some(ms) => format!("{:.1} s", ms / 1_000.0),
    }
}

/// JSON on many lines, and what is not JSON as it is.
#[must_use]
pub fn readable(text: &str) -> Vec<Piece> {
    let is_json = serde_json::from_str::<&serde_json::value::RawValue>(text).is_ok();
    if is_json { pieces(&laid_out(text)) } else { pieces(text) }
}

/// An RFC 3339 time for people: a blank for the `T`; empty stays empty.
#[must_use]
pub fn shown_time(rfc3339: &str) -> String {
    rfc3339.replacen('T', " ", 1)
}

/// Bytes for people.
#[must_use]
pub fn size(bytes: u64) -> String {
    let tenths = |unit: u64| {
        let tenths = bytes.saturating_mul(10) / unit;
        format!("{}.{}", tenths / 10, tenths % 10)
    };
    match bytes {
        0..1024 => format!("{bytes} B"),
        1024..1_048_576 => format!("{} KiB", tenths(1024)),
        _ => format!("{} MiB", tenths(1_048_576)),
    }
}

/// Microseconds for people.
#[must_use]
pub fn took(micros: u64) -> String {
    match micros {
        0..1000 => format!("{micros} µs"),
        1000..1_000_000 => format!("{}.{} ms", micros / 1000, micros % 1000 / 100),
        _ => format!("{}.{} s", micros / 1_000_000, micros % 1_000_000 / 100_000),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_time_says_how_long_ago_it_was_or_how_soon_it_comes() {
        let now = Timestamp::from_secs(1_800_000_000);
        let shown = |seconds: i64| When::relative(Timestamp::from_secs(1_800_000_000 + seconds), now).shown;
        assert_eq!(shown(0), "just now");
        assert_eq!(shown(-12), "12 s ago");
        assert_eq!(shown(-59 * 60), "59 min ago");
        assert_eq!(shown(-3 * 3_600), "3 h ago");
        assert_eq!(shown(-47 * 3_600), "47 h ago");
        assert_eq!(shown(-3 * 86_400), "3 days ago");
        assert_eq!(shown(5), "in 5 s");
        assert_eq!(When::maybe(None, now).shown, "–");
        assert_eq!(When::clock(now, now).shown, "08:00:00");
        assert_eq!(
            When::clock(Timestamp::from_secs(1_800_000_000 - 86_400), now).shown,
            "2027-01-14 08:00:00"
        );
    }

    #[test]
    fn in_a_list_old_times_are_times_of_day() {
        let now = Timestamp::from_secs(1_800_000_000);
        for (secs, expected) in [
            (-5, "just now"),
            (0, "just now"),
            (59, "59 s ago"),
            (60, "1 min ago"),
            (3_599, "59 min ago"),
            (3_600, "1 h ago"),
            (86_399, "23 h ago"),
            (86_400, "08:00:00"),
        ] {
            let at = Timestamp::from_secs(now.as_secs() - secs);
            assert_eq!(When::in_list(at, now).shown, expected, "{secs}");
        }
    }

    #[test]
    fn what_was_not_measured_is_not_a_zero() {
        assert_eq!(millis(None), "–");
        assert_eq!(millis(Some(4.04)), "4.0 ms");
        assert_eq!(millis(Some(1_250.0)), "1.2 s");
    }

    #[test]
    fn json_is_laid_out_and_other_text_stays() {
        let text = |pieces: Vec<Piece>| pieces.into_iter().map(|piece| piece.text).collect::<String>();
        assert_eq!(text(readable(r#"{"a":1.0}"#)), "{\n  \"a\": 1.0\n}");
        assert_eq!(text(readable("{broken")), "{broken");
    }

    #[test]
    fn sizes_and_times_change_their_unit_at_the_limit() {
        assert_eq!(
            [size(0), size(1023), size(1024), size(1_048_575)],
            ["0 B", "1023 B", "1.0 KiB", "1023.9 KiB"]
        );
        assert_eq!(size(4 * 1_048_576), "4.0 MiB");
        assert_eq!(
            [took(999), took(1000), took(999_999), took(1_000_000)],
            ["999 µs", "1.0 ms", "999.9 ms", "1.0 s"]
        );
    }
}
