//! The searchable text of a delivery, and its comparison: letter by letter, ignoring case.

use std::borrow::Cow;
use std::io::Read as _;

use crate::domain::json::without_mark;

/// The most bytes that a compressed body is unpacked to.
const MAX_UNPACKED: u64 = 4 * 1024 * 1024;

/// Text in lower case; bytes that are not UTF-8 become U+FFFD.
pub fn folded(bytes: &[u8]) -> Vec<u8> {
    if bytes.is_ascii() {
        return bytes.to_ascii_lowercase();
    }
    let mut text = Vec::with_capacity(bytes.len());
    let mut rest = bytes;
    let is_ascii = |byte: &u8| byte.is_ascii();
    loop {
        let (ascii, other) =
            rest.split_at(rest.iter().position(|byte| !is_ascii(byte)).unwrap_or(rest.len()));
        text.extend(ascii.iter().map(u8::to_ascii_lowercase));
        if other.is_empty() {
            return text;
        }
        let (letters, after) = other.split_at(other.iter().position(is_ascii).unwrap_or(other.len()));
        // Letter by letter: a letter must not be folded differently because of the next one.
        for letter in String::from_utf8_lossy(letters).chars().flat_map(char::to_lowercase) {
            // The final sigma has the same capital as σ.
            let letter = if letter == 'ς' { 'σ' } else { letter };
            text.extend_from_slice(letter.encode_utf8(&mut [0; 4]).as_bytes());
        }
        rest = after;
    }
}

/// A body's text, folded: as sent, and also decoded if it is JSON with escapes, a form or gzip.
pub fn folded_body(body: &[u8]) -> Vec<u8> {
    let body = unpacked(body);
    let mut text = folded(&body);
    if let Some(meaning) = meaning(&body) {
        text.push(b'\n');
        text.extend(folded(meaning.as_bytes()));
    }
    text
}

/// The id of the user that a JSON body names.
pub fn user_in(body: &[u8]) -> Option<String> {
    let body = unpacked(body);
    memchr::memmem::find(&body, b"\"user\"")?;
    let payload: serde_json::Value = serde_json::from_slice(without_mark(&body)).ok()?;
    match payload.pointer("/user/id")? {
        serde_json::Value::String(id) => Some(id.clone()),
        serde_json::Value::Number(id) => Some(id.to_string()),
        _ => None,
    }
}

fn unpacked(body: &[u8]) -> Cow<'_, [u8]> {
    if !body.starts_with(&[0x1f, 0x8b]) {
        return Cow::Borrowed(body);
    }
    let mut unpacked = Vec::new();
    let read = flate2::read::MultiGzDecoder::new(body).take(MAX_UNPACKED).read_to_end(&mut unpacked);
    if read.is_err() && unpacked.is_empty() { Cow::Borrowed(body) } else { Cow::Owned(unpacked) }
}

fn meaning(body: &[u8]) -> Option<String> {
    let mut meaning = None;
    if memchr::memchr(b'\\', body).is_some() {
        meaning = Some(unescaped(&String::from_utf8_lossy(body)));
    }
    let is_form = !body.starts_with(b"{") && !body.starts_with(b"[") && memchr::memchr(b'=', body).is_some();
    if is_form && memchr::memchr2(b'%', b'+', body).is_some() {
        let pairs = form_urlencoded::parse(body).map(|(name, value)| format!("\n{name}={value}"));
        meaning.get_or_insert_default().extend(pairs);
    }
    meaning
}

/// Decodes JSON escapes; invalid escapes are left unchanged.
fn unescaped(text: &str) -> String {
    let mut plain = String::with_capacity(text.len());
    let mut rest = text;
    while let Some((before, after)) = rest.split_once('\\') {
        plain.push_str(before);
        let mut letters = after.chars();
        let (letter, used) = match letters.next() {
            Some('n') => (Some('\n'), 1),
            Some('t') => (Some('\t'), 1),
            Some('r') => (Some('\r'), 1),
            Some(letter @ ('"' | '\\' | '/')) => (Some(letter), 1),
            Some('u') => code(after),
            _ => (None, 0),
        };
        plain.push(letter.unwrap_or('\\'));
        rest = after.get(used..).unwrap_or_default();
    }
    plain.push_str(rest);
    plain
}

/// The letter for a `u` with four hexadecimal digits, or for a surrogate pair, and the number of bytes read.
fn code(text: &str) -> (Option<char>, usize) {
    let unit = |at: usize| u32::from_str_radix(text.get(at..at.saturating_add(4))?, 16).ok();
    let Some(first) = unit(1) else { return (None, 0) };
    if let Some(letter) = char::from_u32(first) {
        return (Some(letter), 5);
    }
    let second = text.get(5..7).filter(|start| *start == "\\u").and_then(|_| unit(7));
    let pair = second.and_then(|second| {
        let high = first.checked_sub(0xd800).filter(|high| *high < 0x400)?;
        let low = second.checked_sub(0xdc00).filter(|low| *low < 0x400)?;
        char::from_u32(high.checked_mul(0x400)?.checked_add(low)?.checked_add(0x1_0000)?)
    });
    pair.map_or((None, 0), |letter| (Some(letter), 11))
}

/// Whether a header block has a line with that name, ignoring case, whose value contains `needle`, folded.
pub fn header_holds(block: &[u8], name: &str, needle: Option<&[u8]>) -> bool {
    block.split(|byte| *byte == b'\n').any(|line| {
        let Some(colon) = memchr::memchr(b':', line) else { return false };
        let (found, value) = line.split_at(colon);
        found.eq_ignore_ascii_case(name.as_bytes())
            && needle.is_none_or(|needle| memchr::memmem::find(&folded(value), needle).is_some())
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn holds(body: &[u8], needle: &str) -> bool {
        memchr::memmem::find(&folded_body(body), &folded(needle.as_bytes())).is_some()
    }

    #[test]
    fn a_body_is_searched_as_sent_and_as_meant() {
        let body = r#"{"a":"caf\u00e9 \ud83d\ude00 C:\\temp \/x\n\ud800 \q","B":"ÄÖ"}"#;
        for needle in
            ["café", "CAFÉ 😀", r"caf\u00e9", r"c:\temp", r"C:\\temp", "/x\n", r"\ud800", r"\q", "äö", "ÄÖ"]
        {
            assert!(holds(body.as_bytes(), needle), "{needle}");
        }
        assert!(!holds(body.as_bytes(), "cafe"));
        assert!(holds(b"payload=%7B%22a%22%3A1%7D&b=c+d", "{\"a\":1}"));
        assert!(holds(b"payload=%7B&b=c+d", "c d"));
        assert!(holds(b"a=hello+world&b=c\\d", "hello world") && holds(b"a=hello+world&b=c\\d", "c\\d"));
        assert!(holds(b"a\xffb", "a\u{fffd}b"));
        for (body, needle) in [("οδός", "ΟΔΌΣ"), ("ΟΔΌΣ", "οδός"), ("ςςς", "ΣΣΣ")] {
            assert!(holds(body.as_bytes(), needle), "{needle}");
        }
    }

    #[test]
    fn the_user_of_a_body_is_read_from_json_only() {
        let user = |body: &str| user_in(body.as_bytes());
        assert_eq!(user(r#"{"user":{"id":"u1"}}"#).as_deref(), Some("u1"));
        assert_eq!(user("\u{feff}{\"user\":{\"id\":42}}").as_deref(), Some("42"));
        for body in [r#"{"user":"u1"}"#, r#"{"user":{"id":null}}"#, r#"{"user":{"id":"u1"}"#, "", "user"] {
            assert_eq!(user(body), None, "{body}");
        }
    }

    #[test]
    fn a_packed_body_is_searched_unpacked() {
        let mut packed = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
        std::io::Write::write_all(&mut packed, b"{\"hidden\":\"needle\"}").unwrap();
        assert!(holds(&packed.finish().unwrap(), "NEEDLE"));
        assert!(holds(b"\x1f\x8bnot packed", "not packed"));
    }

    #[test]
    fn a_header_is_found_by_name_and_value() {
        let block = b"User-Agent: Curl/8\r\nX-A: one: two\r\nX-A: three\r\n";
        assert!(header_holds(block, "user-agent", Some(b"curl")));
        assert!(header_holds(block, "X-a", Some(b"three")) && header_holds(block, "x-a", None));
        assert!(!header_holds(block, "x-a", Some(b"curl")) && !header_holds(block, "x", None));
    }
}
