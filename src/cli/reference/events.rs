//! The events, as the catalogue has them.

use serde_json::Value;

use super::{check, plain};
use crate::catalog::{Catalog, EventType};

/// The members that a schema requires, as `user.email`.
fn required(schema: &Value, path: &str, found: &mut Vec<String>) {
    for name in schema["required"].as_array().into_iter().flatten().filter_map(Value::as_str) {
        let path = if path.is_empty() { name.to_owned() } else { format!("{path}.{name}") };
        let below = &schema["properties"][name];
        let before = found.len();
        required(below, &path, found);
        if found.len() == before {
            found.push(path);
        }
    }
}

fn section(event: &EventType) -> String {
    let mut text = format!("## {}\n\n{}.\n\n", event.name(), plain(event.title().trim_end_matches('.')));
    if !event.aliases().is_empty() {
        let aliases: Vec<String> = event.aliases().iter().map(|alias| format!("`{alias}`")).collect();
        text.push_str(&format!("Also sent as {}.\n\n", aliases.join(", ")));
    }
    let schema: Value = serde_json::from_str(event.schema()).unwrap();
    let mut members = vec!["event".to_owned()];
    required(&schema, "", &mut members);
    let members: Vec<String> = members.iter().map(|member| format!("`{member}`")).collect();
    text.push_str(&format!("Required: {}.\n\n", members.join(", ")));
    text.push_str(&format!("```json\n{}\n```\n\n", event.example().unwrap().trim_end()));
    text
}

#[test]
fn the_reference_has_every_event_with_an_example() {
    let catalog = Catalog::builtin();
    let mut text = String::from(
        "# Events\n\nThe events of the catalogue: what a payload must contain, and an example. `tagohook events NAME` prints the \
         whole JSON Schema. A source checks payloads as its [`schema`](configuration.md#sourceschema) says. The page **Event types** shows \
         what really arrives.\n\nIn all of them, `type` may be the name of the member `event`.\n\n",
    );
    text.extend(catalog.iter().map(section));
    assert!(catalog.iter().count() > 30);
    check("events.md", &text);
}
