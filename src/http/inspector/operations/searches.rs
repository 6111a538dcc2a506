//! Saved searches.

use serde::Deserialize;
use utoipa::ToSchema;

use super::replay::fault;
use crate::http::inspector::problem::Problem;
use crate::http::inspector::request::{Blank, DeliveryParams, Fields, Members};
use crate::http::inspector::state::InspectorState;
use crate::store::SavedSearch;

/// The longest name, in characters.
const LONGEST_NAME: usize = 60;

/// A search to save.
#[derive(Clone, Debug, Default, Deserialize, ToSchema)]
pub struct SearchRequest {
    /// Parameters of a list, as `verdict=rejected&q=…`.
    #[schema(value_type = String)]
    pub query: Option<String>,
}

impl Members for SearchRequest {}

/// Saves a search under a name.
///
/// # Errors
/// 400 for an invalid name or query, 409 if there are too many, 503.
pub async fn save(state: &InspectorState, name: &str, query: &str) -> Result<SavedSearch, Problem> {
    let name = name.trim();
    if name.is_empty() || name.chars().count() > LONGEST_NAME || name.contains(char::is_control) {
        let why = format!("1 to {LONGEST_NAME} characters");
        return Err(Problem::bad_body(vec![fault("/name", why)]));
    }
    Fields::of_query(query, Blank::Absent).read::<DeliveryParams>().map_err(Problem::of_body)?;
    let search = SavedSearch { name: name.to_owned(), query: query.to_owned() };
    if state.store.save_search(search.clone()).await? {
        return Ok(search);
    }
    Err(Problem::conflict("A hundred searches are saved already: remove one first."))
}
