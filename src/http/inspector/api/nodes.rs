//! `GET nodes`: the nodes that share the store.

use actix_web::web;
use serde::Serialize;
use utoipa::ToSchema;

use super::openapi::Done;
use crate::http::inspector::answer::Time;
use crate::http::inspector::problem::Problem;
use crate::http::inspector::request::Query;
use crate::http::inspector::state::InspectorState;

/// Nodes.
#[derive(Debug, Serialize, ToSchema)]
pub struct NodeList {
    nodes: Vec<NodeObject>,
}

/// A node.
#[derive(Debug, Serialize, ToSchema)]
pub struct NodeObject {
    name: String,
    /// `running`, `stopped` or `away`.
    state: &'static str,
    started_at: Time,
    seen_at: Time,
    /// Whether it is the one that answers.
    own: bool,
}

/// The nodes by name; none where the store is a file.
pub async fn list(_: Query<()>, state: web::Data<InspectorState>) -> Result<Done<NodeList>, Problem> {
    let nodes = state.store.nodes().await?.into_iter().map(|node| NodeObject {
        state: node.state(),
        name: node.name,
        started_at: node.started_at.into(),
        seen_at: node.seen_at.into(),
        own: node.is_own,
    });
    Ok(Done(NodeList { nodes: nodes.collect() }))
}
