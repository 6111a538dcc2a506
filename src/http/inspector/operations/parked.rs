//! What waits until a subscription is in force again.

use std::sync::Arc;

use crate::domain::{MessageRow, MessageStatus};
use crate::http::inspector::problem::Problem;
use crate::http::inspector::state::InspectorState;
use crate::send::Parked;
use crate::store::SenderFigures;

/// Stored subscriptions that are not in force and have waiting messages.
///
/// # Errors
/// 503 if the store cannot be read.
pub async fn parked(state: &InspectorState) -> Result<Vec<(Arc<Parked>, SenderFigures)>, Problem> {
    let all = state.sender.subscriptions().all_parked();
    if all.is_empty() {
        return Ok(Vec::new());
    }
    let figures = state.store.sender_figures().await?;
    let with = |parked: Arc<Parked>| {
        let own = figures.iter().find(|figures| figures.subscription == parked.id)?;
        (own.parked > 0 || own.dead > 0).then(|| (parked, own.clone()))
    };
    Ok(all.into_iter().filter_map(with).collect())
}

/// Why a message is parked, and what would send it; `None` if it is not parked.
pub fn parked_because(state: &InspectorState, row: &MessageRow) -> Option<String> {
    if row.status == MessageStatus::Parked { state.sender.out_of_force(&row.subscription) } else { None }
}
