//! The API of the lens: schema drift, and the devices of deliveries.

mod drift;
mod entities;
mod schema;

use actix_web::web::{self, ServiceConfig};

use crate::http::inspector::problem::method_not_allowed;
use crate::http::inspector::resource::{post_only, read_only};

/// Every route of the lens.
pub fn routes(cfg: &mut ServiceConfig) {
    cfg.service(read_only("/api/v1/drift", drift::list))
        .service(post_only("/api/v1/deliveries/{id}/schema", schema::infer_one))
        .service(read_only("/api/v1/entities", entities::list))
        .service(
            web::resource("/api/v1/entities/{source}/{entity:.+}")
                .route(web::get().to(entities::one))
                .route(web::head().to(entities::one))
                .route(web::patch().to(entities::name))
                .default_service(web::to(|| async { method_not_allowed("GET, HEAD, PATCH") })),
        );
}
