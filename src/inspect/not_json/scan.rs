//! Walks through text that should be JSON and stops at the first thing that is not, with its place.

use std::fmt;
use std::iter::Peekable;
use std::str::Chars;

use crate::domain::json::pointer;

/// How deep it follows.
const DEEPEST: usize = 128;
/// The longest word that is looked at, in characters.
const LONGEST: usize = 80;

/// What stops a reader of JSON.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SlipKind {
    /// A word where a value belongs.
    Word,
    /// Nothing where a value belongs.
    NoValue,
    /// A name without quotes.
    UnquotedName,
    /// Digits, a comma, digits: a decimal comma.
    DecimalComma,
    /// A comma before a closing bracket.
    TrailingComma,
    /// A control character inside a text.
    RawControl,
    /// Single quotes.
    SingleQuotes,
    /// Typographic quotes.
    CurlyQuotes,
    /// A comment.
    Comment,
    /// Something else where a colon belongs, or nothing.
    NoColon,
    /// Something else where a comma belongs, or nothing.
    NoComma,
    /// Text follows a closing quote.
    RawQuote,
    /// A bracket of the other kind than the one that is open.
    WrongBracket,
    /// A character that is not seen, between values.
    Invisible,
}

/// The first thing that is not JSON.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Slip {
    /// What it is.
    pub kind: SlipKind,
    /// The word, or the character.
    pub word: String,
    /// Where it is.
    pub place: Place,
}

/// A place in a text, counted from 1, and the pointer of the value there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Place {
    line: usize,
    column: usize,
    pointer: String,
}

impl fmt::Display for Place {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "line {}, column {}", self.line, self.column)?;
        if self.pointer.is_empty() { Ok(()) } else { write!(out, " ({})", self.pointer) }
    }
}

/// How far a text that should be JSON can be read.
#[derive(Debug)]
pub struct Scan {
    /// The name of what stopped it, if there is one.
    pub slip: Option<Slip>,
    /// What would close everything that is open at the end; `None` if reading stopped before the end.
    pub closing: Option<String>,
}

/// Reads `text` up to the first slip.
pub fn scan(text: &str) -> Scan {
    let mut scanner = Scanner {
        rest: text.chars().peekable(),
        line: 1,
        column: 1,
        levels: Vec::new(),
        last: String::new(),
    };
    match scanner.document() {
        Stop::Slip(slip) => Scan { slip: Some(slip), closing: None },
        Stop::End(in_text) => {
            let mut closing = String::from(if in_text { "\"" } else { "" });
            closing.extend(scanner.levels.iter().rev().map(|level| if level.is_object { '}' } else { ']' }));
            Scan { slip: None, closing: Some(closing) }
        }
        Stop::Unknown => Scan { slip: None, closing: None },
    }
}

enum Stop {
    Slip(Slip),
    /// The text ends; the flag says that it ends inside a text in quotes.
    End(bool),
    /// Something without a name.
    Unknown,
}

/// What comes next in an object or an array.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Next {
    /// A name, or a value of an array; the bracket may close.
    First,
    /// The same after a comma.
    Another,
    Colon,
    Value,
    Comma,
}

struct Level {
    is_object: bool,
    next: Next,
    name: String,
    index: usize,
}

struct Scanner<'t> {
    rest: Peekable<Chars<'t>>,
    line: usize,
    column: usize,
    levels: Vec<Level>,
    /// The last number, where nothing but a comma came after it.
    last: String,
}

impl Scanner<'_> {
    fn take(&mut self) -> Option<char> {
        let letter = self.rest.next()?;
        if letter == '\n' {
            self.line = self.line.saturating_add(1);
            self.column = 1;
        } else {
            self.column = self.column.saturating_add(1);
        }
        Some(letter)
    }

    fn place(&self) -> Place {
        let step = |level: &Level| match (level.is_object, level.next) {
            (true, Next::Value | Next::Comma) => Some(level.name.clone()),
            (true, _) => None,
            (false, _) => Some(level.index.to_string()),
        };
        let names = self.levels.iter().filter_map(step);
        let pointer = names.fold(String::new(), |above, name| pointer::child(&above, &name));
        Place { line: self.line, column: self.column, pointer }
    }

    fn slip(&self, kind: SlipKind, word: impl Into<String>) -> Stop {
        Stop::Slip(Slip { kind, word: word.into(), place: self.place() })
    }

    fn document(&mut self) -> Stop {
        let mut has_begun = false;
        loop {
            while self.rest.peek().is_some_and(char::is_ascii_whitespace) {
                self.take();
            }
            let Some(letter) = self.rest.peek().copied() else {
                return if has_begun { Stop::End(false) } else { Stop::Unknown };
            };
            if has_begun && self.levels.is_empty() {
                return Stop::Unknown;
            }
            has_begun = true;
            if let Err(stop) = self.step(letter) {
                return stop;
            }
        }
    }

    fn next(&self) -> Next {
        self.levels.last().map_or(Next::Value, |level| level.next)
    }

    fn wants_name(&self) -> bool {
        self.levels
            .last()
            .is_some_and(|level| level.is_object && matches!(level.next, Next::First | Next::Another))
    }

    fn wants_value(&self) -> bool {
        match self.levels.last() {
            None => true,
            Some(level) if level.is_object => level.next == Next::Value,
            Some(level) => matches!(level.next, Next::First | Next::Another),
        }
    }

    fn had_value(&mut self) {
        if let Some(level) = self.levels.last_mut() {
            level.next = Next::Comma;
        }
    }

    fn step(&mut self, letter: char) -> Result<(), Stop> {
        match letter {
            letter if is_invisible(letter) => {
                Err(self.slip(SlipKind::Invisible, format!("U+{:04X}", u32::from(letter))))
            }
            '“' | '”' | '„' | '«' | '‘' | '’' if self.wants_name() || self.wants_value() => {
                Err(self.slip(SlipKind::CurlyQuotes, letter))
            }
            '=' if self.next() == Next::Colon => Err(self.slip(SlipKind::NoColon, self.ahead())),
            '"' | '{' | '[' if self.next() == Next::Colon => Err(self.slip(SlipKind::NoColon, "")),
            ';' if self.next() == Next::Comma => Err(self.slip(SlipKind::NoComma, letter)),
            '"' | '{' | '[' if self.next() == Next::Comma => Err(self.slip(SlipKind::NoComma, "")),
            '"' if self.wants_name() || self.wants_value() => self.text(),
            '{' | '[' if self.wants_value() => {
                if self.levels.len() >= DEEPEST {
                    return Err(Stop::Unknown);
                }
                self.take();
                let is_object = letter == '{';
                self.levels.push(Level { is_object, next: Next::First, name: String::new(), index: 0 });
                Ok(())
            }
            '}' | ']' => self.close(letter),
            ':' if self.next() == Next::Colon => {
                self.take();
                self.expect(Next::Value);
                Ok(())
            }
            ',' => self.comma(),
            '\'' if self.wants_name() || self.wants_value() => Err(self.slip(SlipKind::SingleQuotes, "'")),
            '/' if self.is_comment() => Err(self.slip(SlipKind::Comment, "//")),
            '{' | '[' | ':' | '"' => Err(Stop::Unknown),
            _ => self.word(),
        }
    }

    /// The word that begins here: up to a blank or a sign of JSON.
    fn ahead(&self) -> String {
        let mut ahead = self.rest.clone();
        let is_inside = |letter: &char| {
            !letter.is_whitespace() && !is_invisible(*letter) && !",:;{}[]\"".contains(*letter)
        };
        std::iter::from_fn(|| ahead.next_if(is_inside)).take(LONGEST).collect()
    }

    fn is_comment(&self) -> bool {
        let mut ahead = self.rest.clone();
        ahead.next();
        matches!(ahead.next(), Some('/' | '*'))
    }

    fn expect(&mut self, next: Next) {
        if let Some(level) = self.levels.last_mut() {
            level.next = next;
        }
    }

    fn close(&mut self, letter: char) -> Result<(), Stop> {
        let Some(level) = self.levels.last() else { return Err(Stop::Unknown) };
        match level.next {
            Next::Value => Err(self.slip(SlipKind::NoValue, "")),
            Next::Another => Err(self.slip(SlipKind::TrailingComma, ",")),
            _ if level.is_object != (letter == '}') => Err(self.slip(SlipKind::WrongBracket, letter)),
            Next::Colon => Err(Stop::Unknown),
            Next::First | Next::Comma => {
                self.take();
                self.levels.pop();
                self.had_value();
                self.last.clear();
                Ok(())
            }
        }
    }

    fn comma(&mut self) -> Result<(), Stop> {
        match self.levels.last().map(|level| (level.is_object, level.next)) {
            Some((_, Next::Comma)) => {
                self.take();
                if let Some(level) = self.levels.last_mut() {
                    level.next = Next::Another;
                    level.index = level.index.saturating_add(1);
                }
                Ok(())
            }
            Some((true, Next::Value) | (false, Next::Another | Next::First)) => {
                Err(self.slip(SlipKind::NoValue, ""))
            }
            _ => Err(Stop::Unknown),
        }
    }

    fn text(&mut self) -> Result<(), Stop> {
        let is_name = self.wants_name();
        self.take();
        let mut text = String::new();
        loop {
            let Some(letter) = self.rest.peek().copied() else { return Err(Stop::End(true)) };
            if letter < ' ' {
                return Err(self.slip(SlipKind::RawControl, letter));
            }
            self.take();
            match letter {
                '"' => break,
                '\\' => {
                    text.push(letter);
                    text.extend(self.take());
                }
                _ => text.push(letter),
            }
        }
        self.last.clear();
        if self.rest.peek().is_some_and(|letter| letter.is_alphanumeric()) {
            return Err(self.slip(SlipKind::RawQuote, self.ahead()));
        }
        match self.levels.last_mut().filter(|_| is_name) {
            Some(level) => {
                level.name = text;
                level.next = Next::Colon;
            }
            None => self.had_value(),
        }
        Ok(())
    }

    fn word(&mut self) -> Result<(), Stop> {
        let word = self.ahead();
        let is_digits = !word.is_empty() && word.bytes().all(|byte| byte.is_ascii_digit());
        if self.wants_name() {
            if is_digits && !self.last.is_empty() {
                let number = format!("{},{word}", self.last);
                return Err(self.slip(SlipKind::DecimalComma, number));
            }
            // {% … %} is a template.
            return Err(if word.is_empty() || word.starts_with('%') {
                Stop::Unknown
            } else {
                self.slip(SlipKind::UnquotedName, word)
            });
        }
        if !self.wants_value() || word.is_empty() {
            return Err(Stop::Unknown);
        }
        let is_number = serde_json::from_str::<serde_json::Number>(&word).is_ok();
        let is_cut = ["true", "false", "null"].iter().any(|known| known.starts_with(&word))
            && self.rest.clone().nth(word.chars().count()).is_none();
        if !is_number && !is_cut && !matches!(word.as_str(), "true" | "false" | "null") {
            return Err(self.slip(SlipKind::Word, word));
        }
        for _ in word.chars() {
            self.take();
        }
        self.last = if is_number { word } else { String::new() };
        self.had_value();
        Ok(())
    }
}

/// Blanks that are none in JSON, and characters without a shape.
pub const fn is_invisible(letter: char) -> bool {
    matches!(
        letter,
        '\u{a0}' | '\u{ad}' | '\u{2000}'..='\u{200f}' | '\u{2028}'..='\u{202f}' | '\u{205f}' | '\u{2060}' | '\u{3000}' | '\u{feff}'
    )
}
