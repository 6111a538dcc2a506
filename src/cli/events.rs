//! `tagohook events`: the catalogue.

use std::process::ExitCode;

use anyhow::anyhow;

use super::arguments::{Events, Globals};
use super::configuration_without_secrets;
use super::output::say;
use crate::app;
use crate::catalog::EventType;

/// Lists the events, or shows one.
pub fn run(globals: &Globals, events: &Events) -> anyhow::Result<ExitCode> {
    let catalog = app::read_catalog(&configuration_without_secrets(globals)?)?;
    match &events.name {
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
                anyhow!("the catalogue has no event {name:?}{near}; `tagohook events` lists them")
            })?;
            say!("{}: {}", event_type.name(), event_type.title())?;
            say!("\nSchema:\n{}", event_type.schema().trim_end())?;
            if let Some(example) = event_type.example() {
                say!("\nExample:\n{}", example.trim_end())?;
            }
        }
    }
    Ok(ExitCode::SUCCESS)
}
