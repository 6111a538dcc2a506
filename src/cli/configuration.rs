//! The configuration and the environment for commands.

use super::arguments::Globals;
use crate::config::{Config, ConfigFaults, Options, Origin, load};
use crate::send::{Compiled, TargetGuard};
use crate::signing;

/// The environment variables with valid text.
pub fn environment() -> Vec<(String, String)> {
    std::env::vars_os()
        .filter_map(|(name, value)| Some((name.into_string().ok()?, value.into_string().ok()?)))
        .collect()
}

/// The whole configuration, with the templates and filters of its subscriptions compiled.
pub fn read_configuration(options: &Options) -> Result<Config, ConfigFaults> {
    let config = load(options, &environment(), signing::check_key)?;
    let guard = TargetGuard::new(config.sender.deny_private);
    let mut faults = ConfigFaults::default();
    let origin = options.config.clone().map_or(Origin::Default, |path| Origin::File(path, None));
    for subscription in &config.subscriptions {
        for fault in Compiled::new(subscription.clone(), &guard).err().unwrap_or_default() {
            let place = format!("subscription {:?}{}", subscription.name, fault.pointer.replace('/', "."));
            faults.add(&origin, &place, fault.message);
        }
    }
    if faults.is_empty() { Ok(config) } else { Err(faults) }
}

/// The configuration for a command that needs the secrets.
pub fn configuration(globals: &Globals) -> Result<Config, ConfigFaults> {
    read_configuration(&globals.options())
}

/// The configuration for a command that uses no secrets: secrets that a first start creates may be missing.
pub fn configuration_without_secrets(globals: &Globals) -> Result<Config, ConfigFaults> {
    read_configuration(&Options { tolerate_unmade: true, ..globals.options() })
}
