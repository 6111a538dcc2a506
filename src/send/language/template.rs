//! Payload templates. Substitution works on the parsed tree, never on text, so no event can change the structure of a
//! payload.

mod node;
mod render;

use std::borrow::Cow;

use serde_json::value::RawValue;

pub use self::node::Rendered;
use self::node::{Node, Piece, Term};
use super::expression::Expression;
use super::scope::Scope;
use crate::domain::json::{Path, members, pointer};

/// What begins and ends a placeholder of other template languages.
const FOREIGN: [(&str, &str); 3] = [("${", "}"), ("{%", "%}"), ("<%", "%>")];

/// A fault in a compiled template or filter, and its place.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fault {
    /// JSON pointer relative to the compiled value.
    pub pointer: String,
    /// One sentence.
    pub message: String,
}

/// A compiled template.
#[derive(Clone, Debug)]
pub struct Template(Node);

impl Template {
    /// Compiles the JSON of a template; the warnings name valid but unusual parts.
    ///
    /// # Errors
    /// Every fault with its place: an unclosed `{{`, an empty one, an invalid expression.
    pub fn compile(template: &RawValue) -> Result<(Self, Vec<String>), Vec<Fault>> {
        let mut compiler = Compiler::default();
        let node = compiler.node(template, "");
        if compiler.faults.is_empty() { Ok((Self(node), compiler.warnings)) } else { Err(compiler.faults) }
    }

    /// The payload for an event: valid JSON, members in the template's order.
    #[must_use]
    pub fn render(&self, scope: &Scope) -> Rendered {
        let mut rendered = Rendered::default();
        render::write(&self.0, scope, &mut rendered);
        rendered
    }

    /// Every expression in it, with its place.
    #[must_use]
    pub fn uses(&self) -> Vec<Use> {
        let mut uses = Vec::new();
        visit(&self.0, "", &mut |pointer, term| {
            let (source, paths) = (term.source().to_owned(), term.paths());
            uses.push(Use { pointer: pointer.to_owned(), source, paths });
        });
        uses
    }

    /// The top-level event members that its paths start with.
    #[must_use]
    pub fn roots(&self) -> Vec<&str> {
        let mut roots = Vec::new();
        visit(&self.0, "", &mut |_, term| {
            if let Term::Path(path) = term {
                roots.push(path.root());
            }
        });
        roots
    }
}

/// An expression of a template.
#[derive(Clone, Debug)]
pub struct Use {
    /// JSON pointer to the value that it is in.
    pub pointer: String,
    /// It, as it is written.
    pub source: String,
    /// The paths that it speaks of.
    pub paths: Vec<Path>,
}

/// A text with expressions: the value of a header.
#[derive(Clone, Debug)]
pub struct TextTemplate(Vec<Piece>);

impl TextTemplate {
    /// Compiles `text`.
    ///
    /// # Errors
    /// As `Template::compile`.
    pub fn compile(text: &str) -> Result<Self, Vec<Fault>> {
        let mut compiler = Compiler::default();
        let pieces = compiler.pieces(text, "");
        if compiler.faults.is_empty() { Ok(Self(pieces)) } else { Err(compiler.faults) }
    }

    /// Whether its text depends on the event.
    #[must_use]
    pub fn has_terms(&self) -> bool {
        self.0.iter().any(|piece| matches!(piece, Piece::Term(_)))
    }

    /// Valid code in its expressions that is most likely a mistake.
    pub fn warnings(&self) -> impl Iterator<Item = Cow<'_, str>> {
        let terms = self.0.iter().filter_map(|piece| match piece {
            Piece::Term(term) => Some(term),
            Piece::Literal(_) => None,
        });
        terms.flat_map(Term::warnings)
    }

    /// The text for an event.
    #[must_use]
    pub fn render(&self, scope: &Scope) -> Rendered {
        let mut rendered = Rendered::default();
        rendered.text = render::text_of(&self.0, scope, &mut rendered);
        rendered
    }
}

#[derive(Default)]
struct Compiler {
    faults: Vec<Fault>,
    warnings: Vec<String>,
}

impl Compiler {
    fn node(&mut self, raw: &RawValue, pointer: &str) -> Node {
        match raw.get().as_bytes().first() {
            Some(b'{') => {
                let found = members(raw).unwrap_or_default();
                Node::Object(
                    found
                        .into_iter()
                        .map(|(key, value)| {
                            let place = pointer::child(pointer, &key);
                            let node = self.node(&value, &place);
                            self.look_at(&key, &value, pointer);
                            self.look_at_name(&key, pointer);
                            (key, node)
                        })
                        .collect(),
                )
            }
            Some(b'[') => {
                let items: Vec<&RawValue> = serde_json::from_str(raw.get()).unwrap_or_default();
                let node = |(at, item): (usize, &&RawValue)| self.node(item, &format!("{pointer}/{at}"));
                Node::Array(items.iter().enumerate().map(node).collect())
            }
            Some(b'"') => self.text(raw, pointer),
            _ => Node::Literal(raw.get().to_owned()),
        }
    }

    fn text(&mut self, raw: &RawValue, pointer: &str) -> Node {
        let text: String = serde_json::from_str(raw.get()).unwrap_or_default();
        if !text.contains("{{") {
            let is_foreign = |(open, close): &(&str, &str)| {
                text.split_once(open).is_some_and(|(_, after)| after.contains(close))
            };
            if FOREIGN.iter().any(is_foreign) {
                self.warnings.push(format!("payload_template{pointer}: {text:?} is sent unchanged; a value is written {{{{data.value}}}}"));
            }
            return Node::Literal(raw.get().to_owned());
        }
        let mut pieces = self.pieces(&text, pointer);
        match pieces.pop() {
            Some(Piece::Term(only)) if pieces.is_empty() => Node::Whole(only),
            Some(last) => {
                pieces.push(last);
                Node::Text(pieces)
            }
            None => Node::Literal(raw.get().to_owned()),
        }
    }

    fn pieces(&mut self, text: &str, pointer: &str) -> Vec<Piece> {
        let mut pieces = Vec::new();
        let mut rest = text;
        while let Some((before, after)) = rest.split_once("{{") {
            let position = text.len().saturating_sub(after.len()).saturating_sub(2);
            if !before.is_empty() {
                pieces.push(Piece::Literal(before.to_owned()));
            }
            let Some(end) = closing(after) else {
                self.fault(pointer, format!("{{{{ at character {position} is never closed"));
                return pieces;
            };
            let (inside, closed) = after.split_at_checked(end).unwrap_or((after, ""));
            match term(inside) {
                Ok(term) => {
                    let place = format!("payload_template{pointer}: {{{{{inside}}}}}");
                    self.warnings.extend(term.warnings().map(|why| format!("{place}: {why}")));
                    pieces.push(Piece::Term(term));
                }
                Err(why) => self.fault(pointer, format!("{{{{{inside}}}}} at character {position}: {why}")),
            }
            rest = closed.get(2..).unwrap_or_default();
        }
        if !rest.is_empty() {
            pieces.push(Piece::Literal(rest.to_owned()));
        }
        pieces
    }

    fn fault(&mut self, pointer: &str, message: String) {
        self.faults.push(Fault { pointer: pointer.to_owned(), message });
    }

    fn look_at_name(&mut self, key: &str, pointer: &str) {
        if key.contains("{{") {
            self.warnings.push(format!(
                "payload_template{pointer}: the name {key:?} is sent unchanged; only values can be templates"
            ));
        }
    }

    /// Warns about values that well-known receivers do not understand.
    fn look_at(&mut self, key: &str, value: &RawValue, pointer: &str) {
        if key == "ts" && value.get().contains("{{event.timestamp}}") {
            self.warnings.push(format!(
                "payload_template{pointer}/ts: Slack wants epoch seconds; {{{{epoch(event.timestamp)}}}} gives them"
            ));
        }
        if key == "@type" && value.get() == "\"MessageCard\"" {
            self.warnings.push(format!(
                "payload_template{pointer}/@type: Microsoft has retired MessageCard connectors; the Teams preset sends an Adaptive Card"
            ));
        }
    }
}

/// The position of the `}}` that closes an expression; one inside a CEL string or map does not count.
fn closing(after: &str) -> Option<usize> {
    let mut quote = None;
    let mut depth = 0_usize;
    let mut letters = after.char_indices().peekable();
    while let Some((at, letter)) = letters.next() {
        match (quote, letter) {
            (Some(_), '\\') => {
                letters.next();
            }
            (Some(mark), letter) if letter == mark => quote = None,
            (Some(_), _) => {}
            (None, '"' | '\'') => quote = Some(letter),
            (None, '{') => depth = depth.saturating_add(1),
            (None, '}') if depth > 0 => depth = depth.saturating_sub(1),
            (None, '}') if letters.peek().is_some_and(|(_, next)| *next == '}') => return Some(at),
            (None, _) => {}
        }
    }
    // An apostrophe in text that is not CEL, as in {{user's}}: use the first `}}`.
    after.find("}}")
}

fn term(inside: &str) -> Result<Term, String> {
    if inside.trim().is_empty() {
        return Err("is empty; a path as user.email, or a CEL expression".to_owned());
    }
    let braced = inside
        .trim()
        .strip_prefix('{')
        .and_then(|inside| inside.strip_suffix('}'))
        .map(str::trim)
        .filter(|inside| Path::read(inside).is_some());
    if let Some(path) = braced {
        return Err(format!("three braces belong to other template languages; write {{{{{path}}}}}"));
    }
    match Path::read(inside) {
        Some(path) => Ok(Term::Path(path)),
        None => Expression::compile(inside.trim()).map(Term::Expression),
    }
}

/// Calls `each` for every expression, with the pointer of the value that it is in.
fn visit<'n>(node: &'n Node, pointer: &str, each: &mut impl FnMut(&str, &'n Term)) {
    match node {
        Node::Literal(_) => {}
        Node::Whole(term) => each(pointer, term),
        Node::Text(pieces) => {
            for piece in pieces {
                if let Piece::Term(term) = piece {
                    each(pointer, term);
                }
            }
        }
        Node::Array(nodes) => {
            for (at, node) in nodes.iter().enumerate() {
                visit(node, &format!("{pointer}/{at}"), each);
            }
        }
        Node::Object(members) => {
            for (name, node) in members {
                visit(node, &pointer::child(pointer, name), each);
            }
        }
    }
}

#[cfg(test)]
mod tests;
