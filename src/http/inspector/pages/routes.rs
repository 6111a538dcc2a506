//! Every page.

use actix_web::web::{self, ServiceConfig};

use super::{
    again, api_page, assets, body_section, confirm, connect, delivery_page, diff_page, docs,
    event_types_page, lens, list, marks, overview_page, refusals_page, replays_page, searches, send_test,
    sending, sources_page, tokens_page, what_if_page,
};
use crate::http::inspector::problem::method_not_allowed;
use crate::http::inspector::resource::{post_only, read_only};

/// Every page.
pub fn routes(cfg: &mut ServiceConfig) {
    sending::routes(cfg);
    lens::routes(cfg);
    cfg.service(read_only("/", list::list))
        .service(read_only("/deliveries", list::list))
        .service(read_only("/deliveries/survey", list::survey))
        .service(read_only("/deliveries/rows", list::rows))
        .service(read_only("/deliveries/{id}", delivery_page::delivery))
        .service(read_only("/diff", diff_page::diff))
        .service(read_only("/overview", overview_page::overview))
        .service(read_only("/refusals", refusals_page::refusals))
        .service(post_only("/searches", searches::save))
        .service(post_only("/searches/remove", searches::remove))
        .service(post_only("/deliveries/{id}/marks", marks::keep))
        .service(read_only("/deliveries/{id}/image", body_section::picture))
        .service(read_only("/deliveries/{id}/parts/{number}", body_section::part))
        .service(post_only("/deliveries/{id}/replay", again::replay))
        .service(post_only("/deliveries/{id}/confirm", confirm::confirm))
        .service(
            web::resource("/replays")
                .route(web::get().to(replays_page::list))
                .route(web::post().to(replays_page::start))
                .default_service(web::to(|| async { method_not_allowed("GET, POST") })),
        )
        .service(read_only("/replays/{id}", replays_page::one))
        .service(post_only("/replays/{id}/stop", replays_page::stop))
        .service(post_only("/replays/{id}/resume", replays_page::resume))
        .service(
            web::resource("/what-if")
                .route(web::get().to(what_if_page::form))
                .route(web::post().to(what_if_page::start))
                .default_service(web::to(|| async { method_not_allowed("GET, POST") })),
        )
        .service(read_only("/what-if/{id}", what_if_page::one))
        .service(post_only("/what-if/{id}/cancel", what_if_page::cancel))
        .service(read_only("/sources", sources_page::list))
        .service(
            web::resource("/sources/{name}")
                .route(web::get().to(sources_page::one))
                .route(web::head().to(sources_page::one))
                .route(web::post().to(sources_page::with_secrets))
                .default_service(web::to(|| async { method_not_allowed("GET, HEAD, POST") })),
        )
        .service(
            web::resource("/tokens")
                .route(web::get().to(tokens_page::list))
                .route(web::head().to(tokens_page::list))
                .route(web::post().to(tokens_page::create))
                .default_service(web::to(|| async { method_not_allowed("GET, HEAD, POST") })),
        )
        .service(post_only("/tokens/revoke", tokens_page::revoke))
        .service(read_only("/event-types", event_types_page::list))
        .service(read_only("/event-types/{name}", event_types_page::one))
        .service(read_only("/api", api_page::api))
        .service(read_only("/docs", docs::docs))
        .service(read_only("/docs/{path:.*}", docs::docs))
        .service(read_only("/static/{name}", assets::asset))
        .service(read_only("/connect", connect::connect))
        .service(post_only("/connect/{what}", connect::act))
        .service(post_only("/send-test", send_test::send_test));
}
