//! Every route of the API.

use actix_web::web::{self, ServiceConfig};

use super::{
    attempts, confirm, deliveries, event_types, export, export_many, history, lens, nodes, overview,
    refusals, replay_runs, replays, searches, sending, sources, stream, suggestions, tokens, wait, what_if,
};
use crate::http::inspector::problem::method_not_allowed;
use crate::http::inspector::resource::{get_only, post_only, read_only};

/// Every route of the API.
pub fn routes(cfg: &mut ServiceConfig) {
    cfg.service(read_only("/api/v1/deliveries", deliveries::list))
        .service(get_only("/api/v1/deliveries/stream", stream::stream))
        .service(get_only("/api/v1/deliveries/export", export_many::many))
        .service(post_only("/api/v1/deliveries/replay", replay_runs::start))
        .service(post_only("/api/v1/deliveries/attempts", attempts::report))
        .service(
            web::resource("/api/v1/deliveries/{id}")
                .route(web::get().to(deliveries::one))
                .route(web::head().to(deliveries::one))
                .route(web::patch().to(history::mark))
                .default_service(web::to(|| async { method_not_allowed("GET, HEAD, PATCH") })),
        )
        .service(read_only("/api/v1/deliveries/{id}/diff/{other}", history::diff))
        .service(read_only("/api/v1/events/{event_id}/timeline", history::timeline))
        .service(read_only("/api/v1/sources", sources::list))
        .service(read_only("/api/v1/sources/{name}", sources::one))
        .service(read_only("/api/v1/nodes", nodes::list))
        .service(read_only("/api/v1/overview", overview::show))
        .service(read_only("/api/v1/refusals", refusals::list))
        .service(read_only("/api/v1/searches", searches::list))
        .service(read_only("/api/v1/suggestions", suggestions::list))
        .service(
            web::resource("/api/v1/searches/{name}")
                .route(web::put().to(searches::put))
                .route(web::delete().to(searches::delete))
                .default_service(web::to(|| async { method_not_allowed("PUT, DELETE") })),
        )
        .service(
            web::resource("/api/v1/tokens")
                .route(web::get().to(tokens::list))
                .route(web::head().to(tokens::list))
                .route(web::post().to(tokens::create))
                .default_service(web::to(|| async { method_not_allowed("GET, HEAD, POST") })),
        )
        .service(
            web::resource("/api/v1/tokens/{id}")
                .route(web::delete().to(tokens::delete))
                .default_service(web::to(|| async { method_not_allowed("DELETE") })),
        )
        .service(read_only("/api/v1/deliveries/{id}/raw", deliveries::raw))
        .service(read_only("/api/v1/deliveries/{id}/export", export::one))
        .service(post_only("/api/v1/deliveries/{id}/replay", replays::replay))
        .service(post_only("/api/v1/deliveries/{id}/confirm", confirm::confirm))
        .service(read_only("/api/v1/replays", replays::list))
        .service(read_only("/api/v1/replays/{id}", replays::one))
        .service(read_only("/api/v1/replay-runs", replay_runs::list))
        .service(read_only("/api/v1/replay-runs/{id}", replay_runs::one))
        .service(post_only("/api/v1/replay-runs/{id}/stop", replay_runs::stop))
        .service(post_only("/api/v1/replay-runs/{id}/resume", replay_runs::resume))
        .service(post_only("/api/v1/what-if", what_if::start))
        .service(
            web::resource("/api/v1/what-if/{id}")
                .route(web::get().to(what_if::one))
                .route(web::delete().to(what_if::cancel))
                .default_service(web::to(|| async { method_not_allowed("GET, DELETE") })),
        )
        .service(get_only("/api/v1/wait", wait::wait))
        .service(read_only("/api/v1/event-types", event_types::list))
        .service(read_only("/api/v1/event-types/{name}", event_types::one));
    lens::routes(cfg);
    sending::routes(cfg);
}
