//! JSON in another writing, or with something before it.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::de::IgnoredAny;

use super::look::Look;
use crate::inspect::told::Diagnosis;

/// The most characters shown of what precedes a document.
const SHOWN: usize = 20;

/// A way to write a JSON document as other text.
struct Writing {
    code: &'static str,
    headline: &'static str,
    /// The document, where the text may be this writing.
    read: fn(&str) -> Option<Vec<u8>>,
    said: &'static str,
}

const WRITINGS: [Writing; 5] = [
    Writing {
        code: "url-encoded",
        headline: "The JSON is URL-encoded",
        read: |text| text.contains("%22").then(|| percent_encoding::percent_decode_str(text).collect()),
        said: "It is JSON, encoded as for a URL. | Send it as it is (curl: --data, not --data-urlencode).",
    },
    Writing {
        code: "base64",
        headline: "The JSON is in base64",
        read: |text| STANDARD.decode(text).ok(),
        said: "It is JSON in base64. | Send the JSON itself.",
    },
    Writing {
        code: "hex",
        headline: "The JSON is in hexadecimal",
        read: |text| hex::decode(text).ok(),
        said: "It is JSON in hexadecimal. | Send the JSON itself.",
    },
    Writing {
        code: "escaped",
        headline: "The quotes of the JSON are escaped",
        read: |text| {
            let outer = text.trim_matches('\'');
            // Each of them: one alone only ends a path of Windows.
            let is_every = outer.contains("\\\"") && !outer.replace("\\\"", "").contains('"');
            is_every.then(|| outer.replace("\\\"", "\"").replace("\\\\", "\\").into_bytes())
        },
        said: "Every quote has a backslash before it, as inside another text or for another shell. | Send the JSON itself: in \
               a POSIX shell, single quotes around it need no backslashes.",
    },
    Writing {
        code: "html-escaped",
        headline: "The JSON is escaped for HTML",
        read: |text| {
            let plain = text.replace("&quot;", "\"").replace("&#34;", "\"").replace("&amp;", "&");
            (plain.len() < text.len()).then(|| plain.into_bytes())
        },
        said: "Its quotes are written as in HTML. | Turn off HTML escaping in the sender's template.",
    },
];

/// JSON in another writing.
pub fn encoded(look: &Look<'_>) -> Option<Diagnosis> {
    let is_document = |bytes: &[u8]| {
        bytes.trim_ascii_start().starts_with(b"{") && serde_json::from_slice::<IgnoredAny>(bytes).is_ok()
    };
    let text = look.text.trim();
    let is_written = |writing: &&Writing| (writing.read)(text).is_some_and(|bytes| is_document(&bytes));
    let Writing { code, headline, said, .. } = WRITINGS.iter().find(is_written)?;
    Some(Diagnosis::of(format!("not-json-{code}"), *headline, said))
}

/// The name of a value, where the value was meant.
pub fn named_instead(look: &Look<'_>) -> Option<Diagnosis> {
    let text = look.text.trim();
    if text.starts_with("[object ") {
        let said = "JavaScript made the body from an object without JSON. | Send JSON.stringify(payload).";
        return Some(Diagnosis::of("not-json-object", "A JavaScript object was not encoded", said));
    }
    (text.starts_with('@') && !text.contains(char::is_whitespace)).then(|| {
        let said = "The body is the name of a file, not its content. | In curl use --data-binary @FILE, not --data-raw.";
        Diagnosis::of("not-json-file-name", "The body is a file name", said)
    })
}

/// A whole document with something before it.
pub fn leading_text(look: &Look<'_>) -> Option<Diagnosis> {
    let text = look.text.trim_start();
    let (before, document) = text.split_at_checked(text.find('{')?)?;
    let before = before.trim_end_matches('[').trim_end();
    serde_json::Deserializer::from_str(document).into_iter::<IgnoredAny>().next()?.ok()?;
    let (code, headline, said) = match before {
        "" => return None,
        "'" => (
            "shell-quotes",
            "Single quotes around the JSON",
            "The JSON is in single quotes, which cmd.exe on Windows passes on. | Use double quotes there, with \\\" inside, or \
             send a file: --data-binary @FILE."
                .to_owned(),
        ),
        "b'" => (
            "python-bytes",
            "Python's bytes, written as text",
            "The JSON is inside b'…': the sender turned bytes into text with str(). | Send the bytes themselves, or decode \
             them: body.decode()."
                .to_owned(),
        ),
        before => {
            let plain = |letter: char| if letter.is_control() { '\u{fffd}' } else { letter };
            let shown = before.chars().take(SHOWN).map(plain).collect::<String>().replace(" | ", "|");
            (
                "leading-text",
                "Text precedes the JSON",
                format!("“{shown}” precedes the JSON. | Send nothing before the first bracket."),
            )
        }
    };
    Some(Diagnosis::of(format!("not-json-{code}"), headline, &said))
}
