//! CloudEvents over HTTP (the CloudEvents HTTP binding 1.0.2): where a request contains the attributes of an event.

use percent_encoding::percent_decode;
use serde_json::Value;

use super::id::scoped;
use crate::domain::{Headers, Source};

/// How a request carries CloudEvents.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CloudMode {
    /// The attributes are headers, the body is the data.
    Binary,
    /// The body is the event.
    Structured,
    /// The body is an array of events.
    Batch,
}

impl CloudMode {
    /// The mode of a request with these headers; `None` if it carries no CloudEvents.
    #[must_use]
    pub fn of(headers: &Headers) -> Option<Self> {
        let content_type = headers.get("content-type").unwrap_or_default();
        let essence = content_type.split(|byte| *byte == b';').next().unwrap_or_default().trim_ascii();
        let is = |prefix: &str| {
            essence.get(..prefix.len()).is_some_and(|start| start.eq_ignore_ascii_case(prefix.as_bytes()))
        };
        if is("application/cloudevents-batch") {
            Some(Self::Batch)
        } else if is("application/cloudevents") {
            Some(Self::Structured)
        } else {
            headers.get("ce-specversion").map(|_| Self::Binary)
        }
    }

    /// Like `of`, for sources that trust these headers, although no signature covers them.
    #[must_use]
    pub fn at(source: &Source, headers: &Headers) -> Option<Self> {
        Self::of(headers).filter(|_| source.signature.scheme == crate::domain::Scheme::None)
    }
}

/// An attribute of an event in binary mode, from its header `ce-NAME`; an empty value does not count.
pub fn attribute(headers: &Headers, name: &str) -> Option<String> {
    let value = headers.get(&format!("ce-{name}"))?.trim_ascii();
    let unquoted = unquote(value);
    let decoded = percent_decode(&unquoted).decode_utf8().ok()?;
    (!decoded.is_empty()).then(|| decoded.into_owned())
}

/// Removes double quotes around a value, as older senders add them (the binding, 3.1.3.2).
fn unquote(value: &[u8]) -> Vec<u8> {
    let inner = value.strip_prefix(b"\"").and_then(|rest| rest.strip_suffix(b"\""));
    let Some(inner) = inner else { return value.to_vec() };
    let mut bytes = inner.iter().copied();
    let mut unquoted = Vec::with_capacity(inner.len());
    while let Some(byte) = bytes.next() {
        unquoted.extend(if byte == b'\\' { bytes.next() } else { Some(byte) });
    }
    unquoted
}

/// The full id of an event: `id` is only unique within its `source`, so it includes both.
pub fn whole_id(id: &str, source: Option<&str>) -> String {
    source.map_or_else(|| id.to_owned(), |source| scoped(id, &[source]))
}

/// An attribute of an event in structured mode, if it is text.
pub fn member<'v>(event: &'v Value, name: &str) -> Option<&'v str> {
    event.get(name).and_then(Value::as_str).filter(|text| !text.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(lines: &[(&str, &str)]) -> Headers {
        let mut headers = Headers::default();
        for (name, value) in lines {
            headers.push(*name, value.as_bytes());
        }
        headers
    }

    #[test]
    fn the_mode_is_told_by_media_type_and_version() {
        for (lines, mode) in [
            (
                &[("Content-Type", "application/cloudevents+json; charset=utf-8")][..],
                Some(CloudMode::Structured),
            ),
            (&[("content-type", "Application/CloudEvents-Batch+json")], Some(CloudMode::Batch)),
            (&[("ce-specversion", "1.0"), ("content-type", "application/json")], Some(CloudMode::Binary)),
            (
                &[("ce-specversion", "1.0"), ("content-type", "application/cloudevents+json")],
                Some(CloudMode::Structured),
            ),
            (&[("ce-id", "a"), ("content-type", "application/json")], None),
            (&[], None),
        ] {
            assert_eq!(CloudMode::of(&headers(lines)), mode, "{lines:?}");
        }
    }

    #[test]
    fn an_attribute_is_unquoted_and_percent_decoded_once() {
        let read = |value: &str| attribute(&headers(&[("CE-Source", value)]), "source");
        assert_eq!(read("/sensors/7").as_deref(), Some("/sensors/7"));
        assert_eq!(read("Euro%20%E2%82%AC%20%F0%9F%98%80").as_deref(), Some("Euro € 😀"));
        assert_eq!(read("%2520").as_deref(), Some("%20"));
        assert_eq!(read(r#""a \"b\" c""#).as_deref(), Some(r#"a "b" c"#));
        assert_eq!(read(""), None);
        assert_eq!(read("%FF"), None);
        assert_eq!(attribute(&headers(&[]), "source"), None);
    }
}
