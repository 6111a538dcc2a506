//! `GET nodes`: the nodes that share the store.

use actix_web::{HttpRequest, HttpResponse, web};
use serde_json::json;

use crate::http::inspector::InspectorState;
use crate::http::inspector::params::{Blank, Params};
use crate::http::inspector::problem::{Problem, answer};

/// The nodes by name; none where the store is a file.
pub async fn list(request: HttpRequest, state: web::Data<InspectorState>) -> HttpResponse {
    if let Err(faults) = Params::read(request.query_string(), Blank::Fault).finish(&[]) {
        return Problem::bad_parameters(faults).response();
    }
    answer(state.store.nodes().await.map_err(|fault| Problem::store_fault(&fault)).map(|nodes| {
        let nodes: Vec<_> = nodes
            .into_iter()
            .map(|node| {
                json!({
                    "name": node.name,
                    "state": node.state(),
                    "started_at": node.started_at.to_string(),
                    "seen_at": node.seen_at.to_string(),
                    "own": node.is_own,
                })
            })
            .collect();
        HttpResponse::Ok().json(json!({"nodes": nodes}))
    }))
}
