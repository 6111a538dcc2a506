//! What the documents say of the command line is so.

use std::fs;
use std::path::{Path, PathBuf};

use clap::Parser as _;
use pulldown_cmark::{CodeBlockKind, Event, Parser, Tag, TagEnd};

use super::arguments::Arguments;
use crate::config::{CREDENTIAL_VARIABLES, FLAG_VARIABLES};

#[test]
fn the_document_names_every_variable() {
    let document = include_str!("../../docs/CLI.md");
    let section = document.split_once("\n## Environment\n").unwrap().1.split("\n## ").next().unwrap();
    for variable in FLAG_VARIABLES.into_iter().chain(CREDENTIAL_VARIABLES) {
        assert!(section.contains(variable), "{variable}");
    }
}

fn documents(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() && !path.ends_with("decisions") {
            documents(&path, found);
        } else if path.extension().is_some_and(|extension| extension == "md") {
            found.push(path);
        }
    }
}

/// What is no command, but says how commands look.
const PLACEHOLDERS: [&str; 1] = ["tagohook COMMAND --help"];

/// The lines of the blocks of code in a document that are commands, and the code in its sentences, which may be only the name of
/// a command. A line that ends in `\` continues.
fn shell_lines(text: &str) -> Vec<(String, bool)> {
    let (mut lines, mut is_shell) = (Vec::new(), false);
    for event in Parser::new(text) {
        match event {
            Event::Start(Tag::CodeBlock(CodeBlockKind::Fenced(language))) => {
                is_shell = ["", "sh"].contains(&&*language);
            }
            Event::End(TagEnd::CodeBlock) => is_shell = false,
            Event::Code(code) if !PLACEHOLDERS.contains(&&*code) => lines.push((code.into_string(), true)),
            Event::Text(code) if is_shell => {
                lines.extend(code.replace("\\\n", " ").lines().map(|line| (line.trim().to_owned(), false)));
            }
            _ => {}
        }
    }
    lines
}

/// The words of the commands in a line of a shell; quotes hold words together.
fn commands(line: &str) -> Vec<Vec<String>> {
    let (mut all, mut words, mut word) = (Vec::new(), Vec::new(), String::new());
    let mut quote = None;
    for letter in line.replace("$(", "|").chars().chain(['|']) {
        match (quote, letter) {
            (Some(open), _) if open == letter => quote = None,
            (None, '\'' | '"') => quote = Some(letter),
            (Some(_), _) => word.push(letter),
            (None, ' ' | '|' | ';' | '(' | ')') => {
                words.extend((!word.is_empty()).then(|| std::mem::take(&mut word)));
                if letter != ' ' {
                    all.push(std::mem::take(&mut words));
                }
            }
            (None, _) => word.push(letter),
        }
    }
    all
}

/// The arguments, if the words start our program: after variables, before redirections and remarks.
fn arguments(words: &[String]) -> Option<Vec<&str>> {
    let is_variable = |word: &&str| {
        word.split_once('=')
            .is_some_and(|(name, _)| name.chars().all(|letter| letter.is_ascii_uppercase() || letter == '_'))
    };
    let mut words = words.iter().map(String::as_str).skip_while(is_variable);
    let own = match words.next()? {
        "tagohook" => words,
        "cargo" if words.clone().take(3).eq(["run", "--release", "--"]) => {
            words.nth(2)?;
            words
        }
        _ => return None,
    };
    Some(own.take_while(|word| !word.starts_with(['>', '<', '#', '&'])).collect())
}

fn lacks_arguments(fault: &clap::Error) -> bool {
    use clap::error::ErrorKind::{DisplayHelpOnMissingArgumentOrSubcommand, MissingRequiredArgument};
    [DisplayHelpOnMissingArgumentOrSubcommand, MissingRequiredArgument].contains(&fault.kind())
}

#[test]
fn every_command_in_the_documents_is_one() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut paths = Vec::new();
    documents(&root.join("docs"), &mut paths);
    paths.extend(
        ["README.md", "SECURITY.md", "deploy/proxies/README.md", "examples/tagoio-analysis/README.md"]
            .map(|name| root.join(name)),
    );
    let (mut seen, mut wrong) = (0, Vec::new());
    for path in paths {
        for (line, may_be_name) in shell_lines(&fs::read_to_string(&path).unwrap()) {
            for words in commands(&line) {
                let Some(arguments) = arguments(&words) else { continue };
                seen += 1;
                let parsed = Arguments::try_parse_from(["tagohook"].into_iter().chain(arguments));
                if let Err(fault) = parsed
                    && fault.use_stderr()
                    && !(may_be_name && lacks_arguments(&fault))
                {
                    wrong.push(format!("{}: {line}\n  {fault}", path.display()));
                }
            }
        }
    }
    assert!(seen > 110, "{seen}");
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
