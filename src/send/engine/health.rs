//! Health checks of endpoints: HEAD, with the timeout of the subscription.

use std::collections::{BTreeSet, HashMap};
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
    let mut schedule = Schedule::default();
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
        let interval = sender.parts().health_interval;
        schedule.follow(sender.subscriptions().all(), interval);
        while looks.len() < at_once
            && let Some(id) = schedule.take_due(sender.now(), interval)
        {
            let Some(active) = sender.subscriptions().get(&id) else { continue };
            let sender = sender.clone();
            looks.spawn(async move {
                sender.metrics().workers().watch("health", check(&sender, &active)).await;
            });
        }
    }
}

/// When each endpoint is checked next.
#[derive(Default)]
struct Schedule {
    /// The subscriptions that it follows.
    followed: Option<Arc<[Arc<Active>]>>,
    /// The URL of each subscription, and when it was last checked.
    checked: HashMap<String, (String, Option<Timestamp>)>,
    /// The enabled subscriptions by the time of their next check; `None` comes first.
    order: BTreeSet<(Option<Timestamp>, String)>,
}

impl Schedule {
    /// Takes over `subscriptions`, unless nothing has changed.
    fn follow(&mut self, subscriptions: Arc<[Arc<Active>]>, interval: Duration) {
        if self.followed.as_ref().is_some_and(|followed| Arc::ptr_eq(followed, &subscriptions)) {
            return;
        }
        let endpoint = |active: &Arc<Active>| {
            let subscription = &active.compiled.subscription;
            (subscription.id.clone(), subscription.url.clone(), active.is_enabled())
        };
        self.plan(subscriptions.iter().map(endpoint), interval);
        self.followed = Some(subscriptions);
    }

    /// Plans checks of endpoints: the id of each subscription, its URL, and whether it is enabled. One with a new URL is
    /// due at once.
    fn plan(&mut self, endpoints: impl Iterator<Item = (String, String, bool)>, interval: Duration) {
        let mut before = std::mem::take(&mut self.checked);
        self.order.clear();
        for (id, url, is_enabled) in endpoints {
            let checked = before.remove(&id).filter(|(known, _)| *known == url).and_then(|(_, at)| at);
            if is_enabled {
                self.order.insert((checked.map(|at| at.plus(interval)), id.clone()));
            }
            self.checked.insert(id, (url, checked));
        }
    }

    /// The subscription whose endpoint has been due for the longest time. The next check is after `interval`.
    fn take_due(&mut self, now: Timestamp, interval: Duration) -> Option<String> {
        let (due, _) = self.order.first()?;
        if due.is_some_and(|due| due > now) {
            return None;
        }
        let (_, id) = self.order.pop_first()?;
        self.order.insert((Some(now.plus(interval)), id.clone()));
        if let Some((_, checked)) = self.checked.get_mut(&id) {
            *checked = Some(now);
        }
        Some(id)
    }
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

    const NOW: Timestamp = Timestamp::from_secs(1_800_000_000);
    const INTERVAL: Duration = Duration::from_secs(60);

    fn endpoints<'a>(
        of: &'a [(&'a str, &'a str, bool)],
    ) -> impl Iterator<Item = (String, String, bool)> + 'a {
        of.iter().map(|(id, url, is_enabled)| ((*id).to_owned(), (*url).to_owned(), *is_enabled))
    }

    /// The ids that are due after `seconds`.
    fn due(schedule: &mut Schedule, seconds: u64) -> Vec<String> {
        let now = NOW.plus(Duration::from_secs(seconds));
        std::iter::from_fn(|| schedule.take_due(now, INTERVAL)).collect()
    }

    #[test]
    fn an_endpoint_is_checked_at_once_and_then_at_each_interval() {
        let mut schedule = Schedule::default();
        schedule.plan(endpoints(&[("a", "x", true), ("b", "x", false)]), INTERVAL);
        assert_eq!(due(&mut schedule, 0), ["a"]);
        assert_eq!(due(&mut schedule, 59), [""; 0]);
        assert_eq!(due(&mut schedule, 60), ["a"]);
        // The last check counts from its own time.
        assert_eq!(due(&mut schedule, 119), [""; 0]);
        assert_eq!(due(&mut schedule, 120), ["a"]);
    }

    #[test]
    fn new_endpoints_come_first_and_known_ones_keep_their_time() {
        let mut schedule = Schedule::default();
        schedule.plan(endpoints(&[("a", "x", true), ("b", "x", true), ("c", "x", true)]), INTERVAL);
        assert_eq!(due(&mut schedule, 0), ["a", "b", "c"]);
        schedule.plan(endpoints(&[("a", "x", true), ("b", "y", true), ("d", "x", true)]), INTERVAL);
        assert_eq!(due(&mut schedule, 30), ["b", "d"]);
        assert_eq!(due(&mut schedule, 89), ["a"]);
        assert_eq!(due(&mut schedule, 90), ["b", "d"]);
    }

    #[test]
    fn a_disabled_endpoint_is_not_checked_and_keeps_its_time() {
        let mut schedule = Schedule::default();
        schedule.plan(endpoints(&[("a", "x", true)]), INTERVAL);
        assert_eq!(due(&mut schedule, 0), ["a"]);
        schedule.plan(endpoints(&[("a", "x", false)]), INTERVAL);
        assert_eq!(due(&mut schedule, 90), [""; 0]);
        schedule.plan(endpoints(&[("a", "x", true)]), INTERVAL);
        assert_eq!(due(&mut schedule, 90), ["a"]);
    }

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
