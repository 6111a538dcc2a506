//! The API of the lens: schema drift, and the devices of deliveries.

mod drift;
mod entities;
mod schema;

use super::openapi::Router;

/// Every route of the lens.
pub fn routes(router: &mut Router<'_>) {
    router.at("/drift").get("Event types and what is odd about their payloads", drift::list);
    router
        .at("/deliveries/{id}/schema")
        .post("Make a JSON Schema from a delivery's payload", schema::infer_one);
    router.at("/entities").get("List devices", entities::list);
    router
        .at("/entities/{source}/{entity:.+}")
        .get("One device, its last deliveries and their values", entities::one)
        .patch("Name a device", entities::name);
}
