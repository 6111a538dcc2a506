//! What everybody who has to do with sending shares.

use std::sync::Arc;

use tokio::sync::{Notify, watch};

use super::client::Client;
use super::evaluations::{AllEvaluations, Part};
use super::subscriptions::Subscriptions;
use super::target_guard::TargetGuard;
use super::wakeups::Wakeups;
use crate::catalog::Catalog;
use crate::config::{Sealer, SecretResolver};
use crate::domain::{Clock, Now, OutgoingEvent, Timestamp};
use crate::payload::Sources;
use crate::store::Store;
use crate::telemetry::Metrics;

/// What a sender is made of.
pub struct SenderParts {
    /// Where messages are kept.
    pub store: Store,
    /// The events that are known.
    pub catalog: Arc<Catalog>,
    /// The time.
    pub clock: Arc<dyn Clock>,
    /// The counters.
    pub metrics: Arc<Metrics>,
    /// Which addresses are reached.
    pub guard: TargetGuard,
    /// The client that sends.
    pub client: Client,
    /// How deliveries are read.
    pub sources: Sources,
    /// Finds the secrets that subscriptions name.
    pub secrets: SecretResolver,
    /// Seals the secrets that they hold.
    pub sealer: Sealer,
    /// How long a message is held beyond the time of an attempt.
    pub lease: std::time::Duration,
    /// How often endpoints are looked at.
    pub health_interval: std::time::Duration,
    /// How many connections there may be at once, a little more where every subscription needs one.
    pub connections: u32,
}

/// The sender. Cheap to clone; all clones are the same sender.
#[derive(Clone)]
pub struct Sender(Arc<Shared>);

struct Shared {
    parts: SenderParts,
    subscriptions: Subscriptions,
    evaluations: AllEvaluations,
    wakeups: Wakeups,
    letters: Notify,
    stopping: watch::Sender<bool>,
}

impl Sender {
    /// A sender of these parts, with no subscription yet.
    #[must_use]
    pub fn new(parts: SenderParts) -> Self {
        Self(Arc::new(Shared {
            parts,
            subscriptions: Subscriptions::default(),
            evaluations: AllEvaluations::default(),
            wakeups: Wakeups::default(),
            letters: Notify::new(),
            stopping: watch::Sender::new(false),
        }))
    }

    /// The subscriptions in force.
    #[must_use]
    pub fn subscriptions(&self) -> &Subscriptions {
        &self.0.subscriptions
    }

    /// How filters and templates fared on the last events.
    #[must_use]
    pub fn evaluations(&self) -> &AllEvaluations {
        &self.0.evaluations
    }

    /// Writes down how a filter or template fared on an event. What fails is counted, and logged when it is news.
    pub(super) fn evaluated(
        &self,
        subscription: &str,
        part: Part,
        event: &OutgoingEvent,
        failure: Option<&str>,
    ) {
        let is_news = self.evaluations().add(subscription, part, event, failure, self.now());
        let Some(why) = failure else { return };
        self.metrics().sender().evaluation_failed(subscription, part.as_str());
        if is_news {
            let (part, event_type) = (part.as_str(), event.event_type.as_str());
            tracing::warn!(subscription, part, event_type, why, "a filter or template fails on events");
        }
    }

    /// Where messages are kept.
    #[must_use]
    pub fn store(&self) -> &Store {
        &self.0.parts.store
    }

    /// The events that are known.
    #[must_use]
    pub fn catalog(&self) -> &Catalog {
        &self.0.parts.catalog
    }

    /// Which addresses are reached.
    #[must_use]
    pub fn guard(&self) -> &TargetGuard {
        &self.0.parts.guard
    }

    /// The client that sends.
    #[must_use]
    pub fn client(&self) -> &Client {
        &self.0.parts.client
    }

    /// What finds secrets by reference.
    #[must_use]
    pub fn secrets(&self) -> &SecretResolver {
        &self.0.parts.secrets
    }

    /// The counters.
    #[must_use]
    pub fn metrics(&self) -> &Metrics {
        &self.0.parts.metrics
    }

    pub(super) fn parts(&self) -> &SenderParts {
        &self.0.parts
    }

    /// Now, by the clock that does not step: for what is due.
    #[must_use]
    pub fn now(&self) -> Timestamp {
        self.0.parts.clock.now()
    }

    /// Now, by the wall clock: for people, signatures and other machines.
    #[must_use]
    pub fn wall(&self) -> Timestamp {
        self.0.parts.clock.wall()
    }

    /// Now, by both clocks.
    #[must_use]
    pub fn both(&self) -> Now {
        self.0.parts.clock.both()
    }

    /// There may be something to send through any subscription, or another subscription to send it through.
    pub fn wake(&self) {
        self.0.wakeups.tell_all();
    }

    pub(super) fn wakeups(&self) -> &Wakeups {
        &self.0.wakeups
    }

    /// A message died: administrators are to be told.
    pub(super) fn tell_of_letters(&self) {
        self.0.letters.notify_one();
    }

    pub(super) async fn letters_to_tell(&self) {
        self.0.letters.notified().await;
    }

    /// Stops claiming; what is under way is given a moment.
    pub fn stop(&self) {
        self.0.stopping.send_replace(true);
    }

    pub(super) fn stopping(&self) -> watch::Receiver<bool> {
        self.0.stopping.subscribe()
    }
}
