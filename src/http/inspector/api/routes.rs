//! Every route of the API.

use actix_web::web::{Data, ServiceConfig};

use super::openapi::{Router, finished, show};
use super::{
    attempts, confirm, deliveries, event_types, export, export_many, history, import, lens, nodes, overview,
    refusals, reload, replay_runs, replays, searches, sending, sources, stream, suggestions, tokens, wait,
    what_if,
};

/// Registers every route, and the document that describes them.
pub fn routes(server: &mut ServiceConfig) {
    let mut router = Router::new(server);
    router.subject("Deliveries");
    of_deliveries(&mut router);
    router.subject("Replays");
    of_replays(&mut router);
    router.subject("Checks and searches");
    of_searches(&mut router);
    router.subject("Overview");
    router.at("/overview").get("Counts, answer times, and what needs attention", overview::show);
    router.at("/sources").get("List sources", sources::list);
    router.at("/sources/{name}").get("One source", sources::one);
    router.at("/nodes").get("The nodes that share the store", nodes::list);
    router.at("/refusals").get("Requests that left no delivery", refusals::list);
    router.at("/event-types").get("List event types", event_types::list);
    router.at("/event-types/{name}").get("One event type with its schema", event_types::one);
    lens::routes(&mut router);
    router.subject("Forwarding");
    sending::routes(&mut router);
    router.subject("This API");
    router.at("/reload").post("Read the configuration again", reload::reload);
    router.at("/tokens").get("List tokens", tokens::list).post("Make a token", tokens::create);
    router.at("/tokens/{id}").delete("Revoke a token", tokens::delete);
    router.at("/openapi.json").get("This document", show);
    let document = finished(router);
    server.app_data(Data::new(document));
}

fn of_deliveries(router: &mut Router<'_>) {
    router.at("/deliveries").get("List deliveries", deliveries::list);
    router.at("/deliveries/stream").get_only("Deliveries as they come", stream::stream);
    router.at("/deliveries/export").get_only("Export deliveries", export_many::many);
    router.at("/deliveries/import").post("Store deliveries of another instance", import::many);
    router.at("/deliveries/replay").post("Replay many deliveries", replay_runs::start);
    router
        .at("/deliveries/attempts")
        .post("Report what an app answered to forwarded deliveries", attempts::report);
    router
        .at("/deliveries/{id}")
        .get("One delivery with its checks and its diagnosis", deliveries::one)
        .patch("Pin, note and tag a delivery", deliveries::mark);
    router.at("/deliveries/{id}/diff/{other}").get("Compare two deliveries", history::diff);
    router.at("/events/{event_id}/timeline").get("Every delivery of an event", history::timeline);
    router.at("/deliveries/{id}/raw").get("The exact bytes of a body", deliveries::raw);
    router.at("/deliveries/{id}/export").get("A delivery as a program or an archive", export::one);
    router.at("/deliveries/{id}/replay").post("Replay a delivery", replays::replay);
    router.at("/deliveries/{id}/confirm").post("Open the confirmation link of AWS", confirm::confirm);
    router.at("/wait").get_only("Wait for a delivery", wait::wait);
}

fn of_replays(router: &mut Router<'_>) {
    router.at("/replays").get("List replays", replays::list);
    router.at("/replays/{id}").get("One replay", replays::one);
    router.at("/replay-runs").get("List runs", replay_runs::list);
    router.at("/replay-runs/{id}").get("One run", replay_runs::one);
    router.at("/replay-runs/{id}/stop").post("Stop a run", replay_runs::stop);
    router.at("/replay-runs/{id}/resume").post("Resume a run", replay_runs::resume);
}

fn of_searches(router: &mut Router<'_>) {
    router.at("/what-if").post("Check stored deliveries under other rules", what_if::start);
    router
        .at("/what-if/{id}")
        .get_only("What a check found", what_if::one)
        .delete("End a check", what_if::cancel);
    router.at("/searches").get("List saved searches", searches::list);
    router
        .at("/searches/{name}")
        .put("Save a search", searches::put)
        .delete("Remove a saved search", searches::delete);
    router.at("/suggestions").get("What a search may continue with", suggestions::list);
}
