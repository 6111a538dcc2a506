//! Subscriptions put, changed and removed: read, compiled, kept, and then in force.

use std::sync::Arc;

use uuid::Uuid;

use super::compiled::{Compiled, SubscriptionFault};
use super::fanout::{Candidate, Destiny, message_for, messages_for};
use super::sender::Sender;
use super::subscriptions::Active;
use crate::config::{
    JsonFault, ReadSubscription, SecretOrigin, SecretReader, SubscriptionReader, merged, shown_json,
    stored_json,
};
use crate::domain::{MessageId, OutgoingEvent, Subscription, SubscriptionOrigin};
use crate::signing;
use crate::store::{StoreError, SubscriptionRecord};

/// Why a subscription was not put.
#[derive(Debug, thiserror::Error)]
pub enum ManageFault {
    /// There is none of that id.
    #[error("there is no subscription {0}")]
    Missing(String),
    /// It belongs to the configuration.
    #[error("subscription {0} stands in the configuration; change it there")]
    ReadOnly(String),
    /// It cannot be used as it stands.
    #[error("the subscription cannot be used as it stands")]
    Invalid(Vec<SubscriptionFault>),
    /// It could not be kept.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// A subscription that is in force now.
#[derive(Clone, Debug)]
pub struct Managed {
    /// It.
    pub active: Arc<Active>,
    /// What is legal and odd about it.
    pub warnings: Vec<String>,
}

impl Sender {
    /// Puts what the store has and what the configuration says in force; what the configuration no longer says goes. A
    /// stored one that cannot be read any more stays in the store, and out of force.
    ///
    /// # Errors
    /// When the store cannot be read or written.
    pub async fn load(&self, configured: &[Subscription]) -> Result<(), StoreError> {
        let records = self.store().subscriptions().await?;
        for record in &records {
            if record.origin == SubscriptionOrigin::Api {
                self.restore(record);
            }
        }
        for subscription in configured {
            let before = records.iter().find(|record| record.id == subscription.id);
            let mut subscription = subscription.clone();
            // What was disabled by itself stays so until its line in the configuration changes.
            let document = stored_json(&subscription, &self.parts().sealer);
            let is_same = before.is_some_and(|before| self.says_the_same(before, &subscription));
            if let Some(reason) = before.and_then(|before| before.disabled_reason.clone()).filter(|_| is_same)
            {
                subscription.enabled = false;
                subscription.disabled_reason = Some(reason);
            }
            match Compiled::new(subscription, self.guard()) {
                Ok(compiled) => self.keep(compiled, document).await.map(drop)?,
                Err(faults) => tell_unusable(&faults),
            }
        }
        for record in records.iter().filter(|record| record.origin == SubscriptionOrigin::Config) {
            if !configured.iter().any(|subscription| subscription.id == record.id) {
                self.store().delete_subscription(record.id.clone(), self.now()).await?;
                self.subscriptions().remove(&record.id);
            }
        }
        self.wake();
        Ok(())
    }

    fn restore(&self, record: &SubscriptionRecord) {
        let id = record.id.as_str();
        let read = self.read(SecretOrigin::Store, None, id, record.origin, &record.document);
        let compiled = read.map_err(faults_of).and_then(|mut read| {
            read.subscription.enabled = record.enabled;
            read.subscription.disabled_reason.clone_from(&record.disabled_reason);
            Compiled::new(read.subscription, self.guard())
        });
        match compiled {
            Ok(compiled) => self.subscriptions().put(active(compiled, record)),
            Err(faults) => tell_unusable(&faults),
        }
    }

    fn says_the_same(&self, before: &SubscriptionRecord, now: &Subscription) -> bool {
        let id = before.id.as_str();
        let read = self.read(SecretOrigin::Store, None, id, before.origin, &before.document);
        read.is_ok_and(|read| shown_json(&read.subscription) == shown_json(now))
    }

    fn read(
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

    /// Reads and compiles a subscription that is not put: for previews.
    ///
    /// # Errors
    /// Every fault of it.
    pub fn draft(&self, json: &str) -> Result<(Compiled, Vec<String>), Vec<SubscriptionFault>> {
        self.compile("draft", None, json)
    }

    fn compile(
        &self,
        id: &str,
        present: Option<&Subscription>,
        json: &str,
    ) -> Result<(Compiled, Vec<String>), Vec<SubscriptionFault>> {
        let read =
            self.read(SecretOrigin::Api, present, id, SubscriptionOrigin::Api, json).map_err(faults_of)?;
        let compiled = Compiled::new(read.subscription, self.guard())?;
        let mut warnings = read.warnings;
        warnings.extend(compiled.warnings.iter().cloned());
        warnings.extend(self.unknown_names(&compiled));
        Ok((compiled, warnings))
    }

    fn unknown_names(&self, compiled: &Compiled) -> Vec<String> {
        let subscription = &compiled.subscription;
        let names = subscription.events.iter().filter(|event| !event.contains('*'));
        let unknown = names.filter(|event| self.catalog().resolve(event).is_none());
        let mut warnings: Vec<String> = unknown
            .map(|event| {
                format!("events: the catalogue does not know {event:?}; it is sent when such an event comes")
            })
            .collect();
        if let Some(fallback) = &subscription.fallback
            && self.subscriptions().find(fallback).is_none()
        {
            warnings.push(format!("fallback: there is no subscription {fallback:?} yet"));
        }
        warnings
    }

    /// Creates a subscription from its JSON.
    ///
    /// # Errors
    /// Every fault of it, or that it cannot be kept; nothing is stored then.
    pub async fn create(&self, json: &str) -> Result<Managed, ManageFault> {
        let id = Uuid::now_v7().to_string();
        let (compiled, warnings) = self.compile(&id, None, json).map_err(ManageFault::Invalid)?;
        self.put(compiled, warnings).await
    }

    /// Replaces a subscription by its JSON; a masked secret that comes back unchanged stays what it is.
    ///
    /// # Errors
    /// As `create`, and when there is none of that id or it belongs to the configuration.
    pub async fn replace(&self, id: &str, json: &str) -> Result<Managed, ManageFault> {
        let present = self.changeable(id)?;
        let present = &present.compiled.subscription;
        let (compiled, warnings) = self.compile(id, Some(present), json).map_err(ManageFault::Invalid)?;
        self.put(compiled, warnings).await
    }

    /// Changes a subscription by an RFC 7396 merge patch.
    ///
    /// # Errors
    /// As `replace`.
    pub async fn patch(&self, id: &str, patch: &str) -> Result<Managed, ManageFault> {
        let present = self.changeable(id)?;
        let shown = shown_json(&present.compiled.subscription);
        let json = merged(&shown, patch).map_err(|fault| ManageFault::Invalid(faults_of(vec![fault])))?;
        self.replace(id, &json).await
    }

    /// Removes a subscription; its messages that wait are cancelled.
    ///
    /// # Errors
    /// As `replace`.
    pub async fn remove(&self, id: &str) -> Result<(), ManageFault> {
        self.changeable(id)?;
        // In this order: what the store could not remove is still there, and goes on.
        self.store().delete_subscription(id.to_owned(), self.now()).await?;
        self.subscriptions().remove(id);
        self.wake();
        Ok(())
    }

    fn changeable(&self, id: &str) -> Result<Arc<Active>, ManageFault> {
        let active = self.subscriptions().get(id).ok_or_else(|| ManageFault::Missing(id.to_owned()))?;
        if active.compiled.subscription.origin == SubscriptionOrigin::Config {
            return Err(ManageFault::ReadOnly(id.to_owned()));
        }
        Ok(active)
    }

    async fn put(&self, compiled: Compiled, warnings: Vec<String>) -> Result<Managed, ManageFault> {
        let document = stored_json(&compiled.subscription, &self.parts().sealer);
        let active = self.keep(compiled, document).await?;
        self.wake();
        Ok(Managed { active, warnings })
    }

    async fn keep(&self, compiled: Compiled, document: String) -> Result<Arc<Active>, StoreError> {
        let now = self.now();
        let subscription = &compiled.subscription;
        let record = SubscriptionRecord {
            id: subscription.id.clone(),
            origin: subscription.origin,
            document,
            enabled: subscription.enabled,
            disabled_reason: subscription.disabled_reason.clone(),
            created_at: now,
            updated_at: now,
            since: 0,
        };
        let id = record.id.clone();
        let record = self.store().put_subscription(record).await?;
        let active = Arc::new(active(compiled, &record));
        self.subscriptions().put(Active::clone(&active));
        Ok(self.subscriptions().get(&id).unwrap_or(active))
    }

    /// Makes one message about `event` for a subscription, whatever its filters say and was sent before.
    ///
    /// # Errors
    /// When it cannot be kept.
    pub async fn send_by_hand(&self, active: &Active, event: OutgoingEvent) -> Result<MessageId, StoreError> {
        let message = message_for(active, &event);
        let id = self.store().message_by_hand(event, message, self.now()).await?;
        self.news().tell(std::iter::once(active.compiled.id()));
        Ok(id)
    }

    /// Why `event` goes, or does not go, to each subscription.
    #[must_use]
    pub fn destinies(&self, event: &OutgoingEvent, seq: Option<i64>) -> Vec<(Arc<Active>, Destiny)> {
        let candidate = Candidate::new(event, seq);
        let with = |active: Arc<Active>| {
            let destiny = candidate.destiny(&active);
            (active, destiny)
        };
        self.subscriptions().all().into_iter().map(with).collect()
    }

    /// How many messages `event` would lead to.
    #[must_use]
    pub fn reach(&self, event: &OutgoingEvent) -> usize {
        messages_for(&self.subscriptions().all(), event, None).len()
    }
}

fn active(compiled: Compiled, record: &SubscriptionRecord) -> Active {
    Active { compiled, created_at: record.created_at, updated_at: record.updated_at, since: record.since }
}

fn faults_of(faults: Vec<JsonFault>) -> Vec<SubscriptionFault> {
    faults.into_iter().map(|JsonFault { pointer, message }| SubscriptionFault { pointer, message }).collect()
}

fn tell_unusable(faults: &[SubscriptionFault]) {
    for SubscriptionFault { pointer, message } in faults {
        tracing::error!(pointer, message, "a subscription cannot be used; it is out of force");
    }
}
