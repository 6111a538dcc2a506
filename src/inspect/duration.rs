//! Durations for people.

use std::time::Duration;

/// A time for people, from milliseconds to hours.
pub fn seconds(secs: f64) -> String {
    match secs {
        _ if secs < 0.001 => format!("{:.0} µs", secs * 1e6),
        _ if secs < 1.0 => format!("{:.0} ms", secs * 1e3),
        _ if secs < 120.0 => format!("{secs:.1} s"),
        _ if secs < 7_200.0 => format!("{:.1} min", secs / 60.0),
        _ => format!("{:.1} h", secs / 3_600.0),
    }
}

/// A time for people, its two largest units: `3 h 20 min`.
pub fn span(time: Duration) -> String {
    const UNITS: [(u64, &str); 4] = [(86_400, "d"), (3_600, "h"), (60, "min"), (1, "s")];
    let secs = time.as_secs();
    match secs {
        0 => return format!("{} ms", time.as_millis()),
        1..10 => return format!("{secs}.{} s", time.subsec_millis() / 100),
        _ => {}
    }
    let mut left = secs;
    let mut words = Vec::new();
    for (unit, word) in UNITS {
        if left >= unit || !words.is_empty() {
            words.push((left / unit, word));
            left %= unit;
        }
    }
    let told = words.into_iter().take(2).filter(|(count, _)| *count > 0);
    told.map(|(count, word)| format!("{count} {word}")).collect::<Vec<_>>().join(" ")
}

/// Milliseconds for people, with their sign.
pub fn signed_span(millis: i64) -> String {
    let sign = if millis < 0 { "−" } else { "" };
    format!("{sign}{}", span(Duration::from_millis(millis.unsigned_abs())))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_duration_has_the_unit_that_suits_it() {
        let told = [0.0005, 0.003, 1.25, 180.0, 7_200.0].map(seconds);
        assert_eq!(told, ["500 µs", "3 ms", "1.2 s", "3.0 min", "2.0 h"]);
    }

    #[test]
    fn spans_have_two_units_at_most() {
        let of = |secs| span(Duration::from_secs(secs));
        assert_eq!([of(0), of(9), of(10), of(60), of(61)], ["0 ms", "9.0 s", "10 s", "1 min", "1 min 1 s"]);
        assert_eq!([of(3_600), of(12_000), of(86_400 * 3 + 59)], ["1 h", "3 h 20 min", "3 d"]);
        assert_eq!(
            [signed_span(-90_000), signed_span(-5), signed_span(999)],
            ["−1 min 30 s", "−5 ms", "999 ms"]
        );
    }
}
