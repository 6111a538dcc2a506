//! The body's text in other character sets.

/// Windows-1252 for bytes 0x80 to 0x9F; zero means unassigned.
const WINDOWS: [char; 32] = [
    '€', '\0', '‚', 'ƒ', '„', '…', '†', '‡', 'ˆ', '‰', 'Š', '‹', 'Œ', '\0', 'Ž', '\0', '\0', '‘', '’', '“',
    '”', '•', '–', '—', '˜', '™', 'š', '›', 'œ', '\0', 'ž', 'Ÿ',
];

/// The text in the two usual character sets of one byte: its name, and the bytes. ASCII is the same in both.
pub fn encoded_as_usual(text: &str) -> Vec<(&'static str, Vec<u8>)> {
    let usual = SINGLE.iter().take(if text.is_ascii() { 0 } else { 2 });
    usual.map(|(name, byte)| (*name, text.chars().filter_map(byte).collect())).collect()
}

/// The text in each character set that senders use by mistake: its name, and the bytes.
pub fn encoded(text: &str) -> Vec<(&'static str, Vec<u8>)> {
    let utf16 = |bytes: fn(u16) -> [u8; 2]| text.encode_utf16().flat_map(bytes).collect::<Vec<u8>>();
    let little = utf16(u16::to_le_bytes);
    let big = utf16(u16::to_be_bytes);
    let marked = |mark: [u8; 2], bytes: &[u8]| [&mark, bytes].concat();
    let mut all = vec![
        ("UTF-16 (.NET's Encoding.Unicode)", little.clone()),
        ("UTF-16 with a byte order mark (Python's utf-16)", marked([0xff, 0xfe], &little)),
        ("big-endian UTF-16 with a byte order mark (Java's UTF-16)", marked([0xfe, 0xff], &big)),
        ("big-endian UTF-16", big),
    ];
    if text.is_ascii() {
        return all;
    }
    all.splice(0..0, SINGLE.map(|(name, byte)| (name, text.chars().filter_map(byte).collect())));
    let low = text.encode_utf16().map(|unit| unit.to_le_bytes()[0]).collect();
    all.push(("the low bytes of its UTF-16 (JavaScript's charCodeAt)", low));
    all
}

/// The byte of a letter; `None` if the letter is omitted.
type ByteOf = fn(char) -> Option<u8>;

/// Single-byte character sets.
const SINGLE: [(&str, ByteOf); 4] = [
    ("Latin-1", |letter| Some(u8::try_from(letter).unwrap_or(b'?'))),
    ("Windows-1252", |letter| Some(windows(letter).unwrap_or(b'?'))),
    ("ASCII, with question marks for other letters", |letter| Some(ascii(letter).unwrap_or(b'?'))),
    ("ASCII, without other letters", ascii),
];

fn ascii(letter: char) -> Option<u8> {
    u8::try_from(letter).ok().filter(u8::is_ascii)
}

fn windows(letter: char) -> Option<u8> {
    let place = WINDOWS.iter().position(|known| *known == letter && letter != '\0');
    let same = || u8::try_from(letter).ok().filter(|byte| !(0x80..0xa0).contains(byte));
    place.and_then(|place| u8::try_from(place.saturating_add(0x80)).ok()).or_else(same)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_are_encoded_as_each_set_asks() {
        let of =
            |name: &str| encoded("ü€a").into_iter().find(|(known, _)| known.starts_with(name)).unwrap().1;
        assert_eq!(of("Latin-1"), b"\xfc?a");
        assert_eq!(of("Windows-1252"), b"\xfc\x80a");
        assert_eq!(of("UTF-16 (.NET"), b"\xfc\0\xac\x20a\0");
        assert_eq!(of("ASCII, with q"), b"??a");
        assert_eq!(of("ASCII, without"), b"a");
        assert_eq!(of("the low"), b"\xfc\xaca");
        assert_eq!(encoded_as_usual("ü€a"), encoded("ü€a")[..2]);
        assert!(encoded_as_usual("a").is_empty());
        assert_eq!(encoded("a").len(), 4, "ASCII is the same in the others");
    }
}
