//! Bytes of a stranger, made fit to be read: nothing hidden, nothing changed, nothing that runs.
//!
//! Characters that do not show, or that turn the line around, become marks that name their code point. The marks are
//! apart from the text, so that text which merely looks like a mark is told from one.

use std::fmt::Write as _;

/// The most bytes of text that a page shows.
const MAX_TEXT: usize = 256 * 1024;
/// The most bytes that a page shows as hex.
const MAX_HEX: usize = 16 * 1024;
/// The most marks of one text: more are not worth a page's weight.
const MAX_PIECES: usize = 20_000;

/// A run of text, or a mark that stands for one character.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Piece {
    /// The text, or the name of the character, `U+202E`.
    pub text: String,
    /// Whether it is a mark.
    pub is_mark: bool,
}

/// Text in pieces, every character that does not show as a mark.
#[must_use]
pub fn pieces(text: &str) -> Vec<Piece> {
    let mut pieces = Vec::new();
    let mut run = String::new();
    for letter in text.chars() {
        if is_hidden(letter) {
            if !run.is_empty() {
                pieces.push(Piece { text: std::mem::take(&mut run), is_mark: false });
            }
            pieces.push(Piece { text: name(letter), is_mark: true });
        } else {
            run.push(letter);
        }
    }
    if !run.is_empty() {
        pieces.push(Piece { text: run, is_mark: false });
    }
    pieces
}

/// Text with every character that does not show written as `⟨U+202E⟩`; for places that hold only text.
#[must_use]
pub fn plain(text: &str) -> String {
    let written = pieces(text)
        .into_iter()
        .map(|piece| if piece.is_mark { format!("⟨{}⟩", piece.text) } else { piece.text });
    written.collect()
}

fn name(letter: char) -> String {
    match letter {
        '\r' => "CR".to_owned(),
        '\0' => "NUL".to_owned(),
        '\u{1b}' => "ESC".to_owned(),
        '\u{feff}' => "BOM".to_owned(),
        other => format!("U+{:04X}", u32::from(other)),
    }
}

/// Whether a character shows nothing, or changes how others show. Line feed, tab and blank are known to everybody.
fn is_hidden(letter: char) -> bool {
    match letter {
        '\n' | '\t' => false,
        _ if letter.is_control() => true,
        '\u{a0}' | '\u{ad}' | '\u{34f}' | '\u{61c}' | '\u{115f}' | '\u{1160}' | '\u{17b4}' | '\u{17b5}' => {
            true
        }
        '\u{180b}'..='\u{180f}' | '\u{2000}'..='\u{200f}' | '\u{2028}'..='\u{202f}' => true,
        '\u{205f}'..='\u{206f}' | '\u{3000}' | '\u{3164}' | '\u{fe00}'..='\u{fe0f}' | '\u{feff}' => true,
        '\u{ffa0}' | '\u{fff0}'..='\u{fffb}' | '\u{e0000}'..='\u{e0fff}' => true,
        _ => false,
    }
}

/// A line of a hex dump.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HexLine {
    /// Where it starts, in hex.
    pub offset: String,
    /// Its bytes, in hex.
    pub hex: String,
    /// Its bytes as ASCII, a dot for what is none.
    pub ascii: String,
}

/// A body as a page shows it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum BodyView {
    /// There is none.
    Empty,
    /// UTF-8.
    Text {
        /// The text.
        pieces: Vec<Piece>,
        /// How many bytes of it are shown.
        shown: usize,
        /// Whether there is more.
        is_cut: bool,
    },
    /// Not UTF-8.
    Hex {
        /// The dump.
        lines: Vec<HexLine>,
        /// How many bytes of it are shown.
        shown: usize,
        /// Whether there is more.
        is_cut: bool,
    },
}

impl BodyView {
    /// The view of `body`; long ones are cut, and say so.
    #[must_use]
    pub fn of(body: &[u8]) -> Self {
        if body.is_empty() {
            return Self::Empty;
        }
        match std::str::from_utf8(body) {
            Ok(text) => {
                let mut shown = text.get(..text.floor_char_boundary(MAX_TEXT)).unwrap_or(text);
                let mut pieces = pieces(shown);
                if pieces.len() > MAX_PIECES {
                    shown = cut_after_marks(shown);
                    pieces.truncate(MAX_PIECES);
                }
                Self::Text { pieces, shown: shown.len(), is_cut: shown.len() < text.len() }
            }
            Err(_) => {
                let shown = body.get(..MAX_HEX).unwrap_or(body);
                let lines =
                    shown.chunks(16).enumerate().map(|(number, bytes)| hex_line(number, bytes)).collect();
                Self::Hex { lines, shown: shown.len(), is_cut: shown.len() < body.len() }
            }
        }
    }
}

/// The start of `text` that makes `MAX_PIECES` pieces.
fn cut_after_marks(text: &str) -> &str {
    let mut count = 0_usize;
    let mut in_run = false;
    for (at, letter) in text.char_indices() {
        let hidden = is_hidden(letter);
        if hidden || !in_run {
            count = count.saturating_add(1);
        }
        in_run = !hidden;
        if count > MAX_PIECES {
            return text.get(..at).unwrap_or(text);
        }
    }
    text
}

fn hex_line(number: usize, bytes: &[u8]) -> HexLine {
    let mut hex = String::new();
    for (at, byte) in bytes.iter().enumerate() {
        let gap = if at == 8 {
            "  "
        } else if at == 0 {
            ""
        } else {
            " "
        };
        let _ = write!(hex, "{gap}{byte:02x}");
    }
    let ascii = bytes
        .iter()
        .map(|byte| if byte.is_ascii_graphic() || *byte == b' ' { char::from(*byte) } else { '.' })
        .collect();
    HexLine { offset: format!("{:08x}", number.saturating_mul(16)), hex, ascii }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn characters_that_hide_are_named_and_the_rest_is_untouched() {
        assert_eq!(plain("a\u{202e}b\u{200b}c\r\n\td\0"), "a⟨U+202E⟩b⟨U+200B⟩c⟨CR⟩\n\td⟨NUL⟩");
        assert_eq!(plain("<b>É 日本 😀 1.0</b>"), "<b>É 日本 😀 1.0</b>");
        let marks = pieces("⟨U+202E⟩\u{202e}");
        assert_eq!(marks.iter().map(|piece| piece.is_mark).collect::<Vec<_>>(), [false, true]);
    }

    #[test]
    fn ui_08_no_digit_of_a_body_changes() {
        let body = br#"{"a":1152921504606846976123,"b":1.0,"c":1e2,"a":2}"#;
        let BodyView::Text { pieces, is_cut: false, .. } = BodyView::of(body) else { panic!("text") };
        assert_eq!(pieces.len(), 1);
        assert_eq!(pieces[0].text.as_bytes(), body);
    }

    #[test]
    fn a_long_text_is_cut_at_a_letter_and_says_so() {
        let body = "é".repeat(MAX_TEXT);
        let BodyView::Text { pieces, shown, is_cut } = BodyView::of(body.as_bytes()) else { panic!("text") };
        assert!(is_cut && shown == MAX_TEXT && pieces[0].text.len() == MAX_TEXT);
        let marks = "\u{200b}".repeat(MAX_PIECES + 1);
        let BodyView::Text { pieces, shown, is_cut } = BodyView::of(marks.as_bytes()) else { panic!("text") };
        assert!(is_cut && pieces.len() == MAX_PIECES && shown == 3 * MAX_PIECES);
        let just = "\u{200b}".repeat(MAX_PIECES);
        assert!(matches!(BodyView::of(just.as_bytes()), BodyView::Text { is_cut: false, .. }));
    }

    #[test]
    fn what_is_not_utf_8_is_a_hex_dump() {
        let BodyView::Hex { lines, shown, is_cut } = BodyView::of(b"abc\xff\x00 0123456789xyz") else {
            panic!("hex")
        };
        assert_eq!((lines.len(), shown, is_cut), (2, 19, false));
        assert_eq!(lines[0].hex, "61 62 63 ff 00 20 30 31  32 33 34 35 36 37 38 39");
        assert_eq!(lines[0].ascii, "abc.. 0123456789");
        assert_eq!((lines[1].offset.as_str(), lines[1].ascii.as_str()), ("00000010", "xyz"));
        assert_eq!(BodyView::of(b""), BodyView::Empty);
    }
}
