//! `tagohook events`: the catalogue.

use std::process::ExitCode;

use serde_json::{Value, json};

use super::arguments::{Events, Globals};
use super::configuration_without_secrets;
use super::fault::Fault;
use super::output::say;
use crate::app;
use crate::catalog::EventType;

/// Lists the events, or shows one.
pub fn run(globals: &Globals, events: &Events) -> anyhow::Result<ExitCode> {
    let catalog = app::read_catalog(&configuration_without_secrets(globals)?)?;
    match &events.name {
        None if events.rows.json => {
            for event_type in catalog.iter() {
                let (name, title) = (event_type.name(), event_type.title());
                say!("{}", json!({"name": name, "title": title, "aliases": event_type.aliases()}))?;
            }
        }
        None => {
            for event_type in catalog.iter() {
                let aliases = event_type.aliases().join(", ");
                let aliases = if aliases.is_empty() { aliases } else { format!("  (also {aliases})") };
                say!("{:<34} {}{aliases}", event_type.name(), event_type.title())?;
            }
        }
        Some(name) => {
            let event_type = catalog.resolve(name).ok_or_else(|| {
                let near = crate::domain::suggestion(name, catalog.iter().map(EventType::name));
                Fault::usage(format!(
                    "the catalogue has no event {name:?}{near}; `tagohook events` lists them"
                ))
            })?;
            if events.rows.json {
                let [schema, example] = [Some(event_type.schema()), event_type.example()]
                    .map(|text| text.and_then(|text| serde_json::from_str::<Value>(text).ok()));
                let (name, title) = (event_type.name(), event_type.title());
                say!("{}", json!({"name": name, "title": title, "schema": schema, "example": example}))?;
                return Ok(ExitCode::SUCCESS);
            }
            say!("{}: {}", event_type.name(), event_type.title())?;
            say!("\nSchema:\n{}", event_type.schema().trim_end())?;
            if let Some(example) = event_type.example() {
                say!("\nExample:\n{}", example.trim_end())?;
            }
        }
    }
    Ok(ExitCode::SUCCESS)
}
