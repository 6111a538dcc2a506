//! Pages, scripts and the API's answers go out compressed where the browser takes that.

use std::io::Write as _;

use actix_web::Error;
use actix_web::body::{BoxBody, MessageBody as _};
use actix_web::dev::{ServiceRequest, ServiceResponse};
use actix_web::http::header::{
    ACCEPT_ENCODING, CONTENT_ENCODING, CONTENT_TYPE, ETAG, HeaderMap, HeaderValue, VARY,
};
use actix_web::middleware::Next;
use actix_web::web::Bytes;
use flate2::Compression;
use flate2::write::GzEncoder;

/// What is shorter is not worth it.
const LEAST: usize = 1024;
/// Half the time of the usual level, for a few bytes in a hundred.
const LEVEL: u32 = 4;
/// What is compressed. Downloads of received bytes are not: they are what they are.
const KINDS: [&str; 6] = [
    "text/html",
    "text/css",
    "text/javascript",
    "application/json",
    "application/problem+json",
    "image/svg+xml",
];

/// Around `mount`, which needs pages as they were made. What streams stays as it is.
///
/// # Errors
/// None of its own; those of the service behind it.
pub async fn compress(
    request: ServiceRequest,
    next: Next<BoxBody>,
) -> Result<ServiceResponse<BoxBody>, Error> {
    let takes_gzip = takes_gzip(request.headers());
    let mut response = next.call(request).await?;
    let headers = response.headers_mut();
    let kind = headers.get(CONTENT_TYPE).and_then(|kind| kind.to_str().ok()).unwrap_or_default();
    let kind = kind.split(';').next().unwrap_or_default();
    if !KINDS.contains(&kind) || headers.contains_key(CONTENT_ENCODING) {
        return Ok(response);
    }
    headers.append(VARY, HeaderValue::from_static("Accept-Encoding"));
    if !takes_gzip {
        return Ok(response);
    }
    Ok(response.map_body(|head, body| match body.try_into_bytes() {
        Ok(bytes) => match Some(&bytes).filter(|bytes| bytes.len() >= LEAST).and_then(|bytes| gzip(bytes)) {
            Some(smaller) => {
                head.headers.insert(CONTENT_ENCODING, HeaderValue::from_static("gzip"));
                weaken(&mut head.headers);
                BoxBody::new(Bytes::from(smaller))
            }
            None => BoxBody::new(bytes),
        },
        Err(body) => body,
    }))
}

/// Whether a client takes gzip: it says so, and not with a quality of nothing.
fn takes_gzip(headers: &HeaderMap) -> bool {
    let lines = headers.get_all(ACCEPT_ENCODING).filter_map(|line| line.to_str().ok());
    let mut codings = lines.flat_map(|line| line.split(','));
    codings.any(|coding| {
        let (name, quality) = coding.split_once(';').unwrap_or((coding, ""));
        let quality = quality.trim().trim_start_matches("q=");
        name.trim().eq_ignore_ascii_case("gzip") && quality.parse::<f32>().unwrap_or(1.0) > 0.0
    })
}

/// The same bytes are not promised any more, only the same meaning.
fn weaken(headers: &mut HeaderMap) {
    let tag = headers.get(ETAG).and_then(|tag| tag.to_str().ok()).filter(|tag| !tag.starts_with("W/"));
    if let Some(weak) = tag.and_then(|tag| HeaderValue::try_from(format!("W/{tag}")).ok()) {
        headers.insert(ETAG, weak);
    }
}

fn gzip(bytes: &[u8]) -> Option<Vec<u8>> {
    let mut encoder = GzEncoder::new(Vec::with_capacity(bytes.len() / 3), Compression::new(LEVEL));
    encoder.write_all(bytes).ok()?;
    encoder.finish().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_who_asks_for_gzip_gets_it() {
        for (asked, expected) in [
            ("gzip, deflate, br", true),
            ("br;q=1.0, GZIP;q=0.5", true),
            ("gzip;q=0", false),
            ("gzip; q=0.0", false),
            ("br", false),
            ("", false),
        ] {
            let mut headers = HeaderMap::new();
            headers.insert(ACCEPT_ENCODING, HeaderValue::from_static(asked));
            assert_eq!(takes_gzip(&headers), expected, "{asked}");
        }
        assert!(!takes_gzip(&HeaderMap::new()));
    }
}
