//! Splits any bytes into JSON tokens (RFC 8259): nothing is rejected, nothing is lost.

/// The kind of a token.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// `{`
    ObjectStart,
    /// `}`
    ObjectEnd,
    /// `[`
    ArrayStart,
    /// `]`
    ArrayEnd,
    /// `:`
    Colon,
    /// `,`
    Comma,
    /// A string with its quotes; the closing quote may be missing at the end of the bytes.
    String,
    /// Anything else up to the next blank or sign: a number, a literal, or invalid text.
    Word,
}

/// A token and its place.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Token {
    /// What it is.
    pub kind: Kind,
    /// Its first byte.
    pub start: usize,
    /// The byte after its last one.
    pub end: usize,
}

impl Token {
    /// Its bytes.
    #[must_use]
    pub fn of<'b>(&self, bytes: &'b [u8]) -> &'b [u8] {
        bytes.get(self.start..self.end).unwrap_or_default()
    }
}

/// The tokens of some bytes, separated only by blanks.
pub struct Lexer<'b> {
    bytes: &'b [u8],
    at: usize,
}

impl<'b> Lexer<'b> {
    /// Starts at the byte `at`.
    #[must_use]
    pub const fn new(bytes: &'b [u8], at: usize) -> Self {
        Self { bytes, at }
    }

    fn peek(&self) -> Option<u8> {
        self.bytes.get(self.at).copied()
    }

    fn skip_while(&mut self, wanted: impl Fn(u8) -> bool) {
        while self.peek().is_some_and(&wanted) {
            self.at = self.at.saturating_add(1);
        }
    }

    fn string(&mut self) {
        self.at = self.at.saturating_add(1);
        let rest = self.bytes.get(self.at..).unwrap_or_default();
        let mut from = 0_usize;
        while let Some(found) = memchr::memchr2(b'"', b'\\', rest.get(from..).unwrap_or_default()) {
            let here = from.saturating_add(found);
            if rest.get(here) == Some(&b'"') {
                self.at = self.at.saturating_add(here).saturating_add(1);
                return;
            }
            from = here.saturating_add(2);
        }
        self.at = self.bytes.len();
    }
}

const fn is_blank(byte: u8) -> bool {
    matches!(byte, b' ' | b'\t' | b'\n' | b'\r')
}

impl Iterator for Lexer<'_> {
    type Item = Token;

    fn next(&mut self) -> Option<Token> {
        self.skip_while(is_blank);
        let start = self.at;
        let kind = match self.peek()? {
            b'{' => Kind::ObjectStart,
            b'}' => Kind::ObjectEnd,
            b'[' => Kind::ArrayStart,
            b']' => Kind::ArrayEnd,
            b':' => Kind::Colon,
            b',' => Kind::Comma,
            b'"' => {
                self.string();
                return Some(Token { kind: Kind::String, start, end: self.at });
            }
            _ => {
                self.skip_while(|byte| !is_blank(byte) && !b"{}[]:,\"".contains(&byte));
                return Some(Token { kind: Kind::Word, start, end: self.at });
            }
        };
        self.at = self.at.saturating_add(1);
        Some(Token { kind, start, end: self.at })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(text: &str) -> Vec<&str> {
        Lexer::new(text.as_bytes(), 0).map(|token| text.get(token.start..token.end).unwrap()).collect()
    }

    #[test]
    fn tokens_are_cut_as_they_stand() {
        assert_eq!(
            words(r#" {"a\"b" : [1.0,1e2 ,"\\"], "c":nul"#),
            ["{", r#""a\"b""#, ":", "[", "1.0", ",", "1e2", ",", r#""\\""#, "]", ",", r#""c""#, ":", "nul"]
        );
        assert_eq!(words(r#""open \""#), [r#""open \""#]);
        assert_eq!(words("\"\\"), ["\"\\"]);
        assert!(words("").is_empty());
    }
}
