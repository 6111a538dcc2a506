//! A delivery by its id.

use crate::domain::{DeliveryId, StoredDelivery};
use crate::http::inspector::problem::Problem;
use crate::http::inspector::state::InspectorState;

/// The delivery with this id.
///
/// # Errors
/// 404 if there is none, 503 if the store cannot be read.
pub async fn stored(id: &str, state: &InspectorState) -> Result<StoredDelivery, Problem> {
    let missing =
        || Problem::not_found("There is no delivery of that id; it may have been removed by retention.");
    let id: DeliveryId = id.parse().map_err(|_| missing())?;
    match state.store.delivery(id).await {
        Ok(found) => found.ok_or_else(missing),
        Err(fault) => Err(Problem::from(fault)),
    }
}
