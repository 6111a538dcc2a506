//! Causes inside a text that is nearly JSON: numbers that C, Python or a display writes, and what a template leaves out.

use super::look::Look;
use super::scan::{Slip, SlipKind, is_invisible, scan};
use crate::inspect::told::Diagnosis;

/// What a word looks like, and what to say about it.
struct Word {
    headline: &'static str,
    is: fn(&str) -> bool,
    cure: &'static str,
}

/// Words where a value belongs, the most particular first.
const WORDS: [Word; 10] = [
    Word {
        headline: "NaN or infinity is not JSON",
        is: |word| {
            let bare = word.trim_start_matches(['-', '+']).to_ascii_lowercase();
            matches!(bare.as_str(), "nan" | "inf" | "infinity")
        },
        cure: "JSON has no NaN and no infinity: send null. MicroPython's and Python's json.dumps write such values.",
    },
    Word {
        headline: "A word that JSON does not have",
        is: |word| {
            matches!(word, "undefined" | "None" | "True" | "False" | "nil" | "NULL" | "TRUE" | "FALSE")
        },
        cure: "It is a word of a programming language (undefined, None, True, False); JSON has null, true, false.",
    },
    Word {
        headline: "A hexadecimal number in the JSON",
        is: |word| word.to_ascii_lowercase().trim_start_matches('-').starts_with("0x"),
        cure: "JSON has no hexadecimal numbers: write it in decimal (in C %d, not %#x), or as text in quotes.",
    },
    Word {
        headline: "A number with a plus sign",
        is: |word| word.starts_with('+') && begins_number(word.get(1..).unwrap_or_default()),
        cure: "A JSON number has no plus sign: in C use %.1f, not %+.1f.",
    },
    Word {
        headline: "A number with leading zeros",
        is: |word| {
            let digits = word.trim_start_matches('-');
            digits.starts_with('0') && digits.as_bytes().get(1).is_some_and(u8::is_ascii_digit)
        },
        cure: "A JSON number has no leading zeros: in C use %.1f, not %05.1f. An id with zeros belongs in quotes.",
    },
    Word {
        headline: "No digit after a decimal point",
        is: |word| word.ends_with('.') && begins_number(word),
        cure: "A JSON number needs a digit after its decimal point: write 21.0 or 21.",
    },
    Word {
        headline: "No digit before a decimal point",
        is: |word| word.trim_start_matches('-').starts_with('.'),
        cure: "A JSON number needs a digit before its decimal point: write 0.5.",
    },
    Word {
        headline: "A template variable was not filled in",
        is: |word| word.starts_with(['$', '%', '<', '@', '#']),
        cure: "It looks like a variable that the sender's template did not fill in.",
    },
    Word {
        headline: "The number is too large",
        is: |word| word.parse::<f64>().is_ok_and(f64::is_infinite) && begins_number(word),
        cure: "The number is too large: a number is at most about 1.8e308. Send null, or the value as text.",
    },
    Word {
        headline: "A number with text behind it",
        is: begins_number,
        cure: "It begins like a number, but is none: leave out the unit, or put the text in quotes.",
    },
];

fn begins_number(word: &str) -> bool {
    word.trim_start_matches('-').starts_with(|letter: char| letter.is_ascii_digit())
}

/// The first slip in a text that begins like JSON.
pub fn cause(look: &Look<'_>) -> Option<Diagnosis> {
    let text = look.text.trim_start_matches(|letter: char| letter.is_whitespace() || is_invisible(letter));
    if !["{", "[", "//", "/*"].iter().any(|start| text.starts_with(start)) {
        return None;
    }
    let Slip { kind, word, place } = scan(look.text).slip?;
    let shown: String = word.chars().take(40).collect();
    let (code, headline, said) = match kind {
        SlipKind::Word => match WORDS.iter().find(|known| (known.is)(&word)) {
            Some(known) => (
                "word",
                known.headline,
                format!("“{shown}” at {place} is not a JSON value. | {}", known.cure),
            ),
            None => (
                "unquoted",
                "Text without quotes",
                format!("“{shown}” at {place} is text without quotes. | Put it in double quotes."),
            ),
        },
        SlipKind::NoValue => (
            "no-value",
            "A value is missing",
            format!(
                "There is no value at {place}: the sensor gave none, or a variable of the sender's template is empty. | \
                 Send null."
            ),
        ),
        SlipKind::UnquotedName => (
            "name",
            "A name without quotes",
            format!("The name “{shown}” at {place} has no quotes. | Put every name in double quotes."),
        ),
        SlipKind::DecimalComma => (
            "decimal-comma",
            "A decimal comma in a number",
            format!(
                "“{shown}” at {place} has a decimal comma. JSON has a decimal point. | Format the number without the local \
                 language."
            ),
        ),
        SlipKind::TrailingComma => (
            "trailing-comma",
            "A comma before a closing bracket",
            format!("It has a comma before a closing bracket, at {place}. | Leave out that comma."),
        ),
        SlipKind::RawControl => control(&word, &place.to_string()),
        SlipKind::SingleQuotes => (
            "single-quotes",
            "Single quotes instead of double quotes",
            format!("It has single quotes, at {place}, as Python's str() writes a dict. | Use json.dumps."),
        ),
        SlipKind::CurlyQuotes => (
            "curly-quotes",
            "Typographic quotes",
            format!(
                "A typographic quote, {shown}, is at {place}. | Use the plain one, \", as a code editor writes it."
            ),
        ),
        SlipKind::NoColon if word.is_empty() => (
            "colon",
            "A colon is missing",
            format!("A colon is missing after the name, at {place}. | Add it."),
        ),
        SlipKind::NoColon => (
            "colon",
            "No colon after a name",
            format!(
                "“{shown}” at {place} is where a colon belongs. | Build the JSON with a library: to_json in Ruby, json_encode in \
                 PHP."
            ),
        ),
        SlipKind::NoComma if word.is_empty() => (
            "comma",
            "A comma is missing",
            format!("A comma is missing before the value at {place}. | Add it between the two values."),
        ),
        SlipKind::NoComma => (
            "comma",
            "No comma between two values",
            format!("“{shown}” at {place} is where a comma belongs. | Separate values by commas."),
        ),
        SlipKind::RawQuote => (
            "quote",
            "A quote inside a text is not escaped",
            format!(
                "A text ends before “{shown}” at {place}: a quote inside the text is not escaped. | Write it as \\\": build the \
                 JSON with a library, not by joining texts."
            ),
        ),
        SlipKind::WrongBracket => (
            "bracket",
            "A bracket of the wrong kind",
            format!(
                "“{shown}” at {place} does not match the bracket that is open there. | Close every [ with ] and every {{ with }}."
            ),
        ),
        SlipKind::Invisible => (
            "invisible",
            "An invisible character between values",
            format!(
                "An invisible character, {shown}, is at {place}: often copied from a page or a document. | Remove it. U+FEFF is a \
                 byte order mark; at most one may begin the body."
            ),
        ),
        SlipKind::Comment => (
            "comment",
            "Comments in the JSON",
            format!("It has comments, which JSON does not know, at {place}. | Leave them out."),
        ),
    };
    Some(Diagnosis::of(format!("not-json-{code}"), headline, &said))
}

fn control(word: &str, place: &str) -> (&'static str, &'static str, String) {
    let (headline, name, escape) = match word {
        "\t" => ("A raw tab in a text", "tab", "\\t".to_owned()),
        "\n" => ("A raw line break in a text", "line break", "\\n".to_owned()),
        "\r" => ("A raw line break in a text", "carriage return", "\\r".to_owned()),
        other => {
            let code = other.chars().next().map_or(0, u32::from);
            ("A raw control character in a text", "control character", format!("\\u{code:04x}"))
        }
    };
    let said = format!(
        "A text has a raw {name} at {place}. | Write it as {escape}: build the JSON with a library, not by joining texts."
    );
    ("control", headline, said)
}
