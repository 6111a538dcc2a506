//! The API of the lens: schema drift, and the entities that deliveries are about.

mod drift;
mod entities;
pub mod schema;

use actix_web::web::ServiceConfig;

use super::{post_only, read_only};

pub use entities::{place_of, query};

/// Every route of the lens.
pub fn routes(cfg: &mut ServiceConfig) {
    cfg.service(read_only("/api/v1/drift", drift::list))
        .service(post_only("/api/v1/deliveries/{id}/schema", schema::infer_one))
        .service(read_only("/api/v1/entities", entities::list))
        .service(read_only("/api/v1/entities/{source}/{entity:.+}", entities::one));
}
