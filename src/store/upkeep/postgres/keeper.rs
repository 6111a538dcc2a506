//! Keeps the store in shape: retention from time to time, on one node at a time, and what this node knows of the size.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use parking_lot::Mutex;
use tokio::time::sleep;

use super::probe::Probe;
use super::retention::{Step, Turn};
use crate::store::postgres::{Database, NOW_US, column, params};
use crate::store::upkeep::ages::Ages;
use crate::store::{Pruned, StoreError};
use crate::telemetry::Workers;

/// How often the size is read.
const LOOK_EVERY: Duration = Duration::from_secs(5);
/// How often retention runs, over all nodes, in microseconds.
const RETENTION_EVERY_US: i64 = 9_000_000;
/// How long a run in the background takes at most, before the next look at the size.
const RUN_TIME: Duration = Duration::from_secs(20);
/// How often a partition is tried that others use, and the pause between.
const TRIES: usize = 3;
const PAUSE: Duration = Duration::from_millis(100);
/// In the background, a day that others use is left alone for so long.
const USED_DAY_PAUSE: Duration = Duration::from_secs(30);

/// Keeps the store in shape.
pub struct Keeper {
    database: Arc<Database>,
    /// Bytes that count against `max_size`, as of the last look.
    used: AtomicU64,
    /// The ages of rows.
    ages: Mutex<Ages>,
    probe: Probe,
}

impl Keeper {
    /// Reads the size, then starts what runs in the background.
    ///
    /// # Errors
    /// `Unavailable`.
    pub async fn start(database: &Arc<Database>, workers: &Workers) -> Result<Arc<Self>, StoreError> {
        let keeper = Arc::new(Self {
            database: Arc::clone(database),
            used: AtomicU64::new(0),
            ages: Mutex::default(),
            probe: Probe::default(),
        });
        // The clock as it is now; see `Ages`.
        keeper.ages.lock().trusted(database.clock.both());
        keeper.look().await?;
        let (kept, workers) = (Arc::clone(&keeper), workers.clone());
        database.runtime().spawn(async move {
            loop {
                // After a panic it goes on from the beginning.
                workers.watch("store-retention", kept.keep()).await;
                sleep(LOOK_EVERY).await;
            }
        });
        Ok(keeper)
    }

    /// Bytes that count against `max_size`, as of the last look.
    pub fn used(&self) -> u64 {
        self.used.load(Ordering::Relaxed)
    }

    /// Checks that a delivery could be written now.
    ///
    /// # Errors
    /// `Unavailable`.
    pub async fn ready(&self) -> Result<(), StoreError> {
        let blocked = self.database.blocked.lock().clone();
        match blocked {
            Some(why) => Err(StoreError::Unavailable(why)),
            None => self.probe.run(&self.database).await,
        }
    }

    /// Runs retention to its end, after other nodes.
    ///
    /// # Errors
    /// `Unavailable`.
    pub async fn prune(&self) -> Result<Pruned, StoreError> {
        let (mut pruned, mut skipped) = (Pruned::default(), BTreeSet::new());
        while self.advance(Turn::Wait, &mut pruned, &mut skipped).await? {}
        self.look().await?;
        Ok(pruned)
    }

    async fn keep(&self) {
        let mut is_away = false;
        let mut skipped = (Instant::now(), BTreeSet::new());
        loop {
            sleep(LOOK_EVERY).await;
            match self.keep_once(&mut skipped).await {
                Ok(()) => is_away = false,
                // Once: whatever cannot be written says so itself.
                Err(fault) if !is_away => {
                    tracing::error!(%fault, "retention could not run");
                    is_away = true;
                }
                Err(_) => {}
            }
        }
    }

    async fn keep_once(&self, skipped: &mut (Instant, BTreeSet<i64>)) -> Result<(), StoreError> {
        self.look().await?;
        if !self.is_due().await? {
            return Ok(());
        }
        let (since, days) = skipped;
        if since.elapsed() > USED_DAY_PAUSE {
            *since = Instant::now();
            days.clear();
        }
        let began = Instant::now();
        let mut pruned = Pruned::default();
        while self.advance(Turn::Yield, &mut pruned, days).await? && began.elapsed() < RUN_TIME {}
        let Pruned { deliveries, event_ids, messages } = pruned;
        if pruned != Pruned::default() {
            tracing::info!(deliveries, event_ids, messages, "retention removed");
        }
        self.look().await
    }

    /// Whether it is time for a run, and no other node begins it.
    async fn is_due(&self) -> Result<bool, StoreError> {
        let begun = self
            .database
            .change(|to| async move {
                to.batch("SET LOCAL synchronous_commit = local").await?;
                to.run(
                    &format!(
                        r"
                        UPDATE facts
                        SET value = clock.now
                        FROM (SELECT {NOW_US} AS now) AS clock
                        WHERE name = 'pruned_at' AND value NOT BETWEEN clock.now - $1 AND clock.now
                        "
                    ),
                    &params![RETENTION_EVERY_US],
                )
                .await
            })
            .await?;
        Ok(begun > 0)
    }

    /// Makes one step; `false` if there is nothing left to do.
    async fn advance(
        &self,
        turn: Turn,
        pruned: &mut Pruned,
        skipped: &mut BTreeSet<i64>,
    ) -> Result<bool, StoreError> {
        let mut left = TRIES;
        loop {
            let now = self.ages.lock().trusted(self.database.clock.both());
            match self.database.retention_step(turn, now, skipped).await? {
                Step::Busy | Step::Nothing => return Ok(false),
                Step::Removed(more) => {
                    pruned.add(more);
                    return Ok(true);
                }
                Step::InUse(_) if left > 1 => {
                    left = left.saturating_sub(1);
                    sleep(PAUSE).await;
                }
                Step::InUse(day) => {
                    skipped.insert(day);
                    return Ok(true);
                }
            }
        }
    }

    /// Reads the size, how far the log was pruned, and whether the store is full.
    async fn look(&self) -> Result<(), StoreError> {
        let row = self
            .database
            .connection()
            .await?
            .one(
                r"
                SELECT
                    (SELECT coalesce(sum(bytes), 0)::bigint FROM delivery_totals) AS used,
                    (SELECT value FROM facts WHERE name = 'pruned_through') AS pruned_through,
                    (SELECT value FROM facts WHERE name = 'is_full') AS is_full
                ",
                &[],
            )
            .await?;
        let used = u64::try_from(column::<i64>(&row, "used")?).unwrap_or(0);
        self.used.store(used, Ordering::Relaxed);
        self.database.pruned_through.fetch_max(column(&row, "pruned_through")?, Ordering::AcqRel);
        let is_full = column::<i64>(&row, "is_full")? > 0 && used > self.database.retention.max_size;
        let why = is_full.then(|| "max_size is reached and nothing can be removed".to_owned());
        let before = std::mem::replace(&mut *self.database.blocked.lock(), why);
        if is_full && before.is_none() {
            tracing::error!("max_size is reached and nothing can be removed: deliveries are answered 503");
        }
        Ok(())
    }
}
