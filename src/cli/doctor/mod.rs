//! `tagohook doctor`: checks the configuration, the machine and the running instance, and says what to do.

mod finding;
mod instance;
mod machine;

use std::process::ExitCode;

use self::finding::{Finding, State};
use super::arguments::{Doctor, Globals};
use super::fault::Fault;
use super::inspector::{self, Api};
use super::output::{answer, print, say};

/// The exit code if the instance cannot be reached.
const NOT_REACHABLE: u8 = 3;

/// Prints a line for each check; exits with 1 if there is a problem.
pub fn run(globals: &Globals, asked: &Doctor) -> anyhow::Result<ExitCode> {
    let mut findings = if asked.inspector.url.is_none() { machine::look(globals) } else { Vec::new() };
    let mut is_away = false;
    inspector::run(async {
        let looked = match Api::find(globals, &asked.inspector) {
            Ok(api) => instance::look(&api).await,
            Err(fault) => Err(fault),
        };
        match looked {
            Ok(found) => findings.extend(found),
            Err(fault) if matches!(fault.downcast_ref(), Some(Fault::Usage(_))) => return Err(fault),
            Err(fault) => {
                is_away = matches!(fault.downcast_ref(), Some(Fault::Unreachable(_)));
                let todo = if is_away { "start it with `tagohook`" } else { "give the right --url or token" };
                findings.push(Finding::bad("instance", format!("{fault:#}"), todo));
            }
        }
        let has_problem = findings.iter().any(|finding| finding.state == State::Bad);
        let code = match (is_away, has_problem) {
            (true, _) => ExitCode::from(NOT_REACHABLE),
            (false, true) => ExitCode::FAILURE,
            (false, false) => ExitCode::SUCCESS,
        };
        let printed = if asked.rows.json {
            findings.iter().try_for_each(|finding| say!("{}", finding.row()))
        } else {
            findings.iter().try_for_each(|finding| print(format_args!("{}", finding.lines())))
        };
        answer(printed, code)
    })
}
