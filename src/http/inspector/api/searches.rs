//! `GET searches`, `PUT searches/{name}`, `DELETE searches/{name}`: saved searches.

use actix_web::web;
use serde::Serialize;
use utoipa::ToSchema;

use super::openapi::{Done, NoContent};
use crate::http::inspector::operations::replay::fault;
use crate::http::inspector::operations::searches::{SearchRequest, save};
use crate::http::inspector::problem::Problem;
use crate::http::inspector::request::Json;
use crate::http::inspector::state::InspectorState;
use crate::store::SavedSearch;

/// Saved searches.
#[derive(Debug, Serialize, ToSchema)]
pub struct SearchList {
    searches: Vec<SearchObject>,
}

/// A saved search.
#[derive(Debug, Serialize, ToSchema)]
pub struct SearchObject {
    name: String,
    /// Parameters of a list, as `verdict=rejected&q=…`.
    query: String,
}

impl From<SavedSearch> for SearchObject {
    fn from(SavedSearch { name, query }: SavedSearch) -> Self {
        Self { name, query }
    }
}

/// Every saved search.
pub async fn list(state: web::Data<InspectorState>) -> Result<Done<SearchList>, Problem> {
    let all = state.store.saved_searches().await?;
    Ok(Done(SearchList { searches: all.into_iter().map(SearchObject::from).collect() }))
}

/// Saves a search.
pub async fn put(
    name: web::Path<String>,
    Json(request): Json<SearchRequest>,
    state: web::Data<InspectorState>,
) -> Result<Done<SearchObject>, Problem> {
    let expected = "parameters of a list, as verdict=rejected&q=…";
    let query = request.query.ok_or_else(|| Problem::bad_body(vec![fault("/query", expected)]))?;
    Ok(Done(save(&state, &name, &query).await?.into()))
}

/// Deletes a search.
pub async fn delete(name: web::Path<String>, state: web::Data<InspectorState>) -> Result<NoContent, Problem> {
    let missing = || Problem::not_found("There is no saved search of that name.");
    state.store.remove_search(name.into_inner()).await?.then_some(NoContent).ok_or_else(missing)
}
