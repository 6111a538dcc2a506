//! The part of a delivery's page that shows every delivery of its event.

use super::row_view::RowView;
use crate::domain::{DeliveryRow, Timestamp};
use crate::http::inspector::operations::comparison::changes_word;
use crate::http::inspector::words::When;
use crate::inspect::ClientRepeat;
use crate::inspect::duration::seconds;
use crate::inspect::timeline::Timeline;

/// What the section shows; without a second delivery, nothing.
#[derive(Default)]
pub struct Attempts {
    pub rows: Vec<AttemptView>,
    pub has_more: bool,
    pub schedule: String,
}

/// A row of its table.
pub struct AttemptView {
    pub row: RowView,
    pub received: When,
    pub is_here: bool,
    pub gap: String,
    /// Who repeated it, if it was not a retry of the sender.
    pub repeat: String,
    /// How its body differs from the one before.
    pub body: String,
    /// Where both are compared.
    pub diff: Option<String>,
}

impl Attempts {
    /// The section of a delivery; the timeline is that of its event.
    pub fn of(timeline: &Timeline, row: &DeliveryRow, now: Timestamp) -> Self {
        if timeline.attempts.len() < 2 {
            return Self::default();
        }
        let mut before = None;
        let views = timeline.attempts.iter().map(|attempt| {
            let here = attempt.row.id.to_string();
            let last = before.replace(here.clone());
            AttemptView {
                is_here: attempt.row.id == row.id,
                gap: attempt.gap.map(|gap| format!("+{}", seconds(gap.as_secs_f64()))).unwrap_or_default(),
                repeat: attempt.repeat.as_ref().map(ClientRepeat::sentence).unwrap_or_default(),
                body: attempt.changes.as_ref().map(changes_word).unwrap_or_default(),
                diff: last.map(|last| format!("/diff?a={last}&b={here}")),
                received: When::clock(attempt.row.received_at, now),
                row: RowView::from(&attempt.row),
            }
        });
        Self {
            rows: views.collect(),
            has_more: timeline.has_more,
            schedule: timeline.schedule.clone().unwrap_or_default(),
        }
    }
}
