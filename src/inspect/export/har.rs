//! An HTTP archive, HAR 1.2 (W3C Web Performance draft of 2012, "HTTP Archive format").

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};

use super::header_bytes::header_bytes;
use super::request::{Request, bytes, text};
use crate::domain::StoredDelivery;

/// The archive of these entries.
#[must_use]
pub fn document(entries: &[Value]) -> Value {
    json!({"log": {
        "version": "1.2",
        "creator": {"name": "tagohook", "version": env!("CARGO_PKG_VERSION")},
        "entries": entries,
    }})
}

/// The entry of a delivery; see `export` for the rest.
#[must_use]
pub fn entry_of(delivery: &StoredDelivery, base: &str, more: &[String]) -> Value {
    entry(&Request::of(delivery, more), delivery, base)
}

pub fn entry(request: &Request<'_>, delivery: &StoredDelivery, base: &str) -> Value {
    let row = &delivery.row;
    let target = text(&request.target);
    let query = target.split_once('?').map(|(_, query)| query).unwrap_or_default();
    let pair = |name: &str, value: &str| json!({"name": name, "value": value});
    let query: Vec<Value> =
        form_urlencoded::parse(query.as_bytes()).map(|(name, value)| pair(&name, &value)).collect();
    let headers: Vec<Value> = request.headers.iter().map(|(name, value)| pair(name, &text(value))).collect();
    let mut asked = json!({
        "method": request.method,
        "url": format!("{base}{target}"),
        "httpVersion": delivery.http_version,
        "cookies": [],
        "headers": headers,
        "queryString": query,
        "headersSize": -1,
        "bodySize": request.body.len(),
    });
    if !request.body.is_empty() {
        let mime = request.header("Content-Type").unwrap_or_else(|| "application/octet-stream".to_owned());
        let post = match std::str::from_utf8(request.body) {
            Ok(body) => json!({"mimeType": mime, "params": [], "text": body}),
            // HAR has no encoding for requests, only for responses; readers know this name.
            Err(_) => {
                json!({"mimeType": mime, "params": [], "text": STANDARD.encode(request.body), "encoding": "base64"})
            }
        };
        if let Some(members) = asked.as_object_mut() {
            members.insert("postData".to_owned(), post);
        }
    }
    let variables = request.variables.sentence();
    if let Some(members) = asked.as_object_mut()
        && !variables.is_empty()
    {
        members.insert("comment".to_owned(), json!(format!("Not kept: {variables}.")));
    }
    // Milliseconds, in whole ones: what came after a point would be the machine's mood.
    let time = row.duration_us.div_ceil(1_000);
    json!({
        "startedDateTime": row.received_at.to_string(),
        "time": time,
        "request": asked,
        "response": {
            "status": row.status,
            "statusText": "",
            "httpVersion": "HTTP/1.1",
            "cookies": [],
            "headers": [],
            "content": {"size": 0, "mimeType": "application/json"},
            "redirectURL": "",
            "headersSize": -1,
            "bodySize": -1,
        },
        "cache": {},
        "timings": {"send": 0, "wait": time, "receive": 0},
        "_tagohook": own(request, delivery),
        "comment": match row.reason {
            Some(reason) => format!("{}: {}", row.verdict.as_str(), reason.as_str()),
            None => row.verdict.as_str().to_owned(),
        },
    })
}

/// What an archive has no place for, as the API has it: an import reads it.
fn own(request: &Request<'_>, delivery: &StoredDelivery) -> Value {
    let row = &delivery.row;
    json!({
        "id": row.id.to_string(),
        "source": row.source,
        "received_at": row.received_at.to_string(),
        "verdict": row.verdict.as_str(),
        "reason": row.reason.map(|reason| reason.as_str()),
        "duration_us": row.duration_us,
        "duplicate_of": row.duplicate_of.map(|first| first.to_string()),
        "event_type": row.event_type,
        "event_name": row.event_name,
        "event_id": row.event_id,
        "entity": row.entity,
        "client_ip": row.client_ip.to_string(),
        "peer_ip": delivery.client.peer.to_string(),
        "client_explanation": delivery.client.explanation,
        "body_end": delivery.body_end.as_str(),
        "checks": delivery.checks,
        "header_bytes": header_bytes(request.headers.iter().map(|(_, value)| bytes(value))),
    })
}
