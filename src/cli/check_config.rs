//! `tagohook check-config`: is the configuration good?

use std::process::ExitCode;

use super::arguments::Globals;
use super::configuration_without_secrets;
use crate::app;
use crate::config::fallback_notices;
use crate::domain::Source;

/// Says what is in force; every fault is a line on standard error, and exit 2.
pub fn run(globals: &Globals) -> anyhow::Result<ExitCode> {
    let config = configuration_without_secrets(globals)?;
    app::read_catalog(&config)?;
    for notice in config.notices.iter().chain(&fallback_notices(&config.subscriptions)) {
        println!("notice: {notice}");
    }
    println!("good: receiver on {}, inspector on {}", config.receiver.listen, config.inspector.listen);
    config.sources.iter().for_each(|source| println!("  source {}", describe(source)));
    for subscription in &config.subscriptions {
        let events = subscription.events.join(", ");
        println!("  subscription {}: {events} to {}", subscription.id, subscription.url);
    }
    Ok(ExitCode::SUCCESS)
}

fn describe(source: &Source) -> String {
    format!(
        "{}: signature {}, {} secret(s), {} allowed range(s), {} credential(s)",
        source.name,
        source.signature.scheme.as_str(),
        source.signature.secrets.len(),
        source.allow.ranges.len(),
        source.credentials.len()
    )
}
