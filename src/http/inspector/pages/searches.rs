//! `POST /searches` and `POST /searches/remove`: searches that people gave a name, from the list's forms.

use actix_web::http::header::LOCATION;
use actix_web::{HttpResponse, web};
use serde::Deserialize;

use super::page;
use crate::http::inspector::json_body;
use crate::http::inspector::operations::searches;
use crate::http::inspector::problem::Problem;
use crate::http::inspector::request::{Fields, Members};
use crate::http::inspector::state::InspectorState;

/// Keeps the search that is shown, and shows it again.
pub async fn save(payload: web::Payload, state: web::Data<InspectorState>) -> HttpResponse {
    let kept = async {
        let (name, query) = fields(payload).await?;
        searches::save(&state, &name, &query).await.map(|saved| saved.query)
    };
    done(&state, kept.await)
}

/// Lets one go.
pub async fn remove(payload: web::Payload, state: web::Data<InspectorState>) -> HttpResponse {
    let removed = async {
        let (name, query) = fields(payload).await?;
        state.store.remove_search(name).await?;
        Ok(query)
    };
    done(&state, removed.await)
}

/// The fields of both forms.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
struct Saved {
    name: String,
    query: String,
}

impl Members for Saved {}

async fn fields(payload: web::Payload) -> Result<(String, String), Problem> {
    let mut fields = Fields::of_form(&json_body::bytes(payload).await?, &[]);
    let Saved { name, query } = fields.take();
    fields.finish_form()?;
    Ok((name, query))
}

fn done(state: &InspectorState, done: Result<String, Problem>) -> HttpResponse {
    match done {
        Ok(query) => {
            HttpResponse::SeeOther().insert_header((LOCATION, format!("/?{}", clean(&query)))).finish()
        }
        Err(problem) => page::message(state, problem.status(), "It was not saved", &problem.sentences()),
    }
}

/// A query that is valid in a header line.
fn clean(query: &str) -> String {
    let pairs = form_urlencoded::parse(query.as_bytes());
    form_urlencoded::Serializer::new(String::new()).extend_pairs(pairs).finish()
}
