//! Whether a delivery could be written now.

use std::sync::Arc;
use std::time::Duration;

use parking_lot::Mutex;
use tokio::sync::watch;
use tokio::time::timeout;

use crate::store::StoreError;
use crate::store::postgres::{Database, params};

/// How long a small write may take.
const PATIENCE: Duration = Duration::from_secs(3);
/// The size of the row: it fits into no page that has another one, so that a disk without room is noticed.
const FILLER: usize = 7_000;

type Outcome = Option<Result<(), String>>;

/// The small write. One at a time: while the database does not answer, or waits for its standby, others wait for the
/// result of the one that is under way, and the pool keeps its connections.
#[derive(Default)]
pub struct Probe(Mutex<Option<watch::Receiver<Outcome>>>);

impl Probe {
    /// Writes a little, and waits until it is as durable as a delivery.
    ///
    /// # Errors
    /// `Unavailable`, after a few seconds at the latest.
    pub async fn run(&self, database: &Arc<Database>) -> Result<(), StoreError> {
        let mut outcome = self.join(database);
        let settled = timeout(PATIENCE, outcome.wait_for(Option::is_some)).await;
        let unavailable = |why: &str| Err(StoreError::Unavailable(why.to_owned()));
        match settled {
            Ok(Ok(outcome)) => match &*outcome {
                Some(Err(why)) => unavailable(why),
                _ => Ok(()),
            },
            Ok(Err(_)) => unavailable("the store is closed"),
            Err(_) => {
                unavailable(&format!("the database did not confirm a write within {} s", PATIENCE.as_secs()))
            }
        }
    }

    /// The write that is under way, or a new one.
    fn join(&self, database: &Arc<Database>) -> watch::Receiver<Outcome> {
        let mut current = self.0.lock();
        if let Some(running) = &*current
            && running.borrow().is_none()
            && running.has_changed().is_ok()
        {
            return running.clone();
        }
        let (settle, outcome) = watch::channel(None);
        *current = Some(outcome.clone());
        let database = Arc::clone(database);
        // Not in the caller's task, which may end while the database writes.
        database.runtime().clone().spawn(async move {
            let written = write(&database).await;
            settle.send_replace(Some(written.map_err(|fault| match fault {
                StoreError::Unavailable(why) => why,
                other => other.to_string(),
            })));
        });
        outcome
    }
}

async fn write(database: &Database) -> Result<(), StoreError> {
    let connection = database.connection().await?;
    connection
        .run(
            r"
            INSERT INTO probes (node, at, filler)
            VALUES ($1, $2, $3)
            ON CONFLICT (node) DO UPDATE SET
                at = excluded.at,
                filler = excluded.filler
            ",
            &params![database.node, database.clock.wall().as_micros(), vec![0x55_u8; FILLER]],
        )
        .await?;
    Ok(())
}
