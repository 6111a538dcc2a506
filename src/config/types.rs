//! The checked configuration.

use std::fmt;
use std::net::SocketAddr;
use std::num::NonZeroU32;
use std::path::PathBuf;
use std::time::Duration;

use url::Url;

use super::PublicUrl;
use super::changes::Settings;
use super::forward_proxy::ForwardProxy;
use super::postgres_url::PostgresUrl;
use super::secrets::SecretResolver;
use super::tls_files::TlsFiles;
use super::trusted_proxies::TrustedProxies;
use crate::domain::{ListenAddress, Source, Subscription};

/// The whole configuration. Every value is within its bounds and every secret is resolved.
#[derive(Clone, Debug)]
pub struct Config {
    /// The data directory.
    pub data_dir: PathBuf,
    /// The file of `--config`, if there is one.
    pub file: Option<PathBuf>,
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
    /// `[telemetry]`
    pub telemetry: TelemetryConfig,
    /// `[[source]]`, at least one; the first is the default.
    pub sources: Vec<Source>,
    /// `[[subscription]]`
    pub subscriptions: Vec<Subscription>,
    /// Resolves the secrets that subscriptions refer to through the API.
    pub secrets: SecretResolver,
    /// `schemas_dir`
    pub schemas_dir: Option<PathBuf>,
    /// Every option, for a comparison with another configuration.
    pub settings: Settings,
    /// Valid but unusual settings, one sentence each, for the log.
    pub notices: Vec<String>,
}

/// `[receiver]`
#[derive(Clone, Debug)]
pub struct ReceiverConfig {
    /// Where it listens; port 0 lets the system choose.
    pub listen: ListenAddress,
    /// The trusted proxies, and how they name the client.
    pub trusted_proxies: TrustedProxies,
    /// The most bytes in a body.
    pub max_body: usize,
    /// The time limit for the head of a request.
    pub head_timeout: Duration,
    /// The time limit for a body.
    pub body_timeout: Duration,
    /// The rate of captures per client address.
    pub capture_rate: Rate,
    /// The rate of stored rejections per client address.
    pub refused_rate: Rate,
    /// The most bytes of all bodies being read.
    pub max_buffered: usize,
    /// The certificate and key, if the port speaks TLS.
    pub tls: Option<TlsFiles>,
}

/// `[inspector]`
#[derive(Clone, Debug)]
pub struct InspectorConfig {
    /// Where it listens; port 0 lets the system choose.
    pub listen: SocketAddr,
    /// The hash of the password, if one is set.
    pub password: Option<PasswordHash>,
    /// Allowed host names besides localhost and the listen address.
    pub allowed_hosts: Vec<String>,
    /// Where browsers reach it, if that differs from the listen address.
    pub public_url: Option<PublicUrl>,
    /// After this time a search answers with what it has found.
    pub search_time: Duration,
}

/// Where the store is.
#[derive(Clone, Debug)]
pub enum StorePlace {
    /// A SQLite file.
    Sqlite(PathBuf),
    /// A PostgreSQL database.
    Postgres(Box<PostgresUrl>),
}

/// `[store]`
#[derive(Clone, Debug)]
pub struct StoreConfig {
    /// Where it is.
    pub place: StorePlace,
    /// The name of this node, if one is set.
    pub node: Option<String>,
    /// Maximum age of accepted and duplicate deliveries.
    pub keep_deliveries: Duration,
    /// Maximum age of rejected deliveries.
    pub keep_rejected: Duration,
    /// Maximum number of captures.
    pub keep_captured: u64,
    /// Maximum age of event ids.
    pub keep_event_ids: Duration,
    /// Maximum age of messages.
    pub keep_messages: Duration,
    /// Maximum age of dead letters.
    pub keep_dead_letters: Duration,
    /// The most bytes in use in the file.
    pub max_size: u64,
    /// The most bytes of rejected deliveries; captures have a budget of the same size.
    pub max_refused: u64,
    /// The most deliveries that may wait for the disk.
    pub queue: usize,
}

/// `[sender]`
#[derive(Clone, Debug)]
pub struct SenderConfig {
    /// Whether private addresses are refused as targets.
    pub deny_private: bool,
    /// How long a worker keeps a message.
    pub lease: Duration,
    /// The interval of health checks.
    pub health_interval: Duration,
    /// The proxy for outgoing requests.
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

/// `[telemetry]`
#[derive(Clone, Debug)]
pub struct TelemetryConfig {
    /// The collector that traces are sent to; only with the feature `otlp`.
    pub otlp_endpoint: Option<Url>,
}

/// A number of events in a time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rate {
    /// The number.
    pub count: NonZeroU32,
    /// The time, at least a second.
    pub per: Duration,
}

impl Rate {
    /// The rate per second.
    #[must_use]
    pub fn per_second(&self) -> f64 {
        f64::from(self.count.get()) / self.per.as_secs_f64()
    }
}

/// A password's argon2 hash in PHC form. It is never printed.
#[derive(Clone, PartialEq, Eq)]
pub struct PasswordHash(String);

impl PasswordHash {
    /// Takes the hash from the file.
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
