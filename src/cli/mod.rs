//! The command line: one file a subcommand.

mod arguments;
mod check_config;
mod dead_letters;
mod events;
mod hash_password;
mod inspector;
mod prune;
mod send;
mod serve;
mod sign;
mod subscriptions;
mod tail;
mod verify;

use std::process::ExitCode;

use clap::Parser as _;

use self::arguments::{Arguments, Command, Globals};
use crate::config::{Config, ConfigFaults, DEFAULT_TOML, Options, Origin, load};
use crate::domain::{Scheme, Secret};
use crate::send::{Compiled, TargetGuard};

/// The exit code of bad usage and of a bad configuration.
const BAD_USAGE: u8 = 2;

/// Reads the command line and does what it says.
pub fn main() -> ExitCode {
    let arguments = Arguments::parse();
    let globals = arguments.globals;
    let done = match arguments.command.unwrap_or(Command::Serve) {
        Command::Serve => serve::run(&globals),
        Command::Send(send) => send::run(&globals, &send),
        Command::Tail(tail) => tail::run(&globals, &tail),
        Command::Subscriptions(asked) => subscriptions::run(&globals, &asked),
        Command::DeadLetters(asked) => dead_letters::run(&globals, &asked),
        Command::Sign(sign) => sign::run(&globals, &sign),
        Command::Verify(verify) => verify::run(&globals, &verify),
        Command::Events(events) => events::run(&globals, &events),
        Command::Prune => prune::run(&globals),
        Command::HashPassword => hash_password::run(),
        Command::CheckConfig => check_config::run(&globals),
        Command::DefaultConfig => {
            print!("{DEFAULT_TOML}");
            Ok(ExitCode::SUCCESS)
        }
    };
    done.unwrap_or_else(|fault| match fault.downcast_ref::<ConfigFaults>() {
        Some(faults) => {
            eprintln!("{faults}");
            ExitCode::from(BAD_USAGE)
        }
        None => {
            eprintln!("tagohook: {fault:#}");
            ExitCode::FAILURE
        }
    })
}

/// The environment, as far as it is text.
fn environment() -> Vec<(String, String)> {
    std::env::vars_os()
        .filter_map(|(name, value)| Some((name.into_string().ok()?, value.into_string().ok()?)))
        .collect()
}

/// Whether a secret is a key of its scheme, in words.
fn check_secret(scheme: Scheme, secret: &Secret) -> Result<(), String> {
    crate::signing::usable_key(scheme, secret).map(|_| ()).map_err(|fault| fault.to_string())
}

/// The whole configuration, the templates and filters of its subscriptions compiled too.
fn read_configuration(options: &Options) -> Result<Config, ConfigFaults> {
    let config = load(options, &environment(), check_secret)?;
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
fn configuration(globals: &Globals) -> Result<Config, ConfigFaults> {
    read_configuration(&globals.options())
}

/// The configuration for a command that uses no secret: those that no start has made yet may be missing.
fn configuration_without_secrets(globals: &Globals) -> Result<Config, ConfigFaults> {
    read_configuration(&Options { tolerate_unmade: true, ..globals.options() })
}
