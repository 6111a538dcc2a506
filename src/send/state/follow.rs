//! Puts in force what other nodes changed. The store is right: its claims and its fan-out refuse a node that does not know
//! the last change yet.

use std::collections::HashMap;

use super::sender::Sender;
use super::stored::active;
use crate::domain::SubscriptionOrigin;
use crate::send::subscriptions::{OutOfForce, Parked, SubscriptionFault};
use crate::store::{StoreError, SubscriptionRecord};

impl Sender {
    /// Follows the changes of subscriptions that other nodes made, if there are any.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub(in crate::send) async fn follow(&self) -> Result<(), StoreError> {
        if self.store().news().await?.revision == *self.followed().revision().borrow() {
            return Ok(());
        }
        let mut known = self.followed().lock().await;
        self.follow_from(&mut known).await
    }

    /// Like `follow`, for a caller that has the lock.
    pub(in crate::send) async fn follow_from(
        &self,
        known: &mut HashMap<String, SubscriptionRecord>,
    ) -> Result<(), StoreError> {
        let revision = self.store().news().await?.revision;
        if revision == *self.followed().revision().borrow() {
            return Ok(());
        }
        // Read after the revision: it may be newer, and is then read once more.
        let records = self.store().subscriptions().await?;
        let mut now = HashMap::with_capacity(records.len());
        for record in records {
            if known.get(&record.id) != Some(&record) {
                self.put_in_force(&record);
            }
            now.insert(record.id.clone(), record);
        }
        let all = self.subscriptions();
        let active = all.all();
        let in_force = active.iter().map(|active| active.compiled.id().to_owned());
        let out_of_force = all.all_parked().into_iter().map(|parked| parked.id.clone());
        for id in in_force.chain(out_of_force).filter(|id| !now.contains_key(id)) {
            tracing::info!(subscription = id, "the subscription was deleted on another node");
            all.remove(&id);
            self.evaluations().forget(&id);
        }
        *known = now;
        self.followed().reach(revision);
        self.wake();
        Ok(())
    }

    fn put_in_force(&self, record: &SubscriptionRecord) {
        if record.parked_since.is_some() && self.subscriptions().parked(&record.id).is_some() {
            // It is known here why.
            return;
        }
        let compiled = self.compiled_of(record);
        let why = match (&compiled, record.parked_since, record.origin) {
            (Ok(_), None, _) => None,
            (Err(faults), ..) => Some(OutOfForce::Unusable(faults.clone())),
            (Ok(_), Some(_), SubscriptionOrigin::Config) => Some(OutOfForce::Missing),
            (Ok(_), Some(_), SubscriptionOrigin::Api) => {
                let message = "another node cannot use it".to_owned();
                Some(OutOfForce::Unusable(vec![SubscriptionFault { pointer: String::new(), message }]))
            }
        };
        match (compiled, why) {
            (Ok(compiled), None) => self.subscriptions().put(active(compiled, record)),
            (_, Some(why)) => {
                if let (OutOfForce::Unusable(faults), None) = (&why, record.parked_since) {
                    // Other nodes may be able to, so the store is not told.
                    let fault = faults.first().map(|fault| fault.message.as_str()).unwrap_or_default();
                    tracing::error!(subscription = record.id, fault, "this node cannot use the subscription");
                }
                let since = record.parked_since.unwrap_or_else(|| self.wall());
                self.subscriptions().park(Parked::of(record, since, why));
            }
            (Err(_), None) => {}
        }
    }
}
