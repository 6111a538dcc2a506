//! Which deliveries a run replays, found before the first of them is sent.

use std::collections::BTreeMap;
use std::time::Duration;

use crate::domain::{DeliveryFilter, DeliveryId, DeliveryRow, Verdict};
use crate::store::{Store, StoreError};

/// The most deliveries of a run.
pub const MOST: usize = 100_000;
/// Rows read at once.
const PAGE: usize = 500;

/// The deliveries of a run in the order of sending.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Plan {
    /// Their ids.
    pub deliveries: Vec<DeliveryId>,
    /// Whether the search finds more than are here.
    pub has_more: bool,
    /// What they are, the most frequent first.
    pub groups: Vec<Group>,
}

/// Deliveries of a plan that are alike.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Group {
    /// Their source.
    pub source: String,
    /// The event that they carry, or that a refused body names; empty if it names none.
    pub event: String,
    /// What became of them.
    pub verdict: Verdict,
    /// How many.
    pub count: u32,
}

impl Plan {
    /// The newest deliveries that match, at most `limit` of them.
    ///
    /// # Errors
    /// `Unavailable`.
    pub async fn of(
        store: &Store,
        filter: &DeliveryFilter,
        limit: usize,
        is_newest_first: bool,
    ) -> Result<Self, StoreError> {
        let mut deliveries: Vec<DeliveryId> = Vec::new();
        let mut groups = Groups::default();
        let mut before = None;
        // One more than fits tells whether there are more.
        while deliveries.len() <= limit {
            let rows = store.list(filter, before, PAGE).await?;
            let room = limit.saturating_sub(deliveries.len());
            rows.iter().take(room).for_each(|row| groups.add(row));
            deliveries.extend(rows.iter().map(|row| row.id));
            match rows.last() {
                Some(oldest) if rows.len() == PAGE => before = Some(oldest.seq),
                _ => break,
            }
        }
        let has_more = deliveries.len() > limit;
        deliveries.truncate(limit);
        if !is_newest_first {
            deliveries.reverse();
        }
        Ok(Self { deliveries, has_more, groups: groups.sorted() })
    }

    /// How long it takes at least, where it goes at a rate.
    #[must_use]
    pub fn lasts(&self, per_second: Option<f64>) -> Option<Duration> {
        let gaps = u32::try_from(self.deliveries.len().saturating_sub(1)).unwrap_or(u32::MAX);
        per_second.map(|rate| Duration::try_from_secs_f64(f64::from(gaps) / rate).unwrap_or(Duration::MAX))
    }
}

/// Counts by source, event and verdict; the verdict by its word.
#[derive(Default)]
struct Groups(BTreeMap<(String, String, &'static str), (Verdict, u32)>);

impl Groups {
    fn add(&mut self, row: &DeliveryRow) {
        let event = row.event_type.as_ref().or(row.unverified.event.as_ref()).cloned().unwrap_or_default();
        let key = (row.source.clone(), event, row.verdict.as_str());
        let (_, count) = self.0.entry(key).or_insert((row.verdict, 0));
        *count = count.saturating_add(1);
    }

    fn sorted(self) -> Vec<Group> {
        let group = |((source, event, _), (verdict, count))| Group { source, event, verdict, count };
        let mut groups: Vec<Group> = self.0.into_iter().map(group).collect();
        groups.sort_by_key(|group| std::cmp::Reverse(group.count));
        groups
    }
}
