//! The parts of a template and its result.

use std::borrow::Cow;

use crate::domain::json::Path;
use crate::domain::suggestion;
use crate::send::language::expression::{Expression, size_of};

/// The members of `event` in a template.
const EVENT_MEMBERS: [&str; 5] = ["id", "type", "timestamp", "data", "mark"];

/// The longest payload, in bytes.
const MAX_PAYLOAD: usize = 16 * 1024 * 1024;

/// The result of rendering.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Rendered {
    /// The text.
    pub text: String,
    /// Paths missing in the event.
    pub missing: Vec<String>,
    /// Why an expression had no value.
    pub errors: Vec<String>,
}

/// A part of a template.
#[derive(Clone, Debug)]
pub enum Node {
    /// JSON, as written.
    Literal(String),
    /// One expression: the value keeps its JSON type.
    Whole(Term),
    /// Text with expressions.
    Text(Vec<Piece>),
    Array(Vec<Node>),
    Object(Vec<(String, Node)>),
}

/// A part of a text.
#[derive(Clone, Debug)]
pub enum Piece {
    Literal(String),
    Term(Term),
}

/// The content between `{{` and `}}`.
#[derive(Clone, Debug)]
pub enum Term {
    Path(Path),
    Expression(Expression),
}

impl Term {
    /// It, as it is written between the braces.
    #[must_use]
    pub fn source(&self) -> &str {
        match self {
            Self::Path(path) => path.text(),
            Self::Expression(expression) => expression.source(),
        }
    }

    /// The paths that it speaks of.
    #[must_use]
    pub fn paths(&self) -> Vec<Path> {
        match self {
            Self::Path(path) => vec![path.clone()],
            Self::Expression(expression) => expression.paths().to_vec(),
        }
    }

    /// Valid code that is most likely a mistake.
    pub fn warnings(&self) -> impl Iterator<Item = Cow<'_, str>> {
        let (written, of_path) = match self {
            Self::Expression(expression) => (expression.warnings(), None),
            Self::Path(path) => (&[][..], size_of(path.text()).or_else(|| not_of_event(path))),
        };
        written.iter().map(|why| Cow::Borrowed(why.as_str())).chain(of_path.map(Cow::Owned))
    }
}

/// A member that `event` never has.
fn not_of_event(path: &Path) -> Option<String> {
    let member = path.segments().nth(1).filter(|_| path.root() == "event")?;
    (!EVENT_MEMBERS.contains(&member)).then(|| {
        let near = suggestion(member, EVENT_MEMBERS.into_iter());
        format!("event has no {member:?}{near}; it has {}", EVENT_MEMBERS.join(", "))
    })
}

impl Rendered {
    /// Whether the payload exceeds the limit; it is then cut off.
    #[must_use]
    pub fn is_too_large(&self) -> bool {
        self.text.len() > MAX_PAYLOAD
    }
}
