//! The state of endpoints, judged by real attempts first and by health checks second.

use std::time::Duration;

use serde::Serialize;
use utoipa::ToSchema;

use crate::domain::Timestamp;
use crate::http::inspector::problem::Problem;
use crate::http::inspector::state::InspectorState;
use crate::send::Active;
use crate::store::{HealthCheck, SenderFigures};

/// The number of health checks shown for an endpoint.
const HISTORY: usize = 30;
/// The number of attempts needed for a verdict.
const TELLING: usize = 3;
/// Older attempts say nothing about the present.
const RECENT: Duration = Duration::from_secs(24 * 3600);

/// The outcome of the last attempts: at most the newest ten, and only recent ones.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, ToSchema)]
pub struct RecentAttempts {
    /// The number that succeeded.
    pub arrived: usize,
    /// The number of attempts.
    pub of: usize,
}

impl RecentAttempts {
    /// The attempts of a subscription.
    #[must_use]
    pub fn of(figures: Option<&SenderFigures>, now: Timestamp) -> Self {
        let Some(figures) = figures else { return Self::default() };
        let last = figures.last_success_at.max(figures.last_failure_at);
        if last.is_none_or(|last| last.plus(RECENT) < now) {
            return Self::default();
        }
        let arrived = figures.recent.iter().filter(|arrived| **arrived).count();
        Self { arrived, of: figures.recent.len() }
    }

    const fn mostly_fail(self) -> bool {
        (self.of >= TELLING && self.arrived * 2 < self.of) || (self.of > 0 && self.arrived == 0)
    }

    const fn mostly_arrive(self) -> bool {
        self.of >= TELLING && self.arrived * 2 >= self.of
    }
}

/// The state of an endpoint. Real attempts outweigh health checks: if most attempts fail, a passed check does not make it
/// healthy; an endpoint that accepts messages and only rejects HEAD is healthy.
#[must_use]
pub fn standing(last: Option<&HealthCheck>, figures: Option<&SenderFigures>, now: Timestamp) -> &'static str {
    let attempts = RecentAttempts::of(figures, now);
    let (look, code) = last.map_or(("unknown", None), |check| (check.status.as_str(), check.response_code));
    let dislikes_head = code.is_some_and(|code| (400..500).contains(&code) && code != 410 && code != 429);
    match look {
        "healthy" | "unknown" if attempts.mostly_fail() => "degraded",
        "unhealthy" if dislikes_head && attempts.mostly_arrive() => "healthy",
        "healthy" => "healthy",
        "unhealthy" => "unhealthy",
        "unreachable" => "unreachable",
        _ => "unknown",
    }
}

/// One endpoint: the last health check, the checks before it, and the real attempts.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct Health {
    /// The subscription.
    pub id: String,
    /// The subscription.
    pub subscription_id: String,
    /// Its name.
    pub name: String,
    /// Its endpoint.
    pub url: String,
    /// `healthy`, `degraded`, `unhealthy`, `unreachable`, or `unknown` before the first check.
    pub status: String,
    /// The outcome of the last attempts.
    pub attempts: RecentAttempts,
    /// The status of the response.
    pub response_code: Option<u16>,
    /// How long it took.
    pub response_time_ms: Option<f64>,
    /// Why there was no response.
    pub error: Option<String>,
    /// The time.
    pub checked_at: Option<String>,
    /// The earlier checks, newest first.
    pub history: Vec<Look>,
    /// The last attempt that was answered with 2xx.
    pub last_success_at: Option<String>,
    /// The last attempt that failed.
    pub last_failure_at: Option<String>,
}

/// One health check of an endpoint.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct Look {
    /// Its result.
    pub status: String,
    /// The status of the response.
    pub response_code: Option<u16>,
    /// How long it took.
    pub response_time_ms: Option<f64>,
    /// Why there was no response.
    pub error: Option<String>,
    /// The time.
    pub checked_at: String,
}

impl From<&HealthCheck> for Look {
    fn from(check: &HealthCheck) -> Self {
        Self {
            status: check.status.clone(),
            response_code: check.response_code,
            response_time_ms: check.response_us.map(millis),
            error: check.error.clone(),
            checked_at: check.checked_at.to_string(),
        }
    }
}

/// An endpoint as the API returns it.
#[must_use]
pub fn endpoint(
    active: &Active,
    last: Option<&HealthCheck>,
    history: &[HealthCheck],
    figures: Option<&SenderFigures>,
    now: Timestamp,
) -> Health {
    let subscription = &active.compiled.subscription;
    Health {
        id: subscription.id.clone(),
        subscription_id: subscription.id.clone(),
        name: subscription.name.clone(),
        url: subscription.url.clone(),
        status: standing(last, figures, now).to_owned(),
        attempts: RecentAttempts::of(figures, now),
        response_code: last.and_then(|check| check.response_code),
        response_time_ms: last.and_then(|check| check.response_us).map(millis),
        error: last.and_then(|check| check.error.clone()),
        checked_at: last.map(|check| check.checked_at.to_string()),
        history: history.iter().map(Look::from).collect(),
        last_success_at: figures.and_then(|figures| figures.last_success_at).map(|at| at.to_string()),
        last_failure_at: figures.and_then(|figures| figures.last_failure_at).map(|at| at.to_string()),
    }
}

/// The state of every endpoint.
///
/// # Errors
/// 503 if the store cannot be read.
pub async fn endpoints(state: &InspectorState) -> Result<Vec<Health>, Problem> {
    let figures = state.store.sender_figures().await?;
    let mut endpoints = Vec::new();
    for active in &*state.sender.subscriptions().all() {
        let id = active.compiled.id();
        let checks = state.store.health(id.to_owned(), HISTORY).await;
        let checks = checks?;
        let own = figures.iter().find(|figures| figures.subscription == id);
        endpoints.push(endpoint(active, checks.first(), &checks, own, state.clock.wall()));
    }
    Ok(endpoints)
}

/// Microseconds as milliseconds.
#[must_use]
pub fn millis(micros: u64) -> f64 {
    Duration::from_micros(micros).as_secs_f64() * 1_000.0
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Timestamp = Timestamp::from_secs(1_800_000_000);

    fn look(status: &str, code: Option<u16>) -> HealthCheck {
        HealthCheck {
            subscription: "a".into(),
            status: status.into(),
            response_code: code,
            response_us: None,
            error: None,
            checked_at: NOW,
        }
    }

    fn figures(arrived: usize, failed: usize, last: Timestamp) -> SenderFigures {
        let recent = std::iter::repeat_n(true, arrived).chain(std::iter::repeat_n(false, failed)).collect();
        SenderFigures { recent, last_failure_at: Some(last), ..SenderFigures::default() }
    }

    #[test]
    fn real_attempts_beat_a_green_look_and_a_head_that_is_disliked() {
        let green = look("healthy", Some(200));
        let word = |check: &HealthCheck, arrived, failed| {
            standing(Some(check), Some(&figures(arrived, failed, NOW)), NOW)
        };
        assert_eq!(word(&green, 0, 10), "degraded");
        assert_eq!(word(&green, 4, 6), "degraded");
        assert_eq!(word(&green, 5, 5), "healthy");
        assert_eq!(word(&green, 1, 1), "healthy", "two attempts do not tell enough");
        assert_eq!(word(&green, 0, 1), "degraded", "nothing arrived yet");
        assert_eq!(word(&look("unhealthy", Some(404)), 10, 0), "healthy");
        assert_eq!(word(&look("unhealthy", Some(404)), 2, 8), "unhealthy");
        assert_eq!(word(&look("unhealthy", Some(503)), 10, 0), "unhealthy", "it may have gone down just now");
        assert_eq!(word(&look("unhealthy", Some(410)), 10, 0), "unhealthy");
        assert_eq!(word(&look("unreachable", None), 10, 0), "unreachable");
        assert_eq!(standing(None, Some(&figures(0, 3, NOW)), NOW), "degraded");
        assert_eq!(standing(None, None, NOW), "unknown");
    }

    #[test]
    fn attempts_of_yesterday_tell_nothing_about_now() {
        let green = look("healthy", Some(200));
        let old = figures(0, 10, Timestamp::from_secs(1_800_000_000 - 25 * 3600));
        assert_eq!(standing(Some(&green), Some(&old), NOW), "healthy");
        assert_eq!(RecentAttempts::of(Some(&old), NOW), RecentAttempts::default());
    }
}
