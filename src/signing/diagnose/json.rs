//! The body as other programs would write the same JSON: what somebody signs who parses and writes it again.

/// Deeper values are left alone.
const MAX_DEPTH: usize = 100;

/// A JSON value with its tokens as they were written.
pub enum Json<'j> {
    /// A number, `true`, `false`, `null`.
    Token(&'j str),
    /// A string, between its quotes.
    Text(&'j str),
    List(Vec<Self>),
    Object(Vec<(&'j str, Self)>),
}

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

/// Reads a whole document.
pub fn read(text: &str) -> Option<Json<'_>> {
    let mut reader = Reader { text, at: 0 };
    let value = reader.value(0)?;
    reader.blanks();
    (reader.at == text.len()).then_some(value)
}

struct Reader<'j> {
    text: &'j str,
    at: usize,
}

impl<'j> Reader<'j> {
    fn rest(&self) -> &'j str {
        self.text.get(self.at..).unwrap_or_default()
    }

    fn blanks(&mut self) {
        let rest = self.rest();
        let left = rest.trim_start_matches([' ', '\t', '\r', '\n']).len();
        self.at = self.text.len().saturating_sub(left);
    }

    fn take(&mut self, letter: char) -> bool {
        self.blanks();
        let is_there = self.rest().starts_with(letter);
        self.at = self.at.saturating_add(if is_there { letter.len_utf8() } else { 0 });
        is_there
    }

    fn value(&mut self, depth: usize) -> Option<Json<'j>> {
        if depth > MAX_DEPTH {
            return None;
        }
        if self.take('{') {
            let mut members = Vec::new();
            while !self.take('}') {
                if !members.is_empty() && !self.take(',') {
                    return None;
                }
                self.blanks();
                let name = self.text()?;
                if !self.take(':') {
                    return None;
                }
                members.push((name, self.value(depth.saturating_add(1))?));
            }
            return Some(Json::Object(members));
        }
        if self.take('[') {
            let mut items = Vec::new();
            while !self.take(']') {
                if !items.is_empty() && !self.take(',') {
                    return None;
                }
                items.push(self.value(depth.saturating_add(1))?);
            }
            return Some(Json::List(items));
        }
        if self.rest().starts_with('"') {
            return self.text().map(Json::Text);
        }
        let rest = self.rest();
        let end = rest.find([',', '}', ']', ' ', '\t', '\r', '\n']).unwrap_or(rest.len());
        let token = rest.get(..end).filter(|token| !token.is_empty())?;
        self.at = self.at.saturating_add(end);
        Some(Json::Token(token))
    }

    fn text(&mut self) -> Option<&'j str> {
        let inner = self.rest().strip_prefix('"')?;
        let mut is_escaped = false;
        for (at, byte) in inner.bytes().enumerate() {
            match byte {
                _ if is_escaped => is_escaped = false,
                b'\\' => is_escaped = true,
                b'"' => {
                    self.at = self.at.saturating_add(at).saturating_add(2);
                    return inner.get(..at);
                }
                _ => {}
            }
        }
        None
    }
}

impl Json<'_> {
    /// The document in a style.
    pub fn written(&self, style: Style) -> String {
        let mut out = String::new();
        self.write(style, 0, &mut out);
        out
    }

    fn write(&self, style: Style, depth: usize, out: &mut String) {
        match self {
            Self::Token(token) if style.js_numbers => out.push_str(&js_number(token)),
            Self::Token(token) => out.push_str(token),
            Self::Text(text) => write_text(text, style.letters, out),
            Self::List(items) => {
                let one = |item: &Self, out: &mut String| item.write(style, depth.saturating_add(1), out);
                write_items(style, depth, ('[', ']'), items, one, out);
            }
            Self::Object(members) => {
                let mut members: Vec<&(&str, Self)> = members.iter().collect();
                if style.sorted {
                    members.sort_by_key(|(name, _)| *name);
                }
                let colon = if style.indent.is_some() || style.gap == " " { ": " } else { ":" };
                let one = |(name, value): &&(&str, Self), out: &mut String| {
                    write_text(name, style.letters, out);
                    out.push_str(colon);
                    value.write(style, depth.saturating_add(1), out);
                };
                write_items(style, depth, ('{', '}'), &members, one, out);
            }
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

    fn written(text: &str, style: Style) -> String {
        read(text).unwrap().written(style)
    }

    #[test]
    fn tokens_stay_and_only_blanks_go() {
        let text = "{ \"b\" : 1.0 , \"a\": [ 1e2, \"x\\u00e9\\/ \\\" \" , {}, [ ] ] }";
        assert_eq!(written(text, COMPACT), r#"{"b":1.0,"a":[1e2,"x\u00e9\/ \" ",{},[]]}"#);
        assert_eq!(
            written(text, Style { sorted: true, ..COMPACT }),
            r#"{"a":[1e2,"x\u00e9\/ \" ",{},[]],"b":1.0}"#
        );
        let js = Style { letters: Letters::Plain, js_numbers: true, ..COMPACT };
        assert_eq!(written(text, js), r#"{"b":1,"a":[100,"xé/ \" ",{},[]]}"#);
        let python = Style { gap: " ", letters: Letters::Escaped, ..COMPACT };
        assert_eq!(written(r#"{"a":["é😀",2]}"#, python), r#"{"a": ["\u00e9\ud83d\ude00", 2]}"#);
        let pretty = Style { indent: Some(2), ..COMPACT };
        assert_eq!(
            written(r#"{"a":[1,{}],"b":[]}"#, pretty),
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

    #[test]
    fn what_is_no_json_is_left_alone() {
        for text in ["", "{", "[1,]x", "{\"a\"}", "\"abc", "[1 2]", &"[".repeat(100_000)] {
            assert!(read(text).is_none(), "{}", text.len());
        }
    }
}
