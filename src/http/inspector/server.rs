//! The inspector's server: every route, and the guard in front of them.

use std::net::TcpListener;
use std::time::Duration;

use actix_http::HttpService;
use actix_server::Server;
use actix_service::{ServiceFactoryExt as _, fn_service, map_config};
use actix_web::dev::AppConfig;
use actix_web::middleware::from_fn;
use actix_web::web::{self, ServiceConfig};
use actix_web::{App, HttpRequest, HttpResponse};
use tokio::net::TcpStream;

use super::state::InspectorState;
use super::{
    again, assets, body_section, delivery_page, diff_page, event_types_page, guard, lens, list_page, login,
    marks, mount, overview_page, page, replays_page, searches, send_test, sending, what_if_page,
};
use crate::http::api::{self, read_only};
use crate::http::problem::{Problem, method_not_allowed};
use crate::http::recorded_stream::RecordedStream;
use crate::http::unread;
use crate::http::wire_head::TapeBudget;
use crate::telemetry::Gauges;

/// Threads of the inspector. Nothing here computes for long, and the receiver comes first.
const WORKERS: usize = 1;
/// How long an idle connection is kept.
const KEEP_ALIVE: Duration = Duration::from_secs(75);
/// How long a request's head may take.
const HEAD_TIMEOUT: Duration = Duration::from_secs(10);
/// How long a connection may take to close.
const DISCONNECT_TIMEOUT: Duration = Duration::from_secs(1);
/// How long a stop waits for requests under way, in seconds.
const STOP_TIMEOUT_S: u64 = 5;

/// Serves the inspector on `listener` until its handle stops it.
///
/// # Errors
/// When the listener cannot be used.
pub fn serve(listener: TcpListener, state: InspectorState) -> std::io::Result<Server> {
    let state = web::Data::new(state);
    let tapes = TapeBudget::default();
    let server = Server::build()
        .workers(WORKERS)
        .shutdown_timeout(STOP_TIMEOUT_S)
        .disable_signals()
        .listen("inspector", listener, move || {
            let state = state.clone();
            let app = App::new()
                .app_data(state)
                .configure(routes)
                .wrap(from_fn(guard::guard))
                .wrap(from_fn(mount::mount))
                .wrap(from_fn(unread::keep));
            let http = HttpService::build()
                .keep_alive(KEEP_ALIVE)
                .client_request_timeout(HEAD_TIMEOUT)
                .client_disconnect_timeout(DISCONNECT_TIMEOUT)
                .h1(map_config(app, |()| AppConfig::default()));
            let tapes = tapes.clone();
            // Only for what such a stream refuses: nobody asks for the heads as they were.
            fn_service(move |stream: TcpStream| {
                let peer = stream.peer_addr().ok();
                std::future::ready(Ok((RecordedStream::new(stream, tapes.clone()), peer)))
            })
            .and_then(http)
        })?
        .run();
    Ok(server)
}

/// Every route. They need `web::Data<InspectorState>`, `guard` in front, and `mount` in front of that.
fn routes(cfg: &mut ServiceConfig) {
    api::routes(cfg);
    sending::routes(cfg);
    lens::routes(cfg);
    cfg.service(read_only("/", list_page::list))
        .service(read_only("/deliveries", list_page::list))
        .service(read_only("/deliveries/{id}", delivery_page::delivery))
        .service(read_only("/diff", diff_page::diff))
        .service(read_only("/overview", overview_page::overview))
        .service(post_only("/searches").route(web::post().to(searches::save)))
        .service(post_only("/searches/remove").route(web::post().to(searches::remove)))
        .service(post_only("/deliveries/{id}/marks").route(web::post().to(marks::keep)))
        .service(read_only("/deliveries/{id}/image", body_section::picture))
        .service(read_only("/deliveries/{id}/parts/{number}", body_section::part))
        .service(post_only("/deliveries/{id}/replay").route(web::post().to(again::replay)))
        .service(
            web::resource("/replays")
                .route(web::get().to(replays_page::list))
                .route(web::post().to(replays_page::start))
                .default_service(web::to(|| async { method_not_allowed("GET, POST") })),
        )
        .service(read_only("/replays/{id}", replays_page::one))
        .service(post_only("/replays/{id}/stop").route(web::post().to(replays_page::stop)))
        .service(post_only("/replays/{id}/resume").route(web::post().to(replays_page::resume)))
        .service(
            web::resource("/what-if")
                .route(web::get().to(what_if_page::form))
                .route(web::post().to(what_if_page::start))
                .default_service(web::to(|| async { method_not_allowed("GET, POST") })),
        )
        .service(read_only("/what-if/{id}", what_if_page::one))
        .service(post_only("/what-if/{id}/cancel").route(web::post().to(what_if_page::cancel)))
        .service(read_only("/event-types", event_types_page::list))
        .service(read_only("/event-types/{name}", event_types_page::one))
        .service(read_only("/static/{name}", assets::asset))
        .service(read_only("/metrics", metrics))
        .service(
            web::resource("/login")
                .route(web::get().to(login::form))
                .route(web::post().to(login::login))
                .default_service(web::to(|| async { method_not_allowed("GET, POST") })),
        )
        .service(post_only("/logout").route(web::post().to(login::logout)))
        .service(post_only("/send-test").route(web::post().to(send_test::send_test)))
        .default_service(web::to(nothing));
}

fn post_only(path: &str) -> actix_web::Resource {
    web::resource(path).default_service(web::to(|| async { method_not_allowed("POST") }))
}

/// The counters, as Prometheus reads them.
async fn metrics(state: web::Data<InspectorState>) -> HttpResponse {
    let size = state.store.size();
    let gauges = Gauges {
        store_bytes: size.used,
        wal_bytes: size.wal,
        queue_depth: size.queue_depth,
        search_bytes: size.search,
        search_segments: size.search_segments,
        // A store that cannot be read leaves them out; the other figures matter then.
        endpoints: api::sending::figures::gauges(&state).await.unwrap_or_default(),
        parked: api::sending::figures::parked_gauges(&state).await.unwrap_or_default(),
    };
    HttpResponse::Ok()
        .content_type("application/openmetrics-text; version=1.0.0; charset=utf-8")
        .body(state.metrics.text(&gauges))
}

async fn nothing(request: HttpRequest, state: web::Data<InspectorState>) -> HttpResponse {
    if request.path().starts_with("/api/") {
        return Problem::not_found("There is nothing at this path.").response();
    }
    page::not_found(&state, "There is no page at this address.")
}

#[cfg(test)]
mod tests;
