//! The inspector's server: every route, and the guard in front of them.

use std::net::{IpAddr, TcpListener};
use std::time::Duration;

use actix_http::HttpService;
use actix_server::Server;
use actix_service::{ServiceFactoryExt as _, fn_service, map_config};
use actix_web::body::{BodySize, BoxBody, MessageBody as _};
use actix_web::dev::{AppConfig, ServiceRequest, ServiceResponse};
use actix_web::http::header::{Accept, CONTENT_TYPE, Header as _};
use actix_web::http::{ConnectionType, Version};
use actix_web::middleware::{Next, from_fn};
use actix_web::web::{self, ServiceConfig};
use actix_web::{App, Error, HttpRequest, HttpResponse};
use tokio::net::TcpStream;

use super::operations::figures;
use super::pages::{self, page};
use super::problem::{Problem, method_not_allowed};
use super::resource::{post_only, read_only};
use super::state::InspectorState;
use super::{api, badge_refresh, compress, guard, login, mount};
use crate::domain::DeliveryFilter;
use crate::http::connection::doorkeeper::Doorkeeper;
use crate::http::connection::other_end::OtherEnd;
use crate::http::connection::readiness;
use crate::http::connection::recorded_stream::RecordedStream;
use crate::http::connection::route::Route;
use crate::http::connection::traffic::Port;
use crate::http::connection::unread;
use crate::http::connection::wire_head::TapeBudget;
use crate::store::Connections;
use crate::telemetry::{DeviceGauges, Exposition, Gauges, NotKept, PortName, Refused};

/// Threads of the inspector. Nothing here computes for long, and the receiver comes first.
const WORKERS: usize = 1;
/// How long an idle connection is kept.
const KEEP_ALIVE: Duration = Duration::from_secs(75);
/// How long a connection may take to close.
const DISCONNECT_TIMEOUT: Duration = Duration::from_secs(1);
/// Serves the inspector on `listener` until its port is closed.
///
/// # Errors
/// When the listener cannot be used.
pub fn serve(
    listener: TcpListener,
    state: InspectorState,
    door: Doorkeeper,
) -> std::io::Result<(Server, Port)> {
    let state = web::Data::new(state);
    let tapes = TapeBudget::default();
    let (traffic, head_timeout) = (door.traffic.clone(), door.head_timeout);
    let server = Server::build()
        .workers(WORKERS)
        .disable_signals()
        .listen("inspector", listener, move || {
            let (state, door, closing) = (state.clone(), door.clone(), door.traffic.clone());
            let app = App::new()
                .app_data(state)
                .app_data(web::Data::new(door.clone()))
                .configure(routes)
                .wrap(from_fn(badge_refresh::keep_fresh))
                .wrap(from_fn(guard::guard))
                .wrap(from_fn(mount::mount))
                .wrap(from_fn(compress::compress))
                // These two keep the body of a response; nothing after them can read it.
                .wrap(from_fn(until_answered))
                .wrap(from_fn(unread::keep));
            let http = HttpService::build()
                .graceful_shutdown_signal(move || {
                    let closing = closing.clone();
                    async move { closing.closing().await }
                })
                .keep_alive(KEEP_ALIVE)
                .client_request_timeout(head_timeout)
                .client_disconnect_timeout(DISCONNECT_TIMEOUT)
                .h1(map_config(app, |()| AppConfig::default()));
            let tapes = tapes.clone();
            // For requests that such a stream refuses: their heads as received are not needed.
            fn_service(move |stream: TcpStream| {
                let peer = stream.peer_addr().ok();
                let end = OtherEnd::of(peer.map(|peer| peer.ip()));
                let stream = RecordedStream::new(stream, end, tapes.clone(), door.clone());
                std::future::ready(Ok((stream, peer)))
            })
            .and_then(http)
        })?
        .run();
    let port = Port { server: server.handle(), traffic };
    Ok((server, port))
}

/// A stop waits until a request is answered to its last byte. It does not wait for live streams: they end by themselves.
async fn until_answered(
    door: web::Data<Doorkeeper>,
    state: web::Data<InspectorState>,
    request: ServiceRequest,
    next: Next<BoxBody>,
) -> Result<ServiceResponse<BoxBody>, Error> {
    let token = door.traffic.request();
    let lost = lost_delivery(&request);
    let is_old = request.version() == Version::HTTP_10;
    let mut response = next.call(request).await?;
    if is_old && response.response().body().size() == BodySize::Stream {
        // HTTP/1.0 knows no chunks (RFC 9112, 6.1): the end of the connection ends the body. nginx asks like this.
        let head = response.response_mut().head_mut();
        head.no_chunking(true);
        head.set_connection_type(ConnectionType::Close);
    }
    if let Some((client, method, target)) = lost {
        let detail = format!("This is the inspector's port; the receiver is at {}.", state.receiver_shown());
        let status = response.status().as_u16();
        let (port, cause, is_likely) = (PortName::Inspector, NotKept::Path, true);
        let refused = Refused { port, cause, status, client, method, target, detail, is_likely };
        door.metrics.refused(refused, state.clock.wall());
    }
    let is_stream = response.headers().get(CONTENT_TYPE).is_some_and(|value| value == "text/event-stream");
    match token {
        Some(token) if !is_stream => Ok(response.map_body(|_, answer| unread::hold(answer, token))),
        _ => Ok(response),
    }
}

/// Client, method and target of a request that should have gone to the receiver.
fn lost_delivery(request: &ServiceRequest) -> Option<(Option<IpAddr>, String, String)> {
    let is_delivery = matches!(Route::of(request.path()), Route::Webhook(_) | Route::Test);
    let target = request.uri().path_and_query().map_or("/", |target| target.as_str());
    let client = request.peer_addr().map(|peer| peer.ip());
    is_delivery.then(|| (client, request.method().to_string(), target.to_owned()))
}

/// Every route. They need `web::Data<InspectorState>`, `guard` in front, and `mount` in front of that.
fn routes(cfg: &mut ServiceConfig) {
    api::routes(cfg);
    pages::routes(cfg);
    cfg.service(read_only("/metrics", metrics))
        .service(read_only("/healthz", || std::future::ready(readiness::running())))
        .service(read_only("/readyz", ready))
        .service(
            web::resource("/login")
                .route(web::get().to(login::form))
                .route(web::post().to(login::login))
                .default_service(web::to(|| async { method_not_allowed("GET, POST") })),
        )
        .service(post_only("/logout", login::logout))
        .default_service(web::to(nothing));
}

/// Whether deliveries can be stored.
async fn ready(state: web::Data<InspectorState>) -> HttpResponse {
    state.readiness.answer().await
}

/// The counters, as Prometheus reads them.
async fn metrics(request: HttpRequest, state: web::Data<InspectorState>) -> HttpResponse {
    let size = state.store.size();
    recall(&state).await;
    let devices = state.store.entity_counts().await.unwrap_or_default();
    let gauges = Gauges {
        store_bytes: size.used,
        wal_bytes: size.wal,
        queue_depth: size.queue_depth,
        search_bytes: size.search,
        search_segments: size.search_segments,
        connections: size.connections.map_or_else(Vec::new, |connections| {
            let Connections { in_use, idle, set_aside } = connections;
            vec![("in_use", in_use), ("idle", idle), ("set_aside", set_aside)]
        }),
        // A store that cannot be read leaves them out; the other figures matter then.
        endpoints: figures::gauges(&state).await.unwrap_or_default(),
        parked: figures::parked_gauges(&state).await.unwrap_or_default(),
        devices: devices
            .into_iter()
            .map(|(source, all, silent)| DeviceGauges { source, all, silent })
            .collect(),
    };
    let exposition = exposition(&request);
    HttpResponse::Ok().content_type(exposition.content_type()).body(state.metrics.text(&gauges, exposition))
}

/// Tells the metrics when each source was last heard before this start.
async fn recall(state: &InspectorState) {
    let sources = state.source_names();
    for source in state.metrics.unheard(&sources) {
        let filter = DeliveryFilter { source: Some(source.clone()), ..DeliveryFilter::default() };
        if let Some(row) = state.store.list(&filter, None, 1).await.unwrap_or_default().first() {
            state.metrics.heard_before(source, row.received_at);
        }
    }
}

/// The format that the scraper likes best. OpenMetrics is for those that name it; `promtool` and older tools read the other.
fn exposition(request: &HttpRequest) -> Exposition {
    let accepted = Accept::parse(request).map(|accept| accept.ranked()).unwrap_or_default();
    let named = accepted.iter().find_map(|kind| match kind.essence_str() {
        "application/openmetrics-text" => Some(Exposition::OpenMetrics),
        // A browser shows it instead of saving it.
        "text/plain" | "text/*" | "text/html" => Some(Exposition::Prometheus),
        _ => None,
    });
    named.unwrap_or(Exposition::Prometheus)
}

async fn nothing(request: HttpRequest, state: web::Data<InspectorState>) -> HttpResponse {
    if request.path().starts_with("/api/") {
        return Problem::not_found(
            "There is nothing at this path. GET /api/v1/openapi.json lists what there is.",
        )
        .response();
    }
    page::not_found(&state, "There is no page at this address.")
}

#[cfg(test)]
mod tests;
