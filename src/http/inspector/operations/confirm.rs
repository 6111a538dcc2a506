//! Opens the link with which a platform confirms an address.

use actix_web::http::StatusCode;

use super::deliveries::stored;
use crate::http::inspector::problem::Problem;
use crate::http::inspector::state::InspectorState;
use crate::inspect::link_of;

/// Opens the link of a delivery. Returns the link, the status and the start of the response.
///
/// # Errors
/// 404 if there is no such delivery, 409 if it has no link, 502 without a response.
pub async fn open(state: &InspectorState, id: &str) -> Result<(String, u16, String), Problem> {
    let delivery = stored(id, state).await?;
    let link = link_of(&delivery).ok_or_else(|| {
        Problem::new(
            StatusCode::CONFLICT,
            "This delivery does not ask to open a confirmation link of AWS.".to_owned(),
        )
    })?;
    let opened = state.links.open(&link).await;
    let (status, body) = opened
        .map_err(|why| Problem::new(StatusCode::BAD_GATEWAY, format!("The link was not opened: {why}.")))?;
    tracing::info!(delivery = %delivery.row.id, status, "confirmation link opened");
    Ok((link, status, String::from_utf8_lossy(&body).into_owned()))
}
