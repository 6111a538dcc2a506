//! What the receiver's workers share: its rules, its limits, and where deliveries are kept.

use std::sync::Arc;
use std::time::Instant;

use arc_swap::ArcSwap;
use tokio::sync::{Mutex, Semaphore};

use super::body::{BodyBudget, BodyLimits};
use super::doorkeeper::Doorkeeper;
use super::limits::AddressRate;
use super::link_opener::LinkOpener;
use crate::config::TrustedProxies;
use crate::domain::Clock;
use crate::receive::Receiver;
use crate::store::Store;
use crate::telemetry::Metrics;

/// The rules of the receiver; a reload puts new ones in place.
pub struct Rules {
    /// Decides about deliveries.
    pub receiver: Receiver,
    /// Which proxies are believed, and how they name the client.
    pub trusted_proxies: TrustedProxies,
    /// Size and time of a body.
    pub body: BodyLimits,
    /// Refusals of one address that are answered by their own reason and kept.
    pub refused_rate: AddressRate,
    /// Captures of one address.
    pub capture_rate: AddressRate,
}

/// What the receiver's workers share.
#[derive(Clone)]
pub struct ReceiverState {
    /// The rules now.
    pub rules: Arc<ArcSwap<Rules>>,
    /// Where deliveries are kept.
    pub store: Store,
    /// The time.
    pub clock: Arc<dyn Clock>,
    /// The counters.
    pub metrics: Arc<Metrics>,
    /// What the port says to requests that lead to no delivery.
    pub door: Doorkeeper,
    /// Memory for all bodies being read.
    pub budget: BodyBudget,
    /// The last look at whether the store can be written.
    pub readiness: Readiness,
    /// Opens confirmation links.
    pub links: LinkOpener,
    /// Turns of large bodies: a value read from JSON may take many times its text.
    pub large_bodies: Arc<Semaphore>,
}

/// Whether the store can be written, as of at most a second ago: probes of strangers must not keep the writer busy.
pub type Readiness = Arc<Mutex<Option<(Instant, bool)>>>;
