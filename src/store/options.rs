//! How to open a store.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use serde::{Deserialize, Serialize};
use tokio_postgres::config::{SslMode, TargetSessionAttrs};

use crate::config::{Instance, PostgresUrl, Roots, TlsMode};
use crate::domain::{Clock, Verdict};
use crate::telemetry::{StoreMetrics, Workers};

/// A host that went away without a word is noticed after `KEEPALIVE_AFTER` and `KEEPALIVES` times `KEEPALIVE_EVERY`; with
/// the defaults of the system after two hours.
const KEEPALIVE_AFTER: Duration = Duration::from_secs(2);
const KEEPALIVE_EVERY: Duration = Duration::from_secs(1);
const KEEPALIVES: u32 = 3;
/// How long what was sent may remain unconfirmed by the other host. A slow statement is no matter of this.
const UNHEARD: Duration = Duration::from_secs(5);

/// Where a store is, and so which engine it has.
#[derive(Clone, Debug)]
pub enum Place {
    /// A SQLite file; its folder exists.
    Sqlite(PathBuf),
    /// A PostgreSQL database.
    Postgres(Box<PostgresPlace>),
}

/// A PostgreSQL database, and how to connect to it.
#[derive(Clone, Debug)]
pub struct PostgresPlace {
    /// Hosts, user, password, database.
    pub config: tokio_postgres::Config,
    /// Whether connections are encrypted.
    pub tls: TlsMode,
    /// Who may sign the server's certificate.
    pub roots: Roots,
    /// Its URL without the password.
    pub shown: String,
    /// The name of this node: the same after a restart, and another one than every other node's.
    pub node: String,
    /// What must fit before the node takes part; `None` for a command that only looks after the store.
    pub membership: Option<Membership>,
}

/// What a node presents to the other nodes of its store.
#[derive(Clone, Copy, Debug)]
pub struct Membership {
    /// The id of its data directory: a node that restarts has the same one.
    pub instance: Instance,
    /// The fingerprint of its `store-key`.
    pub store_key: i64,
}

impl PostgresPlace {
    /// The place that a URL names, for the node `node`.
    #[must_use]
    pub fn new(url: &PostgresUrl, node: String, membership: Option<Membership>) -> Self {
        let mut config = tokio_postgres::Config::new();
        for (host, port) in &url.hosts {
            config.host(host).port(*port);
        }
        config
            .user(&url.user)
            .dbname(&url.name)
            .application_name(url.application_name.as_deref().unwrap_or("tagohook"))
            .connect_timeout(url.connect_timeout)
            .keepalives(true)
            .keepalives_idle(KEEPALIVE_AFTER)
            .keepalives_interval(KEEPALIVE_EVERY)
            .keepalives_retries(KEEPALIVES)
            .tcp_user_timeout(UNHEARD)
            .ssl_mode(match url.tls {
                TlsMode::Disable => SslMode::Disable,
                TlsMode::Prefer => SslMode::Prefer,
                TlsMode::Require | TlsMode::VerifyCa | TlsMode::VerifyFull => SslMode::Require,
            })
            .target_session_attrs(match url.must_be_writable {
                true => TargetSessionAttrs::ReadWrite,
                false => TargetSessionAttrs::Any,
            });
        if let Some(password) = &url.password {
            config.password(password.expose());
        }
        let (tls, roots) = (url.tls, url.roots.clone());
        Self { config, tls, roots, shown: url.shown(), node, membership }
    }
}

/// How to open a store.
#[derive(Clone)]
pub struct StoreOptions {
    /// Where the store is.
    pub place: Place,
    /// The clock for retention and for the age of event ids.
    pub clock: Arc<dyn Clock>,
    /// How long each kind of row is kept.
    pub retention: Retention,
    /// The most deliveries that may wait for the writer.
    pub queue: usize,
    /// The most bytes of deliveries that may wait for the writer.
    pub queue_bytes: usize,
    /// The registry of the store's threads.
    pub workers: Workers,
    /// The figures of the store.
    pub metrics: StoreMetrics,
}

/// How long each kind of row is kept. Event ids have their own retention and outlive their deliveries.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
pub struct Retention {
    /// Maximum age of accepted and duplicate deliveries.
    pub keep_deliveries: Duration,
    /// Maximum age of rejected deliveries.
    pub keep_rejected: Duration,
    /// Maximum number of captures.
    pub keep_captured: u64,
    /// Maximum age of event ids.
    pub keep_event_ids: Duration,
    /// Maximum age of finished messages, with their attempts.
    pub keep_messages: Duration,
    /// Maximum age of dead letters.
    pub keep_dead_letters: Duration,
    /// Bytes in use in the whole file. Above this limit, captured deliveries are removed first, then rejected ones,
    /// then the oldest others.
    pub max_size: u64,
    /// Bytes of rejected deliveries; captures have a budget of the same size.
    pub max_refused: u64,
}

impl Retention {
    /// The maximum age of deliveries with that verdict, and its option; captures have none.
    #[must_use]
    pub const fn kept(&self, verdict: Verdict) -> Option<(&'static str, Duration)> {
        match verdict {
            Verdict::Accepted | Verdict::Duplicate | Verdict::Handshake => {
                Some(("keep_deliveries", self.keep_deliveries))
            }
            Verdict::Rejected => Some(("keep_rejected", self.keep_rejected)),
            Verdict::Captured => None,
        }
    }
}
