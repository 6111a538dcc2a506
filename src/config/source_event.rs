//! `event`, `id_scope` and `preset` of a `[[source]]`: how a sender names its events and distinguishes them.

use toml::{Table, Value};

use super::values::{is_token, texts};
use crate::domain::{
    EVENT_PLACES, EventPlace, IdScope, Platform, Scheme, is_secret_parameter, names_credential_header,
    suggestion,
};

/// The definitions of the presets.
const PRESETS: &str = include_str!("../../config/source-presets.toml");
/// The longest name of an event, in bytes.
const MAX_NAME: usize = 256;

/// Reads the place of the event's name.
pub fn event(value: &Value) -> Result<EventPlace, String> {
    let place = value.as_str().and_then(EventPlace::parse);
    let place =
        place.ok_or_else(|| format!("{value} does not say where the name is; use one of {EVENT_PLACES}"))?;
    match &place {
        EventPlace::Query(name) if is_secret_parameter(name) => {
            Err(format!("the query parameter {name} is stored masked, as a secret; it cannot name the event"))
        }
        EventPlace::Header(name) if names_credential_header(name) => {
            Err(format!("the header {name} is stored masked, as a credential; it cannot name the event"))
        }
        EventPlace::Header(name) if !name.bytes().all(is_token) => {
            Err(format!("{name:?} is not a header name"))
        }
        EventPlace::Fixed(name) if name.len() > MAX_NAME => {
            Err(format!("the name is longer than {MAX_NAME} bytes"))
        }
        _ => Ok(place),
    }
}

/// Reads what belongs to an event's id.
pub fn id_scope(value: &Value) -> Result<IdScope, String> {
    let [event, path] = IdScope::WORDS;
    let mut scope = IdScope::default();
    for word in texts(value).map_err(|_| format!("a list of {event:?} and {path:?}"))? {
        match word.as_str() {
            word if word == event => scope.event = true,
            word if word == path => scope.path = true,
            other => return Err(format!("{other:?} is unknown; a list of {event:?} and {path:?}")),
        }
    }
    Ok(scope)
}

/// Rejects unsigned places for signed sources. Anyone able to change the URL or a header could otherwise create new
/// events from one signed request.
pub fn check(scheme: Scheme, event: &EventPlace, scope: IdScope) -> Result<(), String> {
    let is_in_header = matches!(scheme, Scheme::Github | Scheme::Platform(Platform::Twitch));
    let is_name_signed = event.is_in_body() && !(is_in_header && *event == EventPlace::Scheme);
    let what = match (scheme, scope) {
        (Scheme::None, _) => return Ok(()),
        (_, IdScope { path: true, .. }) => "path",
        (_, IdScope { event: true, .. }) if !is_name_signed => "event",
        _ => return Ok(()),
    };
    Err(format!(
        "{what:?} is not covered by the {} signature, so a replay could pass as a new event; only a source with \
         signature = \"none\" can use it",
        scheme.as_str()
    ))
}

/// `table` with the keys of its preset, if it has one; its own keys take precedence.
pub fn with_preset(table: &Table) -> Result<Table, String> {
    let Some(value) = table.get("preset") else { return Ok(table.clone()) };
    let presets: Table = PRESETS.parse().map_err(|fault| format!("the presets cannot be read: {fault}"))?;
    let name = value.as_str().unwrap_or_default();
    let Some(preset) = presets.get(name).and_then(Value::as_table) else {
        let names: Vec<&str> = presets.keys().map(String::as_str).collect();
        let near = suggestion(name, names.iter().copied());
        return Err(format!("{value} is not a preset{near}; one of {}", names.join(", ")));
    };
    let mut filled = table.clone();
    for (key, value) in preset {
        filled.entry(key.clone()).or_insert_with(|| value.clone());
    }
    Ok(filled)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_place_that_is_stored_masked_cannot_name_the_event() {
        let read = |text: &str| event(&Value::from(text));
        assert_eq!(read("query:event"), Ok(EventPlace::Query("event".to_owned())));
        for bad in ["query:token", "header:X-Api-Key", "header:a b", "type", ""] {
            assert!(bad.is_empty() == read(bad).is_ok(), "{bad}: {:?}", read(bad));
        }
        assert!(event(&Value::from(1)).is_err());
    }

    #[test]
    fn what_no_signature_covers_is_not_part_of_an_id() {
        let scope = |event, path| IdScope { event, path };
        let query = EventPlace::Query("event".to_owned());
        let pointer = EventPlace::Pointer("/type".to_owned());
        assert!(check(Scheme::None, &query, scope(true, true)).is_ok());
        assert!(check(Scheme::Tagorun, &pointer, scope(true, false)).is_ok());
        assert!(check(Scheme::Tagorun, &EventPlace::Scheme, scope(true, false)).is_ok());
        for in_header in [Scheme::Github, Scheme::Platform(Platform::Twitch)] {
            assert!(check(in_header, &EventPlace::Scheme, scope(true, false)).is_err());
            assert!(check(in_header, &pointer, scope(true, false)).is_ok());
        }
        assert!(check(Scheme::Tagorun, &query, scope(true, false)).is_err());
        assert!(check(Scheme::Stripe, &pointer, scope(false, true)).is_err());
        assert!(check(Scheme::Stripe, &query, scope(false, false)).is_ok());
    }

    #[test]
    fn every_preset_can_be_read_and_a_source_s_own_keys_win() {
        let presets: Table = PRESETS.parse().unwrap();
        for name in presets.keys() {
            let table: Table =
                format!("name = \"s\"\nentity = \"/own\"\npreset = \"{name}\"").parse().unwrap();
            let filled = with_preset(&table).unwrap();
            assert!(filled.get("event").is_none_or(|place| event(place).is_ok()), "{name}");
            assert_eq!(filled["entity"].as_str(), Some("/own"));
        }
        let near = with_preset(&"preset = \"chirpstak\"".parse().unwrap()).unwrap_err();
        assert!(near.contains("chirpstack"), "{near}");
    }
}
