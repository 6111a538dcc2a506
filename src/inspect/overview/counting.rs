//! Keeps what the receiver counts, a few times a minute.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::watch;

use crate::domain::{Clock, Timestamp};
use crate::store::{Minute, Store, StoreError};
use crate::telemetry::Metrics;

/// How often counts are stored; a killed program loses at most this much.
const EVERY: Duration = Duration::from_secs(5);
/// Seconds of a minute.
const MINUTE: i64 = 60;

/// Stores counts.
#[derive(Clone)]
pub struct Counting {
    /// Where they are kept.
    pub store: Store,
    /// The counters.
    pub metrics: Arc<Metrics>,
    /// The time.
    pub clock: Arc<dyn Clock>,
}

impl Counting {
    /// Stores what was counted since the last time, in the minute of `since`. Counts that cannot be stored are lost for
    /// the overview; the deliveries are in the log.
    ///
    /// # Errors
    /// `Unavailable`, `Full`.
    pub async fn keep(&self, since: Timestamp) -> Result<(), StoreError> {
        let minute = since.as_secs().div_euclid(MINUTE);
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
        let since = counting.clock.wall();
        let stop = stopping.wait_for(|is_stopping| *is_stopping);
        let is_over = tokio::time::timeout(until_kept(since), stop).await.is_ok();
        if let Err(fault) = counting.keep(since).await {
            tracing::warn!(%fault, "counts for the overview are lost");
        }
        if is_over {
            return;
        }
    }
}

/// The time until counts are stored next: no later than the end of the minute, so that all of them are of one minute.
fn until_kept(since: Timestamp) -> Duration {
    const MICROS: i64 = MINUTE * 1_000_000;
    let left = MICROS.saturating_sub(since.as_micros().rem_euclid(MICROS));
    EVERY.min(Duration::from_micros(left.unsigned_abs()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counts_are_stored_before_their_minute_is_over() {
        let at = |time: &str| until_kept(Timestamp::parse_rfc3339(time).unwrap());
        assert_eq!(at("2026-03-09T07:14:10Z"), EVERY);
        assert_eq!(at("2026-03-09T07:14:57.900Z"), Duration::from_millis(2_100));
        assert_eq!(at("2026-03-09T07:14:59.999999Z"), Duration::from_micros(1));
        assert_eq!(at("2026-03-09T07:15:00Z"), EVERY);
    }
}
