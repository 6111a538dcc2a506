//! Bodies that are not text: what wrote them, by their first bytes.

use super::look::Look;
use crate::inspect::told::Diagnosis;

/// A kind of binary body.
struct Binary {
    name: &'static str,
    /// Media types that say so.
    types: &'static [&'static str],
    /// Whether the bytes look like it.
    is: fn(&[u8]) -> bool,
    cure: &'static str,
}

/// The kinds, the most certain first.
const BINARIES: [Binary; 6] = [
    Binary {
        name: "gzip",
        types: &[],
        is: |body| body.starts_with(&[0x1f, 0x8b, 8]),
        cure: "The sender must also set Content-Encoding: gzip.",
    },
    Binary {
        name: "a picture, an archive or a document",
        types: &[],
        is: |body| {
            let starts: [&[u8]; 5] = [b"\x89PNG", b"\xff\xd8\xff", b"GIF8", b"%PDF", b"PK\x03\x04"];
            starts.iter().any(|start| body.starts_with(start))
        },
        cure: "Post JSON, and put a link to the file in it.",
    },
    Binary {
        name: "CBOR",
        types: &["cbor"],
        is: |body| {
            // A map, and a text as its first name (RFC 8949, 3.1).
            matches!(body, [0xa1..=0xbb | 0xbf, 0x61..=0x7b, ..]) || body.starts_with(&[0xd9, 0xd9, 0xf7])
        },
        cure: "The sender must write JSON instead, or a converter must come between.",
    },
    Binary {
        name: "MessagePack",
        types: &["msgpack", "messagepack"],
        is: |body| matches!(body, [0x81..=0x8f, 0xa1..=0xbf | 0xd9, ..] | [0xde, _, _, 0xa1..=0xbf, ..]),
        cure: "The sender must write JSON instead, or a converter must come between.",
    },
    Binary {
        name: "Protocol Buffers",
        types: &["protobuf", "protocol-buffers", "proto"],
        is: is_protobuf,
        cure: "In ChirpStack set the payload encoding of the HTTP integration to JSON.",
    },
    Binary { name: "binary data", types: &["octet-stream"], is: is_binary, cure: "Sources take JSON." },
];

/// The kind of a body that is not text.
pub fn kind(look: &Look<'_>) -> Option<&'static str> {
    found(look).map(|binary| binary.name)
}

/// Says what a body that is not text is.
pub fn cause(look: &Look<'_>) -> Option<Diagnosis> {
    let Binary { name, cure, .. } = found(look)?;
    let said = format!("The body is binary: it looks like {name}. | {cure}");
    let told = Diagnosis::of("not-json-binary", "The body is binary, not JSON", &said);
    Some(told.fix("To look at it only, post it to /webhook-test."))
}

fn found(look: &Look<'_>) -> Option<&'static Binary> {
    let body = look.bytes;
    let is_compressed =
        look.headers.get("content-encoding").is_some_and(|coding| !coding.eq_ignore_ascii_case(b"identity"));
    if is_compressed || !is_binary(body) {
        return None;
    }
    let declared =
        String::from_utf8_lossy(look.headers.get("content-type").unwrap_or_default()).to_ascii_lowercase();
    let media = declared.split(';').next().unwrap_or_default();
    let is_declared = |binary: &&Binary| binary.types.iter().any(|word| media.contains(word));
    let by_type = BINARIES.iter().filter(|binary| binary.name != "binary data").find(is_declared);
    by_type.or_else(|| BINARIES.iter().find(|binary| (binary.is)(body)))
}

/// Whether no text has such bytes: control characters, or bytes that are not UTF-8 in a body that does not begin like
/// JSON.
fn is_binary(body: &[u8]) -> bool {
    let start = body.get(..512).unwrap_or(body);
    let body_without_end = start.trim_ascii_end();
    if matches!(start.trim_ascii_start().first(), Some(b'{' | b'[' | b'"' | b'<')) {
        return false;
    }
    let is_control = |byte: &u8| *byte < 0x20 && !matches!(byte, b'\t' | b'\r' | b'\n') || *byte == 0x7f;
    let is_wide =
        matches!(start, [0xff, 0xfe, ..] | [0xfe, 0xff, ..] | [0, b'{' | b'[', ..] | [0, 0, 0 | 0xfe, ..]);
    let end = body_without_end.strip_suffix(b"\0").unwrap_or(body_without_end);
    !is_wide
        && (end.iter().any(is_control)
            || std::str::from_utf8(start).is_err_and(|fault| fault.error_len().is_some()))
}

/// Whether fields of the wire format fill the body to its end (Protocol Buffers, "Encoding").
fn is_protobuf(body: &[u8]) -> bool {
    let mut rest = body;
    let mut fields = 0_usize;
    while !rest.is_empty() {
        let Some((tag, after)) = varint(rest) else { return false };
        let after = match tag & 7 {
            0 => varint(after).map(|(_, after)| after),
            1 => after.get(8..),
            2 => varint(after).and_then(|(length, after)| after.get(usize::try_from(length).ok()?..)),
            5 => after.get(4..),
            _ => None,
        };
        match after {
            Some(after) if tag >> 3 != 0 => rest = after,
            _ => return false,
        }
        fields = fields.saturating_add(1);
    }
    fields > 0
}

fn varint(bytes: &[u8]) -> Option<(u64, &[u8])> {
    let mut value = 0_u64;
    for (at, byte) in bytes.iter().take(10).enumerate() {
        value |= u64::from(byte & 0x7f).checked_shl(u32::try_from(at).ok()?.saturating_mul(7)).unwrap_or(0);
        if byte & 0x80 == 0 {
            return Some((value, bytes.get(at.saturating_add(1)..)?));
        }
    }
    None
}
