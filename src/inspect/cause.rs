//! Why a delivery was refused, where that is known and need not be guessed.

use crate::domain::{Outcome, Reason, StoredDelivery};

/// Why a delivery was refused, where that is known.
#[must_use]
pub fn cause(delivery: &StoredDelivery) -> Option<String> {
    let reason = delivery.row.reason?;
    match reason {
        // The gate saw the credential in clear; here it is masked.
        Reason::CredentialsMissing | Reason::CredentialsWrong => noted(delivery),
        reason if reason.is_about_signature() => noted(delivery),
        Reason::NotJson if delivery.body.is_empty() && is_from_tagoio(delivery) => Some(
            "The body is empty: an Action on an interval or a schedule posts no data. Trigger the Action by a \
             condition on the data, or let an Analysis post the values."
                .to_owned(),
        ),
        _ => None,
    }
}

fn noted(delivery: &StoredDelivery) -> Option<String> {
    let failed = delivery.checks.iter().find(|check| check.outcome == Outcome::Fail)?;
    (!failed.notes.is_empty()).then(|| failed.notes.join(" "))
}

/// TagoIO's Actions post an array of data points (TagoIO documentation, "Actions").
pub fn is_from_tagoio(delivery: &StoredDelivery) -> bool {
    let agent = delivery.headers.get("User-Agent").unwrap_or_default().to_ascii_lowercase();
    let is_named = memchr::memmem::find(&agent, b"tagoio").is_some()
        || memchr::memmem::find(&agent, b"tago.io").is_some();
    let points = || {
        let parsed: Result<Vec<serde_json::Value>, _> = serde_json::from_slice(&delivery.body);
        parsed.is_ok_and(|points| points.first().is_some_and(|point| point.get("variable").is_some()))
    };
    is_named || delivery.headers.get("TagoIO-Retries").is_some() || points()
}
