//! The overview and what needs attention.

use std::time::Duration;

use super::figures::together;
use super::health::{Health, endpoints};
use super::parked::parked;
use crate::domain::Timestamp;
use crate::http::inspector::problem::Problem;
use crate::http::inspector::state::InspectorState;
use crate::inspect::ack::ack_times;
use crate::inspect::overview::{Attention, Beside, Overview, Range, TroubledDevices, Unwell, attention};

/// How long a fault in the program or a request without a delivery is reported.
const RECENT: Duration = Duration::from_secs(24 * 3600);

/// The states of an endpoint that need no attention.
const WELL: [&str; 2] = ["healthy", "unknown"];

/// The overview, other facts, and what needs attention, which always covers the last day.
///
/// # Errors
/// 503 if the store cannot be read.
pub async fn found(
    state: &InspectorState,
    range: Range,
) -> Result<(Overview, Beside, Vec<Attention>), Problem> {
    let fault = Problem::from;
    state.keep_counts().await;
    let now = state.clock.wall();
    let overview = Overview::of(&state.store, range, now).await.map_err(fault)?;
    let beside = beside(state, now).await?;
    let told = match range {
        Range::Day => attention(&overview, &beside),
        _ => attention(&Overview::of(&state.store, Range::Day, now).await.map_err(fault)?, &beside),
    };
    Ok((overview, beside, told))
}

async fn beside(state: &InspectorState, now: Timestamp) -> Result<Beside, Problem> {
    let fault = Problem::from;
    let mut figures = state.store.sender_figures().await.map_err(fault)?;
    figures.sort_by_key(|own| std::cmp::Reverse(own.dead));
    let name = |id: &str| {
        let known = state.sender.subscriptions().all();
        let known = known.iter().find(|active| active.compiled.id() == id);
        known.map_or_else(|| id.to_owned(), |active| active.compiled.subscription.name.clone())
    };
    let unwell =
        endpoints(state).await?.into_iter().filter(|endpoint| !WELL.contains(&endpoint.status.as_str()));
    Ok(Beside {
        now,
        failed_reload: state.failed_reload().map(|failed| (failed.when, failed.faults)),
        times: ack_times(&state.store, &state.sources.all()).await.map_err(fault)?,
        dead: together(&figures).dead,
        dead_of: figures.iter().filter(|own| own.dead > 0).map(|own| name(&own.subscription)).collect(),
        dead_since: state.store.oldest_dead_letter().await.map_err(fault)?,
        unwell: unwell.map(unwell_since).collect(),
        parked: parked(state)
            .await?
            .iter()
            .filter(|(_, figures)| figures.parked > 0)
            .map(|(parked, figures)| (parked.sentence(), figures.parked))
            .collect(),
        store: (state.store.size().used, state.retention.max_size),
        panicked: state.metrics.workers().panicked_within(RECENT),
        refused: state.metrics.refusals().likely_within(RECENT, now),
        devices: TroubledDevices::of(&state.store, now).await.map_err(fault)?,
    })
}

/// An unhealthy endpoint, and the time since when its checks have failed.
fn unwell_since(endpoint: Health) -> Unwell {
    let bad = endpoint.history.iter().take_while(|look| !WELL.contains(&look.status.as_str()));
    let since = bad.last().map(|look| look.checked_at.as_str()).or(endpoint.last_failure_at.as_deref());
    let since = since.and_then(Timestamp::parse_rfc3339);
    Unwell { name: endpoint.name, state: endpoint.status, since }
}
