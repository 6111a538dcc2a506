//! The configuration: `config/default.toml` has names, defaults and meanings, the reader says what is allowed.

use std::fs;

use regex::Regex;
use toml::{Table, Value};

use super::{check, plain};
use crate::config::{DEFAULT_TOML, Options, is_reloaded, load};

/// Options that are described together: the comment above the first, and each with its default, if it has one.
struct Entry {
    section: String,
    comment: Vec<String>,
    keys: Vec<(String, Option<Value>)>,
}

/// The sections with their comments, and their entries.
struct Defaults {
    intro: Vec<String>,
    sections: Vec<(String, Vec<String>)>,
    entries: Vec<Entry>,
    /// The comment after everything.
    rest: Vec<String>,
}

fn defaults() -> Defaults {
    let mut found =
        Defaults { intro: Vec::new(), sections: Vec::new(), entries: Vec::new(), rest: Vec::new() };
    let mut comment = Vec::new();
    let mut section = String::new();
    for line in DEFAULT_TOML.lines() {
        // Only the first `[[source]]` is the reference of its keys.
        let is_second =
            section == "source" && found.sections.iter().filter(|(name, _)| name == "source").count() > 1;
        if let Some(key) =
            line.strip_prefix('#').and_then(|line| line.strip_suffix(" =")).filter(|key| !key.contains(' '))
        {
            found.entries.push(Entry {
                section: section.clone(),
                comment: std::mem::take(&mut comment),
                keys: vec![(key.to_owned(), None)],
            });
        } else if let Some(text) = line.strip_prefix('#') {
            comment.push(text.strip_prefix(' ').unwrap_or(text).to_owned());
        } else if line.starts_with('[') {
            section = line.trim_matches(['[', ']']).to_owned();
            found.sections.push((section.clone(), std::mem::take(&mut comment)));
        } else if let Some((key, value)) = line.split_once(" = ").filter(|_| !is_second) {
            let value = format!("v = {value}").parse::<Table>().unwrap()["v"].clone();
            let key = (key.to_owned(), Some(value));
            match found.entries.last_mut() {
                Some(last) if comment.is_empty() && last.section == section => last.keys.push(key),
                _ => found.entries.push(Entry {
                    section: section.clone(),
                    comment: std::mem::take(&mut comment),
                    keys: vec![key],
                }),
            }
        } else if line.is_empty() && found.intro.is_empty() {
            found.intro = std::mem::take(&mut comment);
        }
    }
    found.rest = comment;
    found
}

/// Paragraphs, and indented lines as they are.
fn prose(comment: &[String]) -> String {
    let mut text = String::new();
    let mut is_listing = false;
    for line in comment {
        if line.starts_with("  ") != is_listing {
            is_listing = !is_listing;
            text.push_str(if is_listing { "\n\n```text\n" } else { "```\n\n" });
        }
        match is_listing {
            true => text.push_str(&format!("{}\n", line.strip_prefix("  ").unwrap())),
            false if line.is_empty() => text.push_str("\n\n"),
            false => text.push_str(&format!("{} ", plain(line))),
        }
    }
    if is_listing {
        text.push_str("```\n");
    }
    format!("{}\n", text.trim())
}

fn kind(value: Option<&Value>) -> &'static str {
    let is = |pattern: &str, text: &str| Regex::new(pattern).unwrap().is_match(text);
    match value {
        None => "table or text",
        Some(Value::Boolean(_)) => "true or false",
        Some(Value::Integer(_)) => "whole number",
        Some(Value::Array(_)) => "list",
        Some(Value::String(text)) if is(r"^\d+ [KMGT]iB$", text) => "size",
        Some(Value::String(text)) if is(r"^\d+(ms|s|m|h|d)$", text) => "duration",
        Some(Value::String(text)) if is(r"^\d+/(s|min|h)$", text) => "rate",
        Some(_) => "text",
    }
}

/// What the reader of the configuration says about wrong values of an option.
fn allowed(section: &str, key: &str, kind: &str) -> Option<String> {
    let wrong: &[&str] = match kind {
        "whole number" => &["-1"],
        "size" => &["\"?\"", "\"900 TiB\""],
        "list" => &["1", "[1]", "[\"?\"]"],
        _ => &["\"?\"", "[1]"],
    };
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("t.toml");
    let path = |key: &str| if section.is_empty() { key.to_owned() } else { format!("{section}.{key}") };
    let told = wrong.iter().filter_map(|value| {
        let text = match section {
            "" => format!("{key} = {value}\n"),
            "source" => format!("[[source]]\nname = \"x\"\nsignature = \"none\"\n{key} = {value}\n")
                .replace("signature = \"none\"\nsignature", "signature")
                .replace("name = \"x\"\nsignature = \"none\"\nname", "signature = \"none\"\nname"),
            _ => format!("[{section}]\n{key} = {value}\n"),
        };
        fs::write(&file, text).unwrap();
        let options = Options {
            config: Some(file.clone()),
            data_dir: Some(folder.path().to_owned()),
            tolerate_unmade: true,
            ..Options::default()
        };
        let faults = load(&options, &[], |_, _| Ok(())).err()?.0;
        let own = [
            format!(": {}: ", path(key)),
            format!(": source \"x\".{key}: "),
            format!(": source \"?\".{key}: "),
        ];
        let fault = faults
            .iter()
            .find_map(|fault| own.iter().find_map(|own| Some(fault.split_once(own.as_str())?.1)))?;
        let says_nothing = ["cannot be read", "needs ", "remove it"];
        let is_of_no_use =
            fault.ends_with("must be a string") || says_nothing.iter().any(|words| fault.contains(words));
        let said = fault.split_once("; ").map_or(fault, |(_, allowed)| allowed);
        (!is_of_no_use).then(|| {
            said.trim_start_matches("use ")
                .trim_start_matches("expected ")
                .trim_start_matches("write it ")
                .trim_start_matches("must be ")
                .to_owned()
        })
    });
    let mut all: Vec<String> = Vec::new();
    for one in told {
        if !all.iter().any(|known| known.contains(&one)) {
            all.push(one);
        }
    }
    (!all.is_empty()).then(|| all.join("; "))
}

/// An option in a line: type, default, what is allowed, its variable, and when it is in force.
fn facts(section: &str, key: &str, default: Option<&Value>) -> String {
    let kind = kind(default);
    let name = if section.is_empty() { key.to_owned() } else { format!("{section}.{key}") };
    let mut rows = vec![format!("Type: {kind}")];
    rows.push(match default {
        Some(value) if section == "source" && matches!(key, "name" | "secrets") => {
            format!("Default: none; the built-in source has `{value}`")
        }
        Some(value) => format!("Default: `{value}`"),
        None => "Default: not set".to_owned(),
    });
    if let Some(allowed) = allowed(section, key, kind) {
        rows.push(format!("Allowed: {}", plain(&allowed)));
    }
    if section != "source" {
        rows.push(format!("Variable: `TAGOHOOK_{}`", name.replace('.', "_").to_uppercase()));
    }
    rows.push(format!("In force: {}", if is_reloaded(&name) { "after a reload" } else { "after a restart" }));
    rows.into_iter().map(|row| format!("- {row}\n")).collect()
}

fn entry(entry: &Entry) -> String {
    let full = |key: &str| {
        if entry.section.is_empty() { key.to_owned() } else { format!("{}.{key}", entry.section) }
    };
    let names: Vec<String> = entry.keys.iter().map(|(key, _)| format!("`{}`", full(key))).collect();
    let mut text = format!("### {}\n\n{}\n", names.join(", "), prose(&entry.comment));
    for (key, default) in &entry.keys {
        if entry.keys.len() > 1 {
            text.push_str(&format!("`{key}`:\n\n"));
        }
        text.push_str(&format!("{}\n", facts(&entry.section, key, default.as_ref())));
    }
    text
}

#[test]
fn the_reference_has_every_option_with_its_default() {
    let defaults = defaults();
    let mut text = format!("# Configuration\n\n{}\n", prose(defaults.intro.get(2..).unwrap()));
    text.push_str("[Configure it](../guide/configure.md) shows the usual cases. `tagohook default-config` prints the file that this page \
                   is made from, [config/default.toml](../../config/default.toml).\n\n");
    let of = |section: &str| {
        let own = defaults.entries.iter().filter(|entry| entry.section == section);
        own.map(entry).collect::<String>()
    };
    text.push_str(&format!("## At the top of the file\n\n{}", of("")));
    let mut seen = Vec::new();
    for (section, comment) in defaults.sections.iter().filter(|(section, _)| !section.is_empty()) {
        if seen.contains(section) {
            continue;
        }
        seen.push(section.clone());
        let is_list = section == "source";
        let head = if is_list { format!("[[{section}]]") } else { format!("[{section}]") };
        text.push_str(&format!("## `{head}`\n\n{}\n{}", prose(comment), of(section)));
    }
    let (about, example): (Vec<String>, Vec<String>) = {
        let at = defaults.rest.iter().position(|line| line.starts_with("  ")).unwrap();
        (defaults.rest[..at].to_vec(), defaults.rest[at..].to_vec())
    };
    let example: String =
        example.iter().map(|line| format!("{}\n", line.strip_prefix("  ").unwrap_or(line))).collect();
    text.push_str(&format!(
        "## `[[subscription]]`\n\n{}\n```toml\n{example}```\n\n[The API](../API.md#subscriptions-and-messages) says what each member does.\n",
        prose(&about)
    ));
    let known: Table = DEFAULT_TOML.parse().unwrap();
    let options: usize = known.values().map(|value| value.as_table().map_or(0, Table::len)).sum();
    let told: usize = defaults
        .entries
        .iter()
        .filter(|entry| !["", "source"].contains(&entry.section.as_str()))
        .map(|entry| entry.keys.len())
        .sum();
    assert_eq!(told, options);
    check("configuration.md", &text);
}
