//! A parsed JSON value, with numbers and strings as written.

use std::iter::Peekable;

use super::lexer::{Kind, Lexer, Token};
use super::text::ends_with_quote;

/// The deepest nesting that is parsed.
const MAX_DEPTH: usize = 100;

/// A JSON value with its tokens as written.
pub enum Tree<'j> {
    /// A number, `true`, `false` or `null`.
    Token(&'j str),
    /// A string, between its quotes.
    Text(&'j str),
    /// An array.
    List(Vec<Self>),
    /// An object; a duplicate name occurs twice here.
    Object(Vec<(&'j str, Self)>),
}

impl<'j> Tree<'j> {
    /// Reads a whole document; `None` if it is not JSON, or too deep.
    #[must_use]
    pub fn read(text: &'j str) -> Option<Self> {
        let mut reader = Reader { text, tokens: Lexer::new(text.as_bytes(), 0).peekable() };
        let value = reader.value(0)?;
        reader.tokens.next().is_none().then_some(value)
    }
}

struct Reader<'j> {
    text: &'j str,
    tokens: Peekable<Lexer<'j>>,
}

impl<'j> Reader<'j> {
    fn take(&mut self, kind: Kind) -> bool {
        self.tokens.next_if(|token| token.kind == kind).is_some()
    }

    fn value(&mut self, depth: usize) -> Option<Tree<'j>> {
        if depth > MAX_DEPTH {
            return None;
        }
        let token = self.tokens.next()?;
        match token.kind {
            Kind::Word => self.written(token).map(Tree::Token),
            Kind::String => self.between_quotes(token).map(Tree::Text),
            Kind::ArrayStart => {
                let mut items = Vec::new();
                while !self.take(Kind::ArrayEnd) {
                    if !items.is_empty() && !self.take(Kind::Comma) {
                        return None;
                    }
                    items.push(self.value(depth.saturating_add(1))?);
                }
                Some(Tree::List(items))
            }
            Kind::ObjectStart => {
                let mut members = Vec::new();
                while !self.take(Kind::ObjectEnd) {
                    if !members.is_empty() && !self.take(Kind::Comma) {
                        return None;
                    }
                    let name = self.tokens.next_if(|token| token.kind == Kind::String)?;
                    let name = self.between_quotes(name).filter(|_| self.take(Kind::Colon))?;
                    members.push((name, self.value(depth.saturating_add(1))?));
                }
                Some(Tree::Object(members))
            }
            Kind::ObjectEnd | Kind::ArrayEnd | Kind::Colon | Kind::Comma => None,
        }
    }

    fn written(&self, token: Token) -> Option<&'j str> {
        self.text.get(token.start..token.end)
    }

    fn between_quotes(&self, token: Token) -> Option<&'j str> {
        let inner = self.written(token)?.strip_prefix('"')?;
        ends_with_quote(inner.as_bytes()).then(|| inner.strip_suffix('"')).flatten()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_no_json_is_left_alone() {
        for text in ["", "{", "[1,]x", "{\"a\"}", "\"abc", "\"a\\\"", "[1 2]", "[1]2", &"[".repeat(100_000)] {
            assert!(Tree::read(text).is_none(), "{}", text.len());
        }
        assert!(matches!(Tree::read(" \"a\\\\\" "), Some(Tree::Text("a\\\\"))));
        assert!(matches!(Tree::read("\"\""), Some(Tree::Text(""))));
    }
}
