//! HTTP archives (HAR 1.2), of ours and of browsers, proxies and other tools.

use std::io::Read;

use anyhow::Context as _;
use serde_json::{Value, json};

use super::found::Found;

/// The source of a request to another server than a receiver.
const ELSEWHERE: &str = "imported";
/// The member of an entry with what only we know.
const OWN: &str = "_tagohook";

/// The entries of an archive.
///
/// # Errors
/// When it cannot be read.
pub fn entries(input: &mut dyn Read) -> anyhow::Result<Vec<Value>> {
    let mut text = Vec::new();
    input.read_to_end(&mut text).context("the file cannot be read")?;
    let text = text.strip_prefix("\u{feff}".as_bytes()).unwrap_or(&text);
    let mut archive: Value = serde_json::from_slice(text).map_err(|fault| {
        anyhow::anyhow!(
            "not an HTTP archive: invalid JSON at line {}, column {}; the file may be cut off",
            fault.line(),
            fault.column()
        )
    })?;
    match archive.pointer_mut("/log/entries").map(Value::take) {
        Some(Value::Array(entries)) => Ok(entries),
        _ => anyhow::bail!("not an HTTP archive: log.entries is missing"),
    }
}

/// The delivery of an entry. `source` is for requests of another tool.
pub fn found(entry: &Value, source: Option<&str>) -> Found {
    let request = entry.get("request").unwrap_or(&Value::Null);
    let text = |name: &str| request.get(name).and_then(Value::as_str).unwrap_or_default();
    let own = entry.get(OWN).and_then(Value::as_object);
    let method = text("method");
    if own.is_none() && matches!(method, "GET" | "HEAD" | "OPTIONS" | "CONNECT" | "TRACE") {
        return Found::Skipped;
    }
    let post = request.get("postData").unwrap_or(&Value::Null);
    let size = request.get("bodySize").and_then(Value::as_i64).unwrap_or_default();
    let (member, body) = body(post);
    if body.is_empty() && size > 0 {
        return Found::Broken(format!("the archive does not have the body of {size} bytes"));
    }
    let path = target(text("url"));
    let status = entry.pointer("/response/status").and_then(Value::as_u64).unwrap_or_default();
    let millis = entry.get("time").and_then(Value::as_f64).unwrap_or_default().max(0.0);
    let mut delivery = json!({
        "source": source.map_or_else(|| source_of(&path), str::to_owned),
        "received_at": entry.get("startedDateTime"),
        "method": method,
        "path": path,
        "http_version": version(text("httpVersion")),
        "headers": headers(request),
        "status": status,
        "duration_us": microseconds(millis),
        "client_explanation": "imported from an HTTP archive",
    });
    if let Some(members) = delivery.as_object_mut() {
        members.insert(member.to_owned(), body.into());
        // What we wrote ourselves is more exact.
        members.extend(own.cloned().unwrap_or_default());
    }
    Found::Delivery(delivery.to_string())
}

/// Name and value of each line, without the pseudo-headers of HTTP/2.
fn headers(request: &Value) -> Vec<[&str; 2]> {
    let lines = request.get("headers").and_then(Value::as_array).into_iter().flatten();
    lines
        .filter_map(|line| Some([line.get("name")?.as_str()?, line.get("value")?.as_str()?]))
        .filter(|[name, _]| !name.starts_with(':'))
        .collect()
}

/// The body and the member that it belongs to. Some tools write a form as its fields only.
fn body(post: &Value) -> (&'static str, String) {
    let text = post.get("text").and_then(Value::as_str).unwrap_or_default();
    let encoding = post.get("encoding").or_else(|| post.get("_encoding")).and_then(Value::as_str);
    if encoding == Some("base64") {
        return ("body_base64", text.to_owned());
    }
    let params = post.get("params").and_then(Value::as_array).filter(|_| text.is_empty());
    let mut form = form_urlencoded::Serializer::new(text.to_owned());
    for param in params.into_iter().flatten() {
        let part = |name: &str| param.get(name).and_then(Value::as_str).unwrap_or_default();
        form.append_pair(part("name"), part("value"));
    }
    ("body", form.finish())
}

/// Path and query of a URL, as they are written.
fn target(url: &str) -> String {
    let after = url.split_once("://").map_or(url, |(_, after)| after);
    let target = after.find(['/', '?']).and_then(|at| after.get(at..)).unwrap_or("/");
    let target = target.split('#').next().unwrap_or_default();
    if target.starts_with('/') { target.to_owned() } else { format!("/{target}") }
}

/// The source in the path of a receiver.
fn source_of(path: &str) -> String {
    let below = path.strip_prefix("/webhook/").unwrap_or_default();
    let name = below.split(['/', '?']).next().unwrap_or_default();
    if name.is_empty() { ELSEWHERE.to_owned() } else { name.to_owned() }
}

/// Tools write `http/2.0`, `h2`, `HTTP/1.1`.
fn version(text: &str) -> String {
    match text.to_ascii_uppercase().as_str() {
        "" | "UNKNOWN" => "HTTP/1.1".to_owned(),
        "H2" => "HTTP/2.0".to_owned(),
        "H3" => "HTTP/3.0".to_owned(),
        other => other.to_owned(),
    }
}

/// Whole microseconds; archives have milliseconds with a fraction.
fn microseconds(millis: f64) -> u64 {
    u64::try_from(std::time::Duration::try_from_secs_f64(millis / 1_000.0).unwrap_or_default().as_micros())
        .unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(entry: &Value) -> Value {
        match found(entry, None) {
            Found::Delivery(text) => serde_json::from_str(&text).unwrap(),
            Found::Skipped => json!("skipped"),
            Found::Broken(why) => json!(why),
        }
    }

    #[test]
    fn a_request_of_a_browser_is_read_with_its_headers_and_body() {
        let entry = json!({
            "startedDateTime": "2026-03-09T08:14:58.402+01:00", "time": 12.5,
            "request": {"method": "POST", "url": "https://h.example/webhook/shop/a?x=%20#top", "httpVersion": "h2",
                "headers": [{"name": ":authority", "value": "h.example"}, {"name": "X-A", "value": "1"}],
                "bodySize": 9, "postData": {"mimeType": "application/json", "text": "{\"a\": 1}\n"}},
            "response": {"status": 201},
        });
        let read = read(&entry);
        for (member, value) in [
            ("source", json!("shop")),
            ("path", json!("/webhook/shop/a?x=%20")),
            ("http_version", json!("HTTP/2.0")),
            ("headers", json!([["X-A", "1"]])),
            ("body", json!("{\"a\": 1}\n")),
            ("status", json!(201)),
            ("duration_us", json!(12_500)),
        ] {
            assert_eq!(read[member], value, "{member}");
        }
    }

    #[test]
    fn forms_missing_bodies_and_requests_without_one() {
        let request = |request: Value| read(&json!({"request": request}));
        let form = request(json!({"method": "POST", "url": "http://h",
            "postData": {"params": [{"name": "a b", "value": "1&2"}, {"name": "c"}]}}));
        assert_eq!(
            (&form["body"], &form["path"], &form["source"]),
            (&json!("a+b=1%262&c="), &json!("/"), &json!("imported"))
        );
        let lost = request(json!({"method": "POST", "url": "http://h?q", "bodySize": 5}));
        assert_eq!(lost, "the archive does not have the body of 5 bytes");
        assert_eq!(request(json!({"method": "GET", "url": "http://h/"})), "skipped");
        let own = json!({"_tagohook": {"source": "tagorun", "verdict": "accepted"},
            "request": {"method": "GET", "url": "http://h/webhook-test"}});
        assert_eq!(read(&own)["verdict"], "accepted");
    }
}
