//! The command line, as clap declares it.

use clap::{Arg, Command, CommandFactory as _};
use regex::Regex;

use super::{check, plain, table};
use crate::cli::arguments::Arguments;

/// Every command below `command` that runs something.
fn runnable(command: &Command, found: &mut Vec<Command>) {
    for below in command.get_subcommands().filter(|below| below.get_name() != "help") {
        if below.has_subcommands() {
            runnable(below, found);
        } else {
            found.push(below.clone());
        }
    }
}

/// A text and the default that it ends with, as in `Target URL [default: the receiver]`.
fn without_default(help: &str) -> (String, Option<String>) {
    let Some((before, rest)) = help.split_once(" [default: ") else { return (help.to_owned(), None) };
    let (default, after) = rest.split_once(']').unwrap();
    (format!("{before}{after}"), Some(plain(default)))
}

fn name(argument: &Arg) -> String {
    let values = argument.get_value_names().unwrap_or_default();
    let value = values.first().map(ToString::to_string).unwrap_or_default();
    let takes = argument.get_action().takes_values();
    match argument.get_long() {
        Some(long) if takes => format!("`--{long} {value}`"),
        Some(long) => format!("`--{long}`"),
        None => format!("`{value}`"),
    }
}

fn row(argument: &Arg) -> Vec<String> {
    let help = argument.get_help().map(ToString::to_string).unwrap_or_default();
    let (mut about, mut default) = without_default(&help);
    about = plain(&about);
    if let Some(short) = argument.get_short() {
        about.push_str(&format!("; short: `-{short}`"));
    }
    let choices = argument.get_possible_values();
    let takes = argument.get_action().takes_values();
    if takes && !choices.is_empty() {
        let words: Vec<String> = choices.iter().map(|choice| format!("`{}`", choice.get_name())).collect();
        about.push_str(&format!(": {}", words.join(", ")));
    }
    if matches!(argument.get_action(), clap::ArgAction::Append) {
        about.push_str("; repeatable");
    }
    if takes && let Some(given) = argument.get_default_values().first() {
        default = Some(format!("`{}`", given.to_string_lossy()));
    }
    let is_required = argument.is_required_set();
    let default = default.unwrap_or_else(|| if is_required { "required".to_owned() } else { String::new() });
    vec![name(argument), about, default]
}

/// The words of an argument's values, where they have a help of their own.
fn choices(argument: &Arg) -> String {
    let values = argument.get_possible_values();
    let told: Vec<String> = values
        .iter()
        .filter_map(|value| {
            Some(format!("- `{}`: {}\n", value.get_name(), plain(&value.get_help()?.to_string())))
        })
        .collect();
    if told.is_empty() || !argument.get_action().takes_values() {
        return String::new();
    }
    format!("{}:\n\n{}\n", name(argument), told.concat())
}

fn usage(command: &mut Command) -> String {
    let text = command.render_usage().to_string();
    text.trim_start_matches("Usage: ").to_owned()
}

fn section(mut command: Command) -> String {
    let usage = usage(&mut command);
    let full_name = command.get_bin_name().unwrap().to_owned();
    let about = command.get_about().map(ToString::to_string).unwrap_or_default();
    let mut text = format!("## {full_name}\n\n{}.\n\n", plain(&about));
    let aliases: Vec<String> =
        command.get_visible_aliases().map(|alias| format!("`tagohook {alias}`")).collect();
    if !aliases.is_empty() {
        text.push_str(&format!("{} is the same command.\n\n", aliases.join(", ")));
    }
    text.push_str(&format!("```text\n{usage}\n```\n\n"));
    let is_own = |argument: &&Arg| {
        argument.get_help_heading().is_none() && !["help", "version"].contains(&argument.get_id().as_str())
    };
    let own: Vec<&Arg> = command.get_arguments().filter(is_own).collect();
    let rows: Vec<Vec<String>> = own.iter().map(|argument| row(argument)).collect();
    text.push_str(&table(&["argument", "meaning", "default"], &rows));
    text.extend(own.iter().map(|argument| choices(argument)));
    if let Some(after) = command.get_after_help().map(ToString::to_string) {
        let examples = after.strip_prefix("Examples:\n").unwrap();
        let (commands, rest) = examples.split_once("\n\n").unwrap_or((examples, ""));
        let remark = Regex::new(r"\s{3,}(\S.*)$").unwrap();
        let commands: Vec<_> = commands.lines().map(|line| remark.replace(line.trim(), "  # $1")).collect();
        text.push_str(&format!("```sh\n{}\n```\n\n", commands.join("\n")));
        if !rest.is_empty() {
            text.push_str(&format!("{}\n\n", plain(rest)));
        }
    }
    text
}

#[test]
fn the_reference_has_every_command_with_its_arguments() {
    let mut program = Arguments::command();
    program.build();
    let global: Vec<Vec<String>> =
        program.get_arguments().filter(|argument| argument.get_help_heading().is_some()).map(row).collect();
    let mut commands = Vec::new();
    runnable(&program, &mut commands);
    assert!(commands.len() > 30 && global.len() == 5, "{} {}", commands.len(), global.len());
    let mut text = String::from(
        "# Commands\n\nEvery command and its arguments, as `tagohook COMMAND --help` prints them. [Command line](../CLI.md) \
         explains exit codes, output and the environment.\n\nWithout a command, `tagohook` is `tagohook serve`.\n\n\
         ## Global options\n\nEvery command takes them. An option that a command does not need is ignored.\n\n",
    );
    text.push_str(&table(&["option", "meaning", "default"], &global));
    text.extend(commands.into_iter().map(section));
    check("commands.md", &text);
}
