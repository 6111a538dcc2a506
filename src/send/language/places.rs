//! The places of an event: what a template can name, where it is in the body, and which of it a template takes.

use serde_json::value::RawValue;

use super::scope::Scope;
use super::template::Template;
use crate::domain::json::{Path, members, pointer, without_mark};

/// The most places that are listed.
const MOST: usize = 300;
/// The deepest place that is listed.
const DEEPEST: usize = 8;
/// The items of an array that are listed.
const ITEMS: usize = 3;
/// The most characters of a value that are shown.
const SHOWN: usize = 60;

/// A place of an event.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Place {
    /// The path that a template names it by.
    pub path: String,
    /// The value, as it is written, perhaps shortened.
    pub value: String,
}

/// A value of a payload that comes from the event.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Placed {
    /// JSON pointer into the payload.
    pub payload: String,
    /// What the template has there between `{{` and `}}`.
    pub source: String,
    /// JSON pointers into the event's body.
    pub event: Vec<String>,
}

/// What a template can name of an event, in the order of the event; our own words for it come last.
#[must_use]
pub fn places(scope: &Scope) -> Vec<Place> {
    let mut found = Vec::new();
    for (name, value) in scope.members().filter(|(name, _)| *name != "event") {
        walk(&escaped(name), value, 0, &mut found);
    }
    for (name, value) in scope.member("event").and_then(members).unwrap_or_default() {
        add(&format!("event.{}", escaped(&name)), &value, &mut found);
    }
    found
}

fn walk(path: &str, value: &RawValue, depth: usize, found: &mut Vec<Place>) {
    add(path, value, found);
    if depth >= DEEPEST || found.len() >= MOST {
        return;
    }
    if let Some(inside) = members(value) {
        for (name, value) in inside {
            walk(&format!("{path}.{}", escaped(&name)), &value, depth.saturating_add(1), found);
        }
    } else if value.get().starts_with('[') {
        let items: Vec<&RawValue> = serde_json::from_str(value.get()).unwrap_or_default();
        for (at, item) in items.into_iter().take(ITEMS).enumerate() {
            walk(&format!("{path}.{at}"), item, depth.saturating_add(1), found);
        }
    }
}

/// Adds a place, where a path can name it.
fn add(path: &str, value: &RawValue, found: &mut Vec<Place>) {
    if found.len() < MOST && Path::read(path).is_some() {
        let text = value.get();
        let is_long = text.chars().nth(SHOWN).is_some();
        let mut value: String = text.chars().take(SHOWN).collect();
        if is_long {
            value.push('…');
        }
        found.push(Place { path: path.to_owned(), value });
    }
}

/// A name as a path has it.
fn escaped(name: &str) -> String {
    name.replace('\\', "\\\\").replace('.', "\\.")
}

/// Which values of the payload come from where in the body.
#[must_use]
pub fn placed(template: &Template, body: &[u8]) -> Vec<Placed> {
    let body: Option<Box<RawValue>> = serde_json::from_slice(without_mark(body)).ok();
    let top: Option<Vec<String>> =
        body.as_deref().and_then(members).map(|found| found.into_iter().map(|(name, _)| name).collect());
    let uses = template.uses().into_iter();
    let place = |used: super::template::Use| Placed {
        event: used.paths.iter().filter_map(|path| pointer_of(path, top.as_deref())).collect(),
        payload: used.pointer,
        source: used.source,
    };
    uses.map(place).collect()
}

/// Where a path lies in the body, whose top-level members are `top`; without them it is TagoIO's array of points.
fn pointer_of(path: &Path, top: Option<&[String]>) -> Option<String> {
    let segments: Vec<&str> = path.segments().collect();
    let has = |name: &str| top.is_some_and(|top| top.iter().any(|known| known == name));
    let at = |start: &str, rest: &[&str]| {
        rest.iter().fold(start.to_owned(), |pointer, segment| pointer::child(&pointer, segment))
    };
    Some(match (segments.as_slice(), top.is_some()) {
        (["event", "mark"], _) => return None,
        (["event", "data", "variables", rest @ ..] | ["data", "variables", rest @ ..], false) => at("", rest),
        (["event", "data", rest @ ..], false) => at("", rest),
        (["data", rest @ ..], false) => at("/0", rest),
        (["device", "id"], false) => "/0/device".to_owned(),
        (_, false) => return None,
        (["event", "type"], true) => if has("event") { "/event" } else { "/type" }.to_owned(),
        (["event", "data", rest @ ..], true) => at(if has("data") { "/data" } else { "" }, rest),
        (["event", rest @ ..], true) => at("", rest),
        (all, true) => at("", all),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::Timestamp;

    fn scope(body: &str) -> Scope {
        Scope::new(Some("e1"), "data.threshold", Timestamp::from_secs(0), body.as_bytes()).unwrap()
    }

    #[test]
    fn every_place_that_a_path_can_name_is_listed_with_its_value() {
        let body =
            r#"{"event":"x","a.b":1.0,"data":{"list":[{"v":12345678901234567890},2,3,4]},"odd name":1}"#;
        let found = places(&scope(body));
        let value =
            |path: &str| found.iter().find(|place| place.path == path).map(|place| place.value.as_str());
        assert_eq!(value(r"a\.b"), Some("1.0"));
        assert_eq!(value("data.list.0.v"), Some("12345678901234567890"), "no digit is lost");
        assert_eq!(value("data.list.3"), None, "the first items show what there is");
        assert_eq!(value("event.id"), Some("\"e1\""));
        assert_eq!(value("odd name"), None, "no path can name it");
        for place in &found {
            let path = Path::read(&place.path).unwrap();
            assert!(scope(body).at(&path).is_some(), "{}", place.path);
        }
    }

    #[test]
    fn a_template_says_which_value_comes_from_where() {
        let template =
            r#"{"text":"{{device.name}} is {{data.value}}","t":"{{event.type}}","n":"{{data.value * 2.0}}"}"#;
        let raw: Box<RawValue> = serde_json::from_str(template).unwrap();
        let (template, _) = Template::compile(&raw).unwrap();
        let body = br#"{"type":"x","device":{"name":"Roof"},"data":{"value":3}}"#;
        let told: Vec<(String, Vec<String>)> =
            placed(&template, body).into_iter().map(|one| (one.payload, one.event)).collect();
        let all = |pointers: &[&str]| pointers.iter().map(|one| (*one).to_owned()).collect::<Vec<_>>();
        assert_eq!(
            told,
            [
                ("/text".to_owned(), all(&["/device/name"])),
                ("/text".to_owned(), all(&["/data/value"])),
                ("/t".to_owned(), all(&["/type"])),
                ("/n".to_owned(), all(&["/data/value"])),
            ]
        );
    }

    #[test]
    fn points_are_found_in_their_array() {
        let raw: Box<RawValue> =
            serde_json::from_str(r#"["{{data.value}}","{{device.id}}","{{data.variables.1.value}}"]"#)
                .unwrap();
        let (template, _) = Template::compile(&raw).unwrap();
        let body = br#"[{"variable":"t","value":1,"device":"d"}]"#;
        let told: Vec<String> = placed(&template, body).into_iter().flat_map(|one| one.event).collect();
        assert_eq!(told, ["/0/value", "/0/device", "/1/value"]);
    }
}
