//! The pages of the lens: schema drift, a schema made of a delivery, and the entities that deliveries are about.

mod drift_page;
mod entities_page;
mod entity_page;
mod readings;
mod schema_page;
mod values;
mod words;

use actix_web::web::{self, ServiceConfig};

use crate::http::inspector::problem::method_not_allowed;
use crate::http::inspector::resource::read_only;

pub use drift_page::{TypeView, of_event_type};
pub use words::{drift_url, entity_url_of};

/// Every page of the lens.
pub fn routes(cfg: &mut ServiceConfig) {
    cfg.service(read_only("/drift", drift_page::list))
        .service(
            web::resource("/deliveries/{id}/schema")
                .route(web::get().to(schema_page::show))
                .route(web::head().to(schema_page::show))
                .route(web::post().to(schema_page::save))
                .default_service(web::to(|| async { method_not_allowed("GET, HEAD, POST") })),
        )
        .service(read_only("/entities", entities_page::list))
        .service(
            web::resource("/entities/{source}/{entity:.+}")
                .route(web::get().to(entity_page::one))
                .route(web::head().to(entity_page::one))
                .route(web::post().to(entity_page::name))
                .default_service(web::to(|| async { method_not_allowed("GET, HEAD, POST") })),
        );
}
