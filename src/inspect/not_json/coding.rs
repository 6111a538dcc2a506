//! A body that does not match its `Content-Encoding`.

use serde::de::IgnoredAny;

use crate::domain::Headers;
use crate::domain::json::without_mark;
use crate::inspect::told::Diagnosis;

/// How streams of each coding begin; Brotli has no such mark.
const MARKS: [(&str, &[u8]); 4] = [
    ("gzip", &[0x1f, 0x8b]),
    ("deflate", &[0x78, 0x9c]),
    ("deflate", &[0x78, 0x01]),
    ("deflate", &[0x78, 0xda]),
];

/// What is wrong with a `body` that cannot be decoded as its headers say.
pub fn undecodable(headers: &Headers, body: &[u8]) -> Diagnosis {
    let value = String::from_utf8_lossy(headers.get("content-encoding").unwrap_or_default()).into_owned();
    let coding: String = value.trim().to_ascii_lowercase().replace(" | ", "|").chars().take(40).collect();
    let looks_like = MARKS.iter().find(|(_, mark)| body.starts_with(mark)).map(|(name, _)| *name);
    let said = if serde_json::from_slice::<IgnoredAny>(without_mark(body)).is_ok() {
        format!(
            "The body is plain JSON, but its Content-Encoding is {coding}. | Send the header only with a compressed body. A \
             proxy that decompresses bodies must remove it."
        )
    } else if let Some(other) = looks_like.filter(|name| !coding.contains(name)) {
        format!(
            "The body looks like {other}, but its Content-Encoding is {coding}. | Name the coding that is used."
        )
    } else if looks_like.is_some() {
        format!(
            "The body begins as {coding}, but cannot be decoded to its end: it was cut or changed, or more bytes follow it. | \
             Compress the body once, and send all of it and nothing else."
        )
    } else {
        format!(
            "The body cannot be decoded as {coding}. | Compress the body as its Content-Encoding says, or send none."
        )
    };
    Diagnosis::of("not-json-coding", "Body and Content-Encoding do not match", &said)
}
