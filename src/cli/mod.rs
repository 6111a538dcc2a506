//! The command line: one file a subcommand.

mod arguments;
mod check_config;
mod events;
mod hash_password;
mod prune;
mod send;
mod serve;
mod sign;
mod verify;

use std::process::ExitCode;

use clap::Parser as _;

use self::arguments::{Arguments, Command, Globals};
use crate::config::{Config, ConfigFaults, DEFAULT_TOML, Options, load};
use crate::domain::{Scheme, Secret};

/// The exit code of bad usage and of a bad configuration.
const BAD_USAGE: u8 = 2;

/// Reads the command line and does what it says.
pub fn main() -> ExitCode {
    let arguments = Arguments::parse();
    let globals = arguments.globals;
    let done = match arguments.command.unwrap_or(Command::Serve) {
        Command::Serve => serve::run(&globals),
        Command::Send(send) => send::run(&globals, &send),
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

/// The configuration for a command that needs the secrets.
fn configuration(globals: &Globals) -> Result<Config, ConfigFaults> {
    load(&globals.options(), &environment(), check_secret)
}

/// The configuration for a command that uses no secret: those that no start has made yet may be missing.
fn configuration_without_secrets(globals: &Globals) -> Result<Config, ConfigFaults> {
    load(&Options { tolerate_unmade: true, ..globals.options() }, &environment(), check_secret)
}
