//! `GET deliveries`, `GET deliveries/{id}`, `GET deliveries/{id}/raw`.

use actix_web::http::header::{CONTENT_DISPOSITION, CONTENT_SECURITY_POLICY, CONTENT_TYPE, HeaderValue};
use actix_web::{HttpRequest, HttpResponse, web};
use serde::Serialize;

use super::objects::{DeliveryObject, RowObject};
use crate::domain::StoredDelivery;
use crate::http::inspector::InspectorState;
use crate::http::inspector::operations::deliveries::stored;
use crate::http::inspector::params::{Blank, Params, filter, filter_names};
use crate::http::inspector::problem::Problem;

/// The default number of rows in a list.
const DEFAULT_LIMIT: usize = 50;
/// The maximum number of rows in a list.
const MAX_LIMIT: usize = 500;

#[derive(Serialize)]
struct List<'a> {
    deliveries: Vec<RowObject<'a>>,
    next: Option<String>,
}

/// The list, newest first.
pub async fn list(request: HttpRequest, state: web::Data<InspectorState>) -> HttpResponse {
    let mut params = Params::read(request.query_string(), Blank::Fault);
    let filter = filter(&mut params);
    let limit = params
        .parsed("limit", "a number from 1 to 500", |text| {
            text.parse::<usize>().ok().filter(|limit| (1..=MAX_LIMIT).contains(limit))
        })
        .unwrap_or(DEFAULT_LIMIT);
    let before = params.parsed("before", "the next of an earlier response", cursor);
    if let Err(faults) = params.finish(&filter_names(&["limit", "before"])) {
        return Problem::bad_parameters(faults).response();
    }
    // One extra row shows whether there is a next page.
    match state.store.list(&filter, before, limit.saturating_add(1)).await {
        Err(fault) => Problem::store_fault(&fault).response(),
        Ok(mut rows) => {
            let has_more = rows.len() > limit;
            rows.truncate(limit);
            let next = rows.last().filter(|_| has_more).map(|row| row.seq.to_string());
            HttpResponse::Ok().json(List { deliveries: rows.iter().map(RowObject::from).collect(), next })
        }
    }
}

/// A position in the log, in the format of `next`.
pub fn cursor(text: &str) -> Option<i64> {
    text.parse().ok().filter(|seq| *seq > 0)
}

/// One delivery.
pub async fn one(
    id: web::Path<String>,
    request: HttpRequest,
    state: web::Data<InspectorState>,
) -> HttpResponse {
    match find(&id, &request, &state).await {
        Ok(delivery) => {
            let (delivery, findings) = state.look_and_note(delivery).await;
            match state.store.replays_about(delivery.row.id).await {
                Ok(replays) => HttpResponse::Ok().json(DeliveryObject::of(&delivery, &findings, &replays)),
                Err(fault) => Problem::store_fault(&fault).response(),
            }
        }
        Err(problem) => problem.response(),
    }
}

/// The exact bytes of its body, as a download that no browser interprets.
pub async fn raw(
    id: web::Path<String>,
    request: HttpRequest,
    state: web::Data<InspectorState>,
) -> HttpResponse {
    match find(&id, &request, &state).await {
        Ok(delivery) => HttpResponse::Ok()
            .insert_header((CONTENT_TYPE, "application/octet-stream"))
            .insert_header((CONTENT_DISPOSITION, download_name(&delivery)))
            .insert_header((
                CONTENT_SECURITY_POLICY,
                HeaderValue::from_static("sandbox; default-src 'none'; frame-ancestors 'none'"),
            ))
            .body(delivery.body),
        Err(problem) => problem.response(),
    }
}

/// The file name contains only our own id: nothing of a request reaches it.
fn download_name(delivery: &StoredDelivery) -> String {
    format!("attachment; filename=\"delivery-{}.bin\"", delivery.row.id)
}

async fn find(id: &str, request: &HttpRequest, state: &InspectorState) -> Result<StoredDelivery, Problem> {
    Params::read(request.query_string(), Blank::Fault).finish(&["none"]).map_err(Problem::bad_parameters)?;
    stored(id, state).await
}
