//! Creates, changes and removes subscriptions: parse, compile, store, then put in force.

use std::sync::Arc;

use uuid::Uuid;

use crate::catalog::EventType;
use crate::config::{SecretOrigin, merged, shown_json, stored_json};
use crate::domain::{MessageId, OutgoingEvent, Subscription, SubscriptionOrigin, suggestion};
use crate::send::state::{Sender, active, faults_of};
use crate::send::subscriptions::{
    Active, Candidate, Compiled, Routing, SubscriptionFault, faults_in, message_for,
};
use crate::store::{StoreError, SubscriptionRecord};

/// Why a subscription was not saved.
#[derive(Debug, thiserror::Error)]
pub enum ManageFault {
    /// No subscription has that id.
    #[error("there is no subscription {0}")]
    Missing(String),
    /// It is defined in the configuration.
    #[error("subscription {0} is defined in the configuration; change it there")]
    ReadOnly(String),
    /// It is invalid.
    #[error("the subscription has errors")]
    Invalid(Vec<SubscriptionFault>),
    /// It could not be stored.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// A subscription that is in force now.
#[derive(Clone, Debug)]
pub struct Managed {
    /// The subscription.
    pub active: Arc<Active>,
    /// Warnings about it: valid but unusual settings.
    pub warnings: Vec<String>,
}

impl Sender {
    /// Parses and compiles a subscription without saving it, for previews. `of` is the id of the one that it would replace,
    /// whose masked secrets it may have.
    ///
    /// # Errors
    /// Every fault of it.
    pub fn draft(
        &self,
        json: &str,
        of: Option<&str>,
    ) -> Result<(Compiled, Vec<String>), Vec<SubscriptionFault>> {
        let present = of.and_then(|id| self.subscriptions().get(id));
        let present = present.as_ref().map(|active| &active.compiled.subscription);
        self.compile(of.unwrap_or("draft"), present, json)
    }

    fn compile(
        &self,
        id: &str,
        present: Option<&Subscription>,
        json: &str,
    ) -> Result<(Compiled, Vec<String>), Vec<SubscriptionFault>> {
        let read = self.read(SecretOrigin::Api, present, id, SubscriptionOrigin::Api, json);
        // All faults at once: what cannot be read yet is compiled as far as that goes.
        let read = read.map_err(|faults| {
            let mut all = faults_of(faults);
            let more = faults_in(json, self.guard());
            let is_new = |fault: &SubscriptionFault| !all.iter().any(|known| known.pointer == fault.pointer);
            let more: Vec<SubscriptionFault> = more.into_iter().filter(is_new).collect();
            all.extend(more);
            all
        })?;
        let compiled = Compiled::new(read.subscription, self.guard())?;
        let mut warnings = read.warnings;
        warnings.extend(self.warnings_of(&compiled));
        Ok((compiled, warnings))
    }

    /// The current warnings about a subscription.
    #[must_use]
    pub fn warnings_of(&self, compiled: &Compiled) -> Vec<String> {
        let mut warnings = compiled.warnings.clone();
        warnings.extend(self.unknown_names(compiled));
        warnings
    }

    fn unknown_names(&self, compiled: &Compiled) -> Vec<String> {
        let subscription = &compiled.subscription;
        let names = subscription.events.iter().filter(|event| !event.contains('*'));
        let unknown = names.filter(|event| self.catalog().resolve(event).is_none());
        let mut warnings: Vec<String> = unknown
            .map(|event| {
                let near = suggestion(event, self.catalog().iter().map(EventType::name));
                format!("events: {event:?} is not in the catalogue{near}; such events are sent all the same")
            })
            .collect();
        let starts = subscription.events.iter().filter_map(|event| event.strip_suffix('*'));
        let lone = starts.filter(|start| !self.catalog().iter().any(|known| known.name().starts_with(start)));
        warnings.extend(lone.map(|start| {
            format!(
                "events: no event of the catalogue begins with {start:?}; such events are sent all the same"
            )
        }));
        warnings
            .extend(subscription.fallback.as_deref().and_then(|fallback| self.fallback_warning(fallback)));
        warnings
    }

    fn fallback_warning(&self, fallback: &str) -> Option<String> {
        let all = self.subscriptions().all();
        match self.subscriptions().find(fallback) {
            Some(found) if found.is_enabled() => None,
            Some(_) => Some(format!("fallback: subscription {fallback:?} is disabled and not tried")),
            None => {
                let names = all.iter().map(|active| active.compiled.subscription.name.as_str());
                let near = suggestion(fallback, names);
                Some(format!("fallback: there is no subscription {fallback:?}{near}; it is not tried"))
            }
        }
    }

    /// Creates a subscription from its JSON.
    ///
    /// # Errors
    /// Every fault of it, or that it cannot be stored; then nothing is stored.
    pub async fn create(&self, json: &str) -> Result<Managed, ManageFault> {
        self.follow().await?;
        let id = Uuid::now_v7().to_string();
        let (compiled, warnings) = self.compile(&id, None, json).map_err(ManageFault::Invalid)?;
        self.put(compiled, warnings).await
    }

    /// Replaces a subscription by its JSON; a masked secret that comes back unchanged keeps its value.
    ///
    /// # Errors
    /// As for `create`, and when no subscription has that id or it is defined in the configuration.
    pub async fn replace(&self, id: &str, json: &str) -> Result<Managed, ManageFault> {
        self.follow().await?;
        // An unusable subscription can be fixed in the same way.
        let present = match self.subscriptions().parked(id) {
            Some(parked) if parked.origin == SubscriptionOrigin::Api => None,
            _ => Some(self.changeable(id)?),
        };
        let present = present.as_ref().map(|active| &active.compiled.subscription);
        let (compiled, warnings) = self.compile(id, present, json).map_err(ManageFault::Invalid)?;
        self.put(compiled, warnings).await
    }

    /// Changes a subscription with an RFC 7396 merge patch.
    ///
    /// # Errors
    /// As for `replace`.
    pub async fn patch(&self, id: &str, patch: &str) -> Result<Managed, ManageFault> {
        self.follow().await?;
        let present = self.changeable(id)?;
        let shown = shown_json(&present.compiled.subscription);
        let json = merged(&shown, patch).map_err(|fault| ManageFault::Invalid(faults_of(vec![fault])))?;
        self.replace(id, &json).await
    }

    /// Removes a subscription, also one that is not in force, and cancels its waiting messages. Returns warnings: the
    /// subscriptions that use it as their fallback.
    ///
    /// # Errors
    /// As for `replace`.
    pub async fn remove(&self, id: &str) -> Result<Vec<String>, ManageFault> {
        let mut known = self.followed().lock().await;
        self.follow_from(&mut known).await?;
        if self.subscriptions().parked(id).is_none() {
            self.changeable(id)?;
        }
        let names = self.names_as_fallback(id);
        // In this order: a subscription that the store could not remove still exists and continues.
        let cancelled =
            self.store().delete_subscription(id.to_owned(), self.wall()).await?.unwrap_or_default();
        self.subscriptions().remove(id);
        self.evaluations().forget(id);
        self.metrics().sender().messages("cancelled", cancelled);
        self.wake();
        let warning = |name: &String| format!("Subscription {name} names it as its fallback.");
        let warnings: Vec<String> = names.iter().map(warning).collect();
        tracing::info!(subscription = id, cancelled, "subscription deleted");
        for warning in &warnings {
            tracing::warn!(subscription = id, "{warning}");
        }
        Ok(warnings)
    }

    /// The names of the subscriptions that use this one as their fallback.
    #[must_use]
    pub fn names_as_fallback(&self, id: &str) -> Vec<String> {
        let Some(own) = self.subscriptions().get(id) else { return Vec::new() };
        let is_named = |fallback: &String| *fallback == id || *fallback == own.compiled.subscription.name;
        let all = self.subscriptions().all();
        let naming = all.iter().map(|active| &active.compiled.subscription);
        let naming = naming.filter(|other| other.fallback.as_ref().is_some_and(is_named));
        naming.map(|other| other.name.clone()).collect()
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
        let _others_wait = self.followed().lock().await;
        let active = self.keep(compiled, document).await?;
        self.wake();
        Ok(Managed { active, warnings })
    }

    pub(super) async fn keep(&self, compiled: Compiled, document: String) -> Result<Arc<Active>, StoreError> {
        let now = self.wall();
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
            parked_since: None,
        };
        let id = record.id.clone();
        let record = self.store().put_subscription(record).await?;
        let active = Arc::new(active(compiled, &record));
        let judges = |active: &Active| {
            let subscription = &active.compiled.subscription;
            (subscription.events.clone(), subscription.filters.clone(), subscription.payload_template.clone())
        };
        if self.subscriptions().get(&id).is_some_and(|before| judges(&before) != judges(&active)) {
            self.evaluations().forget(&id);
        }
        self.subscriptions().put(Active::clone(&active));
        Ok(self.subscriptions().get(&id).unwrap_or(active))
    }

    /// Creates one message with `event` for a subscription, regardless of its filters and of earlier messages.
    ///
    /// # Errors
    /// When it cannot be stored.
    pub async fn send_by_hand(&self, active: &Active, event: OutgoingEvent) -> Result<MessageId, StoreError> {
        let message = message_for(active, &event);
        let id = self.store().message_by_hand(event, message, self.both()).await?;
        self.wakeups().tell(std::iter::once(active.compiled.id()));
        Ok(id)
    }

    /// The routing of `event` to each subscription, with the reason.
    #[must_use]
    pub fn routings(&self, event: &OutgoingEvent, seq: Option<i64>) -> Vec<(Arc<Active>, Routing)> {
        let candidate = Candidate::new(event, seq);
        let with = |active: &Arc<Active>| {
            let routing = candidate.routing(active);
            (Arc::clone(active), routing)
        };
        self.subscriptions().all().iter().map(with).collect()
    }
}
