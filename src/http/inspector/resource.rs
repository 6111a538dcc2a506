//! Resources by what may be done with them.

use actix_web::{FromRequest, Handler, Resource, Responder, guard, web};

use super::problem::method_not_allowed;

/// A resource that is read: GET and HEAD; other methods are 405.
pub fn read_only<F, Args>(path: &str, handler: F) -> Resource
where
    F: Handler<Args>,
    Args: FromRequest + 'static,
    F::Output: Responder + 'static,
{
    let reads = guard::Any(guard::Get()).or(guard::Head());
    web::resource(path)
        .route(web::route().guard(reads).to(handler))
        .default_service(web::to(|| async { method_not_allowed("GET, HEAD") }))
}

/// A resource that does something: POST only.
pub fn post_only<F, Args>(path: &str, handler: F) -> Resource
where
    F: Handler<Args>,
    Args: FromRequest + 'static,
    F::Output: Responder + 'static,
{
    web::resource(path)
        .route(web::post().to(handler))
        .default_service(web::to(|| async { method_not_allowed("POST") }))
}
