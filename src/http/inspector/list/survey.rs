//! How many deliveries the list finds, and the histogram above it: a bar leads to the deliveries of its time.

use super::fields::Fields;
use crate::domain::{DeliveryFilter, Timestamp};
use crate::http::inspector::InspectorState;
use crate::http::inspector::charts::{Bars, Column, count, verdicts};
use crate::inspect::Survey;
use crate::store::StoreError;

/// Pixels from the top of the histogram to its axis.
const HEIGHT: u32 = 30;

/// What the page shows of a survey.
pub struct SurveyView {
    /// `1,130 deliveries`.
    pub count: String,
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
    let number = count(found.count.number);
    let is_one = found.count.number == 1 && !found.count.is_at_least;
    Ok(SurveyView {
        count: format!(
            "{number}{} {}",
            if found.count.is_at_least { "+" } else { "" },
            if is_one { "delivery" } else { "deliveries" }
        ),
        words: format!("Deliveries over time, {} to {} UTC", short(first), short(histogram.end())),
        chart: Bars::of("histogram", &columns, HEIGHT),
        is_partial: histogram.is_partial,
        range_url: fields.within("after:FROM before:UNTIL"),
        url: format!("/deliveries/survey?{}", fields.query(None)),
    })
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
