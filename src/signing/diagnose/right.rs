//! The digest is valid, but the request was rejected: finds the other reason.

use super::clock::clock;
use super::difference::Difference;
use super::presented::own;
use super::suspect::Suspect;
use crate::domain::Scheme;
use crate::signing::fault::SignatureFault;

/// The other reason, as reported by the check itself.
pub fn right_digest(suspect: &Suspect<'_>) -> Difference {
    match suspect.check(suspect.scheme) {
        Ok(()) => valid_now(suspect.scheme),
        Err(SignatureFault::Stale { .. }) => clock(suspect.headers, suspect.received_at, suspect.tolerance)
            .map(|told| {
                Difference::new(told.name, format!("The digest is right, but its time is not. {}", told.fix))
            })
            .unwrap_or_else(|| {
                Difference::new("timestamp-stale", "The digest is right, but its time is not.")
            }),
        Err(fault) => header_fault(suspect, &fault),
    }
}

fn valid_now(scheme: Scheme) -> Difference {
    let replay = match scheme {
        // What was signed at that time is too old now.
        Scheme::StandardWebhooks | Scheme::Stripe => "Replay the delivery with a fresh signature.",
        _ => "Replay the delivery.",
    };
    let fix = format!(
        "With the secrets and the scheme of now the signature is right: the configuration was put right since. {replay}"
    );
    Difference::new("valid-now", fix)
}

fn header_fault(suspect: &Suspect<'_>, fault: &SignatureFault) -> Difference {
    let line =
        |name: &str| String::from_utf8_lossy(suspect.headers.get(name).unwrap_or_default()).into_owned();
    let lines = |name: &str| suspect.headers.get_all(name).count();
    let has_set =
        |set: &str| ["id", "timestamp", "signature"].iter().any(|part| lines(&format!("{set}-{part}")) > 0);
    let is_standard = suspect.scheme == Scheme::StandardWebhooks;
    let signature = line(own(suspect.scheme));
    let is_time = |name: &str| {
        let time = line(name);
        !time.is_empty() && !time.bytes().all(|byte| byte.is_ascii_digit())
    };
    let (name, fix) = if is_standard && has_set("webhook") && has_set("svix") {
        (
            "two-header-sets",
            "The digest is right, but headers of two sets are there: webhook-… and svix-…. Send one whole set only.",
        )
    } else if lines(own(suspect.scheme)) > 1 {
        (
            "several-lines",
            "The digest is right, but the signature header is there more than once. Send one line; several signatures \
             go into it, separated.",
        )
    } else if is_standard && (is_time("webhook-timestamp") || is_time("svix-timestamp")) {
        (
            "timestamp-format",
            "The digest is right, but the timestamp is not whole seconds since 1970: send int(time.time()), digits only.",
        )
    } else if is_standard && signature.matches("v1,").count() > 1 {
        (
            "signature-beside",
            "One signature in the header is right, but another is not 32 bytes in base64. Leave that one out.",
        )
    } else {
        let fix = format!("The digest is right, but the headers are not: {fault}.");
        return Difference::new("header-form", fix);
    };
    Difference::new(name, fix)
}
