//! What the inspector's workers share.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::sync::Arc;

use arc_swap::ArcSwap;
use tokio::sync::watch;

use super::hosts::Hosts;
use crate::catalog::Catalog;
use crate::domain::{Clock, Source};
use crate::http::admin_auth::AdminAuth;
use crate::http::receiver::Rules;
use crate::send::Client;
use crate::store::Store;

/// What the inspector's workers share.
#[derive(Clone)]
pub struct InspectorState {
    /// Where deliveries are kept.
    pub store: Store,
    /// The events that are known.
    pub catalog: Arc<Catalog>,
    /// The receiver's rules, for its sources.
    pub rules: Arc<ArcSwap<Rules>>,
    /// Where the receiver listens.
    pub receiver: SocketAddr,
    /// Who may look.
    pub auth: Arc<AdminAuth>,
    /// The names under which the inspector is reached.
    pub hosts: Arc<Hosts>,
    /// Sends test deliveries.
    pub client: Client,
    /// The time.
    pub clock: Arc<dyn Clock>,
    /// Becomes true when the program stops: live streams and waiting requests end.
    pub stop: watch::Receiver<bool>,
}

impl InspectorState {
    /// The names of the sources, the default one first.
    #[must_use]
    pub fn source_names(&self) -> Vec<String> {
        self.rules.load().receiver.sources().iter().map(|source| source.name.clone()).collect()
    }

    /// The default source.
    #[must_use]
    pub fn first_source(&self) -> Option<Source> {
        self.rules.load().receiver.sources().first().cloned()
    }

    /// The URL of a source, reachable from this machine.
    #[must_use]
    pub fn source_url(&self, source: &str) -> String {
        source_url(self.receiver, source)
    }
}

/// The URL of a source on a receiver that listens on `receiver`; "any address" is reached by loopback.
#[must_use]
pub fn source_url(receiver: SocketAddr, source: &str) -> String {
    let mut address = receiver;
    if address.ip().is_unspecified() {
        address.set_ip(IpAddr::V4(Ipv4Addr::LOCALHOST));
    }
    let source = percent_encoding::utf8_percent_encode(source, percent_encoding::NON_ALPHANUMERIC);
    let source = source.to_string().replace("%2D", "-").replace("%5F", "_").replace("%2E", ".");
    format!("http://{address}/webhook/{source}")
}
