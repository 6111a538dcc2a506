//! Looks at endpoints: HEAD, with five seconds of patience.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;

use super::client::{Method, Outcome, Outgoing};
use super::request::configured_headers;
use super::sender::Sender;
use super::subscriptions::Active;
use crate::domain::Timestamp;
use crate::store::HealthCheck;

/// How long an endpoint may take to answer.
const PATIENCE: Duration = Duration::from_secs(5);
/// How often it is seen whether an endpoint is due; a new one is looked at within this time.
const LOOK_EVERY: Duration = Duration::from_secs(1);

/// Looks at the endpoints of enabled subscriptions until the program stops.
pub async fn run(sender: Sender) {
    let mut stopping = sender.stopping();
    let mut looked: HashMap<String, (String, Timestamp)> = HashMap::new();
    loop {
        tokio::select! {
            () = tokio::time::sleep(LOOK_EVERY) => {}
            _ = stopping.wait_for(|stop| *stop) => return,
        }
        let now = sender.now();
        let actives = sender.subscriptions().all();
        looked.retain(|id, _| actives.iter().any(|active| active.compiled.id() == id.as_str()));
        for active in actives.into_iter().filter(|active| active.is_enabled()) {
            let subscription = &active.compiled.subscription;
            let is_due = looked.get(&subscription.id).is_none_or(|(url, at)| {
                *url != subscription.url || at.plus(sender.parts().health_interval) <= now
            });
            if is_due {
                looked.insert(subscription.id.clone(), (subscription.url.clone(), now));
                let sender = sender.clone();
                tokio::spawn(async move { check(&sender, &active).await });
            }
        }
    }
}

/// Looks at one endpoint now, and keeps what was seen.
pub async fn check(sender: &Sender, active: &Arc<Active>) -> HealthCheck {
    let checked_at = sender.now();
    // A header that cannot be rendered without an event is left out.
    let headers = configured_headers(&active.compiled, None).unwrap_or_default();
    let request = Outgoing {
        method: Method::Head,
        url: active.compiled.url.clone(),
        headers,
        body: Bytes::new(),
        timeout: PATIENCE,
        max_answer: 0,
    };
    let outcome = sender.parts().client.send(request).await;
    let check = seen(active.compiled.id(), &outcome, checked_at);
    if let Err(fault) = sender.store().add_health(check.clone()).await {
        tracing::warn!(%fault, "a look at an endpoint is not kept");
    }
    check
}

fn seen(subscription: &str, outcome: &Outcome, checked_at: Timestamp) -> HealthCheck {
    let (status, response_code, error) = match &outcome.result {
        Ok(response) => (word(response.status), Some(response.status), None),
        Err(failure) => {
            ("unreachable", None, Some(format!("{}: {}", failure.error.as_str(), failure.detail)))
        }
    };
    let elapsed = u64::try_from(outcome.elapsed.as_micros()).unwrap_or(u64::MAX);
    HealthCheck {
        subscription: subscription.to_owned(),
        status: status.to_owned(),
        response_code,
        response_us: response_code.map(|_| elapsed),
        error,
        checked_at,
    }
}

/// An endpoint that takes only POST says so to HEAD: that is a sign of health.
const fn word(status: u16) -> &'static str {
    match status {
        200..=399 | 405 | 501 => "healthy",
        _ => "unhealthy",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_that_only_dislikes_head_is_healthy() {
        for healthy in [200, 204, 302, 399, 405, 501] {
            assert_eq!(word(healthy), "healthy", "{healthy}");
        }
        for unhealthy in [400, 401, 404, 429, 500, 503] {
            assert_eq!(word(unhealthy), "unhealthy", "{unhealthy}");
        }
    }
}
