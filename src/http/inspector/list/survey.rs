//! How many deliveries the list finds.

use super::fields::Fields;
use crate::domain::DeliveryFilter;
use crate::http::inspector::InspectorState;
use crate::inspect::Survey;
use crate::store::StoreError;

/// What the page shows of a survey.
pub struct SurveyView {
    /// `1,130 deliveries`.
    pub count: String,
    /// Where it is read again.
    pub url: String,
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
    let is_one = found.count.number == 1 && !found.count.is_at_least;
    Ok(SurveyView {
        count: format!(
            "{}{} {}",
            thousands(found.count.number),
            if found.count.is_at_least { "+" } else { "" },
            if is_one { "delivery" } else { "deliveries" }
        ),
        url: format!("/deliveries/survey?{}", fields.query(None)),
    })
}

/// A number with its thousands apart.
fn thousands(number: u64) -> String {
    let digits = number.to_string();
    let groups: Vec<&str> =
        digits.as_bytes().rchunks(3).rev().filter_map(|group| std::str::from_utf8(group).ok()).collect();
    groups.join(",")
}
