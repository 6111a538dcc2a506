//! How long the senders of each source wait for our response, compared with their timeout.

use std::collections::BTreeMap;
use std::time::Duration;

use crate::domain::{DeliveryFilter, Reason, Source};
use crate::store::{Answered, Store, StoreError};

/// The deliveries that are looked at, the newest of all sources together.
pub const LAST: usize = 20_000;

/// Of a source that is not among them, the newest of its own.
const QUIET: usize = 500;

/// The times of one source.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AckTimes {
    /// The source.
    pub source: String,
    /// The number of its deliveries among those examined.
    pub deliveries: usize,
    /// Half of them were answered within this time.
    pub p50: Duration,
    /// Nineteen of twenty.
    pub p95: Duration,
    /// Ninety-nine of a hundred.
    pub p99: Duration,
    /// How long its sender waits, where the source is configured.
    pub timeout: Option<Duration>,
    /// How often its sender gave up before our answer: it broke off, or we took longer than it waits.
    pub gave_up: usize,
}

/// The times of every source that received something lately, by its name.
///
/// # Errors
/// `Unavailable`.
pub async fn ack_times(store: &Store, sources: &[Source]) -> Result<Vec<AckTimes>, StoreError> {
    let mut by_source: BTreeMap<String, Vec<Answered>> = BTreeMap::new();
    for answered in store.answered_lately(LAST).await? {
        by_source.entry(answered.source.clone()).or_default().push(answered);
    }
    // A quiet source among busy ones is asked for by its name.
    for source in sources.iter().filter(|source| !source.name.is_empty()) {
        if !by_source.contains_key(&source.name) {
            let filter = DeliveryFilter { source: Some(source.name.clone()), ..DeliveryFilter::default() };
            let rows = store.list(&filter, None, QUIET).await?;
            let answered = rows.into_iter().map(|row| Answered {
                source: row.source,
                duration_us: row.duration_us,
                reason: row.reason,
            });
            by_source.insert(source.name.clone(), answered.collect());
        }
    }
    by_source.retain(|_, answered| !answered.is_empty());
    let times = by_source.into_iter().map(|(name, answered)| {
        let timeout = sources.iter().find(|source| source.name == name).map(|source| source.sender_timeout);
        times(name, &answered, timeout)
    });
    Ok(times.collect())
}

fn times(source: String, answered: &[Answered], timeout: Option<Duration>) -> AckTimes {
    let mut sorted: Vec<Duration> =
        answered.iter().map(|answered| Duration::from_micros(answered.duration_us)).collect();
    sorted.sort_unstable();
    // The nearest rank: the smallest value that this percentage does not exceed.
    let at = |hundredths: usize| {
        let rank = sorted.len().saturating_mul(hundredths).div_ceil(100).max(1);
        sorted.get(rank.saturating_sub(1)).copied().unwrap_or_default()
    };
    let gave_up = |answered: &&Answered| {
        answered.reason == Some(Reason::Incomplete)
            || timeout.is_some_and(|timeout| Duration::from_micros(answered.duration_us) >= timeout)
    };
    AckTimes {
        deliveries: answered.len(),
        p50: at(50),
        p95: at(95),
        p99: at(99),
        gave_up: answered.iter().filter(gave_up).count(),
        source,
        timeout,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn percentiles_are_of_the_nearest_rank_and_who_gave_up_is_counted() {
        let one =
            |duration_us: u64, reason: Option<Reason>| Answered { source: "a".into(), duration_us, reason };
        let mut answered: Vec<Answered> = (1..=100).map(|at| one(at * 1_000, None)).collect();
        let told = times("a".into(), &answered, Some(Duration::from_millis(99)));
        let ms = Duration::from_millis;
        assert_eq!((told.p50, told.p95, told.p99, told.gave_up), (ms(50), ms(95), ms(99), 2));
        answered.push(one(1, Some(Reason::Incomplete)));
        assert_eq!(times("a".into(), &answered, None).gave_up, 1);
        let single = times("a".into(), &[one(7, None)], None);
        assert_eq!((single.p50, single.p99), (Duration::from_micros(7), Duration::from_micros(7)));
    }
}
