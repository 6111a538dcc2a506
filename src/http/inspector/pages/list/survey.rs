//! How many deliveries the list finds, and the histogram above it: a bar leads to the deliveries of its time.

use super::fields::Fields;
use crate::domain::{DeliveryFilter, Timestamp, grouped};
use crate::http::inspector::InspectorState;
use crate::http::inspector::pages::charts::{Bars, Column, verdicts};
use crate::inspect::{Count, Survey};
use crate::store::StoreError;

/// Pixels from the top of the histogram to its axis.
const HEIGHT: u32 = 30;

/// What the page shows of a survey.
pub struct SurveyView {
    /// `1,130 deliveries`.
    pub count: String,
    found: Count,
    /// The histogram.
    pub chart: Bars,
    /// What it shows, for those who do not see it.
    pub words: String,
    /// Only the newest are in it.
    pub is_partial: bool,
    /// Where it is read again.
    pub url: String,
    /// The list of another time, with the words FROM and UNTIL in the places of its ends.
    pub range_url: String,
}

/// The survey of what `filter` finds; `fields` is the same as the address has it.
///
/// # Errors
/// `Unavailable`, `TooLong`.
pub async fn survey(
    state: &InspectorState,
    filter: &DeliveryFilter,
    fields: &Fields,
) -> Result<SurveyView, StoreError> {
    let sources: Vec<String> = state.source_names().into_iter().chain(["webhook-test".to_owned()]).collect();
    state.keep_counts().await;
    let found = Survey::of(&state.store, filter, &sources, state.clock.wall()).await?;
    let histogram = &found.histogram;
    let until = |from: Timestamp| from.moved(histogram.step.saturating_mul(1_000_000));
    let columns: Vec<Column> = histogram
        .slots
        .iter()
        .map(|slot| Column {
            from: slot.from,
            until: until(slot.from),
            parts: verdicts(&slot.verdicts),
            url: Some(fields.within(&bounds(slot.from, until(slot.from)))),
        })
        .collect();
    let first = histogram.slots.first().map(|slot| slot.from).unwrap_or_default();
    Ok(SurveyView {
        count: said(found.count, 0),
        found: found.count,
        words: format!("Deliveries over time, {} to {} UTC", short(first), short(histogram.end())),
        chart: Bars::of("histogram", &columns, HEIGHT),
        is_partial: histogram.is_partial,
        range_url: fields.within("after:FROM before:UNTIL"),
        url: format!("/deliveries/survey?{}", fields.query(None)),
    })
}

impl SurveyView {
    /// The same on a page with that many rows, which is the least there are; the exact count if the page shows them all.
    pub fn with_rows(self, rows: usize, are_all: bool) -> Self {
        let rows = u64::try_from(rows).unwrap_or(u64::MAX);
        let found = if are_all { Count { number: rows, is_at_least: false } } else { self.found };
        Self { count: said(found, rows), ..self }
    }
}

/// A count in words; where the time was too short to find one, a dash.
fn said(found: Count, least: u64) -> String {
    let number = if found.is_at_least { found.number.max(least) } else { found.number };
    match (number, found.is_at_least) {
        (0, true) => "– deliveries".to_owned(),
        (1, false) => "1 delivery".to_owned(),
        (number, false) => format!("{} deliveries", grouped(number)),
        (number, true) => format!("{}+ deliveries", grouped(number)),
    }
}

/// A stretch of time in the words of the search box.
fn bounds(from: Timestamp, until: Timestamp) -> String {
    format!("after:{} before:{}", whole(from), whole(until))
}

/// A whole second without its milliseconds.
fn whole(at: Timestamp) -> String {
    at.to_string().replace(".000Z", "Z")
}

fn short(at: Timestamp) -> String {
    at.to_string().get(..16).unwrap_or_default().replacen('T', " ", 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_count_is_never_less_than_what_is_seen() {
        let count = |number, is_at_least| Count { number, is_at_least };
        for (found, rows, expected) in [
            (count(1_130, false), 50, "1,130 deliveries"),
            (count(1, false), 1, "1 delivery"),
            (count(0, false), 0, "0 deliveries"),
            (count(10_000, true), 50, "10,000+ deliveries"),
            (count(0, true), 50, "50+ deliveries"),
            (count(0, true), 0, "– deliveries"),
        ] {
            assert_eq!(said(found, rows), expected);
        }
    }
}
