//! The signed time: how far it is from our clock, and why.

use std::time::Duration;

use super::difference::Difference;
use super::frames::signed_times;
use crate::domain::{Headers, Scheme, Timestamp};
use crate::signing::custom::own_time;
use crate::signing::platform::signed_time;

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

/// Why the time that a scheme signs is outside the tolerance, for a request received at `received_at`.
#[must_use]
pub fn clock(
    scheme: Scheme,
    headers: &Headers,
    received_at: Timestamp,
    tolerance: Duration,
) -> Option<Difference> {
    let line = signed_times(scheme, headers).into_iter().next()?;
    let signed = if matches!(scheme, Scheme::Hmac(_)) { own_time(&line) } else { signed_time(&line) }?;
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::{DigestEncoding, HmacAlgorithm, HmacForm, Platform, SignedPart, TimePlace};

    const NOW: i64 = 1_795_874_206;

    fn told_of(scheme: Scheme, header: &str, value: &str) -> Option<Difference> {
        let mut headers = Headers::default();
        headers.push(header, value);
        clock(scheme, &headers, Timestamp::from_secs(NOW), Duration::from_secs(300))
    }

    fn told(signed: i64) -> Option<Difference> {
        told_of(Scheme::StandardWebhooks, "webhook-timestamp", &signed.to_string())
    }

    #[test]
    fn the_time_of_every_scheme_that_signs_one_is_read() {
        let slack = (Scheme::Platform(Platform::Slack), "X-Slack-Request-Timestamp");
        let zoom = (Scheme::Platform(Platform::Zoom), "x-zm-request-timestamp");
        let twitch = (Scheme::Platform(Platform::Twitch), "Twitch-Eventsub-Message-Timestamp");
        let form = HmacForm {
            header: "X-Sign".to_owned(),
            prefix: "v1=".to_owned(),
            algorithm: HmacAlgorithm::Sha256,
            encoding: DigestEncoding::Hex,
            signed: vec![SignedPart::Time, SignedPart::Body],
            time: Some(TimePlace::Inside("time=".to_owned())),
            id: None,
            arrays: false,
        };
        let own = (Scheme::Hmac(form.known()), "X-Sign");
        let zone = (NOW + 7_200).to_string();
        for ((scheme, header), value, variant) in [
            (slack, format!("{NOW}000"), "timestamp-milliseconds"),
            (slack, zone.clone(), "timestamp-zone"),
            (zoom, (NOW - 400).to_string(), "timestamp-stale"),
            (twitch, Timestamp::from_secs(NOW - 7_200).to_string(), "timestamp-zone"),
            (own, format!("time={zone},v1=00"), "timestamp-zone"),
            (own, format!("time={zone}000,v1=00"), "timestamp-zone"),
            ((Scheme::Stripe, "Stripe-Signature"), format!("t={NOW}000,v1=00"), "timestamp-milliseconds"),
        ] {
            let told = told_of(scheme, header, &value).map(|told| told.name);
            assert_eq!(told, Some(variant), "{header}: {value}");
        }
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
