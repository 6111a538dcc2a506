//! State shared by everything that sends.

use std::sync::Arc;

use tokio::sync::{Notify, watch};

use super::evaluations::{AllEvaluations, Part};
use super::followed::Followed;
use super::wakeups::Wakeups;
use crate::catalog::Catalog;
use crate::config::{Sealer, SecretResolver};
use crate::domain::{Clock, Now, OutgoingEvent, Timestamp};
use crate::payload::Sources;
use crate::send::subscriptions::{Reach, Subscriptions};
use crate::send::wire::{Client, OwnProbes, TargetGuard};
use crate::store::Store;
use crate::telemetry::Metrics;

/// The parts of a sender.
pub struct SenderParts {
    /// Where messages are stored.
    pub store: Store,
    /// The known events.
    pub catalog: Arc<Catalog>,
    /// The clock.
    pub clock: Arc<dyn Clock>,
    /// The counters.
    pub metrics: Arc<Metrics>,
    /// Which addresses may be reached.
    pub guard: TargetGuard,
    /// The client that sends requests.
    pub client: Client,
    /// How deliveries are read.
    pub sources: Sources,
    /// Resolves the secrets that subscriptions refer to.
    pub secrets: SecretResolver,
    /// Seals the secrets of subscriptions.
    pub sealer: Sealer,
    /// How long a message's lease exceeds the time of an attempt.
    pub lease: std::time::Duration,
    /// The interval of health checks.
    pub health_interval: std::time::Duration,
    /// The most concurrent connections; slightly more if every subscription needs one.
    pub connections: u32,
}

/// The sender. Cheap to clone; all clones share one sender.
#[derive(Clone)]
pub struct Sender(Arc<Shared>);

struct Shared {
    parts: SenderParts,
    subscriptions: Subscriptions,
    followed: Followed,
    evaluations: AllEvaluations,
    probes: OwnProbes,
    wakeups: Wakeups,
    letters: Notify,
    stopping: watch::Sender<bool>,
}

impl Sender {
    /// A sender of these parts, without subscriptions.
    #[must_use]
    pub fn new(parts: SenderParts) -> Self {
        Self(Arc::new(Shared {
            parts,
            subscriptions: Subscriptions::default(),
            followed: Followed::default(),
            evaluations: AllEvaluations::default(),
            probes: OwnProbes::default(),
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

    pub(in crate::send) fn followed(&self) -> &Followed {
        &self.0.followed
    }

    /// The results of filters and templates for the last events.
    #[must_use]
    pub fn evaluations(&self) -> &AllEvaluations {
        &self.0.evaluations
    }

    /// The looks at endpoints that are under way.
    #[must_use]
    pub fn probes(&self) -> &OwnProbes {
        &self.0.probes
    }

    /// Records the result of a filter or template. Failures are counted, and logged when they are new.
    pub(in crate::send) fn evaluated(
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

    /// Records the filter results of an event that was routed.
    pub(in crate::send) fn note_filters(&self, reach: &Reach, event: &OutgoingEvent) {
        for (active, why) in &reach.asked {
            self.evaluated(active.compiled.id(), Part::Filter, event, why.as_deref());
        }
    }

    /// Where messages are stored.
    #[must_use]
    pub fn store(&self) -> &Store {
        &self.0.parts.store
    }

    /// The known events.
    #[must_use]
    pub fn catalog(&self) -> &Catalog {
        &self.0.parts.catalog
    }

    /// Which addresses may be reached.
    #[must_use]
    pub fn guard(&self) -> &TargetGuard {
        &self.0.parts.guard
    }

    /// The client that sends requests.
    #[must_use]
    pub fn client(&self) -> &Client {
        &self.0.parts.client
    }

    /// Resolves secrets by reference.
    #[must_use]
    pub fn secrets(&self) -> &SecretResolver {
        &self.0.parts.secrets
    }

    /// The counters.
    #[must_use]
    pub fn metrics(&self) -> &Metrics {
        &self.0.parts.metrics
    }

    pub(in crate::send) fn parts(&self) -> &SenderParts {
        &self.0.parts
    }

    /// The current time of the clock that never jumps, for due times.
    #[must_use]
    pub fn now(&self) -> Timestamp {
        self.0.parts.clock.now()
    }

    /// The current wall-clock time, for people, signatures and other machines.
    #[must_use]
    pub fn wall(&self) -> Timestamp {
        self.0.parts.clock.wall()
    }

    /// The current time of both clocks.
    #[must_use]
    pub fn both(&self) -> Now {
        self.0.parts.clock.both()
    }

    /// Wakes the sender: any subscription may have something to send, or there may be a new subscription.
    pub fn wake(&self) {
        self.0.wakeups.tell_all();
    }

    pub(in crate::send) fn wakeups(&self) -> &Wakeups {
        &self.0.wakeups
    }

    /// A message became a dead letter: administrators must be notified.
    pub(in crate::send) fn tell_of_letters(&self) {
        self.0.letters.notify_one();
    }

    pub(in crate::send) async fn letters_to_tell(&self) {
        self.0.letters.notified().await;
    }

    /// Stops claiming; requests in flight get a short time.
    pub fn stop(&self) {
        self.0.stopping.send_replace(true);
    }

    pub(in crate::send) fn stopping(&self) -> watch::Receiver<bool> {
        self.0.stopping.subscribe()
    }
}
