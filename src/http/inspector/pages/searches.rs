//! `POST /searches` and `POST /searches/remove`: searches that people gave a name, from the list's forms.

use actix_web::http::header::LOCATION;
use actix_web::{HttpResponse, web};

use super::page;
use crate::http::inspector::json_body;
use crate::http::inspector::operations::searches;
use crate::http::inspector::problem::Problem;
use crate::http::inspector::state::InspectorState;

/// Keeps the search that is shown, and shows it again.
pub async fn save(payload: web::Payload, state: web::Data<InspectorState>) -> HttpResponse {
    let kept = async {
        let (name, query) = fields(payload).await?;
        searches::save(&state, &name, &query).await.map(|()| query)
    };
    done(&state, kept.await)
}

/// Lets one go.
pub async fn remove(payload: web::Payload, state: web::Data<InspectorState>) -> HttpResponse {
    let removed = async {
        let (name, query) = fields(payload).await?;
        state.store.remove_search(name).await.map_err(|wrong| Problem::store_fault(&wrong))?;
        Ok(query)
    };
    done(&state, removed.await)
}

async fn fields(payload: web::Payload) -> Result<(String, String), Problem> {
    let form = json_body::bytes(payload).await?;
    let field = |name: &str| {
        let found = form_urlencoded::parse(&form).find(|(known, _)| known == name);
        found.map(|(_, value)| value.into_owned()).unwrap_or_default()
    };
    Ok((field("name"), field("query")))
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
