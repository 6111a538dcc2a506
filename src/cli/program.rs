//! The program: parses the command line, runs the command, and turns the result into an exit code.

use std::process::ExitCode;

use clap::Parser as _;

use super::arguments::{Arguments, Command};
use super::fault::Fault;
use super::interrupt::Interrupted;
use super::output::{self, Unwritten, complain, say};
use super::{
    check_config, dead_letters, deliveries, doctor, events, export, full_loop, hash_password, health, import,
    listen, messages, migrate_store, prepare_store, prune, reload, replay, send, serve, shell, sign, stats,
    subscriptions, tail, tokens, typo, verify, wait,
};
use crate::config::{ConfigFaults, DEFAULT_TOML, DataDirError};
use crate::domain::AttemptError;
use crate::send::SendError;
use crate::store::StoreError;

/// The exit code for wrong usage and for an invalid configuration.
const BAD_USAGE: u8 = 2;
/// The exit code if a target cannot be reached.
const NOT_REACHABLE: u8 = 3;

/// Parses the command line and runs the command.
pub fn main() -> ExitCode {
    let done = match Arguments::try_parse() {
        Ok(arguments) => run(arguments),
        Err(told) => tell(told),
    };
    done.unwrap_or_else(|fault| {
        if let Some(interrupted) = fault.downcast_ref::<Interrupted>() {
            return interrupted.exit_code();
        }
        if matches!(fault.downcast_ref(), Some(Unwritten::Closed)) {
            return ExitCode::SUCCESS;
        }
        if let Some(refused @ (StoreError::Refused { .. } | StoreError::Unfinished { .. })) =
            fault.downcast_ref()
        {
            complain(format_args!("tagohook: {refused}"));
            return ExitCode::from(BAD_USAGE);
        }
        if let Some(faults) = fault.downcast_ref::<ConfigFaults>() {
            complain(faults);
            return ExitCode::from(BAD_USAGE);
        }
        complain(format_args!("tagohook: {fault:#}"));
        match (fault.downcast_ref::<Fault>(), fault.downcast_ref::<SendError>()) {
            (Some(fault), _) => ExitCode::from(fault.exit_code()),
            (None, Some(SendError::Target { .. })) => ExitCode::from(BAD_USAGE),
            (None, Some(SendError::Failed { failure, .. })) => ExitCode::from(match failure.error {
                AttemptError::BlockedAddress | AttemptError::HeaderInvalid => BAD_USAGE,
                _ => NOT_REACHABLE,
            }),
            (None, Some(SendError::Nobody { .. })) => ExitCode::from(NOT_REACHABLE),
            (None, _) if matches!(fault.downcast_ref(), Some(DataDirError::Broken { .. })) => {
                ExitCode::from(BAD_USAGE)
            }
            (None, _) => ExitCode::FAILURE,
        }
    })
}

fn run(Arguments { globals, command }: Arguments) -> anyhow::Result<ExitCode> {
    if globals.quiet {
        output::be_quiet();
    }
    match command.unwrap_or(Command::Serve) {
        Command::Serve => serve::run(&globals),
        Command::Health(asked) => health::run(&globals, &asked),
        Command::Send(send) => send::run(&globals, &send),
        Command::Loop(asked) => full_loop::run(&globals, &asked),
        Command::Wait(asked) => wait::run(&globals, &asked),
        Command::Deliveries(asked) => deliveries::run(&globals, &asked),
        Command::Export(asked) => export::run(&globals, &asked),
        Command::Import(asked) => import::run(&globals, &asked),
        Command::Stats(asked) => stats::run(&globals, &asked),
        Command::Doctor(asked) => doctor::run(&globals, &asked),
        Command::Completions(asked) => shell::completions(&asked),
        Command::Man(asked) => shell::man(&asked),
        Command::Listen(asked) => listen::run(&globals, &asked),
        Command::Tail(tail) => tail::run(&globals, &tail),
        Command::Tokens(asked) => tokens::run(&globals, &asked),
        Command::Subscriptions(asked) => subscriptions::run(&globals, &asked),
        Command::Reload(asked) => reload::run(&globals, &asked),
        Command::Replay(asked) => replay::run(&globals, &asked),
        Command::Messages(asked) => messages::run(&globals, &asked),
        Command::DeadLetters(asked) => dead_letters::run(&globals, &asked),
        Command::Sign(sign) => sign::run(&globals, &sign),
        Command::Verify(verify) => verify::run(&globals, &verify),
        Command::Events(events) => events::run(&globals, &events),
        Command::Prune => prune::run(&globals),
        Command::MigrateStore(asked) => migrate_store::run(&globals, &asked),
        Command::PrepareStore => prepare_store::run(&globals),
        Command::HashPassword => hash_password::run(),
        Command::CheckConfig => check_config::run(&globals),
        Command::Version => {
            say!("tagohook {}", env!("CARGO_PKG_VERSION"))?;
            Ok(ExitCode::SUCCESS)
        }
        Command::DefaultConfig => {
            output::print(format_args!("{DEFAULT_TOML}"))?;
            Ok(ExitCode::SUCCESS)
        }
    }
}

/// Prints clap's messages: help and version to standard output, errors to standard error.
fn tell(mut told: clap::Error) -> anyhow::Result<ExitCode> {
    typo::forget_far(&mut told);
    let printed = told.print();
    if !told.use_stderr() {
        output::written(printed)?;
    } else if let Some(hint) = typo::hint(&told) {
        complain(hint);
    }
    Ok(u8::try_from(told.exit_code()).map_or(ExitCode::FAILURE, ExitCode::from))
}
