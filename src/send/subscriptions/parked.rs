//! A stored subscription that is not in force. Its waiting messages are parked until it is in force again, or a user
//! handles them.

use super::compiled::SubscriptionFault;
use crate::domain::{SubscriptionOrigin, Timestamp};
use crate::send::wire::redacted_url;
use crate::store::SubscriptionRecord;

/// Why a subscription is not in force.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum OutOfForce {
    /// Its entry is missing from the configuration.
    Missing,
    /// It cannot be used.
    Unusable(Vec<SubscriptionFault>),
}

/// A subscription that is not in force.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Parked {
    /// Its id.
    pub id: String,
    /// Its name.
    pub name: String,
    /// Its endpoint, without secrets.
    pub url: String,
    /// Where it was configured.
    pub origin: SubscriptionOrigin,
    /// Since when it is not in force.
    pub since: Timestamp,
    /// The reason.
    pub why: OutOfForce,
}

impl Parked {
    /// The subscription of `record`, not in force since `since`.
    pub fn of(record: &SubscriptionRecord, since: Timestamp, why: OutOfForce) -> Self {
        let document: serde_json::Value = serde_json::from_str(&record.document).unwrap_or_default();
        let text = |key: &str| document.get(key).and_then(serde_json::Value::as_str);
        Self {
            id: record.id.clone(),
            name: text("name").unwrap_or(&record.id).to_owned(),
            url: text("url").map(redacted_url).unwrap_or_default(),
            origin: record.origin,
            since,
            why,
        }
    }

    /// Its name in the API: `missing` or `unusable`.
    #[must_use]
    pub const fn word(&self) -> &'static str {
        match self.why {
            OutOfForce::Missing => "missing",
            OutOfForce::Unusable(_) => "unusable",
        }
    }

    /// The reason, as a sentence.
    #[must_use]
    pub fn sentence(&self) -> String {
        let since = self.since.to_string();
        let since = since.get(..19).unwrap_or(&since).replace('T', " ");
        match &self.why {
            OutOfForce::Missing => {
                format!("Subscription {} has been missing from the configuration since {since} UTC.", self.id)
            }
            OutOfForce::Unusable(faults) => {
                let faults: Vec<String> =
                    faults.iter().map(|fault| format!("{}: {}", fault.pointer, fault.message)).collect();
                format!(
                    "Subscription {} has been unusable since {since} UTC: {}.",
                    self.id,
                    faults.join("; ")
                )
            }
        }
    }

    /// How to put it in force again.
    #[must_use]
    pub fn cure(&self) -> String {
        match (&self.why, self.origin) {
            (OutOfForce::Missing, _) => format!(
                "Put its entry back and reload the configuration; if the entry was renamed, give it id = \"{}\".",
                self.id
            ),
            (OutOfForce::Unusable(_), SubscriptionOrigin::Config) => {
                "Correct its entry and reload the configuration.".to_owned()
            }
            (OutOfForce::Unusable(_), SubscriptionOrigin::Api) => {
                format!("Correct it with PUT subscriptions/{}, or reload the configuration.", self.id)
            }
        }
    }
}
