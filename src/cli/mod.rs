//! The command line: one file a subcommand.

mod arguments;
mod check_config;
mod configuration;
mod dead_letters;
mod events;
mod full_loop;
mod hash_password;
mod inspector;
mod messages;
mod prune;
mod replay;
mod send;
mod serve;
mod sign;
mod subscriptions;
mod tail;
mod verify;

use std::process::ExitCode;

use clap::Parser as _;

use self::arguments::{Arguments, Command};
use self::configuration::{configuration, configuration_without_secrets, environment, read_configuration};
use crate::config::{ConfigFaults, DEFAULT_TOML};

/// The exit code of bad usage and of a bad configuration.
const BAD_USAGE: u8 = 2;

/// Reads the command line and does what it says.
pub fn main() -> ExitCode {
    let arguments = Arguments::parse();
    let globals = arguments.globals;
    let done = match arguments.command.unwrap_or(Command::Serve) {
        Command::Serve => serve::run(&globals),
        Command::Send(send) => send::run(&globals, &send),
        Command::Loop(asked) => full_loop::run(&globals, &asked),
        Command::Tail(tail) => tail::run(&globals, &tail),
        Command::Subscriptions(asked) => subscriptions::run(&globals, &asked),
        Command::Replay(asked) => replay::run(&globals, &asked),
        Command::Messages(asked) => messages::run(&globals, &asked),
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
