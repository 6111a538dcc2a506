//! `tagohook check-config`: is the configuration valid?

use std::process::ExitCode;

use super::arguments::Globals;
use super::configuration_without_secrets;
use super::output::{Unwritten, answer, counted, say};
use crate::app;
use crate::config::{Config, fallback_notices};
use crate::domain::{EventPlace, IdScope, Source};
use crate::send::{Compiled, TargetGuard};

/// Prints the configuration that would be in force. Every fault is a line on standard error; the exit code is then 2.
pub fn run(globals: &Globals) -> anyhow::Result<ExitCode> {
    let config = configuration_without_secrets(globals)?;
    let catalog = app::read_catalog(&config)?;
    answer(print(&config, catalog.notices()), ExitCode::SUCCESS)
}

fn print(config: &Config, of_schemas: &[String]) -> Result<(), Unwritten> {
    for notice in config.notices.iter().chain(of_schemas).chain(&fallback_notices(&config.subscriptions)) {
        say!("notice: {notice}")?;
    }
    let guard = TargetGuard::new(config.sender.deny_private);
    for subscription in &config.subscriptions {
        let compiled = Compiled::new(subscription.clone(), &guard);
        for warning in compiled.map(|compiled| compiled.warnings).unwrap_or_default() {
            say!("notice: subscription {}: {warning}", subscription.id)?;
        }
    }
    say!("OK: receiver on {}, inspector on {}", config.receiver.listen, config.inspector.listen)?;
    for source in &config.sources {
        say!("  source {}", describe(source))?;
    }
    for subscription in &config.subscriptions {
        let events = subscription.events.join(", ");
        say!("  subscription {}: {events} to {}", subscription.id, subscription.url)?;
    }
    Ok(())
}

fn describe(source: &Source) -> String {
    let mut said = format!(
        "{}: signature {}, {}, {}, {}",
        source.name,
        source.signature.scheme.as_str(),
        counted(source.signature.secrets.len(), "secret"),
        counted(source.allow.ranges.len(), "allowed range"),
        counted(source.credentials.len(), "credential")
    );
    if source.event != EventPlace::Scheme {
        said.push_str(&format!(", event name from {}", source.event.sentence()));
    }
    if source.id_scope != IdScope::default() {
        said.push_str(&format!(", {} part of the event id", source.id_scope.words().join(" and ")));
    }
    said
}
