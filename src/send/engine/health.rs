//! Health checks of endpoints: HEAD, with the timeout of the subscription.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use tokio::task::JoinSet;

use crate::domain::Timestamp;
use crate::send::state::{Duty, Sender};
use crate::send::subscriptions::{Active, configured_headers};
use crate::send::wire::{Method, Outcome, Outgoing, PROBE_HEADER};
use crate::store::HealthCheck;

/// The longest timeout of a check; a subscription may have a shorter one.
const LONGEST: Duration = Duration::from_secs(30);
/// How often due endpoints are checked for; a new endpoint is checked within this time.
const LOOK_EVERY: Duration = Duration::from_millis(500);
/// The most concurrent checks: a thousand at once would use every connection.
const AT_ONCE: usize = 256;

/// Checks the endpoints of enabled subscriptions until the program stops. One node at a time does so.
pub async fn run(sender: Sender) {
    let mut stopping = sender.stopping();
    let mut looked = HashMap::new();
    let mut looks = JoinSet::new();
    let mut duty = Duty::new("health checks");
    let at_once = usize::try_from(sender.parts().connections / 4).unwrap_or(AT_ONCE).clamp(1, AT_ONCE);
    loop {
        tokio::select! {
            () = tokio::time::sleep(LOOK_EVERY) => {}
            _ = stopping.wait_for(|stop| *stop) => return,
        }
        while looks.try_join_next().is_some() {}
        if !duty.is_ours(&sender).await {
            continue;
        }
        for active in due(&sender, &mut looked) {
            if looks.len() >= at_once {
                break;
            }
            let subscription = &active.compiled.subscription;
            looked.insert(subscription.id.clone(), (subscription.url.clone(), sender.now()));
            let sender = sender.clone();
            looks.spawn(async move {
                sender.metrics().workers().watch("health", check(&sender, &active)).await;
            });
        }
    }
}

/// When each endpoint was last checked, and its URL at that time.
type Looked = HashMap<String, (String, Timestamp)>;

/// The subscriptions whose endpoint is due: unchecked ones first, then the ones checked longest ago.
fn due(sender: &Sender, looked: &mut Looked) -> Vec<Arc<Active>> {
    let now = sender.now();
    let mut actives = sender.subscriptions().all();
    let ids: HashSet<&str> = actives.iter().map(|active| active.compiled.id()).collect();
    looked.retain(|id, _| ids.contains(id.as_str()));
    let seen_at = |active: &Active| {
        let seen = looked.get(active.compiled.id());
        seen.filter(|(url, _)| *url == active.compiled.subscription.url).map(|(_, at)| *at)
    };
    let is_due = |at: Timestamp| at.plus(sender.parts().health_interval) <= now;
    actives.retain(|active| active.is_enabled() && seen_at(active).is_none_or(is_due));
    actives.sort_by_key(|active| seen_at(active));
    actives
}

/// Checks one endpoint now, and stores the result.
pub async fn check(sender: &Sender, active: &Arc<Active>) -> HealthCheck {
    let checked_at = sender.wall();
    // A header that needs an event is left out.
    let mut headers = configured_headers(&active.compiled, None).unwrap_or_default();
    let probe = sender.probes().begin(&active.compiled.url);
    headers.push((PROBE_HEADER.to_owned(), probe.mark().as_bytes().to_vec()));
    let request = Outgoing {
        method: Method::Head,
        url: active.compiled.url.clone(),
        headers,
        body: Bytes::new(),
        timeout: active.compiled.subscription.timeout.min(LONGEST),
        max_answer: 0,
    };
    let outcome = sender.parts().client.send(request).await;
    drop(probe);
    let check = seen(active.compiled.id(), &outcome, checked_at);
    if let Err(fault) = sender.store().add_health(check.clone()).await {
        tracing::warn!(%fault, "a health check cannot be stored");
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

/// An endpoint that only accepts POST rejects HEAD, which still means that it is healthy.
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
