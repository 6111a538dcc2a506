//! What was wrong with a head that the server did not accept: its cause, its first line, and how to fix it.
//!
//! The server responds to such a head on its own, without details. The received bytes are therefore read again,
//! leniently.

use actix_web::http::Uri;
use memchr::memchr;

use super::proxy_protocol::{V1, V2};
use crate::domain::SIGNATURE_HEADERS;
use crate::telemetry::NotKept;

/// The longest head, in bytes.
const MAX_HEAD: usize = 128 * 1024;
/// The longest target, in bytes.
const MAX_TARGET: usize = 65_534;
/// The most header lines.
const MAX_LINES: usize = 96;
/// The most lines that are checked.
const MOST_LINES: usize = 2_048;
/// The start of a TLS connection: a handshake record of version 3.
const TLS: &[u8] = b"\x16\x03";
/// The start of HTTP/2 with prior knowledge (RFC 9113, 3.4).
const HTTP2: &[u8] = b"PRI * HTTP/2.0\r\n";

/// A rejected head.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RefusedHead {
    /// The cause.
    pub cause: NotKept,
    /// The method; empty if there is none.
    pub method: String,
    /// The target as sent, with invalid text replaced.
    pub target: String,
    /// What was wrong and how to fix it.
    pub detail: String,
    /// Whether it looks like a sender's: POST and a JSON body, or a signature.
    pub has_mark: bool,
}

/// Reads the head at the start of `bytes`.
pub fn read(bytes: &[u8]) -> RefusedHead {
    if let Some(detail) = other_protocol(bytes) {
        // TLS may come from any stranger; the PROXY protocol is only sent by an operator's own proxy.
        return RefusedHead { has_mark: begins_with_proxy(bytes), ..nameless(NotKept::NotHttp, detail) };
    }
    let start = bytes.iter().position(|byte| !matches!(byte, b'\r' | b'\n')).unwrap_or(bytes.len());
    let bytes = bytes.get(start..).unwrap_or_default();
    let end = memchr(b'\n', bytes);
    let line = bytes.get(..end.unwrap_or(bytes.len())).unwrap_or_default().trim_ascii_end();
    let Some((method, target)) = request_line(line, end.is_some()) else {
        let detail = "The first line is not a request line such as POST /webhook/tagorun HTTP/1.1.";
        return nameless(NotKept::BadRequestLine, detail);
    };
    let rest = end.map_or(&[][..], |end| bytes.get(end.saturating_add(1)..).unwrap_or_default());
    let lines: Vec<&[u8]> = rest
        .split(|byte| *byte == b'\n')
        .map(<[u8]>::trim_ascii_end)
        .take_while(|line| !line.is_empty())
        .take(MOST_LINES)
        .collect();
    let (cause, detail) = fault(target, line, &lines, bytes.len());
    RefusedHead {
        cause,
        detail,
        has_mark: has_mark(method, &lines),
        method: String::from_utf8_lossy(method).into_owned(),
        target: String::from_utf8_lossy(target).into_owned(),
    }
}

fn nameless(cause: NotKept, detail: &str) -> RefusedHead {
    let (method, target) = (String::new(), String::new());
    RefusedHead { cause, method, target, detail: detail.to_owned(), has_mark: false }
}

fn other_protocol(bytes: &[u8]) -> Option<&'static str> {
    if bytes.starts_with(TLS) {
        Some(
            "The client speaks HTTPS; this port speaks HTTP. Use http://. For HTTPS, put a proxy in front or set receiver.tls_cert.",
        )
    } else if bytes.starts_with(HTTP2) {
        Some("The client speaks HTTP/2; this port speaks HTTP/1.1.")
    } else if begins_with_proxy(bytes) {
        Some(
            "The connection begins with the PROXY protocol, which was not read. Set receiver.proxy_protocol = true and put the \
             proxy into trusted_proxies. If both are set, its header is malformed.",
        )
    } else {
        None
    }
}

fn begins_with_proxy(bytes: &[u8]) -> bool {
    [V1, V2].iter().any(|start| bytes.starts_with(start))
}

/// Method and target of a line that starts like a request line. A line without its end, or without a version, may be
/// cut.
fn request_line(line: &[u8], is_whole: bool) -> Option<(&[u8], &[u8])> {
    let blank = memchr(b' ', line)?;
    let (method, rest) = (line.get(..blank)?, line.get(blank.saturating_add(1)..)?);
    let is_token = |byte: &u8| byte.is_ascii_uppercase() || matches!(byte, b'-' | b'_');
    if method.is_empty() || method.len() > 32 || !method.iter().all(is_token) {
        return None;
    }
    let version = rest.windows(6).rposition(|word| word == b" HTTP/");
    let target = match version {
        Some(at) => rest.get(..at)?,
        None if !is_whole || rest.starts_with(b"/") || rest.starts_with(b"http") => rest,
        None => return None,
    };
    Some((method, target))
}

/// The fault of a head with these parts; `length` is the number of bytes received.
fn fault(target: &[u8], line: &[u8], lines: &[&[u8]], length: usize) -> (NotKept, String) {
    if target.len() > MAX_TARGET || (lines.is_empty() && length >= MAX_HEAD) {
        let detail = format!("The URL has more than {} KiB.", MAX_TARGET.div_ceil(1024));
        return (NotKept::HeadTooLarge, detail);
    }
    if !line.ends_with(b" HTTP/1.1") && !line.ends_with(b" HTTP/1.0") {
        let is_small = line.to_ascii_uppercase().ends_with(b" HTTP/1.1");
        let detail = if is_small {
            "The request line must end with HTTP/1.1 in capital letters."
        } else {
            "The request line does not end with HTTP/1.1 or HTTP/1.0."
        };
        return (NotKept::BadRequestLine, detail.to_owned());
    }
    if let Some(detail) = target_fault(target) {
        return (NotKept::BadTarget, detail);
    }
    if lines.len() > MAX_LINES {
        let detail = format!("There are more than {MAX_LINES} header lines.");
        return (NotKept::HeadTooLarge, detail);
    }
    if length >= MAX_HEAD && lines.iter().map(|line| line.len()).sum::<usize>() >= MAX_HEAD / 2 {
        let detail = format!("The header lines together have more than {} KiB.", MAX_HEAD / 1024);
        return (NotKept::HeadTooLarge, detail);
    }
    (NotKept::BadHeader, header_fault(line, lines))
}

/// The first character of a target that must be percent-encoded, with its position.
fn target_fault(target: &[u8]) -> Option<String> {
    let Ok(text) = std::str::from_utf8(target) else {
        return Some("The URL has bytes that are not UTF-8; percent-encode them.".to_owned());
    };
    if text.parse::<Uri>().is_ok() {
        return None;
    }
    if !text.starts_with('/') && !text.contains("://") {
        return Some("The path of the URL must begin with a slash.".to_owned());
    }
    let is_wrong = |letter: char| {
        !letter.is_ascii_graphic() || matches!(letter, '"' | '<' | '>' | '\\' | '^' | '`' | '{' | '|' | '}')
    };
    let found = text.chars().enumerate().find(|(_, letter)| is_wrong(*letter));
    Some(match found {
        None => "The URL cannot be read; percent-encode it.".to_owned(),
        Some((at, letter)) => {
            let mut bytes = [0; 4];
            let encoded: String =
                letter.encode_utf8(&mut bytes).bytes().map(|byte| format!("%{byte:02X}")).collect();
            let shown = if letter.is_control() { String::new() } else { format!(", “{letter}”") };
            let place = at.saturating_add(1);
            format!("Character {place} of the URL{shown} must be percent-encoded: {encoded}.")
        }
    })
}

fn name(line: &[u8]) -> &[u8] {
    memchr(b':', line).and_then(|at| line.get(..at)).unwrap_or(line)
}

fn value(line: &[u8]) -> &[u8] {
    memchr(b':', line).and_then(|at| line.get(at.saturating_add(1)..)).unwrap_or_default().trim_ascii()
}

fn header_fault(line: &[u8], lines: &[&[u8]]) -> String {
    let is_token = |byte: &u8| byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(byte);
    for (at, line) in lines.iter().enumerate() {
        let name = name(line);
        let number = at.saturating_add(1);
        if line.starts_with(b" ") || line.starts_with(b"\t") {
            return format!("Header line {number} begins with a blank; folded lines are obsolete.");
        }
        if memchr(b':', line).is_none() {
            return format!("Header line {number} has no colon.");
        }
        if name.is_empty() || !name.iter().all(is_token) {
            return format!(
                "The name in header line {number} has a blank or another character that is not allowed."
            );
        }
        if value(line).iter().any(|byte| *byte < b' ' && *byte != b'\t' || *byte == 0x7f) {
            return format!("The value in header line {number} has a control character.");
        }
    }
    let count =
        |wanted: &str| lines.iter().filter(|line| name(line).eq_ignore_ascii_case(wanted.as_bytes())).count();
    let (hosts, lengths, codings) = (count("host"), count("content-length"), count("transfer-encoding"));
    let text = if hosts > 1 {
        "There is more than one Host header."
    } else if hosts == 0 && line.ends_with(b"HTTP/1.1") {
        "The Host header is missing."
    } else if lengths > 1 {
        "There is more than one Content-Length header."
    } else if lengths == 1 && codings > 0 {
        "There are both Content-Length and Transfer-Encoding."
    } else if codings > 0 {
        "Transfer-Encoding can only be chunked, once, in HTTP/1.1."
    } else if lengths == 0 && line.ends_with(b"HTTP/1.0") {
        "Content-Length is missing. A POST in HTTP/1.0 needs Content-Length. A proxy can send HTTP/1.1 instead (nginx: \
         proxy_http_version 1.1)."
    } else if lengths == 1 {
        "Content-Length is not a number, or it is far too large."
    } else {
        "A header line cannot be read, or the length of the body is missing."
    };
    text.to_owned()
}

fn has_mark(method: &[u8], lines: &[&[u8]]) -> bool {
    let is_named = |line: &&[u8], wanted: &str| name(line).eq_ignore_ascii_case(wanted.as_bytes());
    let is_signed = lines.iter().any(|line| SIGNATURE_HEADERS.iter().any(|known| is_named(line, known)));
    let is_json = lines
        .iter()
        .any(|line| is_named(line, "content-type") && value(line).to_ascii_lowercase().ends_with(b"json"));
    method == b"POST" || is_signed || is_json
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(head: &str) -> (NotKept, String) {
        let head = read(head.as_bytes());
        (head.cause, head.detail)
    }

    #[test]
    fn another_protocol_is_recognised() {
        for (bytes, word) in [
            (&b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03"[..], "HTTPS"),
            (b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", "HTTP/2"),
            (b"PROXY TCP4 192.0.2.1 192.0.2.2 1 2\r\n", "PROXY"),
            (b"\r\n\r\n\0\r\nQUIT\n\x21\x11", "PROXY"),
        ] {
            let head = read(bytes);
            assert_eq!((head.cause, head.method.as_str()), (NotKept::NotHttp, ""));
            assert!(head.detail.contains(word), "{}", head.detail);
        }
    }

    #[test]
    fn a_target_names_its_first_wrong_character_and_its_encoding() {
        for (target, part) in [
            ("/webhook/tagorun?room=Küche", "Character 24 of the URL, “ü” must be percent-encoded: %C3%BC."),
            ("/webhook/tagorun?q=\"a\"", "“\"” must be percent-encoded: %22."),
            ("/webhook/tagorun?q=<a", "“<” must be percent-encoded: %3C."),
            ("/?q=size>100", "“>” must be percent-encoded: %3E."),
            ("/webhook/my source", "“ ” must be percent-encoded: %20."),
            ("/webhook?a=\t", "Character 12 of the URL must be percent-encoded: %09."),
            ("webhook/tagorun", "The path of the URL must begin with a slash."),
        ] {
            let head = read(format!("POST {target} HTTP/1.1\r\nHost: x\r\n\r\n").as_bytes());
            assert_eq!((head.cause, head.target.as_str(), head.has_mark), (NotKept::BadTarget, target, true));
            assert!(head.detail.ends_with(part), "{}", head.detail);
        }
        let head = read(b"POST /webhook/\xff HTTP/1.1\r\nHost: x\r\n\r\n");
        assert_eq!((head.cause, head.target.as_str()), (NotKept::BadTarget, "/webhook/\u{fffd}"));
    }

    #[test]
    fn heads_that_are_too_large_say_what_is() {
        let lines: String = (0..97).map(|at| format!("x-{at}: 1\r\n")).collect();
        for (head, word) in [
            (format!("POST /{} HTTP/1.1\r\nHost: x\r\n\r\n", "a".repeat(70_000)), "URL"),
            (format!("POST /{}", "a".repeat(140_000)), "URL"),
            (format!("POST / HTTP/1.1\r\nHost: x\r\n{lines}\r\n"), "more than 96 header lines"),
            (format!("POST / HTTP/1.1\r\nHost: x\r\nx: {}", "a".repeat(140_000)), "128 KiB"),
        ] {
            let (cause, detail) = told(&head);
            assert_eq!(cause, NotKept::HeadTooLarge, "{detail}");
            assert!(detail.contains(word), "{detail}");
        }
    }

    #[test]
    fn a_wrong_header_is_named_by_its_line() {
        for (lines, part) in [
            ("Host: x\r\nX Y: 1", "line 2 has a blank"),
            ("Host: x\r\nX: a\r\n b", "line 3 begins with a blank"),
            ("Host: x\r\nnonsense", "line 2 has no colon"),
            ("X: 1", "Host header is missing"),
            ("Host: x\r\nHost: y", "more than one Host"),
            ("Host: x\r\nContent-Length: 1\r\nContent-Length: 2", "more than one Content-Length"),
            ("Host: x\r\nContent-Length: 1\r\nTransfer-Encoding: chunked", "both Content-Length"),
            ("Host: x\r\nContent-Length: one", "not a number"),
            ("Host: x\r\nContent-Length: 99999999999999999999", "far too large"),
        ] {
            let (cause, detail) = told(&format!("POST /webhook HTTP/1.1\r\n{lines}\r\n\r\n{{\"secret\":1}}"));
            assert_eq!(cause, NotKept::BadHeader, "{detail}");
            assert!(detail.contains(part), "{detail}");
        }
    }

    #[test]
    fn what_is_not_a_request_line_is_never_shown() {
        for bytes in [
            "{\"event\":\"user.login\"}",
            "\"secret\": 1}\r\nHost: x\r\n\r\n",
            "post / HTTP/1.1\r\n\r\n",
            "A secret text\r\n\r\n",
            "",
        ] {
            let head = read(bytes.as_bytes());
            assert_eq!(
                (head.cause, head.method.as_str(), head.target.as_str()),
                (NotKept::BadRequestLine, "", ""),
                "{bytes}"
            );
        }
        let head = read(b"GET /a HTP/1.1\r\nHost: x\r\n\r\n");
        assert_eq!((head.cause, head.target.as_str()), (NotKept::BadRequestLine, "/a HTP/1.1"));
        assert!(!head.has_mark);
    }

    proptest::proptest! {
        #[test]
        fn any_bytes_are_read(bytes: Vec<u8>) {
            read(&bytes);
            read(&[b"POST /a", bytes.as_slice()].concat());
        }
    }
}
