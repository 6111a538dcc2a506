//! How a node learns what is new in the log, whichever node wrote it.
//!
//! The table is the truth: what is new is read from it when another node rings, and every half second. Behind a pooler no
//! bell is heard at all. Of what this node has committed, it only asks whether it is final.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicI64, AtomicU32, Ordering};
use std::time::Duration;

use tokio::sync::Notify;
use tokio::time::{Instant, sleep, timeout};

use super::days::{day, first_instant};
use crate::store::StoreError;
use crate::store::postgres::{Connection, Database, HORIZON, column, horizon, params};
use crate::telemetry::Workers;

/// How often the table is read if nothing rings.
const POLL: Duration = Duration::from_millis(500);
/// How often all days are read. Otherwise only the last two: a node whose clock is far behind may write to another one.
const ALL_DAYS: Duration = Duration::from_secs(10);
/// The pause between two readings of the table.
const PAUSE: Duration = Duration::from_millis(5);
/// The first pause if there is something new that is not final yet; it doubles up to `POLL`.
const NOT_FINAL: Duration = Duration::from_millis(10);
/// The shortest time between two readings of the table.
const READ_EVERY: Duration = Duration::from_millis(40);
/// How often a node rings at most. Each ring takes a lock that all nodes share.
const RING_EVERY: Duration = Duration::from_millis(50);

/// What wakes those who look for new deliveries.
pub struct Bell {
    /// There may be something new.
    wake: Notify,
    /// Another node rang.
    is_rung: AtomicBool,
    /// This node committed something since it rang last.
    is_due: AtomicBool,
    /// The last position that this node committed.
    committed: AtomicI64,
    /// The timeline of the server from which the newest position was read.
    timeline: AtomicU32,
}

impl Bell {
    /// Reads what is there, then keeps reading what is new, and listens to other nodes.
    ///
    /// # Errors
    /// `Unavailable` if the log cannot be read.
    pub async fn start(database: &Arc<Database>, workers: &Workers) -> Result<Arc<Self>, StoreError> {
        let bell = Arc::new(Self {
            wake: Notify::new(),
            is_rung: AtomicBool::new(false),
            is_due: AtomicBool::new(false),
            committed: AtomicI64::new(0),
            timeline: AtomicU32::new(database.timeline()),
        });
        bell.look(database, i64::MIN).await?;
        let (following, followed, workers) = (Arc::clone(&bell), Arc::clone(database), workers.clone());
        database.runtime().spawn(async move {
            loop {
                // After a panic it goes on from the beginning.
                workers.watch("store-follower", following.follow(&followed)).await;
                sleep(POLL).await;
            }
        });
        database.runtime().spawn(Arc::clone(&bell).listen(Arc::clone(database)));
        Ok(bell)
    }

    /// Deliveries up to the position `seq` were committed on this node.
    pub fn committed(&self, seq: i64) {
        self.committed.fetch_max(seq, Ordering::AcqRel);
        self.is_due.store(true, Ordering::Release);
        self.wake.notify_one();
    }

    /// Raises the newest position as the log grows, and rings for the other nodes.
    async fn follow(&self, database: &Database) {
        let (mut rang, mut read, mut read_all) = (Instant::now(), Instant::now(), Instant::now());
        let (mut patience, mut until_final) = (POLL, NOT_FINAL);
        let mut is_behind = false;
        loop {
            if timeout(patience, self.wake.notified()).await.is_ok() {
                until_final = NOT_FINAL;
            }
            is_behind |= self.is_rung.swap(false, Ordering::AcqRel);
            let due = if is_behind { READ_EVERY } else { POLL }.saturating_sub(read.elapsed());
            let looked = if due.is_zero() {
                read = Instant::now();
                let since = if read_all.elapsed() > ALL_DAYS {
                    read_all = Instant::now();
                    i64::MIN
                } else {
                    day(database.clock.wall()).saturating_sub(1)
                };
                self.look(database, first_instant(since)).await
            } else {
                Ok(!is_behind)
            };
            is_behind = matches!(looked, Ok(false));
            let looked = match looked {
                Ok(is_final) => {
                    self.look_for_own(database).await.map(|is_own_final| is_own_final && is_final)
                }
                Err(fault) => Err(fault),
            };
            // A database that is away is asked again after a while.
            if looked.unwrap_or(true) {
                patience = POLL;
            } else {
                patience = until_final;
                until_final = until_final.saturating_mul(2).min(POLL);
            }
            if self.is_due.load(Ordering::Acquire) {
                let left = RING_EVERY.saturating_sub(rang.elapsed());
                if left.is_zero() {
                    self.is_due.store(false, Ordering::Release);
                    rang = Instant::now();
                    ring(database).await;
                } else {
                    patience = patience.min(left);
                }
            }
            sleep(PAUSE).await;
        }
    }

    /// Raises the positions that this node knows, from the days that begin at `since` or later. Returns whether everything
    /// that is there is final.
    async fn look(&self, database: &Database, since: i64) -> Result<bool, StoreError> {
        let connection = database.connection().await?;
        if database.look_behind(&connection).await {
            return Ok(false);
        }
        let timeline = database.timeline();
        if self.timeline.load(Ordering::Acquire) != timeline {
            self.go_back(database, &connection).await?;
            self.timeline.store(timeline, Ordering::Release);
        }
        let known = *database.newest.borrow();
        let row = connection
            .one(
                &format!(
                    r"
                    SELECT
                        (
                            SELECT seq
                            FROM deliveries
                            WHERE received_at >= $2
                            ORDER BY seq DESC
                            LIMIT 1
                        ) AS last,
                        (
                            SELECT seq
                            FROM deliveries
                            WHERE received_at >= $2 AND seq > $1 AND seq < {HORIZON}
                            ORDER BY seq DESC
                            LIMIT 1
                        ) AS newest,
                        {HORIZON} AS horizon,
                        (SELECT value FROM facts WHERE name = 'pruned_through') AS pruned_through
                    "
                ),
                &params![known, since],
            )
            .await?;
        database.pruned_through.fetch_max(column(&row, "pruned_through")?, Ordering::AcqRel);
        let horizon: i64 = column(&row, "horizon")?;
        if known >= horizon {
            // A standby without the last rows was promoted, and does not tell its timeline.
            self.go_back(database, &connection).await?;
            return Ok(false);
        }
        let newest = column::<Option<i64>>(&row, "newest")?.unwrap_or(known);
        database.see(newest);
        Ok(column::<Option<i64>>(&row, "last")?.is_none_or(|last| last <= newest))
    }

    /// Puts the newest position where the log ends now, which may be below what was seen of a primary that is gone. What
    /// was written meanwhile is looked for at once.
    async fn go_back(&self, database: &Database, connection: &Connection) -> Result<(), StoreError> {
        self.committed.store(0, Ordering::Release);
        let sql = format!("SELECT coalesce(max(seq), 0) AS last FROM deliveries WHERE seq < {HORIZON}");
        database.go_back(column(&connection.one(&sql, &[]).await?, "last")?);
        Ok(())
    }

    /// Raises the newest position to what this node has committed. Returns whether that is final.
    async fn look_for_own(&self, database: &Database) -> Result<bool, StoreError> {
        let committed = self.committed.load(Ordering::Acquire);
        if committed <= *database.newest.borrow() {
            return Ok(true);
        }
        let is_final = committed < horizon(&database.connection().await?).await?;
        if is_final {
            database.see(committed);
        }
        Ok(is_final)
    }

    /// Listens to the other nodes. While it cannot, the table is read all the same.
    async fn listen(self: Arc<Self>, database: Arc<Database>) {
        loop {
            if let Ok((link, mut rung)) = database.listener().await
                && link.client.batch_execute("LISTEN tagohook_log").await.is_ok()
            {
                self.is_rung.store(true, Ordering::Release);
                self.wake.notify_one();
                while rung.recv().await.is_some() {
                    self.is_rung.store(true, Ordering::Release);
                    self.wake.notify_one();
                }
            }
            sleep(POLL).await;
        }
    }
}

/// Tells the other nodes that there is something new. If it fails, they see it at their next reading.
async fn ring(database: &Database) {
    if let Ok(connection) = database.connection().await {
        let _ = connection.batch("NOTIFY tagohook_log").await;
    }
}
