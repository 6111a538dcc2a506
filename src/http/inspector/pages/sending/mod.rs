//! The sender's pages: subscriptions, messages, dead letters, health.

mod attempts;
mod dead_letters_page;
mod health_page;
mod messages_page;
mod onward;
mod subscription_page;
mod subscriptions_page;

use actix_web::web::ServiceConfig;

use crate::http::inspector::resource::read_only;

pub use onward::{Onward, onward};

/// Every page of the sender.
pub fn routes(cfg: &mut ServiceConfig) {
    cfg.service(read_only("/subscriptions", subscriptions_page::list))
        .service(read_only("/subscriptions/new", subscription_page::new))
        .service(read_only("/subscriptions/{id}", subscription_page::one))
        .service(read_only("/messages", messages_page::list))
        .service(read_only("/messages/{id}", messages_page::one))
        .service(read_only("/dead-letters", dead_letters_page::list))
        .service(read_only("/health", health_page::health));
}
