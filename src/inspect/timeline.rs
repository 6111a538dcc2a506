//! Every delivery of one event: the gaps between them, what was answered, and the schedule by which its sender tries again.

use std::time::Duration;

use crate::domain::{DeliveryRow, StoredDelivery};
use crate::inspect::ClientRepeat;
use crate::inspect::diff::{Changes, changes};
use crate::inspect::duration::seconds;
use crate::store::{Store, StoreError};

/// The shortest wait before the first repeat of a schedule, in seconds.
const SHORT: f64 = 0.05;
/// The most deliveries of one event that are looked at.
const MOST: usize = 200;
/// Bodies are compared until this many bytes of them were read.
const COMPARED: usize = 8 * 1024 * 1024;

/// The deliveries of an event.
#[derive(Clone, Debug, Default)]
pub struct Timeline {
    /// The attempts, the oldest first.
    pub attempts: Vec<Attempt>,
    /// Whether there were more, before the first of these.
    pub has_more: bool,
    /// By which schedule they came, in words; `None` if there was only one.
    pub schedule: Option<String>,
}

/// One delivery of it.
#[derive(Clone, Debug)]
pub struct Attempt {
    /// Its stored row.
    pub row: DeliveryRow,
    /// Since the one before.
    pub gap: Option<Duration>,
    /// How its body differs from the one before; `None`: not compared.
    pub changes: Option<Changes>,
    /// Whether the client or a proxy repeated the one before automatically.
    pub repeat: Option<ClientRepeat>,
}

impl Timeline {
    /// The deliveries of the event `event_id` at `source`.
    ///
    /// # Errors
    /// `Unavailable`.
    pub async fn of(store: &Store, source: &str, event_id: &str) -> Result<Self, StoreError> {
        let mut rows = store.of_event(source, event_id, MOST.saturating_add(1)).await?;
        let has_more = rows.len() > MOST;
        rows.truncate(MOST);
        rows.reverse();
        // A client's immediate repeat may be written before the request that it repeats.
        rows.sort_by_key(|row| row.received_at);
        let mut attempts: Vec<Attempt> = Vec::new();
        let mut before: Option<StoredDelivery> = None;
        let mut left = COMPARED;
        for row in rows {
            let gap = attempts.last().map(|last| gap(&last.row, &row));
            let size = usize::try_from(row.size_bytes).unwrap_or(usize::MAX);
            let fits = size <= left;
            left = left.saturating_sub(size);
            let whole = match fits {
                true => store.delivery(row.id).await?,
                false => None,
            };
            let (repeat, changes) = match (before.take(), &whole) {
                (Some(before), Some(whole)) => {
                    let repeat = ClientRepeat::of(&before, whole);
                    // A repeat that was read before its request.
                    if let Some(last) = attempts.last_mut().filter(|_| repeat.is_none()) {
                        last.repeat = last.repeat.or_else(|| ClientRepeat::of(whole, &before));
                    }
                    let body = whole.body.clone();
                    let changes = tokio::task::spawn_blocking(move || changes(&before.body, &body));
                    (repeat, changes.await.ok())
                }
                _ => (None, None),
            };
            before = whole;
            attempts.push(Attempt { row, gap, changes, repeat });
        }
        let gaps: Vec<f64> =
            attempts.iter().filter_map(|attempt| attempt.gap).map(|gap| gap.as_secs_f64()).collect();
        Ok(Self { schedule: schedule(&gaps), attempts, has_more })
    }
}

fn gap(before: &DeliveryRow, after: &DeliveryRow) -> Duration {
    let micros = after.received_at.as_micros().saturating_sub(before.received_at.as_micros());
    Duration::from_micros(u64::try_from(micros).unwrap_or(0))
}

/// The schedule behind the gaps, which are in seconds.
fn schedule(gaps: &[f64]) -> Option<String> {
    let first = *gaps.first()?;
    let listed = gaps.iter().take(6).map(|gap| seconds(*gap)).collect::<Vec<_>>().join(", ");
    let more = if gaps.len() > 6 { ", …" } else { "" };
    let told = format!("{} attempts, gaps {listed}{more}", gaps.len().saturating_add(1));
    let spread = |values: &[f64]| {
        let least = values.iter().copied().fold(f64::INFINITY, f64::min);
        let most = values.iter().copied().fold(0.0, f64::max);
        if least > 0.0 { most / least } else { f64::INFINITY }
    };
    let pairs = || gaps.iter().zip(gaps.iter().skip(1));
    let ratios: Vec<f64> = pairs().map(|(one, next)| next / one).collect();
    let steps: Vec<f64> = pairs().map(|(one, next)| next - one).collect();
    let mean =
        |values: &[f64]| values.iter().sum::<f64>() / f64::from(u32::try_from(values.len()).unwrap_or(1));
    let kind = if gaps.len() == 1 {
        return Some(told);
    } else if spread(gaps) <= 1.35 {
        format!("fixed, about {}", seconds(mean(gaps)))
    } else if first >= SHORT
        && ratios.iter().all(|ratio| *ratio > 1.4 && *ratio <= 10.0)
        && spread(&ratios) <= 1.6
    {
        format!("exponential, base {}, factor {:.1}", seconds(first), mean(&ratios))
    } else if first >= SHORT
        && steps.len() > 1
        && steps.iter().all(|step| *step > 0.0)
        && spread(&steps) <= 1.35
    {
        format!("linear, {} more each time", seconds(mean(&steps)))
    } else {
        "no known retry schedule".to_owned()
    };
    Some(format!("{told}: {kind}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn schedules_are_told_by_their_gaps() {
        let told = |gaps: &[f64]| schedule(gaps).unwrap_or_default();
        assert_eq!(schedule(&[]), None);
        assert_eq!(told(&[1.0]), "2 attempts, gaps 1.0 s");
        assert_eq!(told(&[1.0, 2.1]), "3 attempts, gaps 1.0 s, 2.1 s: exponential, base 1.0 s, factor 2.1");
        assert!(told(&[1.0, 2.2, 4.1, 9.0]).ends_with("exponential, base 1.0 s, factor 2.1"));
        assert!(told(&[60.0, 61.0, 59.0]).ends_with("fixed, about 60.0 s"));
        assert!(told(&[10.0, 20.0, 30.0, 40.0]).ends_with("linear, 10.0 s more each time"));
        assert!(told(&[10.0, 1.0, 30.0]).ends_with("no known retry schedule"));
        assert!(told(&[0.002, 1.0]).ends_with("no known retry schedule"));
        assert!(told(&[0.102, 4.0]).ends_with("no known retry schedule"));
        assert!(told(&[0.0, 1.0]).ends_with("no known retry schedule"));
        assert!(told(&[0.0, 0.0]).ends_with("no known retry schedule"));
    }
}
