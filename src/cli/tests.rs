//! `docs/CLI.md` lists every command and option, and nothing else.

use std::collections::BTreeSet;

use clap::{Command, CommandFactory as _};

use super::arguments::Arguments;
use crate::config::{CREDENTIAL_VARIABLES, FLAG_VARIABLES};

const DOCUMENT: &str = include_str!("../../docs/CLI.md");

/// Every command below `command` that runs something, with its full name, such as `tagohook dead-letters list`.
fn commands(command: &Command, name: &str, found: &mut Vec<(String, Command)>) {
    for below in command.get_subcommands().filter(|below| below.get_name() != "help") {
        let name = format!("{name} {}", below.get_name());
        if below.has_subcommands() {
            commands(below, &name, found);
        } else {
            found.push((name, below.clone()));
        }
    }
}

fn all() -> (Command, Vec<(String, Command)>) {
    let mut program = Arguments::command();
    program.build();
    let mut found = Vec::new();
    commands(&program, "tagohook", &mut found);
    (program, found)
}

/// The options of the command itself, such as `--to`.
fn options(command: &Command) -> BTreeSet<String> {
    let own = command.get_arguments().filter(|argument| argument.get_help_heading().is_none());
    let names =
        own.filter_map(|argument| argument.get_long()).filter(|name| !["help", "version"].contains(name));
    names.map(|name| format!("--{name}")).collect()
}

/// The section of the document below a heading, up to the next heading.
fn section(heading: &str) -> &'static str {
    let start = DOCUMENT.split_once(&format!("\n{heading}\n")).map(|(_, rest)| rest);
    let start = start.unwrap_or_else(|| panic!("docs/CLI.md has no heading {heading:?}"));
    let end = ["\n## ", "\n### "].into_iter().filter_map(|next| start.find(next)).min();
    &start[..end.unwrap_or(start.len())]
}

/// The options in the table of a section: `| `--to URL` | … |`.
fn listed(section: &str) -> BTreeSet<String> {
    let rows = section.lines().filter_map(|line| line.strip_prefix("| `--"));
    rows.map(|row| format!("--{}", row.split(['`', ' ']).next().unwrap())).collect()
}

#[test]
fn the_document_has_a_section_for_each_command_with_exactly_its_options() {
    let (_, commands) = all();
    assert!(commands.len() > 15, "the commands were not found");
    for (name, command) in &commands {
        let section = section(&format!("### `{name}`"));
        assert_eq!(listed(section), options(command), "{name}");
        for argument in command.get_positionals() {
            let value = argument.get_value_names().unwrap()[0].as_str();
            assert!(section.contains(value), "{name}: {value} is not documented");
        }
    }
    let headings = DOCUMENT.lines().filter(|line| line.starts_with("### `tagohook ")).count();
    assert_eq!(headings, commands.len(), "a section of a command that there is not");
}

#[test]
fn the_document_lists_every_global_option_and_variable() {
    let (program, _) = all();
    let global = program.get_arguments().filter(|argument| argument.get_help_heading().is_some());
    let global: BTreeSet<String> =
        global.filter_map(|argument| argument.get_long()).map(|name| format!("--{name}")).collect();
    assert_eq!(global.len(), 5);
    assert_eq!(listed(section("## Global options")), global);
    for variable in FLAG_VARIABLES.into_iter().chain(CREDENTIAL_VARIABLES) {
        assert!(section("## Environment").contains(variable), "{variable}");
    }
}
