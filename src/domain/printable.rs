//! Makes untrusted bytes safe to read: nothing hidden, nothing changed, nothing executed.
//!
//! Invisible characters, and those that change the text direction, become marks with their code point. Marks are
//! separate from the text, so that text which looks like a mark can be distinguished from one.

use std::fmt::Write as _;

/// The most bytes of text that a page shows.
const MAX_TEXT: usize = 256 * 1024;
/// The most bytes that a page shows as hex.
const MAX_HEX: usize = 16 * 1024;
/// The most marks in one text, to limit the size of a page.
const MAX_PIECES: usize = 20_000;

/// A run of text, or a mark for one character.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Piece {
    /// The text, or the name of the character, `U+202E`.
    pub text: String,
    /// Whether it is a mark.
    pub is_mark: bool,
}

/// Splits text into pieces, with a mark for every invisible character.
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

/// Text with every invisible character written as `⟨U+202E⟩`, for places that only allow text.
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

/// Whether a character is invisible, or changes how others are displayed. Line feed, tab and blank are allowed.
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
    /// Its offset, in hex.
    pub offset: String,
    /// Its bytes, in hex.
    pub hex: String,
    /// Its bytes as ASCII, with a dot for all others.
    pub ascii: String,
}

/// A page of text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TextPage {
    /// The text.
    pub pieces: Vec<Piece>,
    /// The offset of its first byte, at a character boundary.
    pub from: usize,
    /// The offset after its last byte.
    pub to: usize,
    /// Whether there is more.
    pub is_cut: bool,
}

impl TextPage {
    /// The page of `text` that starts at about the byte `from`.
    #[must_use]
    pub fn of(text: &str, from: usize) -> Self {
        let from = text.floor_char_boundary(from.min(text.len()));
        let rest = text.get(from..).unwrap_or_default();
        let mut shown = rest.get(..rest.floor_char_boundary(MAX_TEXT)).unwrap_or(rest);
        let mut pieces = pieces(shown);
        if pieces.len() > MAX_PIECES {
            shown = cut_after_marks(shown);
            pieces.truncate(MAX_PIECES);
        }
        Self { pieces, from, to: from.saturating_add(shown.len()), is_cut: shown.len() < rest.len() }
    }
}

/// A page of bytes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HexPage {
    /// The dump.
    pub lines: Vec<HexLine>,
    /// The offset of its first byte, a multiple of sixteen.
    pub from: usize,
    /// The offset after its last byte.
    pub to: usize,
    /// Whether there is more.
    pub is_cut: bool,
}

impl HexPage {
    /// The page of `bytes` that starts at about the byte `from`.
    #[must_use]
    pub fn of(bytes: &[u8], from: usize) -> Self {
        let from = from.min(bytes.len()) / 16 * 16;
        let rest = bytes.get(from..).unwrap_or_default();
        let shown = rest.get(..MAX_HEX).unwrap_or(rest);
        let lines = shown.chunks(16).enumerate();
        Self {
            lines: lines.map(|(number, bytes)| hex_line((from / 16).saturating_add(number), bytes)).collect(),
            from,
            to: from.saturating_add(shown.len()),
            is_cut: shown.len() < rest.len(),
        }
    }
}

/// The start of `text` that produces `MAX_PIECES` pieces.
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

/// A number of bytes in the unit that suits it: `412 bytes`, `2 MiB`, `1.5 KiB`.
#[must_use]
pub fn shown_size(bytes: usize) -> String {
    let of = |unit: usize, name: &str| {
        let tenths = bytes.saturating_mul(10) / unit;
        match tenths % 10 {
            0 => format!("{} {name}", tenths / 10),
            rest => format!("{}.{rest} {name}", tenths / 10),
        }
    };
    match bytes {
        1 => "1 byte".to_owned(),
        0..1_024 => format!("{bytes} bytes"),
        1_024..1_048_576 => of(1_024, "KiB"),
        1_048_576..1_073_741_824 => of(1_048_576, "MiB"),
        _ => of(1_073_741_824, "GiB"),
    }
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
        let body = r#"{"a":1152921504606846976123,"b":1.0,"c":1e2,"a":2}"#;
        let page = TextPage::of(body, 0);
        assert_eq!((page.pieces.len(), page.is_cut), (1, false));
        assert_eq!(page.pieces[0].text, body);
    }

    #[test]
    fn a_long_text_is_cut_at_a_letter_and_goes_on_there() {
        let body = "é".repeat(MAX_TEXT);
        let page = TextPage::of(&body, 0);
        assert!(page.is_cut && page.to == MAX_TEXT && page.pieces[0].text.len() == MAX_TEXT);
        let last = TextPage::of(&body, MAX_TEXT + 1);
        assert_eq!((last.from, last.to, last.is_cut), (MAX_TEXT, 2 * MAX_TEXT, false));
        let marks = "\u{200b}".repeat(MAX_PIECES + 1);
        let page = TextPage::of(&marks, 0);
        assert!(page.is_cut && page.pieces.len() == MAX_PIECES && page.to == 3 * MAX_PIECES);
        assert!(!TextPage::of(&marks, page.to).is_cut);
        assert!(!TextPage::of(&"\u{200b}".repeat(MAX_PIECES), 0).is_cut);
        assert_eq!(TextPage::of("a", 99).to, 1);
    }

    #[test]
    fn bytes_are_a_hex_dump_in_pages() {
        let page = HexPage::of(b"abc\xff\x00 0123456789xyz", 0);
        assert_eq!((page.lines.len(), page.to, page.is_cut), (2, 19, false));
        assert_eq!(page.lines[0].hex, "61 62 63 ff 00 20 30 31  32 33 34 35 36 37 38 39");
        assert_eq!(page.lines[0].ascii, "abc.. 0123456789");
        assert_eq!((page.lines[1].offset.as_str(), page.lines[1].ascii.as_str()), ("00000010", "xyz"));
        let long = vec![0; MAX_HEX + 1];
        assert!(HexPage::of(&long, 0).is_cut);
        let last = HexPage::of(&long, MAX_HEX);
        assert_eq!((last.from, last.lines[0].offset.as_str(), last.lines.len()), (MAX_HEX, "00004000", 1));
    }

    #[test]
    fn a_size_has_the_unit_that_suits_it_and_no_needless_zero() {
        let told = [0, 1, 412, 1_024, 1_536, 2_097_152, 2_202_010, 59 << 30].map(shown_size);
        assert_eq!(
            told,
            ["0 bytes", "1 byte", "412 bytes", "1 KiB", "1.5 KiB", "2 MiB", "2.1 MiB", "59 GiB"]
        );
    }
}
