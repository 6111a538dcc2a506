//! Strings as other programs write them.

use std::fmt::Write as _;

use super::style::{Beyond, Letters, Spelling};

/// The control characters with a short escape, and the letter of that escape.
const SHORT: [(char, char); 5] = [('\u{8}', 'b'), ('\u{c}', 'f'), ('\n', 'n'), ('\r', 'r'), ('\t', 't')];

/// The string in that spelling; `sent` is the text between the quotes. Strings that Rust cannot represent stay
/// unchanged.
pub fn written(sent: &str, plain: Option<&str>, spelling: &Spelling) -> String {
    match (plain, spelling) {
        (Some(plain), Spelling::Json(letters)) => json(plain, letters),
        (Some(plain), Spelling::Python) => python(plain),
        (Some(plain), Spelling::Ruby) => ruby(plain),
        (Some(plain), Spelling::Bare) => plain.to_owned(),
        (_, Spelling::AsSent) | (None, _) => format!("\"{sent}\""),
    }
}

fn json(plain: &str, letters: &Letters) -> String {
    let mut out = String::with_capacity(plain.len().saturating_add(2));
    out.push('"');
    for letter in plain.chars() {
        let short = SHORT.iter().find(|(short, name)| *short == letter && letters.short.contains(*name));
        match letter {
            _ if letters.html.0.contains(letter) => unicode(letter, letters.html.1, &mut out),
            '"' | '\\' => out.extend(['\\', letter]),
            '/' if letters.slash => out.push_str("\\/"),
            _ if short.is_some() => out.extend(['\\', short.map_or(letter, |(_, name)| *name)]),
            '\u{7f}' if letters.delete => unicode(letter, letters.has_capitals, &mut out),
            _ if letter < ' ' || is_escaped(letter, letters.beyond) => {
                unicode(letter, letters.has_capitals, &mut out);
            }
            _ => out.push(letter),
        }
    }
    out.push('"');
    out
}

fn is_escaped(letter: char, beyond: Beyond) -> bool {
    match beyond {
        Beyond::Plain => false,
        Beyond::LineSeparators => matches!(letter, '\u{2028}' | '\u{2029}'),
        Beyond::Escaped => !letter.is_ascii(),
    }
}

fn unicode(letter: char, has_capitals: bool, out: &mut String) {
    for unit in letter.encode_utf16(&mut [0; 2]) {
        let _ = if has_capitals { write!(out, "\\u{unit:04X}") } else { write!(out, "\\u{unit:04x}") };
    }
}

/// Python's repr of a str.
fn python(plain: &str) -> String {
    let quote = if plain.contains('\'') && !plain.contains('"') { '"' } else { '\'' };
    let mut out = String::from(quote);
    for letter in plain.chars() {
        match letter {
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            _ if letter == quote => out.extend(['\\', letter]),
            _ if is_shown(letter) => out.push(letter),
            _ => {
                let code = u32::from(letter);
                let _ = match code {
                    ..0x100 => write!(out, "\\x{code:02x}"),
                    0x100..0x1_0000 => write!(out, "\\u{code:04x}"),
                    _ => write!(out, "\\U{code:08x}"),
                };
            }
        }
    }
    out.push(quote);
    out
}

/// Python's repr of bytes.
pub fn python_bytes(bytes: &[u8]) -> String {
    let quote = if bytes.contains(&b'\'') && !bytes.contains(&b'"') { '"' } else { '\'' };
    let mut out = format!("b{quote}");
    for byte in bytes {
        match *byte {
            b'\\' => out.push_str("\\\\"),
            b'\n' => out.push_str("\\n"),
            b'\r' => out.push_str("\\r"),
            b'\t' => out.push_str("\\t"),
            byte if char::from(byte) == quote => out.extend(['\\', quote]),
            byte @ b' '..=b'~' => out.push(char::from(byte)),
            byte => {
                let _ = write!(out, "\\x{byte:02x}");
            }
        }
    }
    out.push(quote);
    out
}

/// Ruby's inspect of a String in UTF-8.
fn ruby(plain: &str) -> String {
    let mut out = String::from('"');
    let mut letters = plain.chars().peekable();
    while let Some(letter) = letters.next() {
        match letter {
            '"' | '\\' => out.extend(['\\', letter]),
            '#' if matches!(letters.peek(), Some('{' | '$' | '@')) => out.push_str("\\#"),
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            '\u{7}' => out.push_str("\\a"),
            '\u{8}' => out.push_str("\\b"),
            '\u{b}' => out.push_str("\\v"),
            '\u{c}' => out.push_str("\\f"),
            '\u{1b}' => out.push_str("\\e"),
            '\u{a0}' => out.push(letter),
            _ if is_shown(letter) => out.push(letter),
            _ if u32::from(letter) > 0xffff => {
                let _ = write!(out, "\\u{{{:X}}}", u32::from(letter));
            }
            _ => unicode(letter, true, &mut out),
        }
    }
    out.push('"');
    out
}

/// Whether a language shows the letter as it is: not a control or format character, nor an unusual blank.
fn is_shown(letter: char) -> bool {
    !(letter.is_control()
        || (letter.is_whitespace() && letter != ' ')
        || matches!(letter, '\u{ad}' | '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{feff}' | '\u{e000}'..='\u{f8ff}' | '\u{fff0}'..='\u{fffb}'))
}

#[cfg(test)]
mod tests {
    use super::super::spellings::*;
    use super::*;

    #[test]
    fn strings_are_those_of_each_language() {
        let plain = "a<b> & 'c' = \"d\"/\\ü😀\u{2028}\u{7f}\n\u{1}\u{8}";
        for (spelling, expected) in [
            (JAVASCRIPT, "\"a<b> & 'c' = \\\"d\\\"/\\\\ü😀\u{2028}\u{7f}\\n\\u0001\\b\""),
            (GO, "\"a\\u003cb\\u003e \\u0026 'c' = \\\"d\\\"/\\\\ü😀\\u2028\u{7f}\\n\\u0001\\u0008\""),
            (
                GSON,
                "\"a\\u003cb\\u003e \\u0026 \\u0027c\\u0027 \\u003d \\\"d\\\"/\\\\ü😀\\u2028\u{7f}\\n\\u0001\\b\"",
            ),
            (PYTHON, "\"a<b> & 'c' = \\\"d\\\"/\\\\\\u00fc\\ud83d\\ude00\\u2028\\u007f\\n\\u0001\\b\""),
            (PHP, "\"a<b> & 'c' = \\\"d\\\"\\/\\\\\\u00fc\\ud83d\\ude00\\u2028\u{7f}\\n\\u0001\\b\""),
            (
                PHP_HEX,
                "\"a\\u003Cb\\u003E \\u0026 \\u0027c\\u0027 = \\u0022d\\u0022\\/\\\\\\u00fc\\ud83d\\ude00\\u2028\u{7f}\\n\\u0001\\b\"",
            ),
            (LUA, "\"a<b> & 'c' = \\\"d\\\"\\/\\\\ü😀\u{2028}\\u007f\\n\\u0001\\b\""),
            (Spelling::Python, "'a<b> & \\'c\\' = \"d\"/\\\\ü😀\\u2028\\x7f\\n\\x01\\x08'"),
            (Spelling::Ruby, "\"a<b> & 'c' = \\\"d\\\"/\\\\ü😀\\u2028\\u007F\\n\\u0001\\b\""),
            (Spelling::Bare, plain),
        ] {
            assert_eq!(written("?", Some(plain), &spelling), expected);
        }
        assert_eq!(written("a\\ud83d", None, &PYTHON), "\"a\\ud83d\"");
        assert_eq!(python_bytes("{'ü'}\n".as_bytes()), "b\"{'\\xc3\\xbc'}\\n\"");
        assert_eq!(written("", Some("it's"), &Spelling::Python), "\"it's\"");
    }
}
