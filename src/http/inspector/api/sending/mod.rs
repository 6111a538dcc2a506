//! The API of the sender: events, subscriptions, messages, dead letters, figures.

mod dead_letters;
mod event_choice;
mod events;
mod health;
mod ids;
mod letter_choice;
mod messages;
mod objects;
mod stats;
mod subscription_object;
mod subscriptions;
mod trials;
mod waiting;
mod waiting_choice;

use super::openapi::Router;

/// Every route of the sender.
pub fn routes(router: &mut Router<'_>) {
    router.at("/events").post("Publish an event", events::publish);
    router.at("/events/{id}").get("A published event, and where it went", events::one);
    router
        .at("/deliveries/{id}/subscriptions")
        .get("Why a delivery's event went to which subscriptions", events::of_delivery);
    router
        .at("/subscriptions")
        .get("List subscriptions", subscriptions::list)
        .post("Create a subscription", subscriptions::create);
    router.at("/subscriptions/preview").post("Try filter and template on an event", trials::preview);
    router
        .at("/subscriptions/{id}")
        .get("One subscription", subscriptions::one)
        .put("Replace a subscription", subscriptions::replace)
        .patch("Change a subscription", subscriptions::patch)
        .delete("Remove a subscription and cancel its messages", subscriptions::delete);
    router.at("/subscriptions/{id}/test").post("Send a test message", trials::test);
    router.at("/subscriptions/{id}/check").post("Check the endpoint now", trials::check);
    router.at("/presets").get("Ready-made subscriptions", subscriptions::presets);
    router.at("/messages").get("List messages", messages::list);
    router.at("/messages/send-now").post("Send messages now", waiting::send_many);
    router.at("/messages/move").post("Move parked messages to another subscription", waiting::move_many);
    router.at("/messages/cancel").post("Cancel messages", waiting::cancel_many);
    router.at("/messages/{id}/send-now").post("Send a message now", waiting::send_one);
    router.at("/messages/{id}/cancel").post("Cancel a message", waiting::cancel_one);
    router.at("/messages/{id}").get("One message with its attempts", messages::one);
    router.at("/dead-letters").get("List dead letters", dead_letters::list);
    router.at("/dead-letters/groups").get("Dead letters by subscription and error", dead_letters::groups);
    router.at("/dead-letters/replay").post("Replay dead letters", dead_letters::replay_many);
    router.at("/dead-letters/discard").post("Discard dead letters", dead_letters::discard_many);
    router
        .at("/dead-letters/{id}")
        .get("One dead letter", dead_letters::one)
        .delete("Discard a dead letter", dead_letters::delete);
    router.at("/dead-letters/{id}/replay").post("Replay a dead letter", dead_letters::replay);
    router.at("/stats").get("Figures of attempts", stats::stats);
    router.at("/health").get("The state of every endpoint", health::health);
}
