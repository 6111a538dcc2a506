//! Deliveries that one is usually compared with, to be picked from a list.

use super::row_view::RowView;
use crate::domain::{DeliveryFilter, DeliveryRow};
use crate::inspect::timeline::Timeline;
use crate::store::{Store, StoreError};

/// The most deliveries of the event, and the most others of its type.
const MOST: usize = 8;

/// A delivery to compare with.
pub struct Candidate {
    pub id: String,
    /// When it was received, what became of it, and what it is to the other one.
    pub label: String,
}

impl Candidate {
    /// The first delivery of the event of `row`, other deliveries of that event, and those before it of the same type.
    pub async fn all(store: &Store, row: &DeliveryRow, event: &Timeline) -> Result<Vec<Self>, StoreError> {
        let same = event.attempts.iter().rev().take(MOST).map(|attempt| &attempt.row);
        let same = same.filter(|other| other.id != row.id);
        let mut found: Vec<Self> = same.map(|other| Self::of(other, "same event")).collect();
        if let Some(event_type) = &row.event_type {
            let filter = DeliveryFilter {
                source: Some(row.source.clone()),
                event_type: Some(event_type.clone()),
                ..DeliveryFilter::default()
            };
            let before = store.list(&filter, Some(row.seq), MOST).await?;
            let is_new = |other: &&DeliveryRow| found.iter().all(|known| known.id != other.id.to_string());
            let others: Vec<Self> =
                before.iter().filter(is_new).map(|other| Self::of(other, "same type")).collect();
            found.extend(others);
        }
        Ok(found)
    }

    fn of(row: &DeliveryRow, what: &str) -> Self {
        let view = RowView::from(row);
        let id = if view.event_id.is_empty() { String::new() } else { format!(" · {}", view.event_id) };
        Self { id: view.id, label: format!("{} · {} · {what}{id}", view.time, view.verdict) }
    }
}
