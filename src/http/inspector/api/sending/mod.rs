//! The API of the sender: events, subscriptions, messages, dead letters, figures.

mod dead_letters;
mod event_choice;
mod events;
mod health;
mod letter_choice;
mod messages;
mod objects;
mod stats;
mod subscriptions;
mod trials;
mod waiting;

use actix_web::web::{self, ServiceConfig};

use crate::http::inspector::problem::method_not_allowed;
use crate::http::inspector::resource::read_only;

/// Every route of the sender.
pub fn routes(cfg: &mut ServiceConfig) {
    cfg.service(resource("/api/v1/events", "POST").route(web::post().to(events::publish)))
        .service(read_only("/api/v1/events/{id}", events::one))
        .service(
            resource("/api/v1/subscriptions", "GET, HEAD, POST")
                .route(web::get().to(subscriptions::list))
                .route(web::head().to(subscriptions::list))
                .route(web::post().to(subscriptions::create)),
        )
        .service(resource("/api/v1/subscriptions/preview", "POST").route(web::post().to(trials::preview)))
        .service(
            resource("/api/v1/subscriptions/{id}", "GET, HEAD, PUT, PATCH, DELETE")
                .route(web::get().to(subscriptions::one))
                .route(web::head().to(subscriptions::one))
                .route(web::put().to(subscriptions::replace))
                .route(web::patch().to(subscriptions::patch))
                .route(web::delete().to(subscriptions::delete)),
        )
        .service(resource("/api/v1/subscriptions/{id}/test", "POST").route(web::post().to(trials::test)))
        .service(resource("/api/v1/subscriptions/{id}/check", "POST").route(web::post().to(trials::check)))
        .service(read_only("/api/v1/presets", subscriptions::presets))
        .service(read_only("/api/v1/messages", messages::list))
        .service(resource("/api/v1/messages/send-now", "POST").route(web::post().to(waiting::send_many)))
        .service(resource("/api/v1/messages/move", "POST").route(web::post().to(waiting::move_many)))
        .service(resource("/api/v1/messages/cancel", "POST").route(web::post().to(waiting::cancel_many)))
        .service(resource("/api/v1/messages/{id}/send-now", "POST").route(web::post().to(waiting::send_one)))
        .service(resource("/api/v1/messages/{id}/cancel", "POST").route(web::post().to(waiting::cancel_one)))
        .service(read_only("/api/v1/messages/{id}", messages::one))
        .service(read_only("/api/v1/dead-letters", dead_letters::list))
        .service(read_only("/api/v1/dead-letters/groups", dead_letters::groups))
        .service(
            resource("/api/v1/dead-letters/replay", "POST").route(web::post().to(dead_letters::replay_many)),
        )
        .service(
            resource("/api/v1/dead-letters/discard", "POST")
                .route(web::post().to(dead_letters::discard_many)),
        )
        .service(
            resource("/api/v1/dead-letters/{id}", "GET, HEAD, DELETE")
                .route(web::get().to(dead_letters::one))
                .route(web::head().to(dead_letters::one))
                .route(web::delete().to(dead_letters::delete)),
        )
        .service(
            resource("/api/v1/dead-letters/{id}/replay", "POST").route(web::post().to(dead_letters::replay)),
        )
        .service(read_only("/api/v1/stats", stats::stats))
        .service(read_only("/api/v1/health", health::health))
        .service(read_only("/api/v1/deliveries/{id}/subscriptions", events::of_delivery));
}

fn resource(path: &str, allow: &'static str) -> actix_web::Resource {
    web::resource(path).default_service(web::to(move || async move { method_not_allowed(allow) }))
}
