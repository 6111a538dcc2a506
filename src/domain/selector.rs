//! A place in a request that contains a value: the path, a header, or the payload.

use std::borrow::Cow;
use std::fmt;

use serde_json::Value;

use super::Headers;
use super::json::pointer::value_at;

/// The longest accepted value, in bytes.
const LONGEST: usize = 256;

/// A place in a request, written as `path`, `header:NAME` or `/pointer`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Selector {
    /// The path segment after the source: `/webhook/tagoio/DEVICE`.
    Path,
    /// The header with that name.
    Header(String),
    /// The payload value at that JSON pointer (RFC 6901).
    Pointer(String),
}

impl Selector {
    /// Parses a selector.
    ///
    /// # Errors
    /// When it has none of the three forms.
    pub fn read(text: &str) -> Result<Self, String> {
        let is_of_name = |byte: u8| byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte);
        match text.strip_prefix("header:") {
            Some(name) if !name.is_empty() && name.bytes().all(is_of_name) => {
                Ok(Self::Header(name.to_owned()))
            }
            None if text == "path" => Ok(Self::Path),
            None if text.starts_with('/') => Ok(Self::Pointer(text.to_owned())),
            _ => Err(format!(
                "{text:?} must be \"path\", \"header:NAME\" or a JSON pointer, as \"/device/id\""
            )),
        }
    }

    /// What a request to `target` says there; nothing where that is empty, too long, a placeholder, or neither text nor an
    /// integer.
    #[must_use]
    pub fn of(&self, target: &str, headers: &Headers, payload: &Value) -> Option<String> {
        self.said(target, headers, payload).filter(|said| !is_placeholder(said))
    }

    /// The placeholder that is there: `$DEVICE$` of an Action, which not every sender fills in.
    #[must_use]
    pub fn placeholder(&self, target: &str, headers: &Headers, payload: &Value) -> Option<String> {
        self.said(target, headers, payload).filter(|said| is_placeholder(said))
    }

    fn said(&self, target: &str, headers: &Headers, payload: &Value) -> Option<String> {
        let found: Cow<'_, str> = match self {
            Self::Path => behind_the_source(target)?,
            Self::Header(name) => std::str::from_utf8(headers.get(name)?).ok()?.trim().into(),
            Self::Pointer(pointer) => match value_at(payload, pointer)? {
                Value::String(text) => text.as_str().into(),
                Value::Number(number) if number.is_i64() || number.is_u64() => number.to_string().into(),
                _ => return None,
            },
        };
        (!found.is_empty() && found.len() <= LONGEST).then(|| found.into_owned())
    }
}

impl fmt::Display for Selector {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Path => out.write_str("path"),
            Self::Header(name) => write!(out, "header:{name}"),
            Self::Pointer(pointer) => out.write_str(pointer),
        }
    }
}

/// Whether a text is what a template has before it is filled in: `$DEVICE$`, `{{device}}`, `${device}`.
fn is_placeholder(text: &str) -> bool {
    let is_name = |name: &str| {
        !name.is_empty()
            && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'.' | b' '))
    };
    [("$", "$"), ("{{", "}}"), ("${", "}")].iter().any(|(open, close)| {
        text.strip_prefix(open).and_then(|rest| rest.strip_suffix(close)).is_some_and(is_name)
    })
}

/// `DEVICE` of `/webhook/tagoio/DEVICE/anything?query`, decoded.
fn behind_the_source(target: &str) -> Option<Cow<'_, str>> {
    let path = target.split('?').next()?;
    let part = path.split('/').filter(|part| !part.is_empty()).nth(2)?;
    percent_encoding::percent_decode_str(part).decode_utf8().ok()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn the_three_forms_are_read_and_written_alike() {
        for text in ["path", "header:TagoIO-Device", "/device/id"] {
            assert_eq!(Selector::read(text).unwrap().to_string(), text);
        }
        for wrong in ["", "paths", "header:", "header:a b", "device", "Path"] {
            assert!(Selector::read(wrong).unwrap_err().contains("header:NAME"), "{wrong}");
        }
    }

    #[test]
    fn each_place_says_a_text_or_an_integer() {
        let mut headers = Headers::default();
        headers.push("TagoIO-Device", &b" pump-3 "[..]);
        let payload = json!({"n": 7, "f": 1.5, "long": "x".repeat(257), "empty": ""});
        let at = |text: &str, target: &str| Selector::read(text).unwrap().of(target, &headers, &payload);
        assert_eq!(at("header:tagoio-device", "/").as_deref(), Some("pump-3"));
        assert_eq!(at("/n", "/").as_deref(), Some("7"));
        assert_eq!(at("path", "//webhook/tagoio/p%C3%BCmp/forward?x=1").as_deref(), Some("pümp"));
        for (text, target) in [
            ("path", "/webhook/tagoio"),
            ("path", "/webhook/tagoio/?a=/b/c"),
            ("path", "/webhook/tagoio/%FF"),
            ("header:other", "/"),
            ("/f", "/"),
            ("/long", "/"),
            ("/empty", "/"),
            ("/none", "/"),
            ("path", "/webhook/tagoio/$DEVICE$"),
            ("path", "/webhook/tagoio/%7B%7Bdevice%7D%7D"),
        ] {
            assert_eq!(at(text, target), None, "{text} {target}");
        }
        let unfilled = Selector::Path.placeholder("/webhook/tagoio/$DEVICE$", &headers, &payload);
        assert_eq!(unfilled.as_deref(), Some("$DEVICE$"));
        assert_eq!(at("path", "/webhook/tagoio/$5").as_deref(), Some("$5"));
    }
}
