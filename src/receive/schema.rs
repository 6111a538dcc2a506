//! Gate 6: is it the event it says it is?

use serde_json::Value;

use super::trace::{Finding, Gated};
use crate::catalog::{Catalog, EventType};
use crate::domain::{EventFacts, Fault, Headers, Reason, SchemaMode, Scheme, Source, UnknownEvents};
use crate::payload::{POINTS_EVENT, Payload, event_name};

/// The type of an event that has no name, on sources where that is no fault.
const UNKNOWN: &str = "unknown";

/// Names the event and holds the payload against its schema. `facts` learns the names in any case.
pub fn check(
    source: &Source,
    catalog: &Catalog,
    headers: &Headers,
    payload: &Payload<'_>,
    facts: &mut EventFacts,
) -> Gated<()> {
    if payload.points.is_some() {
        facts.event_type = Some(POINTS_EVENT.to_owned());
        return Finding::new("data.received (data points)", "each point has a variable").pass(());
    }
    let name = match event_name(source.signature.scheme, headers, &payload.value) {
        Ok(name) => name,
        Err(fault) => {
            return Finding::new(fault.message.clone(), "an event name")
                .faults(vec![fault])
                .fail(Reason::InvalidPayload);
        }
    };
    let event_type = name.as_deref().and_then(|name| resolve(source.signature.scheme, catalog, name));
    match (name, event_type) {
        (Some(name), Some(event_type)) => {
            facts.event_type = Some(event_type.name().to_owned());
            let is_alias = name != event_type.name();
            let seen =
                if is_alias { format!("{name}, an alias of {}", event_type.name()) } else { name.clone() };
            facts.event_name = is_alias.then_some(name);
            hold_against(event_type, source.schema, is_alias, &payload.value, seen)
        }
        (name, _) => {
            let name = name.unwrap_or_else(|| UNKNOWN.to_owned());
            facts.event_type = Some(name.clone());
            unknown(source.unknown_events, name)
        }
    }
}

/// Aliases are TagoRUN's; under a provider's own scheme a like name means that provider's event.
fn resolve<'a>(scheme: Scheme, catalog: &'a Catalog, name: &str) -> Option<&'a EventType> {
    match scheme {
        Scheme::Tagorun | Scheme::None => catalog.resolve(name),
        Scheme::StandardWebhooks | Scheme::Github | Scheme::Stripe => catalog.get(name),
    }
}

fn hold_against(
    event_type: &EventType,
    mode: SchemaMode,
    is_alias: bool,
    value: &Value,
    seen: String,
) -> Gated<()> {
    if mode == SchemaMode::Off {
        return Finding::new(seen, "schema = \"off\"").skip(());
    }
    let mut faults = event_type.check(value);
    let required_hold = faults.is_empty();
    // Aliases come in shapes of their own.
    if required_hold && !is_alias {
        faults = event_type.check_shape(value);
    }
    let refuse = match mode {
        SchemaMode::Enforce => !required_hold,
        SchemaMode::Strict => !faults.is_empty(),
        SchemaMode::Warn | SchemaMode::Off => false,
    };
    let rule = match mode {
        SchemaMode::Strict => format!("schema and usual shape of {}", event_type.name()),
        _ => format!("schema of {}", event_type.name()),
    };
    let finding = Finding::new(seen, rule);
    if refuse {
        return finding.faults(faults).fail(Reason::InvalidPayload);
    }
    let finding = match (faults.is_empty(), required_hold) {
        (true, _) => finding,
        (false, true) => finding.note("departs from the usual shape of this event"),
        (false, false) => finding.note("departs from the schema; schema = \"warn\" lets it pass"),
    };
    finding.faults(faults).pass(())
}

fn unknown(rule: UnknownEvents, name: String) -> Gated<()> {
    match rule {
        UnknownEvents::Accept => Finding::new(name, "unknown events are accepted")
            .note("unknown event: no schema to check")
            .pass(()),
        UnknownEvents::Reject => {
            let fault = Fault::new("/event", format!("Unknown event type: {name}"));
            Finding::new(name, "unknown events are refused").faults(vec![fault]).fail(Reason::UnknownEvent)
        }
    }
}
