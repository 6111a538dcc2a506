//! Sends spans to an OpenTelemetry collector, by OTLP over HTTP.

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use opentelemetry::Context;
use opentelemetry::propagation::{Extractor, TextMapPropagator as _};
use opentelemetry::trace::{TraceContextExt as _, TracerProvider as _};
use opentelemetry_otlp::{ExporterBuildError, WithExportConfig as _};
use opentelemetry_sdk::Resource;
use opentelemetry_sdk::error::OTelSdkResult;
use opentelemetry_sdk::propagation::TraceContextPropagator;
use opentelemetry_sdk::trace::{Sampler, SdkTracerProvider, SpanData, SpanExporter};
use tracing::Span;
use tracing::Subscriber;
use tracing_opentelemetry::OpenTelemetrySpanExt as _;
use tracing_subscriber::Layer;
use tracing_subscriber::filter::filter_fn;
use tracing_subscriber::registry::LookupSpan;

use crate::domain::Headers;

/// The time limit for a request to the collector.
const EXPORT_WITHIN: Duration = Duration::from_secs(10);
/// How long the end of the program waits for the last spans.
const END_WITHIN: Duration = Duration::from_secs(2);
/// The path of traces below an endpoint without a path (OTLP specification, "OTLP/HTTP").
const TRACES: &str = "v1/traces";

/// Spans that were not sent when this is dropped are sent then, for a short time.
#[derive(Debug)]
pub struct Exporting(SdkTracerProvider);

impl Drop for Exporting {
    fn drop(&mut self) {
        // What the collector does not take by then is lost.
        let _ = self.0.shutdown_with_timeout(END_WITHIN);
    }
}

/// Starts sending spans of `target` to `endpoint`. At most 2,048 spans wait in memory, as the library has it; further ones are
/// dropped.
///
/// # Errors
/// When the client cannot be made.
pub fn start<S>(
    endpoint: &url::Url,
    target: &'static str,
) -> Result<(Exporting, impl Layer<S> + use<S>), String>
where
    S: Subscriber + for<'s> LookupSpan<'s>,
{
    let mut url = endpoint.clone();
    if url.path() == "/" {
        url.set_path(TRACES);
    }
    // The library's client takes the TLS of the process. A second call changes nothing.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let exporter = opentelemetry_otlp::SpanExporter::builder()
        .with_http()
        .with_endpoint(url.as_str())
        .with_timeout(EXPORT_WITHIN)
        .build()
        .map_err(|fault: ExporterBuildError| fault.to_string())?;
    let resource = Resource::builder_empty()
        .with_service_name("tagohook")
        .with_attribute(opentelemetry::KeyValue::new("service.version", env!("CARGO_PKG_VERSION")))
        .build();
    let provider = SdkTracerProvider::builder()
        .with_batch_exporter(Watched { exporter, is_away: AtomicBool::new(false) })
        // A sender must not decide what is traced here.
        .with_sampler(Sampler::AlwaysOn)
        .with_resource(resource)
        .build();
    let layer = tracing_opentelemetry::layer()
        .with_tracer(provider.tracer("tagohook"))
        .with_location(false)
        .with_threads(false)
        .with_target(false)
        .with_tracked_inactivity(false)
        .with_filter(filter_fn(move |metadata| metadata.target() == target));
    Ok((Exporting(provider), layer))
}

/// Makes the sender's `traceparent` the parent of `span`, if there is exactly one and it is valid.
pub fn adopt(span: &Span, headers: &Headers) {
    let one = |name: &str| {
        let mut all = headers.get_all(name);
        let first = all.next().and_then(|value| std::str::from_utf8(value).ok());
        first.filter(|_| all.next().is_none()).map(str::to_owned)
    };
    let Some(parent) = one("traceparent") else { return };
    let context = TraceContextPropagator::new()
        .extract_with_context(&Context::new(), &Parent { parent, state: one("tracestate") });
    if context.span().span_context().is_valid() {
        // It fails only for a span that nobody listens to.
        let _ = span.set_parent(context);
    }
}

/// The header lines that a parent is read from.
struct Parent {
    parent: String,
    state: Option<String>,
}

impl Extractor for Parent {
    fn get(&self, key: &str) -> Option<&str> {
        match key {
            "traceparent" => Some(&self.parent),
            "tracestate" => self.state.as_deref(),
            _ => None,
        }
    }

    fn keys(&self) -> Vec<&str> {
        vec!["traceparent", "tracestate"]
    }
}

/// An exporter that says when its collector goes away and returns, once each.
#[derive(Debug)]
struct Watched {
    exporter: opentelemetry_otlp::SpanExporter,
    is_away: AtomicBool,
}

impl SpanExporter for Watched {
    async fn export(&self, batch: Vec<SpanData>) -> OTelSdkResult {
        let done = self.exporter.export(batch).await;
        let was_away = self.is_away.swap(done.is_err(), Ordering::Relaxed);
        match &done {
            Err(fault) if !was_away => {
                tracing::warn!(%fault, "the collector takes no traces; deliveries continue, spans are dropped");
            }
            Ok(()) if was_away => tracing::info!("the collector takes traces again"),
            _ => {}
        }
        done
    }

    fn shutdown_with_timeout(&self, timeout: Duration) -> OTelSdkResult {
        self.exporter.shutdown_with_timeout(timeout)
    }

    fn set_resource(&mut self, resource: &Resource) {
        self.exporter.set_resource(resource);
    }
}
