//! The events of TagoRUN, and whether a payload is one.

use std::path::Path;

use serde_json::Value;

use super::Invalid;
use crate::catalog::{self, Catalog};
use crate::domain::Fault;
use crate::payload::{Published, read_published};

/// The events of TagoRUN, each with its JSON Schema, its usual shape and an example.
///
/// ```
/// use tagohook::Catalogue;
///
/// let catalogue = Catalogue::builtin();
/// let body = br#"{"event":"user.login","timestamp":"2026-03-09T07:14:58.402Z","user":{"id":"u1"}}"#;
/// let invalid = catalogue.validate(body).unwrap_err();
/// assert_eq!(invalid.problems[0].pointer, "/user/email");
/// assert_eq!(invalid.problems[0].message, "Missing required field: user.email");
///
/// let login = catalogue.event("user.logged_in").unwrap();
/// assert_eq!((login.name(), login.title()), ("user.login", "A user logged in"));
/// let example = login.example().unwrap();
/// assert!(catalogue.validate(example.as_bytes()).is_ok());
/// ```
#[derive(Debug)]
pub struct Catalogue(Catalog);

/// An event type of the catalogue.
#[derive(Clone, Copy, Debug)]
pub struct EventType<'c>(&'c catalog::EventType);

/// A payload that fits its event.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct Event {
    /// The name in the catalogue; the name as sent if the event is not there.
    pub name: String,
    /// The name as sent, which may be an alias.
    pub sent_as: String,
    /// Whether the catalogue has it. Of another event only the form was checked.
    pub is_known: bool,
    /// The id, if it has one; an integer as its digits.
    pub id: Option<String>,
    /// The whole payload. Integers beyond 64 bits have lost digits here; the body has all of them.
    pub payload: Value,
}

/// A payload that does not fit: every problem, not only the first.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{}", lines(.problems))]
#[non_exhaustive]
pub struct InvalidEvent {
    /// The problems, at least one.
    pub problems: Vec<Problem>,
}

/// A problem of a payload.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Problem {
    /// Where it is: a JSON pointer (RFC 6901), empty for the whole payload.
    pub pointer: String,
    /// What is wrong.
    pub message: String,
}

fn lines(problems: &[Problem]) -> String {
    let line = |problem: &Problem| match problem.pointer.as_str() {
        "" => problem.message.clone(),
        pointer => format!("{pointer}: {}", problem.message),
    };
    problems.iter().map(line).collect::<Vec<_>>().join("\n")
}

impl Catalogue {
    /// The 32 events of TagoRUN's specification, and the three that tagohook itself publishes.
    #[must_use]
    pub fn builtin() -> Self {
        Self(Catalog::builtin())
    }

    /// The same with schemas of your own: `NAME.json` in `folder` is the JSON Schema (2020-12) of the event `NAME`, a new one or a
    /// replacement. The files may refer to each other.
    ///
    /// # Errors
    /// When the folder or a file cannot be read, or a file is not a JSON Schema: every fault of every file.
    pub fn with_schemas(folder: impl AsRef<Path>) -> Result<Self, Invalid> {
        Catalog::with_schemas_dir(folder.as_ref()).map(Self).map_err(|faults| Invalid(faults.to_string()))
    }

    /// Every event, in the order of the specification, your own last.
    pub fn events(&self) -> impl Iterator<Item = EventType<'_>> {
        self.0.iter().map(EventType)
    }

    /// The event with that name or alias.
    #[must_use]
    pub fn event(&self, name: &str) -> Option<EventType<'_>> {
        self.0.resolve(name).map(EventType)
    }

    /// Reads a payload, strictly, and checks it against the schema of its event. Verify its signature first.
    ///
    /// An event that the catalogue does not have is valid; `Event::is_known` tells.
    ///
    /// # Errors
    /// When it is not one JSON object, names no event, has an id that cannot be one, or does not match its schema.
    pub fn validate(&self, body: &[u8]) -> Result<Event, InvalidEvent> {
        let Published { value: payload, name: sent_as, event_id: id, .. } =
            read_published(body).map_err(InvalidEvent::of)?;
        let Some(known) = self.0.resolve(&sent_as) else {
            return Ok(Event { name: sent_as.clone(), sent_as, is_known: false, id, payload });
        };
        let faults = known.check_as(&sent_as, &payload);
        if !faults.is_empty() {
            return Err(InvalidEvent::of(faults));
        }
        Ok(Event { name: known.name().to_owned(), sent_as, is_known: true, id, payload })
    }
}

impl<'c> EventType<'c> {
    /// Its name.
    #[must_use]
    pub fn name(self) -> &'c str {
        self.0.name()
    }

    /// What happened, in a few words.
    #[must_use]
    pub fn title(self) -> &'c str {
        self.0.title()
    }

    /// Other names that senders use for it.
    #[must_use]
    pub const fn aliases(self) -> &'static [&'static str] {
        self.0.aliases()
    }

    /// The JSON Schema of what a payload must contain.
    #[must_use]
    pub fn schema(self) -> &'c str {
        self.0.schema()
    }

    /// The JSON Schema of what a payload usually contains; `None` for schemas of your own.
    #[must_use]
    pub fn shape(self) -> Option<&'c str> {
        self.0.shape()
    }

    /// A realistic payload; `None` for events of your own.
    #[must_use]
    pub const fn example(self) -> Option<&'static str> {
        self.0.example()
    }
}

impl InvalidEvent {
    fn of(faults: Vec<Fault>) -> Self {
        let problem = |Fault { path, message, .. }| Problem { pointer: path, message };
        Self { problems: faults.into_iter().map(problem).collect() }
    }
}
