//! The body of a request to the inspector, usually JSON, with a size limit and a deadline.

use std::time::Duration;

use actix_web::http::StatusCode;
use actix_web::web;
use bytes::{Bytes, BytesMut};
use futures_util::StreamExt as _;

use super::problem::{FieldFault, Problem};

/// The maximum size of a body, in bytes.
const MAX_BODY: usize = 4 * 1024 * 1024;
/// The time within which the whole body must arrive.
const DEADLINE: Duration = Duration::from_secs(30);

/// The bytes of the body.
///
/// # Errors
/// 413 above the limit, 408 after the deadline, 400 if it is incomplete.
pub async fn bytes(payload: web::Payload) -> Result<Bytes, Problem> {
    let late = || Problem::new(StatusCode::REQUEST_TIMEOUT, "The body was not there within 30 seconds.");
    tokio::time::timeout(DEADLINE, read(payload)).await.map_err(|_| late())?
}

async fn read(mut payload: web::Payload) -> Result<Bytes, Problem> {
    let mut body = BytesMut::new();
    while let Some(chunk) = payload.next().await {
        let chunk = chunk.map_err(|_| Problem::new(StatusCode::BAD_REQUEST, "The body broke off."))?;
        if body.len().saturating_add(chunk.len()) > MAX_BODY {
            return Err(Problem::new(StatusCode::PAYLOAD_TOO_LARGE, "The body is larger than 4 MiB."));
        }
        body.extend_from_slice(&chunk);
    }
    Ok(body.freeze())
}

/// The body as text, without a byte order mark; an empty one is `{}`.
///
/// # Errors
/// As `bytes`, and 400 if it is not UTF-8.
pub async fn text(payload: web::Payload) -> Result<String, Problem> {
    text_of(&bytes(payload).await?)
}

/// The same of bytes that are there.
///
/// # Errors
/// 400 if they are not UTF-8.
pub fn text_of(bytes: &[u8]) -> Result<String, Problem> {
    if bytes.trim_ascii().is_empty() {
        return Ok("{}".to_owned());
    }
    // PowerShell and Notepad save files with a byte order mark.
    let bytes = bytes.strip_prefix("\u{feff}".as_bytes()).unwrap_or(bytes);
    let wrong = || {
        let message = "the body is not UTF-8".to_owned();
        Problem::bad_body(vec![FieldFault { pointer: String::new(), message }])
    };
    String::from_utf8(bytes.to_vec()).map_err(|_| wrong())
}
