//! From the stored form of a subscription to the form in force.

use super::sender::Sender;
use crate::config::{JsonFault, ReadSubscription, SecretOrigin, SecretReader, SubscriptionReader};
use crate::domain::{Subscription, SubscriptionOrigin};
use crate::send::subscriptions::{Active, Compiled, SubscriptionFault};
use crate::signing;
use crate::store::SubscriptionRecord;

impl Sender {
    pub(in crate::send) fn read(
        &self,
        origin: SecretOrigin,
        present: Option<&Subscription>,
        id: &str,
        kept_in: SubscriptionOrigin,
        json: &str,
    ) -> Result<ReadSubscription, Vec<JsonFault>> {
        let resolve = |reference: &str| self.parts().secrets.resolve(reference);
        let secrets = SecretReader {
            origin,
            resolve: &resolve,
            sealer: &self.parts().sealer,
            check: signing::check_key,
            present,
        };
        SubscriptionReader { secrets }.read(id, kept_in, json)
    }

    pub(in crate::send) fn compiled_of(
        &self,
        record: &SubscriptionRecord,
    ) -> Result<Compiled, Vec<SubscriptionFault>> {
        let read = self.read(SecretOrigin::Store, None, &record.id, record.origin, &record.document);
        let mut read = read.map_err(faults_of)?;
        read.subscription.enabled = record.enabled;
        read.subscription.disabled_reason.clone_from(&record.disabled_reason);
        Compiled::new(read.subscription, self.guard())
    }
}

/// A compiled subscription with what only its record knows.
pub fn active(compiled: Compiled, record: &SubscriptionRecord) -> Active {
    Active { compiled, created_at: record.created_at, updated_at: record.updated_at, since: record.since }
}

/// Faults of a document as faults of its subscription.
pub fn faults_of(faults: Vec<JsonFault>) -> Vec<SubscriptionFault> {
    faults.into_iter().map(|JsonFault { pointer, message }| SubscriptionFault { pointer, message }).collect()
}
