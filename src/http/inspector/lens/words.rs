//! Times and addresses for people.

use std::time::Duration;

use crate::domain::{DeliveryRow, Verdict};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};

/// What stands in a segment of a path as it is.
const SEGMENT: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'_').remove(b'.').remove(b'~');

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

/// The page of an entity.
pub fn entity_url(source: &str, entity: &str) -> String {
    let segment = |text: &str| utf8_percent_encode(text, SEGMENT).to_string();
    format!("/entities/{}/{}", segment(source), segment(entity))
}

/// The page of what was learnt of a delivery's event type.
pub fn drift_url(row: &DeliveryRow) -> String {
    let mut query = form_urlencoded::Serializer::new(String::new());
    query.append_pair("source", &row.source);
    query.append_pair("event_type", row.event_type.as_deref().unwrap_or_default());
    format!("/drift?{}", query.finish())
}

/// The page of what a delivery is about; `None` where it was not taken, or is about nothing.
pub fn entity_url_of(row: &DeliveryRow) -> Option<String> {
    let is_taken = matches!(row.verdict, Verdict::Accepted | Verdict::Duplicate);
    row.entity.as_deref().filter(|_| is_taken).map(|entity| entity_url(&row.source, entity))
}

#[cfg(test)]
mod tests {
    use super::*;

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

    #[test]
    fn an_entity_stands_in_one_segment() {
        assert_eq!(entity_url("s", "a/b?c#d%e é"), "/entities/s/a%2Fb%3Fc%23d%25e%20%C3%A9");
    }
}
