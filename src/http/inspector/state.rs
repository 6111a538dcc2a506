//! What the inspector's workers share.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use arc_swap::ArcSwap;
use tokio::sync::watch;

use super::admin_auth::AdminAuth;
use super::badges::Badges;
use super::hosts::Hosts;
use super::reload_desk::ReloadDesk;
use super::remembered::Remembered;
use crate::catalog::Catalog;
use crate::config::{PasswordHash, PublicUrl};
use crate::domain::{Clock, SilenceAfter, Source, StoredDelivery};
use crate::http::connection::readiness::Readiness;
use crate::http::receiver::link_opener::LinkOpener;
use crate::http::receiver::reach::Reach;
use crate::http::receiver::replayed::client_today;
use crate::http::receiver::state::Rules;
use crate::inspect::overview::Counting;
use crate::inspect::replay::{OwnReplays, ReplayRuns, Replayer};
use crate::inspect::what_if::WhatIf;
use crate::inspect::{Findings, look_into};
use crate::payload::Sources;
use crate::receive::Receiver;
use crate::send::{Client, OwnReceiver, SendError, Sender};
use crate::store::{Retention, Store};
use crate::telemetry::Metrics;

/// What an inspector is made of.
pub struct InspectorParts {
    /// Where deliveries are kept.
    pub store: Store,
    /// Whether deliveries can be stored.
    pub readiness: Readiness,
    /// The events that are known.
    pub catalog: Arc<Catalog>,
    /// The sources as they are now, the default one first.
    pub sources: Sources,
    /// Who sends events onward.
    pub sender: Sender,
    /// The receiver, as we reach it.
    pub receiver: OwnReceiver,
    /// Where the inspector listens.
    pub inspector: SocketAddr,
    /// The hash of the password, where there is one.
    pub password: Option<PasswordHash>,
    /// Host names besides localhost and the listen address.
    pub allowed_hosts: Vec<String>,
    /// After this time a search answers with what it has found.
    pub search_time: Duration,
    /// Where browsers reach the inspector, where that is not the listen address.
    pub public_url: Option<PublicUrl>,
    /// Who asks what would be by other rules.
    pub what_if: WhatIf,
    /// The receiver's rules as they are now.
    pub rules: Arc<ArcSwap<Rules>>,
    /// Probes that are on their way to the receiver.
    pub reach: Reach,
    /// Replays that are on their way to the receiver.
    pub own_replays: OwnReplays,
    /// Where secrets are.
    pub data_dir: PathBuf,
    /// The configuration file, where there is one.
    pub config_file: Option<PathBuf>,
    /// Where schemas of the user's own are.
    pub schemas_dir: Option<PathBuf>,
    /// How long deliveries are kept.
    pub retention: Retention,
    /// Where a reload is asked for.
    pub reload: ReloadDesk,
    /// The counters.
    pub metrics: Arc<Metrics>,
    /// The time.
    pub clock: Arc<dyn Clock>,
}

/// What the inspector's workers share.
#[derive(Clone)]
pub struct InspectorState {
    pub(crate) store: Store,
    pub(crate) catalog: Arc<Catalog>,
    pub(crate) metrics: Arc<Metrics>,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) sender: Sender,
    /// Opens confirmation links.
    pub(crate) links: LinkOpener,
    pub(crate) what_if: WhatIf,
    rules: Arc<ArcSwap<Rules>>,
    pub(super) reach: Reach,
    own_replays: OwnReplays,
    pub(super) data_dir: PathBuf,
    pub(super) config_file: Option<PathBuf>,
    pub(super) reload: ReloadDesk,
    pub(super) remembered: Arc<Remembered>,
    pub(crate) schemas_dir: Option<PathBuf>,
    pub(crate) retention: Retention,
    pub(super) readiness: Readiness,
    /// Held by the import that is stored now.
    pub(super) importing: Arc<tokio::sync::Mutex<()>>,
    pub(super) receiver: OwnReceiver,
    pub(super) auth: Arc<AdminAuth>,
    pub(super) hosts: Arc<Hosts>,
    pub(crate) sources: Sources,
    /// The counts next to entries of the navigation.
    pub(crate) badges: Badges,
    pub(super) public_url: Option<Arc<PublicUrl>>,
    pub(crate) search_time: Duration,
    /// Made when first needed: most inspectors never send anything themselves.
    client: Arc<OnceLock<Result<Client, SendError>>>,
    replays: Arc<OnceLock<Result<ReplayRuns, SendError>>>,
    stopping: Arc<watch::Sender<bool>>,
}

impl InspectorState {
    /// An inspector of these parts.
    #[must_use]
    pub fn new(parts: InspectorParts) -> Self {
        let public_host = parts.public_url.iter().map(|url| url.host().to_owned());
        let names: Vec<String> = parts.allowed_hosts.iter().cloned().chain(public_host).collect();
        Self {
            store: parts.store,
            catalog: parts.catalog,
            metrics: parts.metrics,
            clock: parts.clock,
            links: LinkOpener::new(parts.sender.client().clone()),
            sender: parts.sender,
            what_if: parts.what_if,
            rules: parts.rules,
            reach: parts.reach,
            own_replays: parts.own_replays,
            reload: parts.reload,
            data_dir: parts.data_dir,
            config_file: parts.config_file,
            remembered: Arc::default(),
            schemas_dir: parts.schemas_dir,
            retention: parts.retention,
            readiness: parts.readiness,
            importing: Arc::default(),
            receiver: parts.receiver,
            auth: Arc::new(AdminAuth::new(parts.password.map(|hash| hash.as_str().to_owned()))),
            hosts: Arc::new(Hosts::new(parts.inspector, &names)),
            public_url: parts.public_url.map(Arc::new),
            search_time: parts.search_time,
            sources: parts.sources,
            badges: Badges::default(),
            client: Arc::default(),
            replays: Arc::default(),
            stopping: Arc::new(watch::Sender::new(false)),
        }
    }

    /// The path in front of our own in browsers, `/tagohook` or nothing.
    pub(crate) fn public_path(&self) -> &str {
        self.public_url.as_deref().map(PublicUrl::path).unwrap_or_default()
    }

    /// Ends live streams and waiting requests: the program stops.
    pub fn stop(&self) {
        self.stopping.send_replace(true);
    }

    /// Becomes true when the program stops.
    pub(crate) fn stopping(&self) -> watch::Receiver<bool> {
        self.stopping.subscribe()
    }

    /// The client that sends test deliveries to our own receiver.
    ///
    /// # Errors
    /// Where TLS cannot be set up on this machine.
    pub(super) fn client(&self) -> Result<&Client, String> {
        let client = self.client.get_or_init(|| Client::of_receiver(&self.receiver));
        client.as_ref().map_err(ToString::to_string)
    }

    /// Stores what the receiver counted until now, so that charts and figures have it.
    pub(crate) async fn keep_counts(&self) {
        let (store, metrics, clock) =
            (self.store.clone(), Arc::clone(&self.metrics), Arc::clone(&self.clock));
        if let Err(fault) = (Counting { store, metrics, clock }).keep(self.clock.wall()).await {
            tracing::warn!(%fault, "counts for the overview are lost");
        }
    }

    /// The receiver by the rules as they are now.
    pub(super) fn receiver_now(&self) -> Arc<Receiver> {
        Arc::clone(&self.rules.load().receiver)
    }

    /// Why a delivery has its verdict.
    pub(crate) async fn look_into(&self, delivery: StoredDelivery) -> (Arc<StoredDelivery>, Findings) {
        let delivery = Arc::new(delivery);
        loop {
            let rules = self.rules.load_full();
            let client = client_today(&delivery, &rules.trusted_proxies);
            // Without it, the cause of then is still right.
            let today = self.what_if.passes_today(&delivery, client, Arc::clone(&rules.receiver)).await;
            let today = today.ok().flatten();
            let found = look_into(&self.store, &self.sources, Arc::clone(&delivery), today).await;
            // A reload in between would mix two configurations.
            if Arc::ptr_eq(&rules, &self.rules.load_full()) {
                return found;
            }
        }
    }

    /// The same; the cause is stored, so that lists agree with it.
    pub(crate) async fn look_and_note(&self, delivery: StoredDelivery) -> (Arc<StoredDelivery>, Findings) {
        let before = delivery.row.cause.clone();
        let (delivery, findings) = self.look_into(delivery).await;
        let found = delivery
            .row
            .cause
            .clone()
            .filter(|_| delivery.row.cause != before && !delivery.row.id.is_imported());
        if let Some(cause) = found
            && let Err(fault) = self.store.name_causes(vec![(delivery.row.seq, cause)]).await
        {
            tracing::warn!(%fault, "the cause of a delivery could not be kept");
        }
        (delivery, findings)
    }

    /// What replays deliveries.
    ///
    /// # Errors
    /// Where TLS cannot be set up on this machine.
    pub(crate) fn replayer(&self) -> Result<&Replayer, String> {
        self.replay_runs().map(|runs| &runs.replayer)
    }

    /// What replays many of them.
    ///
    /// # Errors
    /// As `replayer`.
    pub(crate) fn replay_runs(&self) -> Result<&ReplayRuns, String> {
        let make = || {
            let replayer = Replayer {
                store: self.store.clone(),
                sender: self.sender.clone(),
                own: Client::of_receiver(&self.receiver)?,
                client: self.sender.client().clone(),
                receiver: self.receiver.clone(),
                sources: self.sources.clone(),
                own_replays: self.own_replays.clone(),
                clock: Arc::clone(&self.clock),
            };
            Ok(ReplayRuns::new(replayer, self.stopping.subscribe()))
        };
        self.replays.get_or_init(make).as_ref().map_err(ToString::to_string)
    }

    /// Continues the replay runs that were running when the program ended.
    pub async fn take_up_replays(&self) {
        let taken_up = async {
            self.store.forget_plans().await.map_err(|fault| fault.to_string())?;
            let running = self.store.running_runs().await.map_err(|fault| fault.to_string())?;
            // Most programs have none; then no client is made for them.
            if !running.is_empty() {
                self.replay_runs()?.take_up(running);
            }
            Ok::<(), String>(())
        };
        if let Err(fault) = taken_up.await {
            tracing::error!(%fault, "replay runs cannot continue until the next start");
        }
    }

    /// How long the sender of a source waits for our answer.
    pub(crate) fn sender_timeout(&self, source: &str) -> Option<std::time::Duration> {
        self.sources.named(source).map(|source| source.sender_timeout)
    }

    /// When entities of a source are silent.
    pub(crate) fn silence_after(&self, source: &str) -> SilenceAfter {
        self.sources.named(source).map_or(SilenceAfter::Off, |source| source.silence_after)
    }

    /// The names of the sources, the default one first.
    #[must_use]
    pub fn source_names(&self) -> Vec<String> {
        self.sources.all().iter().map(|source| source.name.clone()).collect()
    }

    /// The default source.
    #[must_use]
    pub fn first_source(&self) -> Option<Source> {
        self.sources.all().first().cloned()
    }

    /// Where the receiver is reached from this machine, `http://127.0.0.1:8080`.
    #[must_use]
    pub fn receiver_base(&self) -> String {
        self.receiver.base()
    }

    /// Where the receiver is, for people.
    #[must_use]
    pub fn receiver_shown(&self) -> String {
        self.receiver.shown(&self.receiver.base()).trim_end().to_owned()
    }

    /// The URL of a source, reachable from this machine.
    #[must_use]
    pub fn source_url(&self, source: &str) -> String {
        self.receiver.source_url(source)
    }
}
