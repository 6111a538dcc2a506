//! Makes a JSON string readable without loss: escapes are resolved, and characters that text cannot represent become
//! marks.

use crate::domain::{Piece, pieces};

/// The readable form of a string.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Text {
    /// The text, with marks for what it cannot represent.
    pub pieces: Vec<Piece>,
    /// What is unusual about it, each note once.
    pub notes: Vec<&'static str>,
    /// Whether it contains escapes.
    pub has_escapes: bool,
    /// The number of bytes omitted at its end.
    pub left_out: usize,
}

/// Reads the text between the quotes; at most `most` bytes of it.
#[must_use]
pub fn read(token: &[u8], most: usize) -> Text {
    let inner = token.strip_prefix(b"\"").unwrap_or(token);
    let is_ended = token.len() > 1 && ends_with_quote(token);
    let inner = if is_ended { inner.strip_suffix(b"\"").unwrap_or(inner) } else { inner };
    let shown = inner.get(..most).unwrap_or(inner);
    let mut reader = Reader { text: Text::default(), run: String::new(), waiting: None };
    if !is_ended && token.starts_with(b"\"") {
        reader.note("the string does not end, so it is not JSON");
    }
    let mut rest = shown;
    while !rest.is_empty() {
        rest = reader.step(rest);
    }
    reader.text.left_out = inner.len().saturating_sub(shown.len());
    reader.finish()
}

/// The form of a key in pointers: resolved, with U+FFFD for what text cannot represent.
#[must_use]
pub fn key(token: &[u8]) -> String {
    let text = read(token, token.len());
    let plain = |piece: &Piece| if piece.is_mark { None } else { Some(piece.text.clone()) };
    match serde_json::from_slice::<String>(token) {
        Ok(key) => key,
        Err(_) => {
            text.pieces.iter().map(|piece| plain(piece).unwrap_or_else(|| '\u{fffd}'.to_string())).collect()
        }
    }
}

/// Whether the last quote is not escaped.
pub(super) fn ends_with_quote(token: &[u8]) -> bool {
    let Some(inner) = token.strip_suffix(b"\"") else { return false };
    let backslashes = inner.iter().rev().take_while(|byte| **byte == b'\\').count();
    backslashes % 2 == 0
}

struct Reader {
    text: Text,
    run: String,
    /// A high surrogate that waits for its low surrogate.
    waiting: Option<u16>,
}

impl Reader {
    fn note(&mut self, note: &'static str) {
        if !self.text.notes.contains(&note) {
            self.text.notes.push(note);
        }
    }

    fn mark(&mut self, name: String) {
        self.flush();
        self.text.pieces.push(Piece { text: name, is_mark: true });
    }

    fn flush(&mut self) {
        if !self.run.is_empty() {
            self.text.pieces.extend(pieces(&std::mem::take(&mut self.run)));
        }
    }

    fn push(&mut self, letter: char) {
        self.lone();
        self.run.push(letter);
    }

    /// Handles a high surrogate without a low surrogate.
    fn lone(&mut self) {
        if let Some(high) = self.waiting.take() {
            self.mark(format!("\\u{high:04x}"));
            self.note("a lone surrogate");
        }
    }

    /// Reads one letter or escape; returns the rest.
    fn step<'b>(&mut self, rest: &'b [u8]) -> &'b [u8] {
        match rest {
            [b'\\', after @ ..] => {
                self.text.has_escapes = true;
                self.escape(after)
            }
            [byte @ 0..=0x1f, after @ ..] => {
                self.push(char::from(*byte));
                self.note("a control character that is not escaped, so it is not JSON");
                after
            }
            _ => {
                // Up to the next escape or control character, the bytes are text or invalid.
                let end = rest.iter().position(|byte| *byte == b'\\' || *byte < 0x20).unwrap_or(rest.len());
                let (run, after) = rest.split_at(end);
                self.lone();
                for chunk in run.utf8_chunks() {
                    self.run.push_str(chunk.valid());
                    if !chunk.invalid().is_empty() {
                        let bytes: Vec<String> =
                            chunk.invalid().iter().map(|byte| format!("0x{byte:02X}")).collect();
                        self.mark(bytes.join(" "));
                        self.note("bytes that are not UTF-8");
                    }
                }
                after
            }
        }
    }

    fn escape<'b>(&mut self, after: &'b [u8]) -> &'b [u8] {
        let simple = |letter: u8| match letter {
            b'"' | b'\\' | b'/' => Some(char::from(letter)),
            b'b' => Some('\u{8}'),
            b'f' => Some('\u{c}'),
            b'n' => Some('\n'),
            b'r' => Some('\r'),
            b't' => Some('\t'),
            _ => None,
        };
        match after {
            [b'u', rest @ ..] => match rest.get(..4).and_then(four_digits) {
                Some(unit) => {
                    self.unit(unit);
                    rest.get(4..).unwrap_or_default()
                }
                None => {
                    self.lone();
                    self.mark("\\u".to_owned());
                    self.note("not a valid escape, so it is not JSON");
                    rest
                }
            },
            [letter, rest @ ..] => match simple(*letter) {
                Some(letter) => {
                    self.push(letter);
                    rest
                }
                None => {
                    self.lone();
                    self.mark("\\".to_owned());
                    self.note("not a valid escape, so it is not JSON");
                    after
                }
            },
            [] => {
                self.lone();
                self.mark("\\".to_owned());
                &[]
            }
        }
    }

    /// One unit of UTF-16.
    fn unit(&mut self, unit: u16) {
        let pair = self.waiting.map(|high| [high, unit]);
        match (pair, unit) {
            (Some(pair), 0xdc00..=0xdfff) => {
                self.waiting = None;
                self.run.extend(char::decode_utf16(pair).map(|letter| letter.unwrap_or('\u{fffd}')));
            }
            (_, 0xd800..=0xdbff) => {
                self.lone();
                self.waiting = Some(unit);
            }
            (_, 0xdc00..=0xdfff) => {
                self.lone();
                self.mark(format!("\\u{unit:04x}"));
                self.note("a lone surrogate");
            }
            _ => self.push(char::from_u32(u32::from(unit)).unwrap_or('\u{fffd}')),
        }
    }

    fn finish(mut self) -> Text {
        self.lone();
        self.flush();
        self.text
    }
}

fn four_digits(digits: &[u8]) -> Option<u16> {
    let is_hex = digits.iter().all(u8::is_ascii_hexdigit);
    std::str::from_utf8(digits).ok().filter(|_| is_hex).and_then(|text| u16::from_str_radix(text, 16).ok())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(token: &[u8]) -> (String, Vec<&'static str>) {
        let text = read(token, 1_000);
        let written = text
            .pieces
            .iter()
            .map(|piece| if piece.is_mark { format!("⟨{}⟩", piece.text) } else { piece.text.clone() });
        (written.collect(), text.notes)
    }

    #[test]
    fn escapes_are_resolved_and_what_no_text_can_hold_is_marked() {
        assert_eq!(shown(br#""\u00e9\ud83d\ude00\/\"\\\n""#).0, "é😀/\"\\\n");
        assert_eq!(shown(br#""a\ud83d""#), ("a⟨\\ud83d⟩".into(), vec!["a lone surrogate"]));
        assert_eq!(shown(br#""\ude00x\ud83d\ud83dy""#).0, "⟨\\ude00⟩x⟨\\ud83d⟩⟨\\ud83d⟩y");
        assert_eq!(shown(b"\"a\xff\xfeb\""), ("a⟨0xFF⟩⟨0xFE⟩b".into(), vec!["bytes that are not UTF-8"]));
        assert_eq!(shown(b"\"a\x01\"").0, "a⟨U+0001⟩");
        assert_eq!(shown(br#""\x \u12 \""#).0, "⟨\\⟩x ⟨\\u⟩12 \"");
        assert_eq!(shown(br#""open"#), ("open".into(), vec!["the string does not end, so it is not JSON"]));
        assert_eq!(shown(b"\"\xe2\x80\xae\"").0, "⟨U+202E⟩");
        assert_eq!(read("\"ééé\"".as_bytes(), 3).left_out, 3);
    }

    #[test]
    fn a_key_is_what_json_says_it_is() {
        assert_eq!(key(br#""a\u0062\/""#), "ab/");
        assert_eq!(key(b"\"a\xff\""), "a\u{fffd}");
        assert_eq!(key(b"\"\xe2\x80\xae\""), "\u{202e}");
    }
}
