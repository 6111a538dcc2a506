//! The command line: one file a subcommand.

mod arguments;
mod check_config;
mod configuration;
mod dead_letters;
mod events;
mod full_loop;
mod hash_password;
mod inspector;
mod interrupt;
mod messages;
mod output;
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
use self::interrupt::Interrupted;
use self::output::{Unwritten, complain};
use crate::config::{ConfigFaults, DEFAULT_TOML};

/// The exit code of bad usage and of a bad configuration.
const BAD_USAGE: u8 = 2;

/// Reads the command line and does what it says.
pub fn main() -> ExitCode {
    let done = match Arguments::try_parse() {
        Ok(arguments) => run(arguments),
        Err(told) => tell(&told),
    };
    done.unwrap_or_else(|fault| {
        if let Some(interrupted) = fault.downcast_ref::<Interrupted>() {
            return interrupted.exit_code();
        }
        if matches!(fault.downcast_ref(), Some(Unwritten::Closed)) {
            return ExitCode::SUCCESS;
        }
        match fault.downcast_ref::<ConfigFaults>() {
            Some(faults) => {
                complain(faults);
                ExitCode::from(BAD_USAGE)
            }
            None => {
                complain(format_args!("tagohook: {fault:#}"));
                ExitCode::FAILURE
            }
        }
    })
}

fn run(Arguments { globals, command }: Arguments) -> anyhow::Result<ExitCode> {
    match command.unwrap_or(Command::Serve) {
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
            output::print(format_args!("{DEFAULT_TOML}"))?;
            Ok(ExitCode::SUCCESS)
        }
    }
}

/// Prints what the command line's own reader has to say: help and version on standard output, a fault on standard error.
fn tell(told: &clap::Error) -> anyhow::Result<ExitCode> {
    let printed = told.print();
    if !told.use_stderr() {
        output::written(printed)?;
    }
    Ok(u8::try_from(told.exit_code()).map_or(ExitCode::FAILURE, ExitCode::from))
}

#[cfg(test)]
mod tests;
