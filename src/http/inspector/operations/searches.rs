//! Saved searches.

use actix_web::http::StatusCode;

use crate::http::inspector::json_body::{bad, fault};
use crate::http::inspector::params::{Blank, Params, filter, filter_names};
use crate::http::inspector::problem::Problem;
use crate::http::inspector::state::InspectorState;
use crate::store::SavedSearch;

/// The longest name, in characters.
const LONGEST_NAME: usize = 60;

/// Saves a search under a name.
///
/// # Errors
/// 400 for an invalid name or query, 409 if there are too many, 503.
pub async fn save(state: &InspectorState, name: &str, query: &str) -> Result<(), Problem> {
    let name = name.trim();
    if name.is_empty() || name.chars().count() > LONGEST_NAME || name.contains(char::is_control) {
        return Err(bad(vec![fault("/name", &format!("1 to {LONGEST_NAME} characters"))]));
    }
    let mut params = Params::read(query, Blank::Absent);
    filter(&mut params);
    params.finish(&filter_names(&[])).map_err(bad)?;
    let search = SavedSearch { name: name.to_owned(), query: query.to_owned() };
    match state.store.save_search(search).await {
        Ok(true) => Ok(()),
        Ok(false) => {
            Err(Problem::new(StatusCode::CONFLICT, "A hundred searches are saved already: remove one first."))
        }
        Err(wrong) => Err(Problem::store_fault(&wrong)),
    }
}
