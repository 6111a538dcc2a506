//! `tagohook completions` and `tagohook man`, made from the declaration of the command line.

use std::fs;
use std::path::Path;
use std::process::ExitCode;

use anyhow::Context as _;
use clap::{Command, CommandFactory as _};
use clap_complete::aot;
use clap_mangen::Man as Page;

use super::arguments::{Arguments, Completions, Man, Shell};
use super::fault::Fault;
use super::output::{counted, notice, print};
use crate::domain::suggestion;

const NAME: &str = "tagohook";
/// The day of the release, for the manual.
const RELEASED: &str = "2026-11-29";

/// Prints the completions of a shell.
pub fn completions(asked: &Completions) -> anyhow::Result<ExitCode> {
    let shell = match asked.shell {
        Shell::Bash => aot::Shell::Bash,
        Shell::Zsh => aot::Shell::Zsh,
        Shell::Fish => aot::Shell::Fish,
    };
    let mut script = Vec::new();
    aot::generate(shell, &mut Arguments::command(), NAME, &mut script);
    print(format_args!("{}", String::from_utf8(script)?))?;
    Ok(ExitCode::SUCCESS)
}

/// Prints a page of the manual, or writes all of them.
pub fn man(asked: &Man) -> anyhow::Result<ExitCode> {
    let mut program = Arguments::command();
    program.build();
    if let Some(folder) = &asked.output {
        let count = write_all(&program, NAME, folder)?;
        notice(format_args!("{} written to {}", counted(count, "page"), folder.display()));
        return Ok(ExitCode::SUCCESS);
    }
    let mut command = &program;
    let mut name = NAME.to_owned();
    for word in &asked.command {
        let below = command.find_subcommand(word).ok_or_else(|| {
            let near = suggestion(word, command.get_subcommands().map(Command::get_name));
            Fault::usage(format!("{name} has no command {word:?}{near}"))
        })?;
        name = format!("{name}-{}", below.get_name());
        command = below;
    }
    print(format_args!("{}", page(command, &name)?))?;
    Ok(ExitCode::SUCCESS)
}

fn page(command: &Command, name: &str) -> anyhow::Result<String> {
    let mut text = Vec::new();
    let source = concat!("tagohook ", env!("CARGO_PKG_VERSION"));
    let page = Page::new(command.clone().display_name(name)).title(name).date(RELEASED);
    page.source(source).manual("tagohook manual").render(&mut text)?;
    // Two breaks around a blank line are that blank line, and mandoc warns of them.
    Ok(String::from_utf8(text)?.replace(".br\n\n.br\n", ".sp\n"))
}

/// Writes the page of a command and of those below it; their number.
fn write_all(command: &Command, name: &str, folder: &Path) -> anyhow::Result<usize> {
    let cannot = || format!("{} cannot be written", folder.display());
    fs::create_dir_all(folder).with_context(cannot)?;
    fs::write(folder.join(format!("{name}.1")), page(command, name)?).with_context(cannot)?;
    let mut count = 1_usize;
    for below in command.get_subcommands().filter(|below| below.get_name() != "help") {
        count = count.saturating_add(write_all(below, &format!("{name}-{}", below.get_name()), folder)?);
    }
    Ok(count)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_manual_has_the_date_of_its_release() {
        let line = format!("\n## {} – {RELEASED}\n", env!("CARGO_PKG_VERSION"));
        assert!(include_str!("../../CHANGELOG.md").contains(&line), "{line}");
    }
}
