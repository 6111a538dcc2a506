//! Writes a document in a layout.

use super::document::Node;
use super::style::{Empty, Layout, Lists};

/// A document whose strings and other tokens are already written.
pub struct Writer<'d> {
    pub strings: &'d [String],
    pub tokens: &'d [String],
    pub layout: &'static Layout,
}

impl Writer<'_> {
    /// The document, followed by its ending.
    pub fn write(&self, root: &Node, ending: &str) -> String {
        let mut out = String::new();
        self.value(root, 0, &mut out);
        out.push_str(ending);
        out
    }

    fn value(&self, node: &Node, depth: usize, out: &mut String) {
        let words = self.layout.words;
        match node {
            Node::String(string) => out.push_str(self.string(*string)),
            Node::Token(token) => {
                let token = self.tokens.get(*token).map_or("", String::as_str);
                out.push_str(match token {
                    "true" => words.yes,
                    "false" => words.no,
                    "null" => words.null,
                    other => other,
                });
            }
            Node::List(items) => {
                let one = |item: &Node, depth: usize, out: &mut String| self.value(item, depth, out);
                self.list(items, depth, one, out);
            }
            Node::Object(_) if words.is_opaque => out.extend([words.object.0, words.object.1]),
            Node::Object(members) => {
                let one = |(name, value): &(usize, Node), depth: usize, out: &mut String| {
                    out.push_str(self.string(*name));
                    out.push_str(self.layout.colon);
                    self.value(value, depth, out);
                };
                let on_lines = matches!(self.layout.empty, Empty::OnLines { .. }).then_some("");
                self.items(members, words.object, on_lines, depth, one, out);
            }
        }
    }

    fn string(&self, string: usize) -> &str {
        self.strings.get(string).map_or("", String::as_str)
    }

    fn list(&self, items: &[Node], depth: usize, one: impl Fn(&Node, usize, &mut String), out: &mut String) {
        let Lists::OneLine { open, comma, close, is_level } = &self.layout.lists else {
            let on_lines = match self.layout.empty {
                Empty::OnLines { lists } => lists,
                Empty::Closed | Empty::WithBlank => None,
            };
            return self.items(items, self.layout.words.list, on_lines, depth, one, out);
        };
        if items.is_empty() {
            return self.empty(self.layout.words.list, None, depth, out);
        }
        out.push_str(open);
        for (at, item) in items.iter().enumerate() {
            if at > 0 {
                out.push_str(comma);
            }
            one(item, depth.saturating_add(usize::from(*is_level)), out);
        }
        out.push_str(close);
    }

    fn items<T>(
        &self,
        items: &[T],
        brackets: (&str, &str),
        on_lines: Option<&str>,
        depth: usize,
        one: impl Fn(&T, usize, &mut String),
        out: &mut String,
    ) {
        if items.is_empty() {
            return self.empty(brackets, on_lines, depth, out);
        }
        out.push_str(brackets.0);
        let inside = depth.saturating_add(1);
        for (at, item) in items.iter().enumerate() {
            if at > 0 {
                out.push_str(self.layout.comma);
            }
            self.line(inside, out);
            one(item, inside, out);
        }
        self.line(depth, out);
        out.push_str(brackets.1);
    }

    fn empty(&self, brackets: (&str, &str), on_lines: Option<&str>, depth: usize, out: &mut String) {
        out.push_str(brackets.0);
        if self.layout.empty == Empty::WithBlank {
            out.push(' ');
        }
        if let Some(before) = on_lines {
            out.push_str(before);
            self.line(depth, out);
        }
        out.push_str(brackets.1);
    }

    fn line(&self, depth: usize, out: &mut String) {
        if let Some((indent, line)) = self.layout.lines {
            out.push_str(line);
            out.extend(std::iter::repeat_n(indent, depth));
        }
    }
}
