//! Names the programs that produce a text, and how the text differs from the received body.

use super::layouts;
use super::rewriter::Rewriter;
use super::style::{Order, Style};
use super::ways::Way;
use crate::signing::diagnose::difference::Difference;

/// The most programs named in a sentence.
const MAX_NAMES: usize = 3;
/// The variant of the style that belongs to no program.
const NO_PROGRAM: &str = "json-compact";
const GENERAL_CURE: &str = "Write the JSON once, sign those bytes, and send those bytes.";

/// The difference between `body` and `text`, which matches the signature.
pub fn named(rewriter: &mut Rewriter<'_>, body: &str, text: &str, most_bytes: usize) -> Difference {
    let without_lines: String = text.chars().filter(|letter| !matches!(letter, '\r' | '\n')).collect();
    if without_lines == body && without_lines.len() + 1 < text.len() {
        return Difference::new(
            "curl-line-breaks",
            "The signature matches a file of several lines, but its line breaks did not arrive: curl -d removes them. | \
             Send the file with --data-binary @file.",
        );
    }
    let (fitting, is_complete) = rewriter.fitting(text, most_bytes);
    let Some(likely) = fitting.first() else {
        return Difference::new(
            "json-reordered",
            format!(
                "The signature matches this JSON with its keys in another order. Lua, Perl, Swift and hash maps of other \
                 languages keep no order. | {GENERAL_CURE}"
            ),
        );
    };
    let changes = changes(rewriter, body, text, &likely.style);
    let mut programs: Vec<&&Way> = Vec::new();
    for way in &fitting {
        let is_new = programs.iter().all(|known| known.serialiser.name != way.serialiser.name);
        if is_new && way.serialiser.variant != NO_PROGRAM {
            programs.push(way);
        }
    }
    let they_differ = if *likely.style.layout.words == layouts::JSON {
        format!("What arrived differs in: {}.", changes.join(", "))
    } else {
        "That text is not JSON.".to_owned()
    };
    match programs.as_slice() {
        [only] if is_complete => {
            let (with, cure) = (with(only), only.serialiser.cure);
            Difference::new(
                only.serialiser.variant,
                format!(
                    "The signature matches the payload as {}{with} writes it. {they_differ} | {cure}",
                    only.serialiser.name
                ),
            )
        }
        [] => Difference::new(
            label(&changes, text, &likely.style),
            format!("The signature matches this JSON written differently. {they_differ} | {GENERAL_CURE}"),
        ),
        several => {
            let names: Vec<String> = several
                .iter()
                .take(MAX_NAMES)
                .map(|way| format!("{}{}", way.serialiser.name, with(way)))
                .collect();
            let list = match names.split_last() {
                Some((last, first)) if is_complete && several.len() <= MAX_NAMES => {
                    format!("{} or {last}", first.join(", "))
                }
                _ => format!("{} or others", names.join(", ")),
            };
            Difference::new(
                label(&changes, text, &likely.style),
                format!(
                    "The signature matches the payload as {list} write it. {they_differ} | {GENERAL_CURE}"
                ),
            )
        }
    }
}

fn with(way: &Way) -> String {
    if way.with.is_empty() { String::new() } else { format!(" ({})", way.with.join("; ")) }
}

const NUMBERS: &str = "numbers";
const ORDER: &str = "the order of keys";
const INDENT: &str = "indentation";
const BLANKS: &str = "spaces after commas and colons";
const ENDING: &str = "a final line break";
const LETTERS: &str = "escaped letters";
const HTML: &str = "escaped HTML characters";
const SLASHES: &str = "escaped slashes";
const MEMBERS: &str = "empty or null members";

/// The difference between the text and the body, in words.
fn changes(rewriter: &mut Rewriter<'_>, body: &str, text: &str, style: &Style) -> Vec<&'static str> {
    let mut changes = Vec::new();
    let sent: Vec<String> = rewriter.document.tokens.iter().map(|token| (*token).to_owned()).collect();
    if rewriter.tokens(style.numbers) != sent {
        changes.push(NUMBERS);
    }
    let said: Vec<(String, String)> = rewriter
        .document
        .strings
        .iter()
        .map(|(sent, plain)| ((*sent).to_owned(), plain.clone().unwrap_or_default()))
        .collect();
    let written = rewriter.strings(style.strings);
    for ((sent, plain), written) in said.iter().zip(written) {
        let inner = written.get(1..written.len().saturating_sub(1)).unwrap_or(written);
        if inner == sent {
            continue;
        }
        let count = |mark: &str| (sent.matches(mark).count(), inner.matches(mark).count());
        let has = |letters: &[char]| plain.contains(letters);
        let mut add = |change| {
            if !changes.contains(&change) {
                changes.push(change);
            }
        };
        let (before, after) = count("\\/");
        if before != after {
            add(SLASHES);
        }
        let (before, after) = count("\\u00");
        if has(&['<', '>', '&', '\'', '=', '"']) && before != after {
            add(HTML);
        }
        if !plain.is_ascii() || has(&['\u{7f}']) || plain.chars().any(|letter| letter < ' ') {
            add(LETTERS);
        }
    }
    let arranged = rewriter.document.arranged(Order::AsSent, style.shape);
    if arranged != rewriter.document.root {
        changes.push(MEMBERS);
    }
    if rewriter.document.arranged(style.order, style.shape) != arranged {
        changes.push(ORDER);
    }
    let lines = |text: &str| text.trim_end().contains('\n');
    let spaced = |text: &str| text.contains(": ") || text.contains(", ");
    if style.layout.lines.is_some() || lines(body) {
        changes.push(INDENT);
    } else if spaced(text) != spaced(body) || changes.is_empty() {
        changes.push(BLANKS);
    }
    if text.ends_with('\n') != body.ends_with('\n') {
        changes.push(ENDING);
    }
    changes
}

/// The variant if several programs write the same text.
fn label(changes: &[&str], text: &str, style: &Style) -> &'static str {
    let has = |change| changes.contains(&change);
    if has(NUMBERS) {
        "json-numbers"
    } else if has(MEMBERS) {
        "json-members"
    } else if has(ORDER) {
        "json-sorted"
    } else if style.layout.lines.is_some() {
        "json-pretty"
    } else if has(LETTERS) || has(HTML) || has(SLASHES) {
        if text.contains("\\u") || text.contains("\\/") { "json-escaped" } else { "json-unescaped" }
    } else if text.contains(": ") {
        "json-spaced"
    } else {
        NO_PROGRAM
    }
}
