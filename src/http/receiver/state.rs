//! State shared by the receiver's workers: its rules, its limits, and the store.

use std::sync::Arc;
use std::time::{Duration, Instant};

use arc_swap::ArcSwap;
use tokio::sync::{Mutex, Semaphore};

use super::body::{BodyBudget, BodyLimits};
use super::limits::AddressRate;
use super::link_opener::LinkOpener;
use super::reach::Reach;
use crate::config::TrustedProxies;
use crate::domain::Clock;
use crate::http::connection::doorkeeper::Doorkeeper;
use crate::http::connection::tls::Tls;
use crate::inspect::replay::OwnReplays;
use crate::receive::Receiver;
use crate::send::OwnProbes;
use crate::store::Store;
use crate::telemetry::Metrics;

/// How long the result of a store check is valid.
const READINESS_HOLDS: Duration = Duration::from_secs(1);

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
    /// The last result of the store check.
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

/// Whether the store can be written, at most a second old: strangers' probes must not keep the writer busy.
pub type Readiness = Arc<Mutex<Option<(Instant, bool)>>>;

impl ReceiverState {
    /// Checks the store at most once a second; concurrent callers share the result.
    pub(super) async fn is_ready(&self) -> bool {
        let mut last = self.readiness.lock().await;
        match *last {
            Some((at, is_ready)) if at.elapsed() < READINESS_HOLDS => is_ready,
            _ => {
                let is_ready = self.store.ready().await.is_ok();
                *last = Some((Instant::now(), is_ready));
                is_ready
            }
        }
    }
}
