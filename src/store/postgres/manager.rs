//! Makes and checks the connections of the pool.

use std::collections::HashMap;
use std::future::poll_fn;
use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU32, AtomicUsize, Ordering};
use std::time::Duration;

use deadpool::managed::{self, Metrics, RecycleError, RecycleResult};
use futures_util::future::join_all;
use parking_lot::Mutex;
use tokio::runtime::Handle;
use tokio::sync::mpsc::UnboundedSender;
use tokio::sync::{Mutex as Turn, watch};
use tokio::time::timeout;
use tokio_postgres::config::Host;
use tokio_postgres::tls::{MakeTlsConnect, TlsConnect};
use tokio_postgres::types::Type;
use tokio_postgres::{AsyncMessage, Client, Config, Error, NoTls, Socket};
use tokio_postgres_rustls::MakeRustlsConnect;

use super::fault::{PAUSE_SECONDS, STATEMENT_SECONDS, explain};
use super::timeline::{on_timeline, timeline};
use crate::store::StoreError;
use crate::telemetry::StoreMetrics;

/// The server's routine that ends a wait for a standby without an answer from it. Texts are translated; this is not.
const WAIT_FOR_STANDBY: &str = "SyncRepWaitForLSN";

/// The timeline of a server that does not tell it.
const UNKNOWN: u32 = u32::MAX;
/// How long a host has to answer everything that a new connection needs, if no `connect_timeout` is configured. A server
/// that hangs accepts connections and sends nothing.
const HOST_LIMIT: Duration = Duration::from_secs(2);

/// An open connection.
pub struct Link {
    pub client: Client,
    /// Whether the server said that a commit did not reach its standby.
    pub is_unsure: Arc<AtomicBool>,
    /// Whether its state is unknown; the pool drops it then.
    pub is_spoilt: AtomicBool,
    /// The connections of this node whose COMMIT is not answered.
    pub set_aside: Arc<AtomicUsize>,
    /// The timeline of its server, or `UNKNOWN`. Once another one is promoted, the connection is closed: the server may
    /// stand still, and never answer what is under way.
    timeline: Arc<AtomicU32>,
    /// The array types of the schema's composite types, by the name of these.
    pub records: Mutex<HashMap<&'static str, Type>>,
}

/// Why there is no connection.
#[derive(Debug)]
pub enum LinkFault {
    /// The connection failed.
    Database(Error),
    /// The server accepted the connection, and did not answer in time.
    Silent,
    /// The server was the primary before another one was promoted: it lacks what was written since.
    OldPrimary,
}

impl std::fmt::Display for LinkFault {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Database(fault) => out.write_str(&explain(fault)),
            Self::Silent => out.write_str("the database cannot be reached: no answer in time"),
            Self::OldPrimary => {
                out.write_str("the server is a former primary: another one has been promoted since; stop it")
            }
        }
    }
}

impl From<Error> for LinkFault {
    fn from(fault: Error) -> Self {
        Self::Database(fault)
    }
}

impl From<LinkFault> for StoreError {
    fn from(fault: LinkFault) -> Self {
        Self::Unavailable(fault.to_string())
    }
}

/// Makes connections.
pub struct Manager {
    /// One for each host, in the order in which they are tried.
    hosts: Vec<Config>,
    /// The place of the host that was used last.
    used: AtomicUsize,
    tls: Option<MakeRustlsConnect>,
    runtime: Handle,
    /// The highest timeline that this process has seen.
    timeline: watch::Sender<u32>,
    /// The timeline for which positions are right; none is, and none needs to be, before the schema is there.
    followed: AtomicU32,
    set_aside: Arc<AtomicUsize>,
    /// One survey at a time.
    surveying: Turn<()>,
    metrics: StoreMetrics,
}

impl Manager {
    pub fn new(
        config: &Config,
        tls: Option<MakeRustlsConnect>,
        runtime: Handle,
        metrics: StoreMetrics,
    ) -> Self {
        Self {
            hosts: one_each(config),
            used: AtomicUsize::new(0),
            tls,
            runtime,
            timeline: watch::Sender::new(0),
            followed: AtomicU32::new(u32::MAX),
            set_aside: Arc::default(),
            surveying: Turn::default(),
            metrics,
        }
    }

    /// The number of connections with a statement or COMMIT that is not answered.
    pub fn set_aside(&self) -> usize {
        self.set_aside.load(Ordering::Relaxed)
    }

    /// Opens a connection that is not of the pool; its notifications go to `bells`.
    pub async fn connect(&self, bells: Option<UnboundedSender<()>>) -> Result<Link, LinkFault> {
        let mut first_fault = None;
        // The one that was used last comes first, so that no connection waits for one that is silent.
        let (before, from) =
            self.hosts.split_at_checked(self.used.load(Ordering::Relaxed)).unwrap_or_default();
        for host in from.iter().chain(before) {
            match self.connect_to(host, bells.clone()).await {
                Ok(link) => {
                    let at = self.hosts.iter().position(|one| one == host).unwrap_or(0);
                    self.used.store(at, Ordering::Relaxed);
                    return Ok(link);
                }
                Err(fault) => first_fault = Some(worse(first_fault, fault)),
            }
        }
        Err(first_fault.unwrap_or(LinkFault::OldPrimary))
    }

    /// Asks every host for its timeline, so that a former primary is known: from the first connection on, and when it
    /// does not answer any more.
    pub async fn survey(&self) {
        if self.hosts.len() > 1
            && let Ok(_one) = self.surveying.try_lock()
        {
            join_all(self.hosts.iter().map(|host| self.connect_to(host, None))).await;
        }
    }

    /// From now on positions are right on every timeline. A server that does not tell its timeline needs another way: see
    /// `bell`.
    ///
    /// # Errors
    /// `Unavailable` if they cannot be raised.
    pub async fn follow_timelines(&self, link: &Link) -> Result<(), StoreError> {
        let timeline = *self.timeline.borrow();
        if timeline > 0 {
            link.client.batch_execute(&on_timeline(timeline)).await?;
        }
        self.followed.store(timeline, Ordering::SeqCst);
        Ok(())
    }

    async fn connect_to(&self, host: &Config, bells: Option<UnboundedSender<()>>) -> Result<Link, LinkFault> {
        let limit = host.get_connect_timeout().copied().unwrap_or(HOST_LIMIT);
        timeout(limit, self.open(host, bells)).await.unwrap_or(Err(LinkFault::Silent))
    }

    async fn open(&self, host: &Config, bells: Option<UnboundedSender<()>>) -> Result<Link, LinkFault> {
        let link = match &self.tls {
            Some(tls) => self.connect_with(host, tls.clone(), bells).await?,
            None => self.connect_with(host, NoTls, bells).await?,
        };
        // A server that does not tell its timeline (a standby, a managed one) is judged by what it can do.
        if let Some(timeline) = timeline(&link.client).await {
            if self.raise(timeline) > timeline {
                return Err(LinkFault::OldPrimary);
            }
            if self.followed.load(Ordering::SeqCst) < timeline {
                link.client.batch_execute(&on_timeline(timeline)).await?;
                self.followed.fetch_max(timeline, Ordering::SeqCst);
            }
            link.timeline.store(timeline, Ordering::SeqCst);
        }
        Ok(link)
    }

    /// Whether a pooler has put another server behind a connection that is open. If so, all connections are closed: a new
    /// one raises positions first.
    pub async fn look_behind(&self, link: &Link) -> bool {
        let known = link.timeline.load(Ordering::SeqCst);
        if known == UNKNOWN {
            return false;
        }
        let Some(timeline) = timeline(&link.client).await.filter(|timeline| *timeline > known) else {
            return false;
        };
        self.raise(timeline);
        true
    }

    /// The timeline for which positions are right.
    pub fn followed(&self) -> u32 {
        self.followed.load(Ordering::SeqCst)
    }

    /// Raises the highest timeline; what it was before.
    fn raise(&self, timeline: u32) -> u32 {
        let mut before = 0;
        self.timeline.send_if_modified(|highest| {
            before = *highest;
            *highest = timeline.max(before);
            timeline > before
        });
        if before > 0 && before < timeline {
            self.metrics.failed_over();
            tracing::warn!(timeline, "the database was taken over by a standby");
        }
        before
    }

    async fn connect_with<T>(
        &self,
        host: &Config,
        tls: T,
        bells: Option<UnboundedSender<()>>,
    ) -> Result<Link, Error>
    where
        T: MakeTlsConnect<Socket>,
        T::Stream: Send + 'static,
        T::TlsConnect: Send,
        <T::TlsConnect as TlsConnect<Socket>>::Future: Send,
    {
        let (client, mut connection) = host.connect(tls).await?;
        let is_unsure = Arc::new(AtomicBool::new(false));
        let unsure = Arc::clone(&is_unsure);
        let timeline = Arc::new(AtomicU32::new(UNKNOWN));
        let (own, mut highest) = (Arc::clone(&timeline), self.timeline.subscribe());
        self.runtime.spawn(async move {
            let mut outlived = pin!(highest.wait_for(|highest| own.load(Ordering::SeqCst) < *highest));
            loop {
                let message = tokio::select! {
                    message = poll_fn(|context| connection.poll_message(context)) => message,
                    _ = &mut outlived => return,
                };
                // With the end of this task the connection is closed, and what waits for an answer fails.
                let Some(Ok(message)) = message else { return };
                match message {
                    AsyncMessage::Notice(notice) if notice.routine() == Some(WAIT_FOR_STANDBY) => {
                        unsure.store(true, Ordering::SeqCst);
                    }
                    AsyncMessage::Notification(_) => {
                        // Nobody listens any more when the store is closed.
                        let _ = bells.as_ref().map(|bells| bells.send(()));
                    }
                    _ => {}
                }
            }
        });
        // `remote_apply` is more than `on`, and stays.
        client
            .batch_execute(&format!(
                "SELECT set_config('synchronous_commit', 'on', false)
                     WHERE current_setting('synchronous_commit') NOT IN ('on', 'remote_apply');
                 SET timezone = 'UTC'; SET client_min_messages = warning;
                 SET statement_timeout = '{STATEMENT_SECONDS}s'; SET lock_timeout = '5s';
                 SET idle_in_transaction_session_timeout = '{PAUSE_SECONDS}s'"
            ))
            .await?;
        Ok(Link {
            client,
            is_unsure,
            is_spoilt: AtomicBool::new(false),
            set_aside: Arc::clone(&self.set_aside),
            timeline,
            records: Mutex::default(),
        })
    }
}

/// The fault that tells more: a host that answered, before one that did not; else the first.
fn worse(one: Option<LinkFault>, other: LinkFault) -> LinkFault {
    let has_answered = |fault: &LinkFault| match fault {
        LinkFault::Database(fault) => fault.code().is_some(),
        LinkFault::Silent => false,
        LinkFault::OldPrimary => true,
    };
    match one {
        Some(one) if has_answered(&one) || !has_answered(&other) => one,
        _ => other,
    }
}

/// The configuration of each host alone.
fn one_each(config: &Config) -> Vec<Config> {
    let hosts = config.get_hosts().iter().enumerate();
    hosts
        .map(|(at, host)| {
            let mut one = Config::new();
            match host {
                Host::Tcp(name) => one.host(name),
                Host::Unix(folder) => one.host_path(folder),
            };
            let ports = config.get_ports();
            if let Some(port) = ports.get(at).or(ports.first()) {
                one.port(*port);
            }
            one.ssl_mode(config.get_ssl_mode())
                .target_session_attrs(config.get_target_session_attrs())
                .keepalives(config.get_keepalives())
                .keepalives_idle(config.get_keepalives_idle());
            config.get_user().map(|user| one.user(user));
            config.get_password().map(|password| one.password(password));
            config.get_dbname().map(|name| one.dbname(name));
            config.get_application_name().map(|name| one.application_name(name));
            config.get_connect_timeout().map(|limit| one.connect_timeout(*limit));
            config.get_tcp_user_timeout().map(|limit| one.tcp_user_timeout(*limit));
            config.get_keepalives_interval().map(|pause| one.keepalives_interval(pause));
            config.get_keepalives_retries().map(|count| one.keepalives_retries(count));
            one
        })
        .collect()
}

impl managed::Manager for Manager {
    type Type = Link;
    type Error = LinkFault;

    async fn create(&self) -> Result<Link, LinkFault> {
        self.connect(None).await
    }

    async fn recycle(&self, link: &mut Link, _: &Metrics) -> RecycleResult<LinkFault> {
        if link.client.is_closed() || link.is_spoilt.load(Ordering::SeqCst) {
            return Err(RecycleError::message("the connection is closed or its state is unknown"));
        }
        Ok(())
    }
}
