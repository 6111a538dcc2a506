//! Which character encoding a body that is not UTF-8 probably has. JSON is always UTF-8 (RFC 8259, 8.1).

use crate::domain::Headers;

/// What a JSON text may start with.
const FIRST: &[u8] = b"{[\"-0123456789tfn \t\r\n";

/// The encoding of a body that was refused as JSON, in a sentence; `None` if it is UTF-8, compressed or binary.
#[must_use]
pub fn charset_hint(headers: &Headers, body: &[u8]) -> Option<String> {
    if headers.get("content-encoding").is_some_and(|coding| !coding.eq_ignore_ascii_case(b"identity")) {
        return None;
    }
    if let Some(name) = wide(body) {
        return Some(format!("The body looks like {name}. JSON must be UTF-8."));
    }
    let fault = std::str::from_utf8(body).err()?;
    // A body that was cut may end within a character.
    fault.error_len()?;
    let at = fault.valid_up_to();
    if let Some(declared) =
        declared(headers).filter(|name| !matches!(name.as_str(), "utf-8" | "utf8" | "us-ascii"))
    {
        return Some(format!(
            "The body is encoded in {declared}, as its Content-Type says (byte {at} is not UTF-8). JSON must be UTF-8."
        ));
    }
    if let [0xed, 0xa0..=0xbf, 0x80..=0xbf, ..] | [0xc0, 0x80, ..] = body.get(at..)? {
        return Some(format!(
            "Byte {at} begins a character as Java's DataOutputStream.writeUTF writes it. JSON must be UTF-8."
        ));
    }
    let first = body.trim_ascii_start().first()?;
    matches!(first, b'{' | b'[').then(|| {
        let byte = body.get(at).copied().unwrap_or_default();
        format!(
            "Byte {at} is 0x{byte:02X}, which is not UTF-8: the sender probably writes Latin-1 or Windows-1252. JSON must \
             be UTF-8."
        )
    })
}

/// UTF-16 or UTF-32, with a byte order mark or by where the zero bytes are: a JSON text starts with an ASCII character
/// (RFC 4627, section 3).
fn wide(body: &[u8]) -> Option<&'static str> {
    let is_first = |byte: &u8| FIRST.contains(byte);
    match body {
        [0, 0, 0xfe, 0xff, ..] | [0xff, 0xfe, 0, 0, ..] => Some("UTF-32"),
        [0xfe, 0xff, ..] | [0xff, 0xfe, ..] => Some("UTF-16"),
        [0, 0, 0, first, ..] | [first, 0, 0, 0, ..] if is_first(first) => Some("UTF-32"),
        [0, first, ..] if is_first(first) => Some("UTF-16 (big-endian, without a byte order mark)"),
        [first, 0, ..] if is_first(first) => Some("UTF-16 (little-endian, without a byte order mark)"),
        _ => None,
    }
}

/// The `charset` of the `Content-Type`, in lower case.
fn declared(headers: &Headers) -> Option<String> {
    let value = String::from_utf8_lossy(headers.get("content-type")?).to_ascii_lowercase();
    let charset =
        value.split(';').skip(1).find_map(|part| part.trim().strip_prefix("charset=").map(str::to_owned))?;
    let name: String =
        charset.trim_matches([' ', '"']).chars().filter(|letter| !letter.is_control()).take(40).collect();
    (!name.is_empty()).then_some(name)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hint(content_type: &str, body: &[u8]) -> String {
        let mut headers = Headers::default();
        headers.push("Content-Type", content_type.as_bytes());
        charset_hint(&headers, body).unwrap_or_default()
    }

    fn utf_32(text: &str, order: fn(u32) -> [u8; 4]) -> Vec<u8> {
        text.chars().flat_map(|letter| order(letter.into())).collect()
    }

    fn utf_16(text: &str, order: fn(u16) -> [u8; 2]) -> Vec<u8> {
        text.encode_utf16().flat_map(order).collect()
    }

    #[test]
    fn wide_encodings_are_told_apart_with_and_without_a_byte_order_mark() {
        let json = r#"{"name":"Müller"}"#;
        for text in [json.to_owned(), format!("\u{feff}{json}")] {
            for order in [u16::to_le_bytes, u16::to_be_bytes] {
                assert!(
                    hint("application/json", &utf_16(&text, order)).contains("looks like UTF-16"),
                    "{text}"
                );
            }
            for order in [u32::to_le_bytes, u32::to_be_bytes] {
                assert!(
                    hint("application/json", &utf_32(&text, order)).contains("looks like UTF-32"),
                    "{text}"
                );
            }
        }
        assert!(hint("", &utf_16("{}", u16::to_be_bytes)).contains("big-endian"));
        assert!(hint("", &utf_16("[]", u16::to_le_bytes)).contains("little-endian"));
    }

    #[test]
    fn latin_1_is_named_where_it_is_declared_and_guessed_where_it_is_not() {
        let body = b"{\"name\":\"M\xfcller\"";
        assert!(
            hint("application/json; charset=ISO-8859-1", body)
                .contains("encoded in iso-8859-1, as its Content-Type")
        );
        assert!(hint("application/json; charset=\"windows-1252\"", body).contains("windows-1252"));
        for content_type in ["application/json", "application/json; charset=utf-8", ""] {
            assert!(hint(content_type, body).contains("Byte 10 is 0xFC"), "{content_type}");
        }
    }

    #[test]
    fn java_s_own_utf_8_is_not_taken_for_latin_1() {
        for body in [&b"{\"a\":\"\xed\xa0\xbd\xed\xb8\x80\"}"[..], b"{\"a\":\"\xc0\x80\"}"] {
            assert!(hint("application/json", body).contains("Byte 6 begins a character as Java's"));
        }
    }

    #[test]
    fn what_is_utf_8_cut_binary_or_compressed_gets_no_hint_about_its_encoding() {
        assert_eq!(hint("application/json; charset=iso-8859-1", b"{\"a\":1,}"), "");
        assert_eq!(hint("application/json", "{\"a\":\"ü".as_bytes().split_last().unwrap().1), "");
        assert_eq!(hint("application/octet-stream", b"\x89PNG\r\n\x1a\n\xff\xfe"), "");
        assert_eq!(hint("application/x-protobuf", &[0, 0x80, 1, 2]), "");
        let mut headers = Headers::default();
        headers.push("Content-Encoding", b"gzip");
        assert_eq!(charset_hint(&headers, b"\xff\xfe{"), None);
    }
}
