//! The queue of deliveries of this node, and those who write it. Each takes everything that waits, writes it in one
//! transaction, and answers after COMMIT. One at a time does so, since few large batches cost less than many small ones; only
//! while a COMMIT waits for long, for a standby or a slow disk, the next batch is written.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::{Duration, Instant};

use parking_lot::Mutex;
use tokio::sync::mpsc::error::TrySendError;
use tokio::sync::{Mutex as Turn, OwnedMutexGuard, mpsc, oneshot};
use tokio::task::JoinHandle;
use tokio::time::{sleep, timeout};

use super::batch;
use super::bell::Bell;
use super::days::{Days, day};
use super::pace::Pace;
use crate::store::log::prepared::Prepared;
use crate::store::log::queue::{Place, Queued, Waiting};
use crate::store::postgres::{Database, PLACES};
use crate::store::{StoreError, StoreOptions, Written};
use crate::telemetry::{StoreMetrics, Workers};

/// Batches that are under way at the same time: one that is written, and those whose COMMIT is not answered.
const WRITERS: i64 = 3;
/// How long a COMMIT is waited for before the next batch is written.
const QUICK_COMMIT: Duration = Duration::from_millis(1);
/// The most bytes of one batch, apart from its last entry.
const BATCH_BYTES: usize = 16 * 1024 * 1024;
/// How long a delivery waits. Then its outcome is unknown: it may be written later.
const PATIENCE: Duration = Duration::from_secs(10);

/// Access to the queue.
pub struct Appends {
    /// `None` once closed.
    queue: Mutex<Option<mpsc::Sender<Waiting>>>,
    most_bytes: usize,
    queued: Arc<Queued>,
    pace: Arc<Pace>,
    writers: Mutex<Vec<JoinHandle<()>>>,
}

impl Appends {
    /// Makes the partitions of today and tomorrow, and starts the writers.
    ///
    /// # Errors
    /// `Unavailable` if the partitions cannot be made.
    pub async fn start(
        database: &Arc<Database>,
        bell: Arc<Bell>,
        options: StoreOptions,
    ) -> Result<Self, StoreError> {
        let days = Arc::new(Days::default());
        let today = day(database.clock.wall());
        days.make(database, [today, today.saturating_add(1)]).await?;
        let (queue, waiting) = mpsc::channel(options.queue.max(1));
        let (waiting, pace) = (Arc::new(Turn::new(waiting)), Arc::<Pace>::default());
        let start = |number| {
            let writer = Writer {
                number,
                database: Arc::clone(database),
                days: Arc::clone(&days),
                bell: Arc::clone(&bell),
                waiting: Arc::clone(&waiting),
                pace: Arc::clone(&pace),
                workers: options.workers.clone(),
                metrics: options.metrics.clone(),
            };
            database.runtime().spawn(writer.run())
        };
        let writers = Mutex::new((0..WRITERS).map(start).collect());
        Ok(Self {
            queue: Mutex::new(Some(queue)),
            most_bytes: options.queue_bytes,
            queued: Arc::default(),
            pace,
            writers,
        })
    }

    /// Queues an entry and waits until it is durable, for a while: a sender does not wait for ever, and an answer says
    /// when to repeat.
    ///
    /// # Errors
    /// As for `Log::append`.
    pub async fn append(&self, prepared: Prepared) -> Result<Written, StoreError> {
        let place = Place::take(&self.queued, prepared.weight, self.most_bytes).ok_or(StoreError::Full)?;
        let (answer, answered) = oneshot::channel();
        let waiting = Waiting { prepared: Box::new(prepared), answer, place };
        let sent = match &*self.queue.lock() {
            Some(queue) => queue.try_send(waiting).map_err(|refused| match refused {
                TrySendError::Full(_) => StoreError::Full,
                TrySendError::Closed(_) => closed(),
            }),
            None => Err(closed()),
        };
        sent?;
        match timeout(PATIENCE, answered).await {
            Ok(Ok(written)) => written.map(|(written, _)| written),
            Ok(Err(_)) => Err(StoreError::Unavailable("it was not written".to_owned())),
            Err(_) => Err(StoreError::Unavailable(format!(
                "the database did not finish within {} s; the delivery may be written later",
                PATIENCE.as_secs()
            ))),
        }
    }

    /// Whether deliveries wait for long.
    pub fn are_slow(&self) -> bool {
        self.pace.is_slow(Instant::now())
    }

    /// The number of deliveries that wait.
    pub fn depth(&self) -> usize {
        self.queued.entries()
    }

    /// Writes everything that waits; later appends fail.
    pub async fn close(&self) {
        drop(self.queue.lock().take());
        let writers = std::mem::take(&mut *self.writers.lock());
        for writer in writers {
            // A writer catches every panic of its work.
            let _ = writer.await;
        }
    }
}

fn closed() -> StoreError {
    StoreError::Unavailable("the store is closed".to_owned())
}

/// The turn of the one who writes.
type Writing = OwnedMutexGuard<mpsc::Receiver<Waiting>>;

/// Everything that waits, up to the size of a batch; `None` once the queue is closed and empty.
async fn next_batch(waiting: &mut mpsc::Receiver<Waiting>) -> Option<Vec<Waiting>> {
    let first = waiting.recv().await?;
    let mut bytes = first.prepared.weight;
    let mut batch = vec![first];
    while batch.len() < usize::try_from(PLACES).unwrap_or(1) && bytes < BATCH_BYTES {
        let Ok(next) = waiting.try_recv() else { break };
        bytes = bytes.saturating_add(next.prepared.weight);
        batch.push(next);
    }
    Some(batch)
}

/// Writes what waits.
struct Writer {
    number: i64,
    database: Arc<Database>,
    days: Arc<Days>,
    bell: Arc<Bell>,
    waiting: Arc<Turn<mpsc::Receiver<Waiting>>>,
    pace: Arc<Pace>,
    workers: Workers,
    metrics: StoreMetrics,
}

impl Writer {
    async fn run(self) {
        loop {
            let mut turn = Arc::clone(&self.waiting).lock_owned().await;
            let Some(batch) = next_batch(&mut turn).await else { return };
            // If it panics, the answers are dropped: their callers learn that it was not written.
            self.pace.begin(self.number, Instant::now());
            self.workers.watch("store-writer", self.write(batch, turn)).await;
            self.pace.end(self.number, Instant::now());
        }
    }

    async fn write(&self, waiting: Vec<Waiting>, turn: Writing) {
        let began = Instant::now();
        let entries: Vec<&Prepared> = waiting.iter().map(|waiting| &*waiting.prepared).collect();
        let written = self.commit(&entries, turn).await;
        match written {
            Ok(written) => {
                self.metrics.batch_written(written.len(), began.elapsed());
                for (waiting, written) in waiting.into_iter().zip(written) {
                    waiting.tell(Ok(written));
                }
            }
            Err(fault) => {
                self.days.forget();
                self.metrics.batch_failed();
                let cause = match fault {
                    StoreError::Unavailable(cause) => cause,
                    other => other.to_string(),
                };
                tracing::error!(%cause, entries = waiting.len(), "a batch could not be written");
                for waiting in waiting {
                    waiting.tell(Err(StoreError::Unavailable(cause.clone())));
                }
            }
        }
    }

    /// One transaction for the whole batch: all of it becomes durable, or none of it.
    async fn commit(&self, entries: &[&Prepared], turn: Writing) -> Result<Vec<Written>, StoreError> {
        let blocked = self.database.blocked.lock().clone();
        if let Some(why) = blocked {
            return Err(StoreError::Unavailable(why));
        }
        let now = self.database.clock.now();
        let days: BTreeSet<i64> = entries.iter().map(|entry| day(entry.delivery.received_at)).collect();
        self.days.make(&self.database, days.iter().copied()).await?;
        let (database, number) = (&*self.database, self.number);
        let turn = &Arc::new(Mutex::new(Some(turn)));
        let written = database
            .change(|to| async move {
                let written = batch::write(&to, database, number, entries, now).await;
                let turn = Arc::clone(turn);
                database.runtime().spawn(async move {
                    sleep(QUICK_COMMIT).await;
                    drop(turn.lock().take());
                });
                written
            })
            .await;
        drop(turn.lock().take());
        let written = written?;
        if let Some(last) = written.last() {
            self.bell.committed(last.seq);
        }
        self.make_ahead(days);
        Ok(written)
    }

    /// Makes the partitions of the days after these in the background, so that no delivery waits for them at midnight.
    fn make_ahead(&self, days: BTreeSet<i64>) {
        let (known, database) = (Arc::clone(&self.days), Arc::clone(&self.database));
        let next: Vec<i64> = days.into_iter().map(|day| day.saturating_add(1)).collect();
        if known.are_known(&next) {
            return;
        }
        self.database.runtime().spawn(async move {
            if let Err(fault) = known.make(&database, next).await {
                tracing::warn!(%fault, "the partition of tomorrow could not be made; the next batch tries again");
            }
        });
    }
}
