//! The signed time: how far it is from our clock, and why.

use std::time::Duration;

use super::difference::Difference;
use crate::domain::{Headers, Timestamp};

/// A time is assumed to use another unit if it is then this close to our clock, in seconds.
const NEAR: u64 = 24 * 3_600;
/// Time zones differ by multiples of this, in seconds.
const ZONE: u64 = 900;
const MAX_ZONE: u64 = 14 * 3_600;
/// The largest deviation from a whole quarter of an hour, in seconds.
const SLACK: u64 = 30;

const UNITS: [(i64, &str, &str); 3] = [
    (1_000, "milliseconds", "timestamp-milliseconds"),
    (1_000_000, "microseconds", "timestamp-microseconds"),
    (1_000_000_000, "nanoseconds", "timestamp-nanoseconds"),
];

/// Why the signed time of a request received at `received_at` is outside the tolerance.
#[must_use]
pub fn clock(headers: &Headers, received_at: Timestamp, tolerance: Duration) -> Option<Difference> {
    let signed: i64 = std::str::from_utf8(signed_time(headers)?).ok()?.parse().ok()?;
    let now = received_at.as_secs();
    let distance = signed.abs_diff(now);
    if distance <= tolerance.as_secs() {
        return None;
    }
    for (unit, name, variant) in UNITS {
        if signed.checked_div(unit).is_some_and(|seconds| seconds.abs_diff(now) <= NEAR) {
            return Some(Difference::new(
                variant,
                format!("The timestamp is in {name}. | Send whole seconds since 1970."),
            ));
        }
    }
    let is_ahead = signed > now;
    let quarters = distance.saturating_add(SLACK) / ZONE;
    if quarters > 0 && distance.abs_diff(quarters * ZONE) <= SLACK && distance <= MAX_ZONE {
        return Some(Difference::new(
            "timestamp-zone",
            format!(
                "The timestamp is {} {} our clock, which is a time zone's distance: the sender probably takes local time \
                 for UTC. | Let it sign the time in UTC.",
                hours(quarters),
                if is_ahead { "ahead of" } else { "behind" }
            ),
        ));
    }
    Some(Difference::new(
        "timestamp-stale",
        if is_ahead {
            format!("It was signed {distance} s in the future: the sender's clock is ahead of ours.")
        } else if distance > 3_600 {
            format!(
                "It was signed {distance} s before it came: more likely an old request played again than a clock."
            )
        } else {
            format!(
                "It was signed {distance} s before it came: the sender's clock is behind, or the request waited on its \
                 way."
            )
        },
    ))
}

/// A number of quarters of an hour as text: `5 h 30 min`.
pub fn hours(quarters: u64) -> String {
    match (quarters / 4, quarters % 4 * 15) {
        (0, minutes) => format!("{minutes} min"),
        (hours, 0) => format!("{hours} h"),
        (hours, minutes) => format!("{hours} h {minutes} min"),
    }
}

/// The signed time, as written.
fn signed_time(headers: &Headers) -> Option<&[u8]> {
    let stripe = headers.get("Stripe-Signature").and_then(|line| {
        line.split(|byte| *byte == b',').find_map(|part| part.trim_ascii().strip_prefix(b"t="))
    });
    let others = ["webhook-timestamp", "svix-timestamp"].into_iter().find_map(|name| headers.get(name));
    stripe.or(others).map(<[u8]>::trim_ascii)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(signed: i64) -> Option<Difference> {
        let mut headers = Headers::default();
        headers.push("webhook-timestamp", signed.to_string());
        clock(&headers, Timestamp::from_secs(1_795_874_206), Duration::from_secs(300))
    }

    #[test]
    fn units_zones_and_clocks_are_told_apart() {
        let now = 1_795_874_206;
        for (signed, variant, part) in [
            (now * 1_000 + 123, "timestamp-milliseconds", "in milliseconds"),
            (now * 1_000_000, "timestamp-microseconds", "in microseconds"),
            (now * 1_000_000_000, "timestamp-nanoseconds", "in nanoseconds"),
            (now + 7_200, "timestamp-zone", "2 h ahead of our clock"),
            (now - 19_800, "timestamp-zone", "5 h 30 min behind our clock"),
            (now + 400, "timestamp-stale", "400 s in the future"),
            (now - 400, "timestamp-stale", "the sender's clock is behind"),
            (now - 100_000, "timestamp-stale", "an old request played again"),
            (now - 54_000, "timestamp-stale", "an old request"),
        ] {
            let told = told(signed).unwrap();
            assert_eq!(told.name, variant, "{signed}");
            assert!(told.what.contains(part), "{}", told.what);
        }
        assert_eq!(told(now - 300), None);
        assert_eq!(told(now + 300), None);
    }
}
