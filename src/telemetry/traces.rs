//! Spans: one for each delivery, from its request to COMMIT, and one for each attempt of the sender. They contain ids and
//! verdicts, and no header value, no body and no URL.
//!
//! Without the feature `otlp`, or without `telemetry.otlp_endpoint`, nobody listens to them, and they cost nothing.

use tracing::field::{Empty, display};
use tracing::{Level, Span, enabled, info, info_span};

use crate::domain::{Attempt, Entry, Headers, Reason, Verdict};

/// The target of these spans, which keeps them apart from the log.
pub const TARGET: &str = "otlp";

/// The span of a delivery. Its parent is the sender's `traceparent`, if that is valid.
#[must_use]
pub fn delivery_span(headers: impl FnOnce() -> Headers) -> Span {
    if !enabled!(target: TARGET, Level::INFO) {
        return Span::none();
    }
    let span = info_span!(
        target: TARGET, parent: None, "delivery", otel.kind = "server", otel.status_code = Empty,
        tagohook.delivery.id = Empty, tagohook.source = Empty, tagohook.event.id = Empty,
        tagohook.event.type = Empty, tagohook.verdict = Empty, tagohook.reason = Empty,
        http.response.status_code = Empty,
    );
    #[cfg(feature = "otlp")]
    super::otlp::adopt(&span, &headers());
    #[cfg(not(feature = "otlp"))]
    drop(headers);
    span
}

/// Adds what the checks found to the current span, each as an event.
pub fn judged(entry: &Entry) {
    if !enabled!(target: TARGET, Level::INFO) {
        return;
    }
    let span = Span::current();
    span.record("tagohook.delivery.id", display(entry.delivery.id));
    span.record("tagohook.source", &*entry.delivery.source);
    if let Some(id) = &entry.facts.event_id {
        span.record("tagohook.event.id", &**id);
    }
    if let Some(event_type) = &entry.facts.event_type {
        span.record("tagohook.event.type", &**event_type);
    }
    for check in &entry.checks {
        info!(
            target: TARGET, check = check.gate.as_str(), outcome = check.outcome.as_str(),
            reason = check.reason.map(Reason::as_str), duration_us = check.duration_us, "check"
        );
    }
}

/// The span of writing a delivery, until COMMIT has reached the disk.
#[must_use]
pub fn commit_span() -> Span {
    info_span!(target: TARGET, "commit")
}

/// Adds the verdict to the current span.
pub fn decided(verdict: Verdict, reason: Option<Reason>) {
    let span = Span::current();
    span.record("tagohook.verdict", verdict.as_str());
    if let Some(reason) = reason {
        span.record("tagohook.reason", reason.as_str());
    }
}

/// Adds the status of the response to the span of a delivery.
pub fn answered(span: &Span, status: u16) {
    span.record("http.response.status_code", status);
    if status >= 500 {
        span.record("otel.status_code", "ERROR");
    }
}

/// The span of an attempt to send a message.
#[must_use]
pub fn attempt_span(message: &str, subscription: &str, event: Option<&str>, number: u32) -> Span {
    info_span!(
        target: TARGET, parent: None, "attempt", otel.kind = "client", otel.status_code = Empty,
        tagohook.message.id = message, tagohook.subscription.id = subscription, tagohook.event.id = event,
        tagohook.attempt = number, tagohook.outcome = Empty, http.response.status_code = Empty, error.type = Empty,
    )
}

/// Adds the result of an attempt to its span. `next` says what follows, such as `retry`.
pub fn attempted(span: &Span, attempt: &Attempt, next: &'static str) {
    span.record("tagohook.outcome", next);
    if let Some(status) = attempt.status {
        span.record("http.response.status_code", status);
    }
    if let Some(error) = attempt.error {
        span.record("error.type", error.as_str());
    }
    if next != "delivered" {
        span.record("otel.status_code", "ERROR");
    }
}
