//! Why a delivery was refused, if that is known for certain.

use super::told::Diagnosis;
use crate::domain::{Outcome, Reason, StoredDelivery};

/// Why a delivery was refused, if that is known for certain.
#[must_use]
pub fn cause(delivery: &StoredDelivery) -> Option<Diagnosis> {
    match delivery.row.reason? {
        // The check saw the credential in clear; here it is masked.
        Reason::CredentialsMissing | Reason::CredentialsWrong => {
            let failed = delivery.checks.iter().find(|check| check.outcome == Outcome::Fail)?;
            (!failed.notes.is_empty()).then(|| credential(&failed.notes.join(" ")))
        }
        reason if reason.is_about_signature() => {
            let failed = delivery.checks.iter().find(|check| check.outcome == Outcome::Fail)?;
            let said = (!failed.notes.is_empty()).then(|| failed.notes.join(" "))?;
            let (cause, cure) = said.split_once(". ").unwrap_or((&said, ""));
            let told = Diagnosis::new(
                "signing-secret-sent",
                "The signing secret itself was sent",
                format!("{cause}."),
            );
            Some(if cure.is_empty() { told } else { told.fix(cure) })
        }
        Reason::NotJson if delivery.body.is_empty() && is_from_tagoio(delivery) => {
            let said = "The body is empty: an Action on an interval or a schedule posts no data. | Trigger the Action by a \
                        condition on the data, or let an Analysis post the values.";
            Some(Diagnosis::of("tagoio-interval", "This Action posts no data", said))
        }
        _ => None,
    }
}

/// Phrases in the check's note about a credential, with the code and the headline for each.
const CREDENTIALS: [(&str, &str, &str); 5] = [
    ("The right ", "credential-form", "Right credential, sent the wrong way"),
    (", the signing secret of", "credential-signing-secret", "The signing secret was sent as the credential"),
    (
        ", the credential of source",
        "credential-of-another-source",
        "The credential belongs to another source",
    ),
    ("and no token", "credential-empty", "The token is empty"),
    ("a placeholder", "credential-placeholder", "The token is a placeholder"),
];
/// The starts of the sentence that names the fix.
const CURES: [&str; 4] = [" Send it as ", " Post to ", " Enter ", " Source “"];

/// The check's note about a credential, as a cause and a fix.
fn credential(said: &str) -> Diagnosis {
    let known = CREDENTIALS.iter().find(|(mark, ..)| said.contains(mark));
    let (code, headline) =
        known.map_or(("credential", "Wrong credential"), |(_, code, headline)| (*code, *headline));
    let cure = CURES.iter().filter_map(|begin| said.rfind(begin)).max();
    let (cause, cure) = cure.and_then(|at| said.split_at_checked(at)).unwrap_or((said, ""));
    let told = Diagnosis::new(code, headline, cause);
    if cure.is_empty() { told.fix("Enter the token in the sender.") } else { told.fix(cure.trim_start()) }
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
