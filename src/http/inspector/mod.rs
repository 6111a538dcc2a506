//! The inspector's port: pages for the operator, the API beside them, and the guard in front of both.

mod assets;
mod delivery_page;
mod event_types_page;
mod guard;
mod hosts;
mod list_page;
mod login;
mod page;
mod row_view;
mod send_test;
mod state;

use std::net::TcpListener;
use std::time::Duration;

use actix_web::dev::Server;
use actix_web::middleware::from_fn;
use actix_web::web::{self, ServiceConfig};
use actix_web::{App, HttpRequest, HttpResponse, HttpServer};

use super::api::{self, read_only};
use super::problem::{Problem, method_not_allowed};

pub use hosts::Hosts;
pub use send_test::zero_state_curl;
pub use state::InspectorState;

/// How long an idle connection is kept.
const KEEP_ALIVE: Duration = Duration::from_secs(75);
/// How long a request's head may take.
const HEAD_TIMEOUT: Duration = Duration::from_secs(10);
/// How long a stop waits for requests under way, in seconds.
const STOP_TIMEOUT_S: u64 = 5;

/// Serves the inspector on `listener` until its handle stops it. `more` adds routes behind the same guard.
///
/// # Errors
/// When the listener cannot be used.
pub fn serve(
    listener: TcpListener,
    workers: usize,
    state: InspectorState,
    more: impl Fn(&mut ServiceConfig) + Clone + Send + 'static,
) -> std::io::Result<Server> {
    let state = web::Data::new(state);
    let server = HttpServer::new(move || {
        App::new()
            .app_data(state.clone())
            .wrap(from_fn(guard::guard))
            .configure(more.clone())
            .configure(routes)
    });
    let server = server
        .workers(workers)
        .keep_alive(KEEP_ALIVE)
        .client_request_timeout(HEAD_TIMEOUT)
        .shutdown_timeout(STOP_TIMEOUT_S)
        .disable_signals()
        .listen(listener)?;
    Ok(server.run())
}

/// Every route. They need `web::Data<InspectorState>`, and `guard` in front.
fn routes(cfg: &mut ServiceConfig) {
    api::routes(cfg);
    cfg.service(read_only("/", list_page::list))
        .service(read_only("/deliveries/{id}", delivery_page::delivery))
        .service(read_only("/event-types", event_types_page::list))
        .service(read_only("/event-types/{name}", event_types_page::one))
        .service(read_only("/static/{name}", assets::asset))
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

async fn nothing(request: HttpRequest, state: web::Data<InspectorState>) -> HttpResponse {
    if request.path().starts_with("/api/") {
        return Problem::not_found("There is nothing at this path.").response();
    }
    page::not_found(&state, "There is no page at this address.")
}
