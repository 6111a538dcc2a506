//! Where an event without a name probably has one, and the setting that reads it there.

use serde_json::Value;

use super::told::{Action, Diagnosis};
use crate::domain::json::{pointer, without_mark};
use crate::domain::{EventPlace, Outcome, Scheme, Source, StoredDelivery, Target};

/// The rule of the check that looks for an event's name.
pub const NO_NAME: &str = "an event name";

/// Senders that are known by a value of their payload, and their presets.
const KNOWN: [(&str, &str); 5] = [
    ("/deviceInfo/devEui", "chirpstack"),
    ("/end_device_ids/device_id", "the-things-stack"),
    ("/groupKey", "alertmanager"),
    ("/events/0/target/repository", "docker-registry"),
    ("/attachments", "apprise"),
];
/// Parameters of the query that usually name the event.
const PARAMETERS: [&str; 4] = ["event", "type", "topic", "action"];
/// Members of the payload that usually name it, in any case and with or without `_` and `-` inside.
const MEMBERS: [&str; 12] = [
    "event",
    "type",
    "eventtype",
    "eventname",
    "eventkey",
    "webhookevent",
    "objectkind",
    "topic",
    "trigger",
    "action",
    "kind",
    "status",
];
/// Places deeper in the payload that usually name it.
const DEEPER: [&str; 4] = ["/event/type", "/event/name", "/Records/0/eventName", "/0/eventType"];

/// Why `delivery` names no event, and what to set so that such a one is received.
pub fn hint(delivery: &StoredDelivery, source: &Source) -> Diagnosis {
    let name = &source.name;
    let failed = delivery.checks.iter().find(|check| check.outcome == Outcome::Fail);
    let fault = failed.and_then(|check| check.faults.first());
    let what = fault.map_or("Missing required field: event", |fault| fault.message.as_str());
    let place = failed.and_then(|check| check.rule.strip_prefix(NO_NAME)?.strip_prefix(": "));
    let cause = match place {
        Some(place) => format!("{what}. Its source looks for the name here: {place}."),
        None => format!("{what}."),
    };
    let told = Diagnosis::new("no-event-name", "The request does not name its event", cause);
    let told = match suggestion(delivery, source) {
        Some(setting) => told
            .line(format!("Add this line to source “{name}”: it fits this request."), setting)
            .proved_by(Action::ChangeRules),
        None if place.is_none() => told.fix("Let the sender put the name into \"event\" or \"type\"."),
        None => told,
    };
    let there = match source.signature.scheme {
        Scheme::None => format!("set schema = \"warn\" for source “{name}”"),
        _ => "use a source with signature = \"none\", a credential and schema = \"warn\"".to_owned(),
    };
    told.fix(format!(
        "If no part of the request names the event, {there}: its objects are then events of the type “unknown”."
    ))
    .fix("To look at them only, post to /webhook-test.")
}

/// The line of configuration that finds a name in this delivery.
fn suggestion(delivery: &StoredDelivery, source: &Source) -> Option<String> {
    let payload: Value = serde_json::from_slice(without_mark(&delivery.body)).unwrap_or_default();
    let text =
        |pointer: &str| payload.pointer(pointer).and_then(Value::as_str).filter(|text| !text.is_empty());
    let is_known = |(mark, _): &&(&str, &str)| payload.pointer(mark).is_some();
    if let Some((_, preset)) = KNOWN.iter().find(is_known)
        && source.event == EventPlace::Scheme
    {
        return Some(format!("preset = {preset:?}"));
    }
    let target = Target::new(&delivery.row.path);
    let parameter =
        PARAMETERS.into_iter().find(|name| target.query_value(name).is_some_and(|value| !value.is_empty()));
    let header = || {
        let names_event = |name: &str| {
            let name = name.to_ascii_lowercase();
            name.starts_with("x-")
                && (name.ends_with("-event") || name.ends_with("-topic") || name == "x-event-key")
        };
        delivery.headers.iter().find(|header| names_event(&header.name) && !header.value.is_empty())
    };
    let place = None
        .or_else(|| parameter.map(|name| EventPlace::Query(name.to_owned())))
        .or_else(|| header().map(|header| EventPlace::Header(header.name.clone())))
        .or_else(|| {
            let deeper = || DEEPER.into_iter().map(str::to_owned).find(|pointer| text(pointer).is_some());
            member(&payload).or_else(deeper).map(EventPlace::Pointer)
        })
        .or_else(|| (!target.below_source().is_empty()).then_some(EventPlace::Path));
    place.filter(|place| *place != source.event).map(|place| format!("event = \"{place}\""))
}

/// The pointer of the member that most likely names the event.
fn member(payload: &Value) -> Option<String> {
    let names = || payload.as_object().into_iter().flatten();
    let plain = |name: &str| name.replace(['_', '-'], "").to_ascii_lowercase();
    let is_text = |value: &Value| value.as_str().is_some_and(|text| !text.is_empty());
    MEMBERS.into_iter().find_map(|known| {
        let (name, _) = names().find(|(name, value)| plain(name) == known && is_text(value))?;
        Some(pointer::child("", name))
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::Verdict;
    use crate::inspect::diagnosis::tests::{source, stored};

    fn suggested(path: &str, header: Option<(&str, &str)>, body: &str) -> Option<String> {
        let mut delivery = stored(Verdict::Rejected, None);
        delivery.row.path = path.to_owned();
        delivery.body = body.to_owned().into();
        if let Some((name, value)) = header {
            delivery.headers.push(name, value);
        }
        suggestion(&delivery, &source(Scheme::None))
    }

    #[test]
    fn the_setting_that_finds_the_name_is_the_one_that_is_shown() {
        for (path, header, body, setting) in [
            ("/webhook/s?event=up", None, r#"{"deviceInfo":{"devEui":"00"}}"#, "preset = \"chirpstack\""),
            (
                "/webhook/s/up",
                None,
                r#"{"end_device_ids":{"device_id":"d"}}"#,
                "preset = \"the-things-stack\"",
            ),
            ("/webhook/s", None, r#"{"groupKey":"{}","status":"firing"}"#, "preset = \"alertmanager\""),
            ("/webhook/s?event=up", None, "{}", "event = \"query:event\""),
            (
                "/webhook/s",
                Some(("X-Shopify-Topic", "orders/create")),
                "{}",
                "event = \"header:X-Shopify-Topic\"",
            ),
            ("/webhook/s", None, r#"{"eventType":"a"}"#, "event = \"/eventType\""),
            ("/webhook/s", None, r#"{"Event":"a"}"#, "event = \"/Event\""),
            ("/webhook/s", None, r#"{"kind":"b","object_kind":"a"}"#, "event = \"/object_kind\""),
            ("/webhook/s", None, r#"{"event":{"type":"a"}}"#, "event = \"/event/type\""),
            ("/webhook/s/uplink", None, "{}", "event = \"path\""),
        ] {
            assert_eq!(suggested(path, header, body).as_deref(), Some(setting), "{path} {body}");
        }
        assert_eq!(suggested("/webhook/s?event=", None, "{}"), None);
    }

    #[test]
    fn a_sender_without_event_names_is_shown_a_setting_that_helps() {
        let hint = |scheme| hint(&stored(Verdict::Rejected, None), &source(scheme)).text();
        assert!(hint(Scheme::None).contains("set schema = \"warn\" for source “alerts”"));
        let signed = hint(Scheme::Tagorun);
        assert!(signed.contains("signature = \"none\"") && signed.contains("/webhook-test"), "{signed}");
    }
}
