//! Keeps what the receiver counts, a few times a minute.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::watch;

use crate::domain::Clock;
use crate::store::{Minute, Store, StoreError};
use crate::telemetry::Metrics;

/// So often counts are kept; a program that is killed loses no more of them than that.
const EVERY: Duration = Duration::from_secs(5);

/// Who keeps counts.
#[derive(Clone)]
pub struct Counting {
    /// Where they are kept.
    pub store: Store,
    /// Who counts.
    pub metrics: Arc<Metrics>,
    /// The time.
    pub clock: Arc<dyn Clock>,
}

impl Counting {
    /// Keeps what was counted since the last time. What cannot be kept is forgotten: it is in the log all the same.
    ///
    /// # Errors
    /// `Unavailable`, `Full`.
    pub async fn keep(&self) -> Result<(), StoreError> {
        let minute = self.clock.wall().as_secs().div_euclid(60);
        let counted: Vec<Minute> = self
            .metrics
            .tally()
            .take()
            .into_iter()
            .map(|(source, (verdict, reason), counted)| Minute { minute, source, verdict, reason, counted })
            .collect();
        if counted.is_empty() { Ok(()) } else { self.store.add_minutes(counted).await }
    }
}

/// Keeps counts until the program stops, and once more then. After a panic it starts again.
pub async fn keep_counts(counting: Counting, stopping: watch::Receiver<bool>) {
    let workers = counting.metrics.workers();
    while workers.watch("counter", keep_on(&counting, stopping.clone())).await.is_none() {
        tokio::time::sleep(EVERY).await;
    }
}

async fn keep_on(counting: &Counting, mut stopping: watch::Receiver<bool>) {
    loop {
        let is_over =
            tokio::time::timeout(EVERY, stopping.wait_for(|is_stopping| *is_stopping)).await.is_ok();
        if let Err(fault) = counting.keep().await {
            tracing::warn!(%fault, "counts for the overview are lost");
        }
        if is_over {
            return;
        }
    }
}
