//! `GET deliveries`, `GET deliveries/{id}`, `GET deliveries/{id}/raw`, `PATCH deliveries/{id}`.

use actix_web::http::header::{CONTENT_DISPOSITION, CONTENT_SECURITY_POLICY, CONTENT_TYPE, HeaderValue};
use actix_web::{HttpResponse, web};
use serde::Serialize;
use utoipa::ToSchema;

use super::objects::{DeliveryObject, MarksObject, RowObject};
use super::openapi::{Done, Download};
use crate::domain::{DeliveryFilter, StoredDelivery};
use crate::http::inspector::operations::deliveries::stored;
use crate::http::inspector::operations::marks::{MarksRequest, marked};
use crate::http::inspector::problem::Problem;
use crate::http::inspector::request::{DeliveryParams, Json, Page, Query, cut};
use crate::http::inspector::state::InspectorState;

/// Deliveries.
#[derive(Debug, Serialize, ToSchema)]
pub struct DeliveryList {
    deliveries: Vec<RowObject>,
    next: Option<String>,
    /// When the search took longer than `search_time`: the page may not be full, and deliveries received before this time were not
    /// looked at. `next` continues there.
    searched_back_to: Option<String>,
}

/// The list, newest first.
pub async fn list(
    Query((params, page)): Query<(DeliveryParams, Page)>,
    state: web::Data<InspectorState>,
) -> Result<Done<DeliveryList>, Problem> {
    let limit = page.rows();
    // One extra row shows whether there is a next page.
    let filter = DeliveryFilter::from(params);
    let found = state.store.page(&filter, page.before(), limit.saturating_add(1), state.search_time).await?;
    let mut rows = found.rows;
    let next = cut(&mut rows, limit, |row| row.seq.to_string());
    let stopped = found.stopped.map(|stopped| (stopped.before.to_string(), stopped.received_at.to_string()));
    let (goes_on, searched_back_to) = stopped.unzip();
    let deliveries = rows.iter().map(RowObject::from).collect();
    Ok(Done(DeliveryList { deliveries, next: next.or(goes_on), searched_back_to }))
}

/// One delivery.
pub async fn one(
    id: web::Path<String>,
    _: Query<()>,
    state: web::Data<InspectorState>,
) -> Result<Done<DeliveryObject>, Problem> {
    let delivery = stored(&id, &state).await?;
    let (delivery, findings) = state.look_and_note(delivery).await;
    let replays = state.store.replays_about(delivery.row.id).await?;
    Ok(Done(DeliveryObject::of(&delivery, &findings, &replays)))
}

/// The exact bytes of its body, as a download that no browser interprets.
pub async fn raw(
    id: web::Path<String>,
    _: Query<()>,
    state: web::Data<InspectorState>,
) -> Result<Download, Problem> {
    let delivery = stored(&id, &state).await?;
    let answer = HttpResponse::Ok()
        .insert_header((CONTENT_TYPE, "application/octet-stream"))
        .insert_header((CONTENT_DISPOSITION, download_name(&delivery)))
        .insert_header((
            CONTENT_SECURITY_POLICY,
            HeaderValue::from_static("sandbox; default-src 'none'; frame-ancestors 'none'"),
        ))
        .body(delivery.body);
    Ok(Download(answer))
}

/// The file name contains only our own id: nothing of a request reaches it.
fn download_name(delivery: &StoredDelivery) -> String {
    format!("attachment; filename=\"delivery-{}.bin\"", delivery.row.id)
}

/// Changes pin, note and tags.
pub async fn mark(
    id: web::Path<String>,
    Json(change): Json<MarksRequest>,
    state: web::Data<InspectorState>,
) -> Result<Done<MarksObject>, Problem> {
    let marks = marked(&state, &id, change).await?;
    Ok(Done(MarksObject::of(&id, marks)))
}
