//! Gate 6: does the event match its declared type?

use serde_json::Value;

use super::trace::{Finding, Gated};
use crate::catalog::{Catalog, EventType, Strictness};
use crate::domain::{EventFacts, EventPlace, Fault, Reason, SchemaMode, Scheme, Source, UnknownEvents};
use crate::payload::{BATCH_EVENT, Batch, Named, POINTS_EVENT, Payload, Sent, event_name, readable_name};

/// The type of an event without a name, on sources that allow this.
const UNKNOWN: &str = "unknown";

/// Names the event and validates the payload against its schema. Always records the names in `facts`.
pub fn check(
    source: &Source,
    catalog: &Catalog,
    sent: Sent<'_>,
    payload: &Payload<'_>,
    facts: &mut EventFacts,
) -> Gated<()> {
    if let Some(events) = &payload.batch {
        facts.event_type = Some(BATCH_EVENT.to_owned());
        return batch(source, catalog, events, &payload.value);
    }
    let named = event_name(source, sent, &payload.value);
    if payload.points.is_some() {
        return points(source, catalog, named.unwrap_or_default(), &payload.value, facts);
    }
    let Named { name, place } = match named {
        Ok(named) => named,
        Err(fault) if may_be_nameless(source) => {
            // If `event` and `type` differ, `event` counts.
            let is_by_scheme = source.event == EventPlace::Scheme;
            let name = is_by_scheme.then(|| readable_name(&payload.value, "event")).flatten();
            let gated = judge(source, catalog, name, payload, facts);
            return gated.noted(format!("no clear event name ({})", fault.message));
        }
        Err(fault) => {
            return Finding::new(fault.message.clone(), name_rule(source))
                .faults(vec![fault])
                .fail(Reason::InvalidPayload);
        }
    };
    let gated = judge(source, catalog, name, payload, facts);
    match place {
        Some(place) => gated.noted(format!("event name: {place}")),
        None => gated,
    }
}

/// Data points are a separate event, unless the source defines another event name.
fn points(
    source: &Source,
    catalog: &Catalog,
    named: Named,
    value: &Value,
    facts: &mut EventFacts,
) -> Gated<()> {
    let held = |name: &str| {
        let seen = format!("{name} (data points)");
        match catalog.points() {
            Some(own) => hold_against(own, source.schema, own.name(), value, seen),
            None => Finding::new(seen, "each point has a variable").pass(()),
        }
    };
    let (Some(name), Some(place)) = (named.name, named.place) else {
        facts.event_type = Some(POINTS_EVENT.to_owned());
        return held(POINTS_EVENT);
    };
    let known = resolve(source.signature.scheme, catalog, &name).map(EventType::name);
    facts.event_type = Some(known.unwrap_or(&name).to_owned());
    facts.event_name = known.is_some_and(|known| known != name).then(|| name.clone());
    let gated = match known {
        Some(_) => held(&name),
        None => unknown(source.unknown_events, name),
    };
    gated.noted(format!("event name: {place}"))
}

/// Validates each event of a batch against its own schema. One rejected event rejects the whole batch.
fn batch(source: &Source, catalog: &Catalog, Batch(events): &Batch, value: &Value) -> Gated<()> {
    let mut names: Vec<&str> = events.iter().map(|event| event.name.as_str()).collect();
    names.sort_unstable();
    names.dedup();
    let finding =
        Finding::new(format!("{} events: {}", events.len(), names.join(", ")), "each event is accepted");
    let (mut faults, mut reason) = (Vec::new(), None);
    for (index, event) in events.iter().enumerate() {
        let known = resolve(source.signature.scheme, catalog, &event.name);
        let item = value.get(index).unwrap_or(&Value::Null);
        match known {
            Some(known) if source.schema != SchemaMode::Off => {
                let departures = Departures::of(known, source.schema, &event.name, item);
                reason = reason.or(departures.refuse.then_some(Reason::InvalidPayload));
                faults.extend(
                    departures
                        .faults
                        .into_iter()
                        .map(|fault| Fault { path: format!("/{index}{}", fault.path), ..fault }),
                );
            }
            None if source.unknown_events == UnknownEvents::Reject => {
                reason = reason.or(Some(Reason::UnknownEvent));
                faults.push(Fault::new(
                    format!("/{index}/type"),
                    format!("Unknown event type: {}", event.name),
                ));
            }
            _ => {}
        }
    }
    let finding = finding.faults(faults);
    match reason {
        Some(reason) => finding.fail(reason),
        None => finding.pass(()),
    }
}

fn name_rule(source: &Source) -> String {
    match &source.event {
        EventPlace::Scheme => "an event name".to_owned(),
        place => format!("an event name: {}", place.sentence()),
    }
}

fn judge(
    source: &Source,
    catalog: &Catalog,
    name: Option<String>,
    payload: &Payload<'_>,
    facts: &mut EventFacts,
) -> Gated<()> {
    let event_type = name.as_deref().and_then(|name| resolve(source.signature.scheme, catalog, name));
    match (name, event_type) {
        (Some(name), Some(event_type)) => {
            facts.event_type = Some(event_type.name().to_owned());
            let is_alias = name != event_type.name();
            let seen =
                if is_alias { format!("{name}, an alias of {}", event_type.name()) } else { name.clone() };
            let gated = hold_against(event_type, source.schema, &name, &payload.value, seen);
            facts.event_name = is_alias.then_some(name);
            gated
        }
        (name, _) => {
            let name = name.unwrap_or_else(|| UNKNOWN.to_owned());
            facts.event_type = Some(name.clone());
            unknown(source.unknown_events, name)
        }
    }
}

/// A source without signatures and schema validation may send objects of any form.
fn may_be_nameless(source: &Source) -> bool {
    source.signature.scheme == Scheme::None && matches!(source.schema, SchemaMode::Warn | SchemaMode::Off)
}

/// Aliases belong to TagoRUN; with a provider's own scheme, a similar name means the provider's event.
fn resolve<'a>(scheme: Scheme, catalog: &'a Catalog, name: &str) -> Option<&'a EventType> {
    match scheme {
        Scheme::Tagorun | Scheme::None => catalog.resolve(name),
        Scheme::StandardWebhooks
        | Scheme::Github
        | Scheme::Stripe
        | Scheme::Platform(_)
        | Scheme::Hmac(_) => catalog.get(name),
    }
}

fn hold_against(
    event_type: &EventType,
    mode: SchemaMode,
    name: &str,
    value: &Value,
    seen: String,
) -> Gated<()> {
    if mode == SchemaMode::Off {
        return Finding::new(seen, "schema = \"off\"").skip(());
    }
    let strictness = event_type.strictness(name);
    let Departures { faults, required_hold, refuse } = Departures::of(event_type, mode, name, value);
    let of = event_type.name();
    let rule = match (mode, strictness) {
        (SchemaMode::Strict, Strictness::Shape) => format!("schema and usual shape of {of}"),
        (SchemaMode::Strict, Strictness::Formats) => format!("schema of {of}, formats included"),
        _ => format!("schema of {of}"),
    };
    let finding = Finding::new(seen, rule);
    if refuse {
        return finding.faults(faults).fail(Reason::InvalidPayload);
    }
    let finding = match (faults.is_empty(), required_hold, strictness) {
        (true, ..) => finding,
        (false, true, Strictness::Formats) => finding.note("does not match a format of its schema"),
        (false, true, _) => finding.note("does not match the usual shape of this event"),
        (false, false, _) => finding.note("does not match the schema; accepted because schema = \"warn\""),
    };
    finding.faults(faults).pass(())
}

/// The differences between a payload and its event's schema.
struct Departures {
    faults: Vec<Fault>,
    required_hold: bool,
    refuse: bool,
}

impl Departures {
    fn of(event_type: &EventType, mode: SchemaMode, name: &str, value: &Value) -> Self {
        let mut faults = event_type.check_as(name, value);
        let required_hold = faults.is_empty();
        if required_hold {
            faults = event_type.check_strictly(name, value);
        }
        let refuse = match mode {
            SchemaMode::Enforce => !required_hold,
            SchemaMode::Strict => !faults.is_empty(),
            SchemaMode::Warn | SchemaMode::Off => false,
        };
        Self { faults, required_hold, refuse }
    }
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::{Headers, Target};

    fn judged(mode: SchemaMode, scheme: Scheme, body: &str) -> (Option<String>, Result<Vec<String>, Reason>) {
        let source = Source { schema: mode, ..Source::plain("s", scheme) };
        let payload = Payload {
            text: std::borrow::Cow::Borrowed(body.as_bytes()),
            value: serde_json::from_str(body).unwrap(),
            points: None,
            batch: None,
        };
        let mut facts = EventFacts::default();
        let sent = Sent { target: Target::new("/webhook/s"), headers: &Headers::default() };
        let gated = check(&source, &Catalog::builtin(), sent, &payload, &mut facts);
        let mut trace = crate::receive::trace::Trace::start();
        let passed = trace.gate(crate::domain::Gate::Schema, gated);
        let notes = trace.finish().remove(0).notes;
        (facts.event_type, passed.map(|()| notes))
    }

    #[test]
    fn an_object_without_a_name_is_an_unknown_event_where_nothing_is_signed_or_enforced() {
        let alertmanager = r#"{"version":"4","status":"firing","alerts":[]}"#;
        for mode in [SchemaMode::Warn, SchemaMode::Off] {
            let (event_type, passed) = judged(mode, Scheme::None, alertmanager);
            assert_eq!(event_type.as_deref(), Some("unknown"));
            assert!(passed.unwrap().iter().any(|note| note.contains("no clear event name")));
        }
        for (mode, scheme) in [
            (SchemaMode::Enforce, Scheme::None),
            (SchemaMode::Strict, Scheme::None),
            (SchemaMode::Warn, Scheme::Tagorun),
        ] {
            assert_eq!(judged(mode, scheme, alertmanager), (None, Err(Reason::InvalidPayload)));
        }
        let segment = r#"{"type":"track","event":"Item Purchased"}"#;
        assert_eq!(judged(SchemaMode::Off, Scheme::None, segment).0.as_deref(), Some("Item Purchased"));
        assert_eq!(
            judged(SchemaMode::Off, Scheme::None, r#"{"event":{"a":1}}"#).0.as_deref(),
            Some("unknown")
        );
    }
}
