//! State shared by the receiver's workers: its rules, its limits, and the store.

use std::sync::Arc;

use arc_swap::ArcSwap;
use tokio::sync::Semaphore;

use super::body::{BodyBudget, BodyLimits};
use super::limits::AddressRate;
use super::link_opener::LinkOpener;
use super::reach::Reach;
use crate::config::TrustedProxies;
use crate::domain::Clock;
use crate::http::connection::doorkeeper::Doorkeeper;
use crate::http::connection::readiness::Readiness;
use crate::http::connection::tls::Tls;
use crate::inspect::replay::OwnReplays;
use crate::receive::Receiver;
use crate::send::OwnProbes;
use crate::store::Store;
use crate::telemetry::Metrics;

/// The rules of the receiver; a reload replaces them.
pub struct Rules {
    /// Decides about deliveries.
    pub receiver: Arc<Receiver>,
    /// The trusted proxies, and how they name the client.
    pub trusted_proxies: TrustedProxies,
    /// The limits of a body.
    pub body: BodyLimits,
    /// The rate of rejections per address that get their own reason and are stored.
    pub refused_rate: AddressRate,
    /// The rate of captures per address.
    pub capture_rate: AddressRate,
}

/// State shared by the receiver's workers.
#[derive(Clone)]
pub struct ReceiverState {
    /// The current rules.
    pub rules: Arc<ArcSwap<Rules>>,
    /// Where deliveries are stored.
    pub store: Store,
    /// The clock.
    pub clock: Arc<dyn Clock>,
    /// The counters.
    pub metrics: Arc<Metrics>,
    /// The response to requests without a delivery.
    pub door: Doorkeeper,
    /// The certificate in force.
    pub tls: Tls,
    /// The memory budget of all bodies.
    pub budget: BodyBudget,
    /// Whether deliveries can be stored.
    pub readiness: Readiness,
    /// Opens confirmation links.
    pub links: LinkOpener,
    /// Our own looks at endpoints, which are no captures.
    pub probes: OwnProbes,
    /// Probes of the inspector that are on their way here.
    pub reach: Reach,
    /// Replays of the inspector that are on their way here.
    pub replays: OwnReplays,
    /// Limits how many large bodies are checked at once: a parsed JSON value may take many times the size of its text.
    pub large_bodies: Arc<Semaphore>,
}
