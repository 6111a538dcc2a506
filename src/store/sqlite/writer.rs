//! The only thread that writes. It takes everything that waits, writes it in one transaction, and answers after
//! COMMIT.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, TrySendError, sync_channel};
use std::time::{Duration, Instant};

use rusqlite::Connection;
use tokio::sync::oneshot;

use super::batch::Batch;
use super::checkpoint::{Checkpointer, move_log};
use super::intake::{Command, Intake};
use super::job::{Asked, Job};
use super::shared::Shared;
use crate::store::log::prepared::Prepared;
use crate::store::log::queue::{Answer, Place, Waiting};
use crate::store::log::sqlite::event_ids::{EventIds, RUN_ROWS};
use crate::store::log::sqlite::{Inserted, Packed, Statements};
use crate::store::upkeep::ages::Ages;
use crate::store::upkeep::sqlite::retention;
use crate::store::{Pruned, StoreError, StoreOptions, Written};
use crate::telemetry::Worker;

/// How long jobs may take in one transaction, except for the last job. The others move to the next transaction, after
/// the deliveries that arrived in the meantime.
const JOBS_TIME: Duration = Duration::from_millis(50);
/// How often retention checks for work if nothing calls it.
const RETENTION_EVERY: Duration = Duration::from_secs(2);

/// After each step, retention pauses for so many times as long, unless the store is too large: most deliveries do not wait for
/// it.
const RETENTION_PAUSE: u32 = 6;

/// Access to the writer's thread.
pub struct Writer {
    queue: SyncSender<Command>,
    queue_bytes: usize,
    shared: Arc<Shared>,
    thread: Worker,
}

impl Writer {
    /// Starts the thread on `connection`.
    pub fn start(
        mut connection: Connection,
        options: StoreOptions,
        shared: Arc<Shared>,
    ) -> Result<Self, Box<dyn std::error::Error>> {
        let (queue, commands) = sync_channel(options.queue);
        let queue_bytes = options.queue_bytes;
        let shared_too = Arc::clone(&shared);
        let workers = options.workers.clone();
        let checkpointer = Checkpointer::start(&shared, &workers)?;
        checkpointer.watch(&mut connection)?;
        let mut work = Work {
            connection,
            checkpointer,
            options,
            shared: shared_too,
            blocked: None,
            removed: Pruned::default(),
            unreported: Pruned::default(),
            ages: Ages::default(),
            event_ids: EventIds::new(RUN_ROWS),
            held: Vec::new(),
            commits_are_synced: true,
            state: State::Closed,
        };
        let thread = workers.start("store-writer", 0, move || work.run(&commands))?;
        Ok(Self { queue, queue_bytes, shared, thread })
    }

    /// Queues an entry and waits until it is durable.
    pub async fn append(&self, prepared: Box<Prepared<Packed>>) -> Result<Written, StoreError> {
        let place =
            Place::take(&self.shared.queued, prepared.weight, self.queue_bytes).ok_or(StoreError::Full)?;
        let answered = self.ask(|answer| Command::Append(Waiting { prepared, answer, place }))?;
        wait(answered).await.map(|(written, _)| written)
    }

    /// Runs `work` inside the next transaction and waits until its changes are durable. `takes_room` says that it adds
    /// data, which a full store refuses.
    pub async fn work<T: Send + 'static>(
        &self,
        takes_room: bool,
        work: impl FnOnce(&Connection) -> rusqlite::Result<T> + Send + 'static,
    ) -> Result<T, StoreError> {
        let answered = self.ask(|answer| Command::Work(Box::new(Asked::new(takes_room, work, answer))))?;
        wait(answered).await
    }

    /// Runs retention to its end.
    pub async fn prune(&self) -> Result<Pruned, StoreError> {
        wait(self.ask(Command::Prune)?).await
    }

    /// Writes a little.
    pub async fn ready(&self) -> Result<(), StoreError> {
        wait(self.ask(Command::Ready)?).await
    }

    /// Writes everything that waits, closes the file and ends the thread.
    pub async fn close(&self) {
        let (answer, closed) = oneshot::channel();
        // A full queue drains. The thread may have ended before, and then there is nothing to close.
        let queue = self.queue.clone();
        let sent = tokio::task::spawn_blocking(move || queue.send(Command::Close(answer))).await;
        if matches!(sent, Ok(Ok(()))) {
            let _ = closed.await;
        }
        self.thread.join();
    }

    fn ask<T>(
        &self,
        command: impl FnOnce(Answer<T>) -> Command,
    ) -> Result<oneshot::Receiver<Result<T, StoreError>>, StoreError> {
        let (answer, answered) = oneshot::channel();
        self.queue.try_send(command(answer)).map_err(|refused| match refused {
            TrySendError::Full(_) => StoreError::Full,
            TrySendError::Disconnected(_) => gone(),
        })?;
        Ok(answered)
    }
}

async fn wait<T>(answered: oneshot::Receiver<Result<T, StoreError>>) -> Result<T, StoreError> {
    answered.await.unwrap_or_else(|_| Err(StoreError::Unavailable("it was not written".to_owned())))
}

fn gone() -> StoreError {
    StoreError::Unavailable("the store is closed".to_owned())
}

/// The state of the thread.
#[derive(Clone, Copy, PartialEq, Eq)]
enum State {
    /// It does not run.
    Closed,
    /// It runs. If the thread is entered again in this state, it panicked.
    Running,
    /// It was asked to end.
    Closing,
}

/// The resources of the thread.
pub(super) struct Work {
    pub(super) connection: Connection,
    pub(super) checkpointer: Checkpointer,
    pub(super) options: StoreOptions,
    pub(super) shared: Arc<Shared>,
    /// Why nothing may be appended now: `max_size` is reached and nothing can be removed.
    pub(super) blocked: Option<String>,
    /// The rows that retention removed since its last log line.
    pub(super) removed: Pruned,
    /// The rows that retention removed since the last `prune`.
    pub(super) unreported: Pruned,
    /// The ages of rows.
    pub(super) ages: Ages,
    /// The event ids that were taken.
    pub(super) event_ids: EventIds,
    /// Jobs that did not fit into the last transaction's time.
    held: Vec<Box<dyn Job>>,
    /// Whether a commit waits until the log is on disk.
    pub(super) commits_are_synced: bool,
    state: State,
}

impl Work {
    fn run(&mut self, commands: &Receiver<Command>) {
        match std::mem::replace(&mut self.state, State::Running) {
            // The first delivery need not wait for it. If this fails, its transaction will say why.
            State::Closed => drop(self.event_ids.follow(&self.connection)),
            State::Running => {
                self.event_ids.forget();
                self.roll_back();
                self.reopen();
            }
            State::Closing => return,
        }
        let mut next_look = Instant::now();
        loop {
            let is_held = !self.held.is_empty();
            let patience =
                if is_held { Duration::ZERO } else { next_look.saturating_duration_since(Instant::now()) };
            let first = match commands.recv_timeout(patience) {
                Ok(first) => Some(first),
                Err(RecvTimeoutError::Disconnected) => return self.write_held(),
                Err(RecvTimeoutError::Timeout) => None,
            };
            if (first.is_some() || is_held)
                && let Some(closed) = self.write_waiting(commands, first)
            {
                self.state = State::Closing;
                self.write_held();
                return self.close(closed);
            }
            let looked = Instant::now();
            if looked >= next_look || self.is_over_size() {
                let has_more = self.look_after_retention();
                let pause = if has_more { looked.elapsed() * RETENTION_PAUSE } else { RETENTION_EVERY };
                next_look = Instant::now() + pause;
            }
        }
    }

    fn serve(&mut self, command: Command) {
        // A caller that is gone needs no result.
        match command {
            Command::Prune(answer) => {
                let _ = answer.send(self.prune());
            }
            Command::Ready(answer) => {
                let _ = answer.send(self.probe());
            }
            Command::Append(..) | Command::Work(_) | Command::Close(_) => {}
        }
    }

    /// Writes the first entry and all entries behind it, up to the size of a batch.
    fn write_waiting(
        &mut self,
        commands: &Receiver<Command>,
        first: Option<Command>,
    ) -> Option<oneshot::Sender<()>> {
        let mut intake = Intake::of(commands);
        let mut batch = Batch::default();
        first.into_iter().for_each(|command| intake.take(command, &mut batch));
        intake.fill(&mut batch);
        self.write(batch, &mut intake);
        let Intake { others, closed, .. } = intake;
        others.into_iter().for_each(|other| self.serve(other));
        closed
    }

    fn write_held(&mut self) {
        while !self.held.is_empty() {
            self.write(Batch::default(), &mut Intake::ended());
        }
    }

    fn write(&mut self, mut batch: Batch, intake: &mut Intake<'_>) {
        batch.jobs.splice(..0, self.held.drain(..));
        if batch.entries.is_empty() && batch.jobs.is_empty() {
            return;
        }
        let began = Instant::now();
        let written = self.commit(&mut batch, intake);
        let Batch { entries, jobs, bytes } = batch;
        let metrics = &self.options.metrics;
        match written {
            Ok(inserted) => {
                // An estimate until retention checks again; it is more likely too high than too low.
                self.shared.used.fetch_add(u64::try_from(bytes).unwrap_or(u64::MAX), Ordering::Relaxed);
                if let Some(last) = inserted.last() {
                    metrics.batch_written(inserted.len(), began.elapsed());
                    self.shared.newest.send_replace(last.written.seq);
                }
                for (waiting, row) in entries.into_iter().zip(inserted) {
                    waiting.tell(Ok(row.written));
                }
                jobs.into_iter().for_each(|job| job.finish(Ok(())));
            }
            Err(fault) => {
                tracing::error!(%fault, entries = entries.len(), "a batch could not be written");
                metrics.batch_failed();
                for waiting in entries {
                    waiting.tell(Err(StoreError::Unavailable(fault.clone())));
                }
                jobs.into_iter().for_each(|job| job.finish(Err(&fault)));
            }
        }
    }

    /// One transaction for the whole batch: all of it becomes durable, or none of it. A full store still writes what
    /// adds no data.
    fn commit(&mut self, batch: &mut Batch, intake: &mut Intake<'_>) -> Result<Vec<Inserted>, String> {
        if let Some(why) = self.blocked.clone() {
            for waiting in batch.entries.drain(..) {
                waiting.tell(Err(StoreError::Unavailable(why.clone())));
            }
            let (refused, kept) =
                std::mem::take(&mut batch.jobs).into_iter().partition(|job| job.takes_room());
            batch.jobs = kept;
            let refused: Vec<Box<dyn Job>> = refused;
            refused.into_iter().for_each(|job| job.finish(Err(&why)));
            if batch.jobs.is_empty() {
                return Ok(Vec::new());
            }
        }
        let inserted = self.try_commit(batch, intake);
        inserted.map_err(|fault| {
            self.recover(&fault);
            fault.to_string()
        })
    }

    /// What arrives while the transaction is filled becomes a part of it, which makes it larger than waiting would: a
    /// delivery costs the less the more are in its transaction.
    fn try_commit(&mut self, batch: &mut Batch, intake: &mut Intake<'_>) -> rusqlite::Result<Vec<Inserted>> {
        self.sync_commits(true)?;
        let until = Instant::now() + JOBS_TIME;
        self.connection.prepare_cached("BEGIN IMMEDIATE")?.execute([])?;
        let (mut inserted, mut done) = (Vec::with_capacity(batch.entries.len()), 0_usize);
        let changes = self.connection.total_changes();
        loop {
            self.insert(&batch.entries, &mut inserted)?;
            let mut is_in_time = true;
            for job in batch.jobs.iter_mut().skip(done) {
                let is_first = inserted.is_empty() && self.connection.total_changes() == changes;
                job.run(&self.connection, is_first)?;
                done = done.saturating_add(1);
                is_in_time = Instant::now() <= until;
                if !is_in_time {
                    break;
                }
            }
            let (entries, jobs) = (batch.entries.len(), batch.jobs.len());
            // A job that is not the first one needs a savepoint, which costs more than a transaction of its own saves.
            if is_in_time && !inserted.is_empty() {
                intake.fill(batch);
            }
            if (entries, jobs) == (batch.entries.len(), batch.jobs.len()) {
                break;
            }
        }
        if !inserted.is_empty() {
            self.event_ids.list_full(&self.connection)?;
            let weights = batch.entries.iter().map(|waiting| waiting.prepared.weight);
            retention::add_to_totals(&self.connection, inserted.iter().map(|row| row.verdict).zip(weights))?;
        }
        self.connection.prepare_cached("COMMIT")?.execute([])?;
        self.held = batch.jobs.split_off(done);
        Ok(inserted)
    }

    /// Inserts those of `entries` that were not inserted yet.
    fn insert(&mut self, entries: &[Waiting<Packed>], inserted: &mut Vec<Inserted>) -> rusqlite::Result<()> {
        let new = entries.get(inserted.len()..).unwrap_or_default();
        if new.is_empty() {
            return Ok(());
        }
        let now = self.options.clock.now();
        if inserted.is_empty() {
            self.event_ids.follow(&self.connection)?;
        }
        let mut statements = Statements::prepare(&self.connection)?;
        for Waiting { prepared, .. } in new {
            let retention = &self.options.retention;
            inserted.push(statements.insert(&mut self.event_ids, prepared, retention, now)?);
        }
        Ok(())
    }

    fn probe(&mut self) -> Result<(), StoreError> {
        if let Some(why) = &self.blocked {
            return Err(StoreError::Unavailable(why.clone()));
        }
        let written = self.sync_commits(true).and_then(|()| {
            self.connection.execute("UPDATE facts SET value = value + 1 WHERE name = 'probe'", [])
        });
        if let Err(fault) = &written {
            self.recover(fault);
        }
        written?;
        Ok(())
    }

    fn close(&mut self, closed: oneshot::Sender<()>) {
        self.checkpointer.stop(&mut self.connection);
        if let Err(fault) = move_log(&self.connection, "TRUNCATE") {
            tracing::warn!(%fault, "the write-ahead log stays; the next start reads it");
        }
        let _ = closed.send(());
    }
}
