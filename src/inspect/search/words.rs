//! Cuts what was typed into words.

use std::fmt;

/// Why a search cannot be read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SearchFault {
    /// Where, in characters from the start.
    pub at: usize,
    /// What is wrong.
    pub message: String,
    /// What was probably meant.
    pub meant: Option<Meant>,
    /// The values that are possible there.
    pub expected: Option<String>,
}

/// What was probably meant by a search that cannot be read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Meant {
    /// The word in place of the wrong one.
    pub word: String,
    /// The whole search with it.
    pub search: String,
}

impl fmt::Display for SearchFault {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{}", self.message)?;
        if let Some(meant) = &self.meant {
            write!(out, "; did you mean “{}”?", meant.word)?;
        }
        if let Some(expected) = &self.expected {
            write!(out, "{} {expected}", if self.meant.is_some() { "" } else { ":" })?;
        }
        write!(out, " (at character {})", self.at.saturating_add(1))
    }
}

/// A word and its place, in characters from the start.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Word {
    pub at: usize,
    /// The place after its last character.
    pub end: usize,
    pub kind: Kind,
}

/// What a word is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Kind {
    Open,
    Close,
    And,
    Or,
    /// `NOT`, or a minus right before what follows.
    Not,
    /// Text as it was typed, and whether it stood in quotes.
    Text {
        text: String,
        is_quoted: bool,
    },
    /// `name:value`, the value as it was typed.
    Field {
        name: String,
        value: String,
        is_quoted: bool,
    },
}

/// The words of `text`.
pub fn words(text: &str) -> Result<Vec<Word>, SearchFault> {
    let mut reader = Reader { letters: text.chars().collect(), at: 0, depth: 0 };
    let mut words = Vec::new();
    while let Some(word) = reader.word()? {
        words.push(word);
    }
    Ok(words)
}

struct Reader {
    letters: Vec<char>,
    at: usize,
    /// Brackets that are open.
    depth: usize,
}

impl Reader {
    fn peek(&self) -> Option<char> {
        self.letters.get(self.at).copied()
    }

    fn next(&mut self) -> Option<char> {
        let letter = self.peek()?;
        self.at = self.at.saturating_add(1);
        Some(letter)
    }

    fn word(&mut self) -> Result<Option<Word>, SearchFault> {
        while self.peek().is_some_and(char::is_whitespace) {
            self.next();
        }
        let at = self.at;
        let Some(first) = self.peek() else { return Ok(None) };
        let kind = match first {
            '(' => {
                self.next();
                self.depth = self.depth.saturating_add(1);
                Kind::Open
            }
            ')' if self.depth > 0 => {
                self.next();
                self.depth = self.depth.saturating_sub(1);
                Kind::Close
            }
            '-' if self.letters.get(at.saturating_add(1)).is_some_and(|after| !after.is_whitespace()) => {
                self.next();
                Kind::Not
            }
            '"' => Kind::Text { text: self.quoted()?, is_quoted: true },
            _ => self.bare()?,
        };
        Ok(Some(Word { at, end: self.at, kind }))
    }

    /// Text up to the closing quote; a backslash takes what follows as it is.
    fn quoted(&mut self) -> Result<String, SearchFault> {
        let at = self.at;
        self.next();
        let mut text = String::new();
        while let Some(letter) = self.next() {
            match letter {
                '"' => return Ok(text),
                '\\' => text.extend(self.next()),
                other => text.push(other),
            }
        }
        Err(SearchFault { at, message: "This quote is not closed".to_owned(), meant: None, expected: None })
    }

    /// Up to a blank, or a bracket that closes what is open; after `name:` a quote begins the value.
    fn bare(&mut self) -> Result<Kind, SearchFault> {
        let mut text = String::new();
        let mut inner = 0_usize;
        while let Some(letter) = self.peek() {
            match letter {
                _ if letter.is_whitespace() => break,
                ')' if inner == 0 && self.depth > 0 => break,
                ')' => inner = inner.saturating_sub(1),
                '(' => inner = inner.saturating_add(1),
                ':' if is_name(&text) => {
                    self.next();
                    return self.value(text);
                }
                _ => {}
            }
            text.push(letter);
            self.next();
        }
        Ok(match text.as_str() {
            "AND" | "&&" => Kind::And,
            "OR" | "||" => Kind::Or,
            "NOT" => Kind::Not,
            _ => Kind::Text { text, is_quoted: false },
        })
    }

    fn value(&mut self, name: String) -> Result<Kind, SearchFault> {
        if self.peek() == Some('"') {
            return Ok(Kind::Field { name, value: self.quoted()?, is_quoted: true });
        }
        let mut value = String::new();
        while let Some(letter) = self.peek() {
            if letter.is_whitespace() || (letter == ')' && self.depth > 0) {
                break;
            }
            value.push(letter);
            self.next();
        }
        // A URL, not a field.
        if value.starts_with("//") {
            return Ok(Kind::Text { text: format!("{name}:{value}"), is_quoted: false });
        }
        Ok(Kind::Field { name, value, is_quoted: false })
    }
}

/// Whether text before a colon is meant as a field's name. Two letters are more often part of an address.
fn is_name(text: &str) -> bool {
    let is_short = |text: &str| matches!(text, "id" | "ip");
    let header = text.strip_prefix("header.");
    header.is_some_and(|name| !name.is_empty())
        || is_short(text)
        || (text.len() > 2 && text.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'_'))
}

/// The words that ask for `field` being exactly `value`.
#[must_use]
pub fn term(field: &str, value: &str) -> String {
    format!("{field}:{}", quoted(value))
}

/// A value that is read back as it is, in quotes where it needs them.
#[must_use]
pub fn quoted(value: &str) -> String {
    let is_plain = |letter: char| letter.is_alphanumeric() || "._-/+@=:%,#".contains(letter);
    if !value.is_empty() && value.chars().all(is_plain) {
        return value.to_owned();
    }
    format!("\"{}\"", value.replace('\\', "\\\\").replace('"', "\\\""))
}
