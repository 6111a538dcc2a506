//! Causes that the reader of JSON names itself: its words, in ours.

use super::look::Look;
use crate::inspect::told::Diagnosis;
use crate::payload::parse;

/// A fault of the reader, and what to say about it.
struct Reported {
    /// How the reader's message begins.
    begins: &'static str,
    code: &'static str,
    headline: &'static str,
    said: &'static str,
}

/// The faults; `{place}` is `line 1, column 24`, `{what}` what the message says beyond its beginning.
const REPORTED: [Reported; 5] = [
    Reported {
        begins: "duplicate key ",
        code: "duplicate-key",
        headline: "The same key twice in one object",
        said: "The key {what} at {place} is there twice in one object, and readers disagree on which value counts. | Send \
               every key once in an object.",
    },
    Reported {
        begins: "more than 127 levels deep",
        code: "too-deep",
        headline: "Nested too deeply",
        said: "Arrays and objects are nested more than 127 levels deep, at {place}. | Send fewer levels, or the inner part \
               as text.",
    },
    Reported {
        begins: "invalid escape",
        code: "escape",
        headline: "A backslash that is not an escape",
        said: "The backslash before {place} begins no escape of JSON: there are \\\" \\\\ \\/ \\b \\f \\n \\r \\t and \\u with \
               four digits. | Write a plain backslash as \\\\, as in C:\\\\data.",
    },
    Reported { begins: "lone leading surrogate", code: "surrogate", headline: HALF, said: HALF_SAID },
    Reported { begins: "unexpected end of hex escape", code: "surrogate", headline: HALF, said: HALF_SAID },
];

const HALF: &str = "Half of a character";
const HALF_SAID: &str = "The \\u escape before {place} is half of a character, such as an emoji: the text was cut inside it. | \
                         Cut texts between characters, not between UTF-16 units.";

/// What the reader of JSON says of this body, if we know its words.
pub fn cause(look: &Look<'_>) -> Option<Diagnosis> {
    let fault = parse(look.bytes).err()?.message;
    let known = REPORTED.iter().find(|known| fault.starts_with(known.begins))?;
    let (what, place) = fault.get(known.begins.len()..)?.rsplit_once(" at ").unwrap_or_default();
    let said = known
        .said
        .replace("{place}", &place.replace(" column", ", column"))
        .replace("{what}", &unbarred(what));
    Some(Diagnosis::of(format!("not-json-{}", known.code), known.headline, &said))
}

/// Without the bar between blanks that separates a cause from its fix.
fn unbarred(text: &str) -> String {
    text.replace(" | ", "|")
}
