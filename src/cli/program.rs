//! The program: reads the command line, does what it says, and turns what came of it into an exit code.

use std::process::ExitCode;

use clap::Parser as _;

use super::arguments::{Arguments, Command};
use super::interrupt::Interrupted;
use super::output::{self, Unwritten, complain};
use super::{
    check_config, dead_letters, events, full_loop, hash_password, messages, prune, replay, send, serve, sign,
    subscriptions, tail, verify,
};
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
