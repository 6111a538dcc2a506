//! Reads what people read (pages, scripts, messages of the program, configuration, documents) and fails where it uses a
//! word that was retired. `CONTRIBUTING.md` lists what to write instead.

use std::fs;
use std::path::{Path, PathBuf};

use regex::Regex;

use crate::architecture::sources;

/// What is no longer written, and what is written instead.
const RETIRED: &[(&str, &str)] = &[
    (r"anew", "again"),
    (r"so many", "the number, or: this many"),
    (r"heard of", "seen"),
    (r"(is|are|was|were) told", "the sender gets …, or: see"),
    (r"thereby", "so"),
    (r"(goes|go|went) on\b", "continues"),
    (r"beside", "next to"),
    (r"holds", "contains"),
    (r"stands?(?: (?:in|there|before|at|as)\b)?", "is"),
    (r"comes? again", "repeats"),
    (r"by (itself|themselves)", "automatically"),
    (r"whoever", "anyone who"),
    (r"what became of", "the result of"),
    (r"(send|sent|sends|sending) again", "replay, or retry"),
    (r"gates?", "check"),
    (r"meanwhile", "in the meantime"),
    (r"nothing stands out|nothing is odd", "no anomalies"),
    (r"no letter", "no dead letters"),
    (r"departs? from", "does not match"),
    (r"as (we|it) reads?", "—"),
    (r"looks? every so often", "health checks"),
    (r"(there )?(is|are) no [a-z]+", "is not a"),
];

struct Text {
    path: PathBuf,
    text: String,
}

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn files(folder: &str, extension: &str, found: &mut Vec<Text>) {
    for entry in fs::read_dir(root().join(folder)).unwrap() {
        let path = entry.unwrap().path();
        let name = path.strip_prefix(root()).unwrap().to_str().unwrap().to_owned();
        if path.is_dir() {
            // Decisions say why something was done at the time; nobody needs them to use the program.
            if !name.ends_with("decisions") {
                files(&name, extension, found);
            }
        } else if name.ends_with(extension) {
            found.push(Text { text: fs::read_to_string(&path).unwrap(), path });
        }
    }
}

/// The words of a page: its text and the attributes that people read or hear.
fn page_words(html: &str) -> String {
    let tags = Regex::new(r"(?s)\{%.*?%\}|\{\{.*?\}\}|\{#.*?#\}|<!--.*?-->").unwrap();
    let html = tags.replace_all(html, " ");
    let read = Regex::new(r#"(?:title|aria-label|placeholder|alt|data-some)="([^"]*)""#).unwrap();
    let attributes: Vec<&str> =
        read.captures_iter(&html).map(|found| found.get(1).unwrap().as_str()).collect();
    let text = Regex::new(r"(?s)<[^>]*>").unwrap().replace_all(&html, "\n");
    format!("{text}\n{}", attributes.join("\n"))
}

/// The texts between quotes, one a line.
fn literals(code: &str) -> String {
    let literal = Regex::new(r#"(?s)"(?:[^"\\]|\\.)*"|`[^`]*`"#).unwrap();
    let continued = Regex::new(r"\\\n\s*").unwrap();
    let all: Vec<String> =
        literal.find_iter(code).map(|found| continued.replace_all(found.as_str(), "").into_owned()).collect();
    all.join("\n")
}

/// Everything that people read, without what is quoted as code.
fn texts() -> Vec<Text> {
    let mut all = Vec::new();
    let mut pages = Vec::new();
    files("templates", ".html", &mut pages);
    all.extend(pages.into_iter().map(|page| Text { text: page_words(&page.text), ..page }));
    let mut scripts = Vec::new();
    files("static", ".js", &mut scripts);
    let comment = Regex::new(r"(?m)^\s*(//|/?\*).*$|\s// .*$").unwrap();
    all.extend(
        scripts
            .into_iter()
            .map(|script| Text { text: literals(&comment.replace_all(&script.text, "")), ..script }),
    );
    files("docs", ".md", &mut all);
    // Their titles are those of issues elsewhere.
    all.retain(|document| !document.path.ends_with("docs/CASES.md"));
    for name in ["README.md", "CONTRIBUTING.md", "SECURITY.md", "config/default.toml"] {
        let path = root().join(name);
        all.push(Text { text: fs::read_to_string(&path).unwrap(), path });
    }
    // Only literals with a blank are sentences; SQL is not.
    all.extend(
        sources()
            .into_iter()
            .filter(|source| source.room != "store" && !source.path.ends_with("tests.rs"))
            .filter(|source| !source.path.components().any(|part| part.as_os_str() == "tests"))
            .map(|source| Text {
                text: literals(&source.code)
                    .lines()
                    .filter(|line| line.contains(' '))
                    .collect::<Vec<_>>()
                    .join("\n"),
                path: source.path,
            }),
    );
    all
}

#[test]
fn nothing_that_people_read_uses_a_retired_word() {
    let code = Regex::new(r"(?s)```.*?```|`[^`\n]*`").unwrap();
    let patterns: Vec<(Regex, &str)> = RETIRED
        .iter()
        .map(|(word, better)| (Regex::new(&format!(r"(?i)\b(?:{})", bounded(word))).unwrap(), *better))
        .collect();
    let mut faults = Vec::new();
    for Text { path, text } in texts() {
        let is_document = path.extension().is_some_and(|extension| extension == "md");
        let text = if is_document { code.replace_all(&text, "").into_owned() } else { text };
        for line in text.lines() {
            for (pattern, better) in &patterns {
                for found in pattern
                    .find_iter(line)
                    .filter(|found| !is_usual(found.as_str()) && !line[..found.start()].ends_with('.'))
                {
                    let place = path.strip_prefix(root()).unwrap_or(&path).display();
                    faults.push(format!("{place}: “{}” ({better}): {}", found.as_str(), line.trim()));
                }
            }
        }
    }
    assert!(faults.is_empty(), "{} retired words:\n{}", faults.len(), faults.join("\n"));
}

/// “There is no file” and “is no longer” are plain English.
fn is_usual(found: &str) -> bool {
    let found = found.to_lowercase();
    found.starts_with("there ")
        || ["is no longer", "are no longer", "is no more", "are no more"].contains(&found.as_str())
}

fn bounded(word: &str) -> String {
    if word.ends_with(r"\b") { word.to_owned() } else { format!(r"(?:{word})\b") }
}
