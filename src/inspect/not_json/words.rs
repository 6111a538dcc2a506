//! Causes inside a text that is nearly JSON: numbers that C, Python or a display writes, and what a template leaves out.

use super::Look;
use super::scan::{Slip, SlipKind, scan};

/// What a word looks like, and what to say about it.
struct Word {
    is: fn(&str) -> bool,
    cure: &'static str,
}

/// Words where a value belongs, the most particular first.
const WORDS: [Word; 10] = [
    Word {
        is: |word| {
            let bare = word.trim_start_matches(['-', '+']).to_ascii_lowercase();
            matches!(bare.as_str(), "nan" | "inf" | "infinity")
        },
        cure: "JSON has no NaN and no infinity: send null. MicroPython's and Python's json.dumps write such values.",
    },
    Word {
        is: |word| {
            matches!(word, "undefined" | "None" | "True" | "False" | "nil" | "NULL" | "TRUE" | "FALSE")
        },
        cure: "It is a word of a programming language (undefined, None, True, False); JSON has null, true, false.",
    },
    Word {
        is: |word| word.to_ascii_lowercase().trim_start_matches('-').starts_with("0x"),
        cure: "JSON has no hexadecimal numbers: write it in decimal (in C %d, not %#x), or as text in quotes.",
    },
    Word {
        is: |word| word.starts_with('+') && begins_number(word.get(1..).unwrap_or_default()),
        cure: "A JSON number has no plus sign: in C use %.1f, not %+.1f.",
    },
    Word {
        is: |word| {
            let digits = word.trim_start_matches('-');
            digits.starts_with('0') && digits.as_bytes().get(1).is_some_and(u8::is_ascii_digit)
        },
        cure: "A JSON number has no leading zeros: in C use %.1f, not %05.1f. An id with zeros belongs in quotes.",
    },
    Word {
        is: |word| word.ends_with('.') && begins_number(word),
        cure: "A JSON number needs a digit after its decimal point: write 21.0 or 21.",
    },
    Word {
        is: |word| word.trim_start_matches('-').starts_with('.'),
        cure: "A JSON number needs a digit before its decimal point: write 0.5.",
    },
    Word {
        is: |word| word.starts_with(['$', '%', '<', '@', '#']),
        cure: "It looks like a variable that the sender's template did not fill in.",
    },
    Word {
        is: |word| word.parse::<f64>().is_ok_and(f64::is_infinite) && begins_number(word),
        cure: "The number is too large: a number is at most about 1.8e308. Send null, or the value as text.",
    },
    Word {
        is: begins_number,
        cure: "It begins like a number, but is none: leave out the unit, or put the text in quotes.",
    },
];

fn begins_number(word: &str) -> bool {
    word.trim_start_matches('-').starts_with(|letter: char| letter.is_ascii_digit())
}

/// The first slip in a text that begins like JSON.
pub fn cause(look: &Look<'_>) -> Option<String> {
    if !look.text.trim_start().starts_with(['{', '[']) {
        return None;
    }
    let Slip { kind, word, place } = scan(look.text).slip?;
    let shown: String = word.chars().take(40).collect();
    Some(match kind {
        SlipKind::Word => match WORDS.iter().find(|known| (known.is)(&word)) {
            Some(known) => format!("“{shown}” at {place} is not a JSON value. {}", known.cure),
            None => format!("“{shown}” at {place} is text without quotes. Put it in double quotes."),
        },
        SlipKind::NoValue => format!(
            "There is no value at {place}: the sensor gave none, or a variable of the sender's template is empty. Send null."
        ),
        SlipKind::UnquotedName => {
            format!("The name “{shown}” at {place} has no quotes. JSON puts every name in double quotes.")
        }
        SlipKind::DecimalComma => format!(
            "“{shown}” at {place} has a decimal comma. JSON has a decimal point: format the number without the local language."
        ),
        SlipKind::TrailingComma => {
            format!("It has a comma before a closing bracket, at {place}. Leave out that comma.")
        }
        SlipKind::RawControl => control(&word, &place.to_string()),
        SlipKind::SingleQuotes => {
            format!("It has single quotes, at {place}, as Python's str() writes a dict: use json.dumps.")
        }
        SlipKind::Comment => format!("It has comments, which JSON does not know, at {place}."),
    })
}

fn control(word: &str, place: &str) -> String {
    let (name, escape) = match word {
        "\t" => ("tab", "\\t".to_owned()),
        "\n" => ("line break", "\\n".to_owned()),
        "\r" => ("carriage return", "\\r".to_owned()),
        other => {
            let code = other.chars().next().map_or(0, u32::from);
            ("control character", format!("\\u{code:04x}"))
        }
    };
    format!(
        "A text has a raw {name} at {place}. Write it as {escape}: build the JSON with a library, not by joining texts."
    )
}
