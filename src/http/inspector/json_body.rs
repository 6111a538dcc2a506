//! The body of a request to the inspector, usually JSON, with a size limit and a deadline.

use std::time::Duration;

use actix_web::http::StatusCode;
use actix_web::web;
use bytes::{Bytes, BytesMut};
use futures_util::StreamExt as _;

use super::problem::{FieldFault, Problem};
use crate::domain::shown_size;

/// The maximum size of a body, unless its handler says otherwise, in bytes.
pub const MAX_BODY: usize = 4 * 1024 * 1024;
/// The time within which the whole body must arrive.
const DEADLINE: Duration = Duration::from_secs(30);

/// The bytes of the body.
///
/// # Errors
/// 413 above the limit, 408 after the deadline, 400 if it is incomplete.
pub async fn bytes(payload: web::Payload) -> Result<Bytes, Problem> {
    bytes_up_to(MAX_BODY, payload).await
}

async fn bytes_up_to(most: usize, payload: web::Payload) -> Result<Bytes, Problem> {
    let late = || Problem::new(StatusCode::REQUEST_TIMEOUT, "The body was not there within 30 seconds.");
    tokio::time::timeout(DEADLINE, read(most, payload)).await.map_err(|_| late())?
}

async fn read(most: usize, mut payload: web::Payload) -> Result<Bytes, Problem> {
    let mut body = BytesMut::new();
    while let Some(chunk) = payload.next().await {
        let chunk = chunk.map_err(|_| Problem::new(StatusCode::BAD_REQUEST, "The body broke off."))?;
        if body.len().saturating_add(chunk.len()) > most {
            let what = format!("The body is larger than {}.", shown_size(most));
            return Err(Problem::new(StatusCode::PAYLOAD_TOO_LARGE, what));
        }
        body.extend_from_slice(&chunk);
    }
    Ok(body.freeze())
}

/// The body of at most `most` bytes as text, without a byte order mark; an empty one is `{}`.
///
/// # Errors
/// As `bytes`, and 400 if it is not UTF-8.
pub async fn text(most: usize, payload: web::Payload) -> Result<String, Problem> {
    text_of(&bytes_up_to(most, payload).await?)
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
