//! Where requests of a source contain the event name, and what distinguishes two events with the same id.

use std::fmt;

/// The place of the event name.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum EventPlace {
    /// The place defined by its signature scheme.
    #[default]
    Scheme,
    /// In a query parameter: `query:event`.
    Query(String),
    /// In the path below the source: `path`.
    Path,
    /// In a header: `header:X-Event`.
    Header(String),
    /// In the payload, at a JSON pointer: `/meta/kind`.
    Pointer(String),
    /// Fixed: every event of the source has this name: `=reading`.
    Fixed(String),
}

/// The allowed places, for a fault.
pub const EVENT_PLACES: &str =
    "\"query:NAME\", \"path\", \"header:NAME\", a JSON pointer as \"/type\", or \"=NAME\"";

impl EventPlace {
    /// Parses a place from the configuration; `None` if it is invalid.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let named = |name: &str| (!name.trim().is_empty()).then(|| name.to_owned());
        match text {
            "" => Some(Self::Scheme),
            "path" => Some(Self::Path),
            text if text.starts_with('/') => Some(Self::Pointer(text.to_owned())),
            text => None
                .or_else(|| text.strip_prefix("query:").and_then(named).map(Self::Query))
                .or_else(|| text.strip_prefix("header:").and_then(named).map(Self::Header))
                .or_else(|| text.strip_prefix('=').and_then(named).map(Self::Fixed)),
        }
    }

    /// Whether a signature over the body covers it.
    #[must_use]
    pub const fn is_in_body(&self) -> bool {
        matches!(self, Self::Scheme | Self::Pointer(_) | Self::Fixed(_))
    }

    /// A description of the place.
    #[must_use]
    pub fn sentence(&self) -> String {
        match self {
            Self::Scheme => "the place of its scheme".to_owned(),
            Self::Query(name) => format!("query parameter {name}"),
            Self::Path => "path below the source".to_owned(),
            Self::Header(name) => format!("header {name}"),
            Self::Pointer(pointer) => pointer.clone(),
            Self::Fixed(_) => "fixed for the source".to_owned(),
        }
    }
}

/// The form used in the configuration.
impl fmt::Display for EventPlace {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Scheme => Ok(()),
            Self::Query(name) => write!(out, "query:{name}"),
            Self::Path => out.write_str("path"),
            Self::Header(name) => write!(out, "header:{name}"),
            Self::Pointer(pointer) => out.write_str(pointer),
            Self::Fixed(name) => write!(out, "={name}"),
        }
    }
}

/// What belongs to an event's id, besides the id itself.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct IdScope {
    /// The event's name: several events may share an id.
    pub event: bool,
    /// The path below the source.
    pub path: bool,
}

impl IdScope {
    /// The words of the configuration.
    pub const WORDS: [&str; 2] = ["event", "path"];

    /// Its words.
    #[must_use]
    pub fn words(self) -> Vec<&'static str> {
        let [event, path] = Self::WORDS;
        [(self.event, event), (self.path, path)]
            .into_iter()
            .filter_map(|(is_there, word)| is_there.then_some(word))
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_place_is_read_and_written_the_same() {
        for text in ["", "path", "query:event", "header:X-Event", "/a/0", "=x", "==", "query:a=b"] {
            assert_eq!(EventPlace::parse(text).unwrap().to_string(), text);
        }
        for bad in ["event", "query:", "header: ", "=", "Path", "query", " /a"] {
            assert_eq!(EventPlace::parse(bad), None, "{bad}");
        }
    }
}
