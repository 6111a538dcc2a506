//! The body as other programs would write the same JSON: what somebody signs who parses and writes it again.

use crate::domain::json::Tree;

/// How it is written.
#[derive(Clone, Copy)]
pub struct Style {
    /// Blanks of an indent; `None`: all on one line.
    pub indent: Option<usize>,
    /// What stands after a comma and a colon on one line.
    pub gap: &'static str,
    pub sorted: bool,
    pub letters: Letters,
    /// Numbers as JavaScript writes them.
    pub js_numbers: bool,
}

/// How strings are written.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Letters {
    /// As they stand there.
    AsTheyAre,
    /// No escape that JSON does not ask for.
    Plain,
    /// Everything beyond ASCII as `\uXXXX`.
    Escaped,
    /// That, and slashes as `\/`: PHP.
    EscapedSlashes,
}

/// The document in a style.
pub fn written(document: &Tree<'_>, style: Style) -> String {
    let mut out = String::new();
    write(document, style, 0, &mut out);
    out
}

fn write(value: &Tree<'_>, style: Style, depth: usize, out: &mut String) {
    match value {
        Tree::Token(token) if style.js_numbers => out.push_str(&js_number(token)),
        Tree::Token(token) => out.push_str(token),
        Tree::Text(text) => write_text(text, style.letters, out),
        Tree::List(items) => {
            let one = |item: &Tree<'_>, out: &mut String| write(item, style, depth.saturating_add(1), out);
            write_items(style, depth, ('[', ']'), items, one, out);
        }
        Tree::Object(members) => {
            let mut members: Vec<&(&str, Tree<'_>)> = members.iter().collect();
            if style.sorted {
                members.sort_by_key(|(name, _)| *name);
            }
            let colon = if style.indent.is_some() || style.gap == " " { ": " } else { ":" };
            let one = |(name, value): &&(&str, Tree<'_>), out: &mut String| {
                write_text(name, style.letters, out);
                out.push_str(colon);
                write(value, style, depth.saturating_add(1), out);
            };
            write_items(style, depth, ('{', '}'), &members, one, out);
        }
    }
}

fn write_items<T>(
    style: Style,
    depth: usize,
    brackets: (char, char),
    items: &[T],
    one: impl Fn(&T, &mut String),
    out: &mut String,
) {
    out.push(brackets.0);
    for (at, item) in items.iter().enumerate() {
        if at > 0 {
            out.push(',');
        }
        match style.indent {
            Some(indent) => new_line(indent, depth.saturating_add(1), out),
            None if at > 0 => out.push_str(style.gap),
            None => {}
        }
        one(item, out);
    }
    if let (Some(indent), false) = (style.indent, items.is_empty()) {
        new_line(indent, depth, out);
    }
    out.push(brackets.1);
}

fn new_line(indent: usize, depth: usize, out: &mut String) {
    out.push('\n');
    out.extend(std::iter::repeat_n(' ', indent.saturating_mul(depth)));
}

fn write_text(raw: &str, letters: Letters, out: &mut String) {
    out.push('"');
    let plain = (letters != Letters::AsTheyAre)
        .then(|| serde_json::from_str::<String>(&format!("\"{raw}\"")).ok())
        .flatten();
    let Some(plain) = plain else {
        out.push_str(raw);
        out.push('"');
        return;
    };
    let written = serde_json::to_string(&plain).unwrap_or_default();
    let inner = written.strip_prefix('"').and_then(|rest| rest.strip_suffix('"')).unwrap_or_default();
    if letters == Letters::Plain {
        out.push_str(inner);
    } else {
        for letter in inner.chars() {
            if letter == '/' && letters == Letters::EscapedSlashes {
                out.push_str("\\/");
            } else if letter.is_ascii() {
                out.push(letter);
            } else {
                for unit in letter.encode_utf16(&mut [0; 2]) {
                    out.push_str(&format!("\\u{unit:04x}"));
                }
            }
        }
    }
    out.push('"');
}

/// A number as JavaScript writes it (ECMA-262, Number::toString); other tokens as they are.
fn js_number(token: &str) -> String {
    let is_number = token.starts_with(|letter: char| letter == '-' || letter.is_ascii_digit());
    let Some(number) = token.parse::<f64>().ok().filter(|number| is_number && number.is_finite()) else {
        return token.to_owned();
    };
    if number == 0.0 {
        return "0".to_owned();
    }
    let size = number.abs();
    if (1e-6..1e21).contains(&size) {
        return number.to_string();
    }
    let text = format!("{number:e}");
    if text.contains("e-") { text } else { text.replace('e', "e+") }
}

#[cfg(test)]
mod tests {
    use super::*;

    const COMPACT: Style =
        Style { indent: None, gap: "", sorted: false, letters: Letters::AsTheyAre, js_numbers: false };

    fn styled(text: &str, style: Style) -> String {
        written(&Tree::read(text).unwrap(), style)
    }

    #[test]
    fn tokens_stay_and_only_blanks_go() {
        let text = "{ \"b\" : 1.0 , \"a\": [ 1e2, \"x\\u00e9\\/ \\\" \" , {}, [ ] ] }";
        assert_eq!(styled(text, COMPACT), r#"{"b":1.0,"a":[1e2,"x\u00e9\/ \" ",{},[]]}"#);
        assert_eq!(
            styled(text, Style { sorted: true, ..COMPACT }),
            r#"{"a":[1e2,"x\u00e9\/ \" ",{},[]],"b":1.0}"#
        );
        let js = Style { letters: Letters::Plain, js_numbers: true, ..COMPACT };
        assert_eq!(styled(text, js), r#"{"b":1,"a":[100,"xé/ \" ",{},[]]}"#);
        let python = Style { gap: " ", letters: Letters::Escaped, ..COMPACT };
        assert_eq!(styled(r#"{"a":["é😀",2]}"#, python), r#"{"a": ["\u00e9\ud83d\ude00", 2]}"#);
        let pretty = Style { indent: Some(2), ..COMPACT };
        assert_eq!(
            styled(r#"{"a":[1,{}],"b":[]}"#, pretty),
            "{\n  \"a\": [\n    1,\n    {}\n  ],\n  \"b\": []\n}"
        );
    }

    #[test]
    fn numbers_are_those_of_javascript() {
        for (token, expected) in [
            ("1.0", "1"),
            ("-0", "0"),
            ("1e21", "1e+21"),
            ("1e-7", "1e-7"),
            ("123456789012345680000", "123456789012345680000"),
            ("1152921506151679042", "1152921506151679000"),
            ("true", "true"),
        ] {
            assert_eq!(js_number(token), expected, "{token}");
        }
    }
}
