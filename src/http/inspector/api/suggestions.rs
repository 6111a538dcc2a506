//! `GET suggestions`: completions for the search box.

use actix_web::web;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::openapi::Done;
use crate::domain::Device;
use crate::http::inspector::InspectorState;
use crate::http::inspector::problem::Problem;
use crate::http::inspector::request::{Blank, Caret, Members, Query, Range};
use crate::inspect::search::{Suggestion, Typing, quoted};
use crate::store::{EntityQuery, StoreError};

/// The maximum number of devices suggested.
const DEVICES: usize = 8;

/// What is being typed.
#[derive(Clone, Debug, Default, Deserialize, IntoParams)]
pub struct TypingParams {
    /// The search.
    q: Option<String>,
    /// The position of the caret, in characters; at the end without it.
    #[param(inline)]
    at: Option<Caret>,
}

impl Members for TypingParams {
    // Nothing is typed yet.
    const BLANK: Blank = Blank::Absent;
}

/// What may take the place of what is being typed.
#[derive(Debug, Serialize, ToSchema)]
pub struct SuggestionList {
    suggestions: Vec<SuggestionObject>,
}

/// A text, and the characters whose place it may take.
#[derive(Debug, Serialize, ToSchema)]
pub struct SuggestionObject {
    from: usize,
    to: usize,
    text: String,
    /// What it is.
    about: String,
}

/// The suggestions for a search `q` with the caret after `at` characters.
pub async fn list(
    Query(params): Query<TypingParams>,
    state: web::Data<InspectorState>,
) -> Result<Done<SuggestionList>, Problem> {
    let search = params.q.unwrap_or_default();
    let typing = Typing::at(&search, params.at.map_or_else(|| search.chars().count(), Range::size));
    let values = values(&state, &typing).await?;
    let suggestions = typing.suggestions(&values).into_iter().map(|one| SuggestionObject {
        from: typing.from,
        to: typing.to,
        text: one.text,
        about: one.about,
    });
    Ok(Done(SuggestionList { suggestions: suggestions.collect() }))
}

/// The values of a field that depend on the configuration and on stored deliveries.
async fn values(state: &InspectorState, typing: &Typing) -> Result<Vec<Suggestion>, StoreError> {
    let plain = |text: &str| Suggestion { text: quoted(text), about: String::new() };
    Ok(match typing.field {
        Some("source") => {
            state.source_names().iter().map(String::as_str).chain(["webhook-test"]).map(plain).collect()
        }
        Some("type") => {
            let learnt = state.store.drift_types().await?;
            let mut names: Vec<&str> = learnt.iter().map(|known| known.event_type.as_str()).collect();
            names.extend(state.catalog.iter().map(|event_type| event_type.name()));
            let mut seen = std::collections::HashSet::new();
            names.into_iter().filter(|name| seen.insert(*name)).map(plain).collect()
        }
        Some("device") => {
            let (q, now) = (Some(typing.text.clone()), state.clock.wall());
            let query = EntityQuery { q, now, is_joined: true, ..EntityQuery::default() };
            let found = state.store.entities(query, DEVICES).await?.devices;
            let suggestion = |device: &Device| Suggestion {
                text: quoted(&device.key.entity),
                about: device.name().unwrap_or_default().to_owned(),
            };
            found.iter().map(suggestion).collect()
        }
        _ => Vec::new(),
    })
}
