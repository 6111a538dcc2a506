//! Figures of attempts, with the names of the specification and exact means.

use serde::Serialize;
use utoipa::ToSchema;

use super::health::{millis, standing};
use crate::http::inspector::state::InspectorState;
use crate::store::{HealthCheck, SenderFigures, StoreError};
use crate::telemetry::{EndpointGauges, ParkedGauges};

/// Figures of attempts, with the names of the specification; times in milliseconds, over attempts with a response, `null`
/// without one.
#[derive(Clone, Debug, Default, Serialize, ToSchema)]
pub struct Stats {
    /// Attempts.
    pub total_sent: u64,
    /// Attempts answered with 2xx.
    pub successful_deliveries: u64,
    /// Attempts that failed.
    pub failed_deliveries: u64,
    /// Attempts after a message's first.
    pub retry_attempts: u64,
    /// The exact mean.
    #[schema(required)]
    pub average_response_time: Option<f64>,
    /// The median.
    #[schema(required)]
    pub p50: Option<f64>,
    /// The 95th percentile.
    #[schema(required)]
    pub p95: Option<f64>,
    /// The 99th percentile.
    #[schema(required)]
    pub p99: Option<f64>,
    /// Messages waiting for their next attempt, counted up to 100,000.
    pub pending_messages: u64,
    /// Messages waiting until their subscription is in force again, counted up to 100,000.
    pub parked_messages: u64,
    /// Dead letters, counted up to 100,000.
    pub dead_letters: u64,
}

impl From<&SenderFigures> for Stats {
    fn from(figures: &SenderFigures) -> Self {
        Self {
            total_sent: figures.attempts,
            successful_deliveries: figures.successful,
            failed_deliveries: figures.attempts.saturating_sub(figures.successful),
            retry_attempts: figures.retries,
            average_response_time: mean_ms(figures.answered_us, figures.answered),
            p50: percentile(&figures.durations, 50),
            p95: percentile(&figures.durations, 95),
            p99: percentile(&figures.durations, 99),
            pending_messages: figures.pending,
            parked_messages: figures.parked,
            dead_letters: figures.dead,
        }
    }
}

/// Fractions of a microsecond do not matter.
fn mean_ms(total_us: u64, count: u64) -> Option<f64> {
    total_us.checked_div(count).map(millis)
}

/// The percentile of the durations in milliseconds, if there are any.
fn percentile(durations: &[(f64, u64)], percent: u64) -> Option<f64> {
    let total: u64 = durations.iter().map(|(_, count)| count).sum();
    let rank = total.saturating_mul(percent).div_ceil(100).max(1);
    let mut seen = 0_u64;
    for (micros, count) in durations {
        seen = seen.saturating_add(*count);
        if seen >= rank {
            return Some(micros / 1_000.0);
        }
    }
    None
}

/// The figures of all subscriptions together.
#[must_use]
pub fn together(all: &[SenderFigures]) -> SenderFigures {
    let mut sum = SenderFigures::default();
    let mut durations: Vec<(f64, u64)> = Vec::new();
    for figures in all {
        sum.attempts = sum.attempts.saturating_add(figures.attempts);
        sum.successful = sum.successful.saturating_add(figures.successful);
        sum.retries = sum.retries.saturating_add(figures.retries);
        sum.answered = sum.answered.saturating_add(figures.answered);
        sum.answered_us = sum.answered_us.saturating_add(figures.answered_us);
        sum.pending = sum.pending.saturating_add(figures.pending);
        sum.parked = sum.parked.saturating_add(figures.parked);
        sum.dead = sum.dead.saturating_add(figures.dead);
        durations.extend(&figures.durations);
    }
    durations.sort_by(|(one, _), (other, _)| one.total_cmp(other));
    sum.durations = durations;
    sum
}

/// The endpoints for `/metrics`.
///
/// # Errors
/// If the store cannot be read.
pub async fn gauges(state: &InspectorState) -> Result<Vec<EndpointGauges>, StoreError> {
    let figures = state.store.sender_figures().await?;
    let mut gauges = Vec::new();
    for active in &*state.sender.subscriptions().all() {
        let id = active.compiled.id();
        let last = state.store.health(id.to_owned(), 1).await?;
        let own = figures.iter().find(|own| own.subscription == id);
        let stats = own.map(Stats::from).unwrap_or_default();
        let is_healthy = |check: &HealthCheck| standing(Some(check), own, state.clock.wall()) == "healthy";
        gauges.push(EndpointGauges {
            subscription: id.to_owned(),
            name: active.compiled.subscription.name.clone(),
            is_healthy: last.first().map(is_healthy),
            pending: stats.pending_messages,
            dead: stats.dead_letters,
            mean_s: stats.average_response_time.map(|ms| ms / 1_000.0),
            percentiles_s: percentiles_s(&stats),
        });
    }
    Ok(gauges)
}

fn percentiles_s(stats: &Stats) -> Option<[f64; 3]> {
    Some([stats.p50?, stats.p95?, stats.p99?].map(|ms| ms / 1_000.0))
}

/// Subscriptions that are not in force, for `/metrics`.
///
/// # Errors
/// If the store cannot be read.
pub async fn parked_gauges(state: &InspectorState) -> Result<Vec<ParkedGauges>, StoreError> {
    if state.sender.subscriptions().all_parked().is_empty() {
        return Ok(Vec::new());
    }
    let figures = state.store.sender_figures().await?.into_iter();
    let parked = figures.filter(|own| own.parked_since.is_some() && (own.parked > 0 || own.dead > 0));
    let gauges = |own: SenderFigures| ParkedGauges {
        subscription: own.subscription,
        parked: own.parked,
        dead: own.dead,
    };
    Ok(parked.map(gauges).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn percentiles_and_means_are_true() {
        let durations = [(1_000.0, 50), (2_000.0, 45), (100_000.0, 5)];
        assert_eq!([50, 95, 99].map(|percent| percentile(&durations, percent)), [1.0, 2.0, 100.0].map(Some));
        assert_eq!(mean_ms(10_000, 4), Some(2.5));
        assert_eq!((percentile(&[], 50), mean_ms(0, 0)), (None, None), "what was not measured is not 0");
    }
}
