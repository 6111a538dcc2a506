//! Renders a template for an event: the value of each node, and the missing paths.

use super::node::{Node, Piece, Rendered, Term};
use crate::send::language::expression::NoValue;
use crate::send::language::scope::Scope;

/// Writes a node's value for an event.
pub fn write(node: &Node, scope: &Scope, out: &mut Rendered) {
    if out.is_too_large() {
        return;
    }
    match node {
        Node::Literal(json) => out.text.push_str(json),
        Node::Whole(term) => match value(term, scope, out) {
            Some(json) => out.text.push_str(&json),
            None => out.text.push_str("null"),
        },
        Node::Text(pieces) => {
            let text = text_of(pieces, scope, out);
            out.text.push_str(&json_text(&text));
        }
        Node::Array(nodes) => {
            out.text.push('[');
            for (at, node) in nodes.iter().enumerate() {
                if at > 0 {
                    out.text.push(',');
                }
                write(node, scope, out);
            }
            out.text.push(']');
        }
        Node::Object(members) => {
            out.text.push('{');
            for (at, (key, node)) in members.iter().enumerate() {
                if at > 0 {
                    out.text.push(',');
                }
                out.text.push_str(&json_text(key));
                out.text.push(':');
                write(node, scope, out);
            }
            out.text.push('}');
        }
    }
}

fn json_text(text: &str) -> String {
    serde_json::Value::from(text).to_string()
}

/// The JSON of a term; `None` if it has no value, which is recorded.
fn value(term: &Term, scope: &Scope, out: &mut Rendered) -> Option<String> {
    match term {
        Term::Path(path) => match scope.at(path) {
            Some(found) => Some(found.get().to_owned()),
            None => {
                out.missing.push(path.text().to_owned());
                None
            }
        },
        Term::Expression(expression) => match expression.evaluate(scope) {
            Ok(found) => Some(found.get().to_owned()),
            Err(NoValue::Missing(what)) => {
                out.missing.push(what);
                None
            }
            Err(NoValue::Failed(why)) => {
                out.errors.push(why);
                None
            }
        },
    }
}

/// The pieces as one text. Inserted values are never evaluated again: braces in them stay braces.
pub fn text_of(pieces: &[Piece], scope: &Scope, out: &mut Rendered) -> String {
    let mut text = String::new();
    for piece in pieces {
        match piece {
            Piece::Literal(literal) => text.push_str(literal),
            Piece::Term(term) => {
                let json = value(term, scope, out).unwrap_or_default();
                match json.as_bytes().first() {
                    None => {}
                    Some(b'"') => text.push_str(&serde_json::from_str::<String>(&json).unwrap_or_default()),
                    Some(b'{' | b'[') => text.push_str(&compact(&json)),
                    Some(_) if json == "null" => {}
                    Some(_) => text.push_str(&json),
                }
            }
        }
    }
    text
}

/// JSON without the blanks between its tokens; every token stays unchanged.
fn compact(json: &str) -> String {
    let mut text = String::with_capacity(json.len());
    let mut is_inside = false;
    let mut is_escaped = false;
    for letter in json.chars() {
        if is_inside || !letter.is_ascii_whitespace() {
            text.push(letter);
        }
        if is_escaped {
            is_escaped = false;
        } else if letter == '\\' {
            is_escaped = is_inside;
        } else if letter == '"' {
            is_inside = !is_inside;
        }
    }
    text
}
