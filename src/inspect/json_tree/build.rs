//! Makes the rows in one pass over the tokens, with a stack of its own: 500,000 nested brackets need no deep recursion.

use std::collections::HashMap;

use super::expect::Expect;
use super::leaf::{MAX_STRING, leaf};
use super::place::{MAX_POINTER, names_secret, names_secret_within, path_of, start_of};
use super::rows::{Leaf, Node, Row, Tree};
use crate::domain::json::{Kind, Lexer, Token, key_text, pointer, read_string, without_mark};
use crate::domain::{Fault, pieces};

/// The most rows of a page.
const MAX_ROWS: usize = 2_000;
/// The most members or items of one object or array that are shown at once.
const WINDOW: usize = 200;
/// Deeper values are only counted.
const MAX_DEPTH: usize = 64;
/// How much of the text after the JSON is shown, in bytes.
const MAX_REST: usize = 200;

/// Which part of a tree.
#[derive(Clone, Copy, Debug, Default)]
pub struct Wish<'f> {
    /// The first byte of the value that is wanted; 0: the whole.
    pub at: usize,
    /// The first member or item of it that is shown.
    pub offset: usize,
    /// The faults that the checks found, by place.
    pub faults: &'f [Fault],
}

/// The tree of `bytes`.
#[must_use]
pub fn tree(bytes: &[u8], wish: Wish<'_>) -> Tree {
    let start = bytes.len().saturating_sub(without_mark(bytes).len());
    let mut builder = Builder::new(bytes, wish);
    if start > 0 && wish.at == 0 {
        builder.notes.push("a byte order mark precedes it".to_owned());
    }
    let mut end = start;
    for token in Lexer::new(bytes, start) {
        end = token.end;
        if let Err(message) = builder.take(token) {
            builder.breaks(token.start, message);
            return builder.tree;
        }
        if builder.is_through {
            return builder.tree;
        }
    }
    if builder.expect != Expect::End {
        let message = if end == start && builder.stack.is_empty() {
            "nothing is here"
        } else {
            "the text ends here, and the value does not"
        };
        builder.breaks(bytes.len(), message.to_owned());
    }
    builder.tree
}

/// An object or array that is not closed yet. It is small: a body of 4 MiB may have four million of them.
struct Frame {
    is_object: bool,
    count: u32,
}

/// What is shown of one.
struct Shown {
    /// How many are not closed up to it.
    level: usize,
    /// Its first byte.
    start: usize,
    /// Its row.
    row: usize,
    depth: usize,
    /// `false`: a leaf, which represents everything that is too deep.
    is_open: bool,
    /// The first member or item that is shown, and how many are.
    offset: usize,
    shown: usize,
    /// The keys so far with their rows; `None`: not on this page.
    keys: HashMap<String, Option<usize>>,
}

struct Builder<'b> {
    bytes: &'b [u8],
    wish: Wish<'b>,
    tree: Tree,
    stack: Vec<Frame>,
    shown: Vec<Shown>,
    expect: Expect,
    pointer: String,
    /// The key of the member whose value comes.
    key: Option<Token>,
    /// Notes for the first row.
    notes: Vec<String>,
    has_begun: bool,
    is_through: bool,
}

/// A value's place in its parent.
#[derive(Clone, Copy)]
struct Place {
    index: usize,
    key: Option<Token>,
}

impl<'b> Builder<'b> {
    fn new(bytes: &'b [u8], wish: Wish<'b>) -> Self {
        Self {
            bytes,
            wish,
            tree: Tree::default(),
            stack: Vec::new(),
            shown: Vec::new(),
            expect: Expect::Value,
            pointer: String::new(),
            key: None,
            notes: Vec::new(),
            has_begun: false,
            is_through: false,
        }
    }

    fn take(&mut self, token: Token) -> Result<(), String> {
        let is_value = matches!(token.kind, Kind::String | Kind::Word | Kind::ObjectStart | Kind::ArrayStart);
        match (self.expect, token.kind) {
            (Expect::Value | Expect::ValueOrEnd, _) if is_value => {
                self.value(token);
                Ok(())
            }
            (Expect::ValueOrEnd, Kind::ArrayEnd) | (Expect::KeyOrEnd, Kind::ObjectEnd) => {
                self.close(token.end);
                Ok(())
            }
            (Expect::Key | Expect::KeyOrEnd, Kind::String) => {
                self.key = Some(token);
                self.expect = Expect::Colon;
                Ok(())
            }
            (Expect::Colon, Kind::Colon) => {
                self.expect = Expect::Value;
                Ok(())
            }
            (Expect::CommaOrEnd, _) => self.after_value(token),
            (Expect::End, _) => Err("the value has ended, and this comes after it".to_owned()),
            (expect, _) => Err(format!("{} is expected here", expect.as_str())),
        }
    }

    fn after_value(&mut self, token: Token) -> Result<(), String> {
        let is_object = self.stack.last().is_some_and(|frame| frame.is_object);
        match (token.kind, is_object) {
            (Kind::Comma, true) => self.expect = Expect::Key,
            (Kind::Comma, false) => self.expect = Expect::Value,
            (Kind::ObjectEnd, true) | (Kind::ArrayEnd, false) => self.close(token.end),
            (_, true) => return Err("a comma or } is expected here".to_owned()),
            (_, false) => return Err("a comma or ] is expected here".to_owned()),
        }
        Ok(())
    }

    /// The innermost one that is not closed, where it is shown.
    fn parent(&self) -> Option<&Shown> {
        self.shown.last().filter(|shown| shown.level == self.stack.len() && shown.is_open)
    }

    /// A value begins.
    fn value(&mut self, token: Token) {
        let is_container = matches!(token.kind, Kind::ObjectStart | Kind::ArrayStart);
        let is_base = !self.has_begun && token.start >= self.wish.at;
        let key = self.key.take();
        let place = self.stack.last_mut().map(|frame| {
            let index = usize::try_from(frame.count).unwrap_or(usize::MAX);
            frame.count = frame.count.saturating_add(1);
            Place { index, key }
        });
        let fits = |shown: &Shown, place: Place| {
            place.index >= shown.offset && shown.shown < WINDOW && self.tree.rows.len() < MAX_ROWS
        };
        let is_shown = is_base || self.parent().zip(place).is_some_and(|(shown, place)| fits(shown, place));
        if let (false, Some(_), Some(Place { key: Some(key), .. })) = (is_shown, self.parent(), place) {
            let name = key_text(key.of(self.bytes));
            self.see_key(name, None);
        }
        if is_shown || is_container {
            self.step_into(place);
        }
        if is_base {
            self.has_begun = true;
            self.tree.pointer = start_of(&self.pointer);
        }
        if is_shown {
            self.show(token, place, is_base);
        }
        if is_container {
            let is_object = token.kind == Kind::ObjectStart;
            self.stack.push(Frame { is_object, count: 0 });
            self.expect = if is_object { Expect::KeyOrEnd } else { Expect::ValueOrEnd };
            return;
        }
        if is_shown {
            self.step_out();
        }
        self.is_through = is_base && self.wish.at > 0;
        self.value_ends();
    }

    /// Makes the pointer that of the value that begins.
    fn step_into(&mut self, place: Option<Place>) {
        let Some(place) = place else { return };
        let name = place.key.map_or_else(|| place.index.to_string(), |key| key_text(key.of(self.bytes)));
        pointer::push(&mut self.pointer, &name);
    }

    fn step_out(&mut self) {
        let parent = self.pointer.rfind('/').unwrap_or(0);
        self.pointer.truncate(parent);
    }

    fn show(&mut self, token: Token, place: Option<Place>, is_base: bool) {
        let row = self.tree.rows.len();
        let depth = match self.shown.last() {
            Some(parent) if !is_base => parent.depth.saturating_add(1),
            _ => 0,
        };
        let mut node = Node {
            has_place: self.pointer.len() <= MAX_POINTER,
            pointer: start_of(&self.pointer),
            path: path_of(&self.pointer),
            depth,
            faults: self.faults_at(&self.pointer),
            ..Node::default()
        };
        if is_base {
            node.notes.append(&mut self.notes);
        } else if let Some(parent) = self.shown.last_mut() {
            parent.shown = parent.shown.saturating_add(1);
        }
        if let Some(place) = place {
            self.name(&mut node, place, row, is_base);
        }
        if !matches!(token.kind, Kind::ObjectStart | Kind::ArrayStart) {
            let leaf = leaf(self.bytes, token, &mut node);
            self.tree.rows.push(Row::Leaf { node, leaf });
            return;
        }
        let is_open = depth < MAX_DEPTH;
        self.tree.rows.push(if is_open {
            Row::Open { node, is_object: token.kind == Kind::ObjectStart, count: 0 }
        } else {
            Row::Leaf { node, leaf: Leaf { kind: "deep", at: token.start, ..Leaf::default() } }
        });
        self.shown.push(Shown {
            level: self.stack.len().saturating_add(1),
            start: token.start,
            row,
            depth,
            is_open,
            offset: if is_base { self.wish.offset } else { 0 },
            shown: 0,
            keys: HashMap::new(),
        });
    }

    /// Its key or number; a key that was there before is noted at both.
    fn name(&mut self, node: &mut Node, place: Place, row: usize, is_base: bool) {
        let Some(key) = place.key else {
            node.index = Some(place.index);
            return;
        };
        let written = key.of(self.bytes);
        let name = key_text(written);
        node.is_masked = names_secret(&name);
        let text = read_string(written, MAX_STRING);
        node.notes.extend(text.notes.iter().map(|note| format!("in the key: {note}")));
        if text.has_escapes {
            node.notes.push(format!("the key is written {}", start_of(&String::from_utf8_lossy(written))));
        }
        node.key = Some(text);
        if is_base {
            return;
        }
        if self.see_key(name, Some(row)) {
            node.notes.push("this key is here more than once".to_owned());
        }
    }

    /// Keeps a key of what is shown; `true` if it was there before, which is noted there.
    fn see_key(&mut self, name: String, row: Option<usize>) -> bool {
        let Some(first) = self.shown.last_mut().and_then(|parent| parent.keys.insert(name, row)) else {
            return false;
        };
        let first = first.and_then(|first| self.tree.rows.get_mut(first));
        if let Some(Row::Open { node, .. } | Row::Leaf { node, .. }) = first {
            node.notes.push("this key is here more than once; readers take the last one".to_owned());
        }
        true
    }

    fn faults_at(&self, pointer: &str) -> Vec<String> {
        let here = self.wish.faults.iter().filter(|fault| fault.path == pointer && !pointer.is_empty());
        here.map(|fault| fault.message.clone()).collect()
    }

    /// The innermost object or array ends with the byte before `end`.
    fn close(&mut self, end: usize) {
        if self.shown.last().is_some_and(|shown| shown.level == self.stack.len()) {
            self.close_row(end, true);
            self.is_through = self.shown.is_empty() && self.wish.at > 0;
        }
        self.stack.pop();
        self.step_out();
        self.value_ends();
    }

    fn close_row(&mut self, end: usize, is_whole: bool) {
        let Some(shown) = self.shown.pop() else { return };
        let frame = self.stack.get(shown.level.saturating_sub(1));
        let count = frame.map_or(0, |frame| usize::try_from(frame.count).unwrap_or(usize::MAX));
        let others = if is_whole { self.faults_of_others(&shown) } else { Vec::new() };
        match self.tree.rows.get_mut(shown.row) {
            Some(Row::Leaf { leaf, .. }) => {
                leaf.left_out = end.saturating_sub(shown.start);
                return;
            }
            Some(Row::Open { node, count: whole, .. }) => {
                *whole = count;
                node.faults.extend(others);
            }
            _ => {}
        }
        let next = shown.offset.saturating_add(shown.shown);
        if next < count {
            let of = if is_whole { "" } else { " or more" };
            self.tree.rows.push(Row::More {
                what: format!("{} more of {count}{of}", count.saturating_sub(next)),
                at: shown.start,
                offset: next,
            });
        }
        self.tree.rows.push(Row::Close);
    }

    /// Faults in values that are not shown here: missing members, and members on another page.
    fn faults_of_others(&self, shown: &Shown) -> Vec<String> {
        let page = shown.offset..shown.offset.saturating_add(shown.shown);
        let is_object = self.stack.get(shown.level.saturating_sub(1)).is_some_and(|frame| frame.is_object);
        let below = self.wish.faults.iter().filter_map(|fault| {
            let place = fault.path.strip_prefix(&self.pointer)?.strip_prefix('/')?;
            let (name, deeper) = place.split_once('/').map_or((place, false), |(name, _)| (name, true));
            let name = pointer::name(name);
            let is_here = match shown.keys.get(&name) {
                _ if !is_object => name.parse().is_ok_and(|index: usize| page.contains(&index)),
                Some(row) => row.is_some(),
                None => deeper,
            };
            (!is_here).then(|| format!("{place}: {}", fault.message))
        });
        below.collect()
    }

    fn value_ends(&mut self) {
        self.expect = if self.stack.is_empty() { Expect::End } else { Expect::CommaOrEnd };
    }

    fn breaks(&mut self, at: usize, message: String) {
        let rest = self.bytes.get(at..).unwrap_or_default();
        let mut rest = String::from_utf8_lossy(rest.get(..MAX_REST).unwrap_or(rest)).into_owned();
        if names_secret_within(&rest) {
            "(it names a secret, so it is not shown here)".clone_into(&mut rest);
        }
        self.tree.rows.push(Row::Broken { message, at, rest: pieces(&rest) });
        while let Some(shown) = self.shown.last() {
            self.stack.truncate(shown.level);
            self.close_row(self.bytes.len(), false);
        }
    }
}
