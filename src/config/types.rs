//! The configuration, read and checked.

use std::fmt;
use std::net::SocketAddr;
use std::num::NonZeroU32;
use std::path::PathBuf;
use std::time::Duration;

use super::PublicUrl;
use super::forward_proxy::ForwardProxy;
use super::secrets::SecretResolver;
use super::trusted_proxies::TrustedProxies;
use crate::domain::{ListenAddress, Source, Subscription};

/// Everything that is configured. Every value is within its bounds and every secret is resolved.
#[derive(Clone, Debug)]
pub struct Config {
    /// The data directory.
    pub data_dir: PathBuf,
    /// `[receiver]`
    pub receiver: ReceiverConfig,
    /// `[inspector]`
    pub inspector: InspectorConfig,
    /// `[store]`
    pub store: StoreConfig,
    /// `[sender]`
    pub sender: SenderConfig,
    /// `[log]`
    pub log: LogConfig,
    /// `[[source]]`, at least one; the first is the default.
    pub sources: Vec<Source>,
    /// `[[subscription]]`
    pub subscriptions: Vec<Subscription>,
    /// Finds the secrets that subscriptions name through the API.
    pub secrets: SecretResolver,
    /// `schemas_dir`
    pub schemas_dir: Option<PathBuf>,
    /// What is legal and odd; one sentence each, for the log.
    pub notices: Vec<String>,
}

/// `[receiver]`
#[derive(Clone, Debug)]
pub struct ReceiverConfig {
    /// Where it listens; port 0 lets the system choose.
    pub listen: ListenAddress,
    /// Which proxies are believed, and how they name the client.
    pub trusted_proxies: TrustedProxies,
    /// The most bytes of a body.
    pub max_body: usize,
    /// The time within which the head of a request must be there.
    pub head_timeout: Duration,
    /// The time within which a body must be there.
    pub body_timeout: Duration,
    /// Captures of one client address.
    pub capture_rate: Rate,
    /// Refusals of one client address that are kept.
    pub refused_rate: Rate,
    /// Bytes of all bodies being read.
    pub max_buffered: usize,
}

/// `[inspector]`
#[derive(Clone, Debug)]
pub struct InspectorConfig {
    /// Where it listens; port 0 lets the system choose.
    pub listen: SocketAddr,
    /// The hash of the password, where there is one.
    pub password: Option<PasswordHash>,
    /// Host names besides localhost and the listen address.
    pub allowed_hosts: Vec<String>,
    /// Where browsers reach it, where that is not the listen address.
    pub public_url: Option<PublicUrl>,
}

/// `[store]`
#[derive(Clone, Debug)]
pub struct StoreConfig {
    /// The SQLite file.
    pub path: PathBuf,
    /// Age of accepted and duplicate deliveries.
    pub keep_deliveries: Duration,
    /// Age of rejected deliveries.
    pub keep_rejected: Duration,
    /// Number of captures.
    pub keep_captured: u64,
    /// Age of event ids.
    pub keep_event_ids: Duration,
    /// Age of messages.
    pub keep_messages: Duration,
    /// Age of dead letters.
    pub keep_dead_letters: Duration,
    /// Bytes of the file in use.
    pub max_size: u64,
    /// Bytes of refused deliveries; captures may take as many again.
    pub max_refused: u64,
    /// Deliveries that may wait for the disk.
    pub queue: usize,
}

/// `[sender]`
#[derive(Clone, Debug)]
pub struct SenderConfig {
    /// Whether private addresses are refused as targets.
    pub deny_private: bool,
    /// How long a worker holds a message.
    pub lease: Duration,
    /// How often endpoints are probed.
    pub health_interval: Duration,
    /// The proxy through which it goes.
    pub proxy: ForwardProxy,
}

/// `[log]`
#[derive(Clone, Debug)]
pub struct LogConfig {
    /// `error`, `warn`, `info`, `debug` or `trace`.
    pub level: String,
    /// Whether lines are JSON.
    pub json: bool,
}

/// So many in such a time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rate {
    /// How many.
    pub count: NonZeroU32,
    /// In which time, at least a second.
    pub per: Duration,
}

impl Rate {
    /// How many a second.
    #[must_use]
    pub fn per_second(&self) -> f64 {
        f64::from(self.count.get()) / self.per.as_secs_f64()
    }
}

/// A password's argon2 hash in PHC form. It does not print.
#[derive(Clone, PartialEq, Eq)]
pub struct PasswordHash(String);

impl PasswordHash {
    /// Takes the hash as it stands in the file.
    #[must_use]
    pub fn new(hash: String) -> Self {
        Self(hash)
    }

    /// The PHC string.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for PasswordHash {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str("PasswordHash")
    }
}
