//! The recent deliveries of sources.

use crate::domain::{DeliveryFilter, Source, Timestamp, Verdict};
use crate::http::inspector::state::InspectorState;
use crate::inspect::overview::{Overview, Range};
use crate::store::StoreError;

/// The recent deliveries of a source.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Traffic {
    /// When the last delivery was received.
    pub last_seen: Option<Timestamp>,
    /// Accepted within the last day, including duplicates.
    pub accepted: u64,
    /// Rejected within the last day.
    pub refused: u64,
}

impl Traffic {
    /// The recent deliveries of each of these sources.
    ///
    /// # Errors
    /// `Unavailable`.
    pub async fn of(state: &InspectorState, sources: &[Source]) -> Result<Vec<Self>, StoreError> {
        let day = Overview::of(&state.store, Range::Day, state.clock.wall()).await?;
        let mut all = Vec::new();
        for source in sources {
            let filter = DeliveryFilter { source: Some(source.name.clone()), ..DeliveryFilter::default() };
            let newest = state.store.list(&filter, None, 1).await?;
            let counts = day.sources.iter().find(|sum| sum.source == source.name);
            let count = |verdicts: &[Verdict]| {
                let by_verdict = counts.iter().flat_map(|sum| Verdict::ALL.into_iter().zip(sum.verdicts));
                by_verdict.filter(|(verdict, _)| verdicts.contains(verdict)).map(|(_, count)| count).sum()
            };
            all.push(Self {
                last_seen: newest.first().map(|row| row.received_at),
                accepted: count(&[Verdict::Accepted, Verdict::Duplicate]),
                refused: count(&[Verdict::Rejected]),
            });
        }
        Ok(all)
    }
}
