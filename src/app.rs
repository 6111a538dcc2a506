//! Composes the program: store, receiver and inspector, their start, reload and stop.

use std::sync::Arc;

use anyhow::Context as _;
use arc_swap::ArcSwap;
use parking_lot::Mutex;
use tokio::sync::{Semaphore, watch};
use tokio::task::JoinHandle;

use crate::catalog::{Catalog, CatalogFaults};
use crate::config::{self, Config, ConfigFaults, DataDir, DataDirError, Sealer, Settings};
use crate::domain::{Clock, DeliveryFilter};
use crate::http::{
    self, BodyBudget, Doorkeeper, Grace, InspectorState, LinkOpener, Port, Reach, Readiness, ReceiverState,
    ReloadDesk, ReloadRequests, Rules, Traffic,
};
use crate::inspect::causes::RunningCauses;
use crate::inspect::learner::RunningLearner;
use crate::inspect::overview::{Counting, keep_counts};
use crate::inspect::replay::OwnReplays;
use crate::inspect::what_if::WhatIf;
use crate::payload::Sources;
use crate::receive::Masking;
use crate::send::{Client, OwnReceiver, RunningSender, Sender, SenderParts, TargetGuard, Trust};
use crate::store::Store;
use crate::telemetry::{Metrics, PortName, allow_many_files};

mod certificate;
mod memory;
mod ports;
mod reload;
mod rules;
mod service_manager;
mod signals;
mod store;

use certificate::{Certificate, renew};
use rules::make_rules;
use signals::{Signals, Told};

pub use ports::{Addresses, Ports};
pub use service_manager::ServiceManager;
pub use store::{keep_rules, kept_rules, store_options, store_place};

/// The sender's share of all files and connections. It gets the same share again if every subscription needs a
/// connection. The rest is for incoming requests and the store.
const SENDER_PART: u32 = 4;

/// A started program.
pub struct Running {
    /// Where it listens.
    pub addresses: Addresses,
    /// Whether no delivery has arrived yet.
    pub is_new: bool,
    /// The options as they were read last.
    settings: Mutex<Settings>,
    certificate: Arc<Certificate>,
    rules: Arc<ArcSwap<Rules>>,
    sources: Sources,
    catalog: Arc<Catalog>,
    masking: Arc<Masking>,
    store: Store,
    receiver: Port,
    inspector: Port,
    inspector_state: InspectorState,
    sender: Sender,
    sending: RunningSender,
    learning: RunningLearner,
    naming: RunningCauses,
    counting: JoinHandle<()>,
    stopping: watch::Sender<bool>,
}

/// Starts store, receiver and inspector; they run on the current actix system until `Running::stop`.
///
/// # Errors
/// When the store cannot be opened, or a schema in `schemas_dir` is invalid.
pub async fn start(
    config: &Config,
    ports: Ports,
    clock: Arc<dyn Clock>,
    metrics: Arc<Metrics>,
) -> anyhow::Result<(Running, ReloadRequests)> {
    let catalog = Arc::new(read_catalog(config)?);
    for notice in catalog.notices() {
        tracing::warn!("{notice}");
    }
    let store_key = config::store_key(&config.data_dir)?;
    let masking = Arc::new(Masking::new(store_key));
    let place = store_place(config, Some(&store_key))?;
    let options = store_options(config, place, Arc::clone(&clock), &metrics);
    let retention = options.retention;
    let store = Store::open(options).await.context("cannot open the store")?;
    store.start_indexing()?;
    let certificate = Arc::new(Certificate::default());
    certificate.use_files(config.receiver.tls.as_ref())?;
    let rules = Arc::new(ArcSwap::from_pointee(make_rules(config, &catalog, &masking)));
    let sources = Sources::new(config.sources.clone(), config.receiver.max_body).masked_with(masking.key());
    sources.reached_at(config::read_public_address(&config.data_dir));
    let addresses = ports.addresses()?;
    let own_receiver = certificate.own_receiver(&addresses);
    let guard = TargetGuard::new(config.sender.deny_private);
    let trust = Trust::SystemAndOwn(own_receiver.clone());
    let sender = Sender::new(SenderParts {
        store: store.clone(),
        catalog: Arc::clone(&catalog),
        clock: Arc::clone(&clock),
        metrics: Arc::clone(&metrics),
        guard,
        client: Client::behind(guard, &config.sender.proxy, trust)?,
        sources: sources.clone(),
        secrets: config.secrets.clone(),
        sealer: Sealer::new(&store_key),
        lease: config.sender.lease,
        health_interval: config.sender.health_interval,
        connections: allow_many_files() / SENDER_PART,
    });
    sender.load(&config.subscriptions).await.context("cannot read the subscriptions")?;
    let first = store.list(&DeliveryFilter::default(), None, 1).await.context("cannot read the store")?;
    let (learner_clock, counting_clock) = (Arc::clone(&clock), Arc::clone(&clock));
    let counted = Arc::clone(&metrics);
    let door = |port| Doorkeeper {
        port,
        head_timeout: config.receiver.head_timeout,
        traffic: Traffic::default(),
        metrics: Arc::clone(&metrics),
        clock: Arc::clone(&clock),
        sources: sources.clone(),
    };
    let (outer, inner) = (door(PortName::Receiver), door(PortName::Inspector));
    let (reload, reloads) = ReloadDesk::new();
    let (reach, own_replays) = (Reach::default(), OwnReplays::default());
    let readiness = Readiness::new(store.clone());
    let state = ReceiverState {
        rules: Arc::clone(&rules),
        store: store.clone(),
        clock: Arc::clone(&clock),
        metrics: Arc::clone(&metrics),
        door: outer,
        tls: certificate.tls(),
        budget: BodyBudget::new(config.receiver.max_buffered),
        readiness: readiness.clone(),
        links: LinkOpener::new(sender.client().clone()),
        probes: sender.probes().clone(),
        reach: reach.clone(),
        replays: own_replays.clone(),
        large_bodies: Arc::new(Semaphore::new(http::LARGE_AT_ONCE)),
    };
    let inspector_state = InspectorState::new(http::InspectorParts {
        store: store.clone(),
        readiness,
        catalog: Arc::clone(&catalog),
        sources: sources.clone(),
        sender: sender.clone(),
        receiver: own_receiver,
        inspector: addresses.inspector,
        password: config.inspector.password.clone(),
        allowed_hosts: config.inspector.allowed_hosts.clone(),
        search_time: config.inspector.search_time,
        public_url: config.inspector.public_url.clone(),
        rules: Arc::clone(&rules),
        reach,
        own_replays,
        reload,
        data_dir: config.data_dir.clone(),
        config_file: config.file.clone(),
        schemas_dir: config.schemas_dir.clone(),
        retention,
        what_if: WhatIf::new(
            store.clone(),
            Arc::clone(&catalog),
            Arc::clone(&masking),
            config.receiver.max_body,
            metrics.workers().clone(),
        ),
        metrics,
        clock,
    });
    let stopping = watch::Sender::new(false);
    let workers = std::thread::available_parallelism().map_or(2, std::num::NonZero::get);
    let (receiving, receiver) = http::serve_receiver(ports.receiver, workers, state)?;
    let (inspecting, inspector) = http::serve_inspector(ports.inspector, inspector_state.clone(), inner)?;
    let sending = RunningSender::start(sender.clone()).context("cannot start the sender")?;
    let learning = RunningLearner::start(store.clone(), sender.clone(), sources.clone(), learner_clock)
        .context("cannot start the learner")?;
    let naming = RunningCauses::start(sender.clone(), sources.clone())
        .context("cannot start the thread that names causes")?;
    inspector_state.take_up_replays().await;
    let counting = Counting { store: store.clone(), metrics: counted, clock: counting_clock };
    let counting = actix_rt::spawn(keep_counts(counting, stopping.subscribe()));
    let running = Running {
        addresses,
        is_new: first.is_empty(),
        settings: Mutex::new(config.settings.clone()),
        certificate,
        rules,
        sources,
        catalog,
        masking,
        store,
        receiver,
        inspector,
        inspector_state,
        sender,
        sending,
        learning,
        naming,
        counting,
        stopping,
    };
    actix_rt::spawn(receiving);
    actix_rt::spawn(inspecting);
    actix_rt::spawn(memory::give_back(running.store.clone()));
    actix_rt::spawn(renew(Arc::clone(&running.certificate), running.inspector_state.clone()));
    Ok((running, reloads))
}

impl Running {
    /// The receiver, as our own requests reach it.
    #[must_use]
    pub fn own_receiver(&self) -> OwnReceiver {
        self.certificate.own_receiver(&self.addresses)
    }

    /// Writes where the program listens, now and whenever the certificate changes.
    ///
    /// # Errors
    /// When the file cannot be written.
    pub fn publish_addresses(&self, data_dir: Arc<DataDir>) -> Result<(), DataDirError> {
        self.certificate.publish(self.addresses.clone(), data_dir)
    }

    /// Stops cleanly: requests in progress are answered, the queue is written, the store is closed. The receiver's
    /// port closes last: until then, every request gets a response.
    pub async fn stop(self) {
        self.inspector_state.stop();
        self.receiver.end();
        self.inspector.end();
        let inspector = async {
            self.inspector.answered(Grace::PEOPLE).await;
            self.inspector.close().await;
        };
        tokio::join!(
            inspector,
            self.receiver.answered(Grace::SENDERS),
            self.learning.stop(),
            self.naming.stop(),
            self.sending.stop()
        );
        self.receiver.close().await;
        self.addresses.leave();
        self.stopping.send_replace(true);
        // The task handles its own panics.
        let _ = self.counting.await;
        self.store.close().await;
    }
}

/// How the program ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ended {
    /// Requests in progress were answered.
    Cleanly,
    /// A second signal ended it before that.
    AtOnce,
}

/// What `run` asks of its caller.
pub struct Callbacks<Started, Reread> {
    /// Gets the program once both ports accept connections.
    pub started: Started,
    /// At SIGHUP, returns a new configuration, or its faults, one line each.
    pub reread: Reread,
}

/// Runs the program until SIGTERM or SIGINT; a second signal ends it at once.
///
/// # Errors
/// As for `start`; and when signals cannot be handled.
pub fn run(
    config: &Config,
    ports: Ports,
    clock: Arc<dyn Clock>,
    metrics: Arc<Metrics>,
    manager: ServiceManager,
    callbacks: Callbacks<impl FnOnce(&Running) -> anyhow::Result<()>, impl Fn() -> Result<Config, String>>,
) -> anyhow::Result<Ended> {
    let manager = Arc::new(manager);
    let system = actix_rt::System::new();
    let ended = system.block_on(async {
        // Once the addresses are published, a signal may arrive at any time.
        let mut signals = Signals::listen()?;
        manager.starting();
        let (running, mut reloads) = start(config, ports, clock, metrics).await?;
        (callbacks.started)(&running)?;
        let Addresses { receiver, inspector } = &running.addresses;
        tracing::info!(%receiver, %inspector, "started");
        let place = receiver.to_string();
        manager.ready(&place);
        let (watching, store) = (Arc::clone(&manager), running.store.clone());
        actix_rt::spawn(async move { watching.watch(&store, &place).await });
        loop {
            let answer = tokio::select! {
                told = signals.next() => match told {
                    Told::Stop => break,
                    Told::Reload => None,
                },
                answer = reloads.next() => answer,
            };
            let outcome = running.reload_as_told(&manager, &callbacks.reread).await;
            // Whoever asked may be gone.
            let _ = answer.map(|answer| answer.send(outcome));
        }
        tracing::info!("stopping");
        manager.stopping();
        let (receiver, inspector) = (running.receiver.clone(), running.inspector.clone());
        tokio::select! {
            () = running.stop() => Ok(Ended::Cleanly),
            () = signals.until_told_again(|| receiver.waiting().saturating_add(inspector.waiting())) => Ok(Ended::AtOnce),
        }
    });
    if matches!(ended, Ok(Ended::AtOnce)) {
        // Dropping it would wait for abandoned work. Everything acknowledged is on disk.
        std::mem::forget(system);
    }
    ended
}

/// The catalogue with the user's own schemas.
///
/// # Errors
/// When a file of `schemas_dir` is not a schema: one line for each fault.
pub fn read_catalog(config: &Config) -> Result<Catalog, ConfigFaults> {
    match config.schemas_dir.as_deref() {
        Some(folder) => Catalog::with_schemas_dir(folder)
            .map_err(|CatalogFaults(faults)| ConfigFaults(faults.iter().map(ToString::to_string).collect())),
        None => Ok(Catalog::builtin()),
    }
}
