//! The body of a request to the inspector, usually JSON, with a size limit and a deadline.

use std::time::Duration;

use actix_web::http::StatusCode;
use actix_web::web;
use bytes::{Bytes, BytesMut};
use futures_util::StreamExt as _;
use serde_json::Value;

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
    let bytes = bytes(payload).await?;
    if bytes.trim_ascii().is_empty() {
        return Ok("{}".to_owned());
    }
    // PowerShell and Notepad save files with a byte order mark.
    let bytes = bytes.strip_prefix("\u{feff}".as_bytes()).unwrap_or(&bytes);
    String::from_utf8(bytes.to_vec()).map_err(|_| bad(vec![fault("", "the body is not UTF-8")]))
}

/// The body as an object with only `known` members.
///
/// # Errors
/// As `text`, and 400 with every fault.
pub async fn object(
    payload: web::Payload,
    known: &[&str],
) -> Result<serde_json::Map<String, Value>, Problem> {
    let text = text(payload).await?;
    let members: serde_json::Map<String, Value> = serde_json::from_str(&text)
        .map_err(|wrong| bad(vec![fault("", &format!("not a JSON object: {wrong}"))]))?;
    only_known(members.keys(), known)?;
    Ok(members)
}

/// Rejects members that are not `known`.
///
/// # Errors
/// 400 with every unknown member.
pub fn only_known<'a>(keys: impl Iterator<Item = &'a String>, known: &[&str]) -> Result<(), Problem> {
    let unknown: Vec<FieldFault> = keys
        .filter(|key| !known.contains(&key.as_str()))
        .map(|key| fault(&format!("/{key}"), &format!("unknown key; there are: {}", known.join(", "))))
        .collect();
    if unknown.is_empty() { Ok(()) } else { Err(bad(unknown)) }
}

/// The boolean member `key`; false if absent.
pub fn flag(members: &serde_json::Map<String, Value>, key: &str, faults: &mut Vec<FieldFault>) -> bool {
    match members.get(key) {
        None | Some(Value::Null) => false,
        Some(Value::Bool(flag)) => *flag,
        Some(_) => {
            faults.push(fault(&format!("/{key}"), "true or false"));
            false
        }
    }
}

/// One fault of a body.
#[must_use]
pub fn fault(pointer: &str, message: &str) -> FieldFault {
    FieldFault { pointer: pointer.to_owned(), message: message.to_owned() }
}

/// 400: the body cannot be used.
#[must_use]
pub fn bad(errors: Vec<FieldFault>) -> Problem {
    Problem::bad_body(errors)
}
