//! The one thread that writes. It drains whatever waits, writes it in one transaction, and answers after COMMIT.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, TrySendError, sync_channel};
use std::sync::{Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use rusqlite::{Connection, ErrorCode};
use tokio::sync::oneshot;

use super::insert::{Inserted, Prepared, Statements};
use super::retention::{self, Step};
use super::shared::{self, Shared};
use crate::store::{Pruned, StoreError, StoreOptions, Written};

/// The most entries of one transaction.
const BATCH_ENTRIES: usize = 1_000;
/// The most bytes of one transaction.
const BATCH_BYTES: usize = 16 * 1024 * 1024;
/// How often retention looks for something to do when nothing calls it.
const RETENTION_EVERY: Duration = Duration::from_secs(2);

type Answer<T> = oneshot::Sender<Result<T, StoreError>>;

enum Command {
    Append(Box<Prepared>, Answer<Written>),
    Prune(Answer<Pruned>),
    Ready(Answer<()>),
    Close(oneshot::Sender<()>),
}

/// The way to the writer's thread.
pub struct Writer {
    queue: SyncSender<Command>,
    queue_bytes: usize,
    shared: Arc<Shared>,
    thread: Mutex<Option<JoinHandle<()>>>,
}

impl Writer {
    /// Starts the thread on `connection`.
    pub fn start(
        connection: Connection,
        options: StoreOptions,
        shared: Arc<Shared>,
    ) -> std::io::Result<Self> {
        let (queue, commands) = sync_channel(options.queue);
        let queue_bytes = options.queue_bytes;
        let shared_too = Arc::clone(&shared);
        let mut work =
            Work { connection, options, shared: shared_too, blocked: None, removed: Pruned::default() };
        let thread =
            std::thread::Builder::new().name("store-writer".to_owned()).spawn(move || work.run(&commands))?;
        Ok(Self { queue, queue_bytes, shared, thread: Mutex::new(Some(thread)) })
    }

    /// Queues an entry and waits until it is durable.
    pub async fn append(&self, prepared: Prepared) -> Result<Written, StoreError> {
        let weight = prepared.weight;
        let before = self.shared.queued_bytes.fetch_add(weight, Ordering::AcqRel);
        if before > 0 && before.saturating_add(weight) > self.queue_bytes {
            self.shared.queued_bytes.fetch_sub(weight, Ordering::AcqRel);
            return Err(StoreError::Full);
        }
        self.shared.queued.fetch_add(1, Ordering::AcqRel);
        let answered = self.ask(|answer| Command::Append(Box::new(prepared), answer));
        if answered.is_err() {
            self.shared.queued.fetch_sub(1, Ordering::AcqRel);
            self.shared.queued_bytes.fetch_sub(weight, Ordering::AcqRel);
        }
        wait(answered?).await
    }

    /// Runs the retention to its end.
    pub async fn prune(&self) -> Result<Pruned, StoreError> {
        wait(self.ask(Command::Prune)?).await
    }

    /// Writes a little.
    pub async fn ready(&self) -> Result<(), StoreError> {
        wait(self.ask(Command::Ready)?).await
    }

    /// Writes what waits, closes the file and ends the thread.
    pub async fn close(&self) {
        let (answer, closed) = oneshot::channel();
        // A full queue drains; the thread may have ended before, and then there is nothing to close.
        let queue = self.queue.clone();
        let sent = tokio::task::spawn_blocking(move || queue.send(Command::Close(answer))).await;
        if matches!(sent, Ok(Ok(()))) {
            let _ = closed.await;
        }
        let thread = self.thread.lock().unwrap_or_else(PoisonError::into_inner).take();
        if let Some(thread) = thread {
            let _ = thread.join();
        }
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
    answered.await.unwrap_or_else(|_| Err(gone()))
}

fn gone() -> StoreError {
    StoreError::Unavailable("the store is closed".to_owned())
}

/// What the thread works with.
struct Work {
    connection: Connection,
    options: StoreOptions,
    shared: Arc<Shared>,
    /// Why nothing may be appended now: `max_size` is reached and nothing can go.
    blocked: Option<String>,
    /// What retention removed since it last said so.
    removed: Pruned,
}

impl Work {
    fn run(&mut self, commands: &Receiver<Command>) {
        let mut next_look = Instant::now();
        loop {
            let patience = next_look.saturating_duration_since(Instant::now());
            match commands.recv_timeout(patience) {
                Ok(Command::Append(prepared, answer)) => {
                    if let Some(closed) = self.append_waiting(commands, prepared, answer) {
                        return self.close(closed);
                    }
                }
                Ok(Command::Close(closed)) => return self.close(closed),
                Ok(command) => self.serve(command),
                Err(RecvTimeoutError::Disconnected) => return,
                Err(RecvTimeoutError::Timeout) => {}
            }
            if Instant::now() >= next_look || self.is_over_size() {
                let pause = if self.look_after_retention() { Duration::ZERO } else { RETENTION_EVERY };
                next_look = Instant::now() + pause;
            }
        }
    }

    fn serve(&mut self, command: Command) {
        // A caller that is gone needs no answer.
        match command {
            Command::Prune(answer) => {
                let _ = answer.send(self.prune());
            }
            Command::Ready(answer) => {
                let _ = answer.send(self.probe());
            }
            Command::Append(..) | Command::Close(_) => {}
        }
    }

    /// Writes the first entry and all that wait behind it, as far as a batch goes.
    fn append_waiting(
        &mut self,
        commands: &Receiver<Command>,
        first: Box<Prepared>,
        answer: Answer<Written>,
    ) -> Option<oneshot::Sender<()>> {
        let mut bytes = first.weight;
        let mut batch = vec![(first, answer)];
        let mut others = Vec::new();
        let mut closed = None;
        while batch.len() < BATCH_ENTRIES && bytes < BATCH_BYTES {
            match commands.try_recv() {
                Ok(Command::Append(prepared, answer)) => {
                    bytes = bytes.saturating_add(prepared.weight);
                    batch.push((prepared, answer));
                }
                Ok(Command::Close(answer)) => {
                    closed = Some(answer);
                    break;
                }
                Ok(other) => others.push(other),
                Err(_) => break,
            }
        }
        self.write(batch, bytes);
        others.into_iter().for_each(|other| self.serve(other));
        closed
    }

    fn write(&mut self, batch: Vec<(Box<Prepared>, Answer<Written>)>, bytes: usize) {
        let written = self.commit(&batch);
        self.shared.queued.fetch_sub(batch.len(), Ordering::AcqRel);
        self.shared.queued_bytes.fetch_sub(bytes, Ordering::AcqRel);
        match written {
            Ok(inserted) => {
                // An estimate until retention looks again; it errs on the side of looking.
                self.shared.used.fetch_add(u64::try_from(bytes).unwrap_or(u64::MAX), Ordering::Relaxed);
                if let Some(last) = inserted.last() {
                    self.shared.newest.send_replace(last.written.seq);
                }
                for ((_, answer), row) in batch.into_iter().zip(inserted) {
                    let _ = answer.send(Ok(row.written));
                }
            }
            Err(fault) => {
                tracing::error!(%fault, entries = batch.len(), "a batch of deliveries could not be written");
                for (_, answer) in batch {
                    let _ = answer.send(Err(StoreError::Unavailable(fault.clone())));
                }
            }
        }
    }

    /// One transaction for the whole batch: all of it is durable, or nothing of it is there.
    fn commit(&mut self, batch: &[(Box<Prepared>, Answer<Written>)]) -> Result<Vec<Inserted>, String> {
        if let Some(why) = &self.blocked {
            return Err(why.clone());
        }
        let inserted = self.try_commit(batch);
        inserted.map_err(|fault| {
            self.recover(&fault);
            fault.to_string()
        })
    }

    fn try_commit(&mut self, batch: &[(Box<Prepared>, Answer<Written>)]) -> rusqlite::Result<Vec<Inserted>> {
        let now = self.options.clock.now();
        self.connection.execute_batch("BEGIN IMMEDIATE")?;
        let mut inserted = Vec::with_capacity(batch.len());
        let mut statements = Statements::prepare(&self.connection)?;
        for (prepared, _) in batch {
            inserted.push(statements.insert(prepared, &self.options.retention, now)?);
        }
        drop(statements);
        let weights = batch.iter().map(|(prepared, _)| prepared.weight);
        retention::add_to_totals(&self.connection, inserted.iter().map(|row| row.verdict).zip(weights))?;
        self.connection.execute_batch("COMMIT")?;
        Ok(inserted)
    }

    /// After a fault: roll back. After one of the disk the connection is made anew, since what SQLite has in memory
    /// and what the disk has may differ; nothing is written a second time.
    fn recover(&mut self, fault: &rusqlite::Error) {
        if !self.connection.is_autocommit() {
            let _ = self.connection.execute_batch("ROLLBACK");
        }
        let is_disk = matches!(
            fault.sqlite_error_code(),
            Some(ErrorCode::SystemIoFailure | ErrorCode::DatabaseCorrupt | ErrorCode::CannotOpen)
        );
        if is_disk || !self.connection.is_autocommit() {
            match shared::open_writer(&self.options.path) {
                Ok(connection) => self.connection = connection,
                Err(fault) => tracing::error!(%fault, "the store's file cannot be opened again"),
            }
        }
    }

    fn probe(&mut self) -> Result<(), StoreError> {
        if let Some(why) = &self.blocked {
            return Err(StoreError::Unavailable(why.clone()));
        }
        let written = self.connection.execute("UPDATE facts SET value = value + 1 WHERE name = 'probe'", []);
        if let Err(fault) = &written {
            self.recover(fault);
        }
        written?;
        Ok(())
    }

    fn is_over_size(&self) -> bool {
        self.shared.used.load(Ordering::Relaxed) > self.options.retention.max_size
    }

    /// One small step of retention; `true` where there is more to do.
    fn look_after_retention(&mut self) -> bool {
        match self.retention_step() {
            Ok(Step::Removed { deliveries, event_ids }) => {
                self.removed.deliveries = self.removed.deliveries.saturating_add(deliveries);
                self.removed.event_ids = self.removed.event_ids.saturating_add(event_ids);
                true
            }
            Ok(Step::Nothing) => {
                let Pruned { deliveries, event_ids } = std::mem::take(&mut self.removed);
                if deliveries > 0 || event_ids > 0 {
                    tracing::info!(deliveries, event_ids, "retention removed");
                }
                if let Err(fault) = retention::give_back_a_little(&self.connection) {
                    tracing::warn!(%fault, "free pages could not be given back");
                    self.recover(&fault);
                }
                false
            }
            Err(fault) => {
                tracing::error!(%fault, "retention could not run");
                if fault.sqlite_error_code() == Some(ErrorCode::DiskFull) {
                    self.shared.release_reserve();
                }
                false
            }
        }
    }

    fn retention_step(&mut self) -> rusqlite::Result<Step> {
        let now = self.options.clock.now();
        let step = retention::step(&mut self.connection, &self.options.retention, now);
        if let Err(fault) = &step {
            self.recover(fault);
        }
        let step = step?;
        // Read, not remembered: `tagohook prune` may run beside us.
        self.shared.set_pruned_through(retention::pruned_through(&self.connection)?);
        self.shared.used.store(retention::used_bytes(&self.connection)?, Ordering::Relaxed);
        let is_stuck = step == Step::Nothing && self.is_over_size();
        if is_stuck && self.blocked.is_none() {
            tracing::error!("max_size is reached and nothing can be removed: deliveries are answered 503");
        }
        self.blocked = is_stuck.then(|| "max_size is reached and nothing can be removed".to_owned());
        Ok(step)
    }

    /// Retention to its end, then the room it made is given back to the disk.
    fn prune(&mut self) -> Result<Pruned, StoreError> {
        let mut pruned = Pruned::default();
        // The log's own room can then be used again, which matters on a full disk.
        let _ = checkpoint(&self.connection, "RESTART");
        while let Step::Removed { deliveries, event_ids, .. } = self.retention_step()? {
            pruned.deliveries = pruned.deliveries.saturating_add(deliveries);
            pruned.event_ids = pruned.event_ids.saturating_add(event_ids);
            let _ = checkpoint(&self.connection, "PASSIVE");
        }
        retention::give_back(&self.connection)?;
        let _ = checkpoint(&self.connection, "TRUNCATE");
        Ok(pruned)
    }

    fn close(&mut self, closed: oneshot::Sender<()>) {
        if let Err(fault) = checkpoint(&self.connection, "TRUNCATE") {
            tracing::warn!(%fault, "the write-ahead log stays; the next start reads it");
        }
        let _ = closed.send(());
    }
}

/// Moves the log's pages into the file.
fn checkpoint(connection: &Connection, mode: &str) -> rusqlite::Result<()> {
    connection.query_row(&format!("PRAGMA wal_checkpoint({mode})"), [], |_| Ok(()))
}
