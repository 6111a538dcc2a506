//! `GET searches`, `PUT searches/{name}`, `DELETE searches/{name}`: saved searches.

use actix_web::{HttpResponse, web};
use serde_json::{Value, json};

use crate::http::inspector::InspectorState;
use crate::http::inspector::json_body::{bad, fault, object};
use crate::http::inspector::operations::searches::save;
use crate::http::inspector::problem::{Problem, answer};

/// Every saved search.
pub async fn list(state: web::Data<InspectorState>) -> HttpResponse {
    match state.store.saved_searches().await {
        Ok(all) => {
            let all: Vec<Value> =
                all.iter().map(|one| json!({"name": one.name, "query": one.query})).collect();
            HttpResponse::Ok().json(json!({"searches": all}))
        }
        Err(wrong) => Problem::store_fault(&wrong).response(),
    }
}

/// Saves a search.
pub async fn put(
    name: web::Path<String>,
    payload: web::Payload,
    state: web::Data<InspectorState>,
) -> HttpResponse {
    answer(
        async {
            let members = object(payload, &["query"]).await?;
            let query = members.get("query").and_then(Value::as_str);
            let query = query
                .ok_or_else(|| bad(vec![fault("/query", "parameters of a list, as verdict=rejected&q=…")]))?;
            save(&state, &name, query).await?;
            Ok(HttpResponse::Ok().json(json!({"name": name.trim(), "query": query})))
        }
        .await,
    )
}

/// Deletes a search.
pub async fn delete(name: web::Path<String>, state: web::Data<InspectorState>) -> HttpResponse {
    match state.store.remove_search(name.into_inner()).await {
        Ok(true) => HttpResponse::NoContent().finish(),
        Ok(false) => Problem::not_found("There is no saved search of that name.").response(),
        Err(wrong) => Problem::store_fault(&wrong).response(),
    }
}
