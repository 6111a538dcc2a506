//! `GET refusals`: requests that reached a port and left no delivery, the newest kinds first.

use actix_web::web;
use serde::Serialize;
use utoipa::ToSchema;

use super::openapi::Done;
use crate::http::inspector::answer::Time;
use crate::http::inspector::problem::Problem;
use crate::http::inspector::request::{Page, Query};
use crate::http::inspector::state::InspectorState;
use crate::telemetry::RefusedKind;

/// Requests that left no delivery.
#[derive(Debug, Serialize, ToSchema)]
pub struct RefusalList {
    refusals: Vec<RefusalObject>,
    next: Option<String>,
}

/// Requests of one kind.
#[derive(Debug, Serialize, ToSchema)]
pub struct RefusalObject {
    id: String,
    /// `receiver` or `inspector`.
    port: &'static str,
    cause: &'static str,
    status: u16,
    client: Option<String>,
    /// Method and target of the newest one, secrets masked.
    line: String,
    /// What was wrong, and the cure.
    detail: String,
    /// Whether it looks like a delivery.
    likely: bool,
    count: u64,
    first_at: Time,
    last_at: Time,
}

/// The list.
pub async fn list(
    Query(page): Query<Page>,
    state: web::Data<InspectorState>,
) -> Result<Done<RefusalList>, Problem> {
    let all = state.metrics.refusals().list();
    let before = page.before().and_then(|id| u64::try_from(id).ok());
    let from = before.map_or(0, |id| {
        all.iter().position(|kind| kind.id == id).map_or(all.len(), |at| at.saturating_add(1))
    });
    let rest = all.get(from..).unwrap_or_default();
    let shown = rest.get(..page.rows()).unwrap_or(rest);
    let next = shown.last().filter(|_| rest.len() > shown.len()).map(|kind| kind.id.to_string());
    Ok(Done(RefusalList { refusals: shown.iter().map(RefusalObject::from).collect(), next }))
}

impl From<&RefusedKind> for RefusalObject {
    fn from(kind: &RefusedKind) -> Self {
        let newest = &kind.newest;
        Self {
            id: kind.id.to_string(),
            port: newest.port.as_str(),
            cause: newest.cause.as_str(),
            status: newest.status,
            client: newest.client.map(|client| client.to_string()),
            line: newest.line(),
            detail: newest.detail.clone(),
            likely: newest.is_likely,
            count: kind.count,
            first_at: kind.first.into(),
            last_at: kind.last.into(),
        }
    }
}
