//! `Content-Encoding`: decodes a verified body for reading, up to the size limit.

use std::borrow::Cow;
use std::io::Read;

use flate2::bufread;

use crate::domain::Headers;

/// The most stacked codings; no honest sender uses more.
const MAX_CODINGS: usize = 3;

/// By how much the buffer for a decoded body grows at first, and from when on it is large, in bytes. Between them, the
/// allocator would keep a page of 4 MiB for each size that the buffer has passed.
const FIRST_ROOM: usize = 8 * 1024;
const SMALL: usize = 2 * FIRST_ROOM;
const LARGE: usize = 1024 * 1024;

/// Why a body could not be decoded.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub enum EncodingFault {
    /// An unsupported coding.
    #[error("unsupported coding {0}")]
    Unsupported(String),
    /// The decoded body is over the limit.
    #[error("too large")]
    TooLarge,
    /// The bytes do not match the declared coding.
    #[error("{0}")]
    Corrupt(String),
}

/// The readable body: unchanged without a coding, else decoded to at most `max_body` bytes.
pub fn decode<'a>(
    headers: &Headers,
    wire: &'a [u8],
    max_body: usize,
) -> Result<Cow<'a, [u8]>, EncodingFault> {
    let codings = codings(headers);
    if codings.len() > MAX_CODINGS {
        return Err(EncodingFault::Unsupported(format!("{} codings", codings.len())));
    }
    let mut body = Cow::Borrowed(wire);
    // The last coding listed was applied last (RFC 9110, 8.4).
    for coding in codings.iter().rev() {
        body = Cow::Owned(decode_one(coding, &body, max_body)?);
    }
    Ok(body)
}

/// The codings in effect, in lower case, without `identity`.
fn codings(headers: &Headers) -> Vec<String> {
    headers
        .get_all("content-encoding")
        .flat_map(|line| {
            String::from_utf8_lossy(line)
                .to_ascii_lowercase()
                .split(',')
                .map(str::to_owned)
                .collect::<Vec<_>>()
        })
        .map(|coding| coding.trim().to_owned())
        .filter(|coding| !coding.is_empty() && coding != "identity")
        .collect()
}

fn decode_one(coding: &str, body: &[u8], max_body: usize) -> Result<Vec<u8>, EncodingFault> {
    match coding {
        "gzip" | "x-gzip" => read_capped(flate2::read::MultiGzDecoder::new(body), max_body),
        // HTTP's "deflate" is zlib, but some senders leave out its wrapper (RFC 9110, 8.4.1.2).
        "deflate" => {
            let (mut zlib, mut bare) = (body, body);
            match whole(read_capped(bufread::ZlibDecoder::new(&mut zlib), max_body), zlib) {
                Err(EncodingFault::Corrupt(_)) => {
                    whole(read_capped(bufread::DeflateDecoder::new(&mut bare), max_body), bare)
                }
                decoded => decoded,
            }
        }
        "br" => {
            let mut rest = body;
            whole(read_capped(brotli_decompressor::Decompressor::new(&mut rest, 4096), max_body), rest)
        }
        other => Err(EncodingFault::Unsupported(other.chars().take(64).collect())),
    }
}

/// Rejects a `rest` after the end of the stream: two readers could interpret it differently.
fn whole(decoded: Result<Vec<u8>, EncodingFault>, rest: &[u8]) -> Result<Vec<u8>, EncodingFault> {
    match decoded {
        Ok(_) if !rest.is_empty() => Err(EncodingFault::Corrupt("bytes after its end".to_owned())),
        decoded => decoded,
    }
}

/// Decodes step by step into a buffer of at most one byte above the limit. A buffer that doubles would reach nearly
/// twice the limit for every rejected body.
fn read_capped(mut decoder: impl Read, max_body: usize) -> Result<Vec<u8>, EncodingFault> {
    let mut decoded = Vec::new();
    let mut read = || {
        loop {
            let left = max_body.saturating_add(1).saturating_sub(decoded.len());
            let room = if decoded.len() < SMALL { FIRST_ROOM } else { decoded.len().max(LARGE) }.min(left);
            decoded.reserve_exact(room);
            let limit = u64::try_from(room).unwrap_or(u64::MAX);
            if decoder.by_ref().take(limit).read_to_end(&mut decoded)? < room || room == left {
                break;
            }
        }
        // Brotli reports bytes after its end only on one more read.
        if decoded.len() <= max_body { decoder.read(&mut [0]) } else { Ok(0) }
    };
    match read() {
        Ok(_) if decoded.len() > max_body => Err(EncodingFault::TooLarge),
        Ok(_) => Ok(decoded),
        Err(fault) => Err(EncodingFault::Corrupt(fault.to_string())),
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write as _;

    use super::*;

    fn headers(codings: &[&str]) -> Headers {
        let mut headers = Headers::default();
        for coding in codings {
            headers.push("Content-Encoding", coding.as_bytes());
        }
        headers
    }

    fn gzip(body: &[u8]) -> Vec<u8> {
        let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::best());
        encoder.write_all(body).unwrap();
        encoder.finish().unwrap()
    }

    /// `body` in each coding, by its name in `Content-Encoding`.
    fn encoded(body: &[u8]) -> [(&'static str, Vec<u8>); 5] {
        let mut zlib = flate2::write::ZlibEncoder::new(Vec::new(), flate2::Compression::fast());
        zlib.write_all(body).unwrap();
        let mut raw = flate2::write::DeflateEncoder::new(Vec::new(), flate2::Compression::fast());
        raw.write_all(body).unwrap();
        let mut brotli = Vec::new();
        brotli::CompressorWriter::new(&mut brotli, 4096, 5, 22).write_all(body).unwrap();
        let (zlib, raw) = (zlib.finish().unwrap(), raw.finish().unwrap());
        [("gzip", gzip(body)), ("X-GZIP", gzip(body)), ("deflate", zlib), ("deflate", raw), ("br", brotli)]
    }

    #[test]
    fn a_buffer_is_small_or_large_and_nothing_between() {
        let room = |length: usize| match decode(&headers(&["gzip"]), &gzip(&vec![b'a'; length]), 4 * LARGE) {
            Ok(Cow::Owned(body)) => body.capacity(),
            other => panic!("{other:?}"),
        };
        assert!(room(100) <= SMALL && room(10_000) <= SMALL);
        assert!(room(100_000) >= LARGE && room(LARGE + 100_000) >= LARGE);
    }

    #[test]
    fn each_coding_decodes_to_the_body() {
        let body = b"{\"event\":\"webhook.test\"}";
        for (coding, wire) in encoded(body) {
            assert_eq!(decode(&headers(&[coding]), &wire, 1000).unwrap(), &body[..], "{coding}");
        }
        assert_eq!(decode(&headers(&["identity"]), body, 1000).unwrap(), &body[..]);
        assert_eq!(decode(&headers(&["gzip, gzip"]), &gzip(&gzip(body)), 1000).unwrap(), &body[..]);
    }

    #[test]
    fn a_stream_that_is_cut_or_has_something_after_its_end_is_corrupt() {
        let body: Vec<u8> = (0..2000_u32).flat_map(|at| at.to_string().into_bytes()).collect();
        for (coding, wire) in encoded(&body) {
            assert_eq!(decode(&headers(&[coding]), &wire, 10_000).unwrap(), body, "{coding}");
            for more in [&b"x"[..], b"\0", &[b'x'; 10_000]] {
                let longer = [&wire, more].concat();
                let decoded = decode(&headers(&[coding]), &longer, 10_000);
                assert!(matches!(decoded, Err(EncodingFault::Corrupt(_))), "{coding} {}", more.len());
            }
            for end in [0, 1, wire.len() / 2, wire.len() - 1] {
                let cut = decode(&headers(&[coding]), &wire[..end], 10_000);
                assert!(matches!(cut, Err(EncodingFault::Corrupt(_))), "{coding} {end}");
            }
        }
    }

    #[test]
    fn a_bomb_is_cut_at_the_cap_and_one_byte_below_it_is_read() {
        let bomb = gzip(&vec![b'0'; 100_001]);
        assert_eq!(decode(&headers(&["gzip"]), &bomb, 100_000), Err(EncodingFault::TooLarge));
        assert_eq!(decode(&headers(&["gzip"]), &bomb, 100_001).unwrap().len(), 100_001);
    }

    #[test]
    fn unknown_stacked_and_corrupt_codings_are_told_apart() {
        let unknown = decode(&headers(&["zstd"]), b"x", 10);
        assert_eq!(unknown, Err(EncodingFault::Unsupported("zstd".into())));
        assert!(matches!(
            decode(&headers(&["gzip,gzip,gzip,gzip"]), b"", 10),
            Err(EncodingFault::Unsupported(_))
        ));
        assert!(matches!(decode(&headers(&["gzip"]), b"{}", 10), Err(EncodingFault::Corrupt(_))));
        let cut = gzip(b"{\"event\":\"webhook.test\"}");
        assert!(matches!(
            decode(&headers(&["gzip"]), &cut[..cut.len() - 4], 100),
            Err(EncodingFault::Corrupt(_))
        ));
    }
}
