//! Writes one document in every style, each text once.

use std::collections::HashSet;
use std::rc::Rc;

use super::document::{Document, Node};
use super::letters;
use super::number;
use super::serialisers::REORDERED;
use super::style::{Numbers, Order, Shape, Spelling, Style};
use super::ways::{UNORDERED_WAYS, WAYS, Way, ways};
use super::write::Writer;

/// The most member orders that are tried without a rule.
const MAX_ORDERS: usize = 1_000;

/// A document, and the parts already written.
pub struct Rewriter<'t> {
    pub document: Document<'t>,
    strings: Memo<Spelling, Vec<String>>,
    tokens: Memo<Numbers, Vec<String>>,
    nodes: Memo<(Order, Shape), Node>,
}

/// The parts of a style that matter for one document.
#[derive(PartialEq, Eq, Hash)]
struct Parts {
    layout: *const super::style::Layout,
    strings: usize,
    tokens: usize,
    node: usize,
    ending: &'static str,
}

impl<'t> Rewriter<'t> {
    pub fn new(document: Document<'t>) -> Self {
        Self { document, strings: Memo::new(), tokens: Memo::new(), nodes: Memo::new() }
    }

    /// The texts of all ways, the likely ones first, up to a total size in bytes; and whether
    /// these are all.
    pub fn texts(&mut self, most_bytes: usize) -> (Vec<Rc<str>>, bool) {
        let mut known = HashSet::new();
        let mut seen = HashSet::new();
        let mut texts = Vec::new();
        let mut bytes = 0_usize;
        for way in WAYS.iter() {
            if !known.insert(self.parts(&way.style)) {
                continue;
            }
            let text: Rc<str> = self.write(&way.style).into();
            bytes = bytes.saturating_add(text.len());
            if bytes > most_bytes {
                return (texts, false);
            }
            if seen.insert(Rc::clone(&text)) {
                texts.push(text);
            }
        }
        (texts, true)
    }

    /// The styles that produce exactly this text, the likely ones first, and whether all were tried within the byte
    /// limit.
    pub fn fitting(&mut self, text: &str, most_bytes: usize) -> (Vec<&'static Way>, bool) {
        let mut known = std::collections::HashMap::new();
        let mut fitting = Vec::new();
        for way in WAYS.iter() {
            if !fitting.is_empty() && known.len().saturating_mul(text.len()) > most_bytes {
                return (fitting, false);
            }
            let parts = self.parts(&way.style);
            let fits = match known.get(&parts) {
                Some(fits) => *fits,
                None => {
                    let fits = self.write(&way.style) == text;
                    known.insert(parts, fits);
                    fits
                }
            };
            if fits {
                fitting.push(way);
            }
        }
        // A program without a fixed order may have produced this one.
        if let Some(order) = fitting.first().map(|way| way.style.order) {
            for way in UNORDERED_WAYS.iter() {
                if self.write(&Style { order, ..way.style }) == text {
                    fitting.push(way);
                }
            }
        }
        (fitting, true)
    }

    /// The document with its members in every order, unless there are too many orders.
    pub fn reordered(&mut self, most_bytes: usize) -> Vec<Rc<str>> {
        let mut seen = HashSet::new();
        let mut texts = Vec::new();
        let mut bytes = 0_usize;
        for way in REORDERED.iter().flat_map(|serialiser| ways(serialiser)) {
            if way.style.order != Order::Any {
                continue;
            }
            let node = self.node(Order::Kept, way.style.shape);
            let root = self.nodes.value(node).cloned();
            let Some((root, orders)) = root.and_then(|root| orders(&root).map(|orders| (root, orders)))
            else {
                return texts;
            };
            for order in 0..orders {
                let mut rest = order;
                let text: Rc<str> = self.written(&permuted(&root, &mut rest), &way.style).into();
                bytes = bytes.saturating_add(text.len());
                if bytes > most_bytes {
                    return texts;
                }
                if seen.insert(Rc::clone(&text)) {
                    texts.push(text);
                }
            }
        }
        texts
    }

    /// The strings in that spelling, as numbered by the document.
    pub fn strings(&mut self, spelling: Spelling) -> &[String] {
        let place = self.spelled(spelling);
        self.strings.value(place).map_or(&[], Vec::as_slice)
    }

    /// The numbers and words in that format, as numbered by the document.
    pub fn tokens(&mut self, numbers: Numbers) -> &[String] {
        let place = self.numbered(numbers);
        self.tokens.value(place).map_or(&[], Vec::as_slice)
    }

    fn spelled(&mut self, spelling: Spelling) -> usize {
        let strings = &self.document.strings;
        self.strings.place(spelling, || {
            strings.iter().map(|(sent, plain)| letters::written(sent, plain.as_deref(), &spelling)).collect()
        })
    }

    fn numbered(&mut self, numbers: Numbers) -> usize {
        let tokens = &self.document.tokens;
        self.tokens.place(numbers, || tokens.iter().map(|token| number::written(token, &numbers)).collect())
    }

    fn node(&mut self, order: Order, shape: Shape) -> usize {
        let document = &self.document;
        self.nodes.place((order, shape), || document.arranged(order, shape))
    }

    fn parts(&mut self, style: &Style) -> Parts {
        Parts {
            layout: std::ptr::from_ref(style.layout),
            strings: self.spelled(style.strings),
            tokens: self.numbered(style.numbers),
            node: self.node(style.order, style.shape),
            ending: style.ending,
        }
    }

    fn write(&mut self, style: &Style) -> String {
        let node = self.node(style.order, style.shape);
        let Some(root) = self.nodes.value(node).cloned() else { return String::new() };
        self.written(&root, style)
    }

    fn written(&mut self, root: &Node, style: &Style) -> String {
        let (strings, tokens) = (self.spelled(style.strings), self.numbered(style.numbers));
        let strings = self.strings.value(strings).map_or(&[][..], Vec::as_slice);
        let tokens = self.tokens.value(tokens).map_or(&[][..], Vec::as_slice);
        Writer { strings, tokens, layout: style.layout }.write(root, style.ending)
    }
}

/// The number of possible member orders; `None` if there are too many, or only one.
fn orders(node: &Node) -> Option<usize> {
    fn count(node: &Node) -> Option<usize> {
        let (own, inner): (usize, Vec<&Node>) = match node {
            Node::Object(members) => {
                let own = (1..=members.len())
                    .try_fold(1_usize, |all, more| all.checked_mul(more).filter(|all| *all <= MAX_ORDERS))?;
                (own, members.iter().map(|(_, value)| value).collect())
            }
            Node::List(items) => (1, items.iter().collect()),
            _ => (1, Vec::new()),
        };
        inner
            .into_iter()
            .try_fold(own, |all, node| all.checked_mul(count(node)?).filter(|all| *all <= MAX_ORDERS))
    }
    count(node).filter(|orders| *orders > 1)
}

/// The document with the members of each object in the order with that number; the remainder is left for the next
/// object.
fn permuted(node: &Node, number: &mut usize) -> Node {
    match node {
        Node::Object(members) => {
            let mut left: Vec<&(usize, Node)> = members.iter().collect();
            let mut order = Vec::with_capacity(left.len());
            while !left.is_empty() {
                let place = number.checked_rem(left.len()).unwrap_or_default();
                *number = number.checked_div(left.len()).unwrap_or_default();
                order.push(left.remove(place));
            }
            Node::Object(order.into_iter().map(|(name, value)| (*name, permuted(value, number))).collect())
        }
        Node::List(items) => Node::List(items.iter().map(|item| permuted(item, number)).collect()),
        other => other.clone(),
    }
}

/// The result for each key; equal results are stored once.
struct Memo<K, V> {
    keys: Vec<(K, usize)>,
    values: Vec<V>,
}

impl<K: Copy + PartialEq, V: PartialEq> Memo<K, V> {
    const fn new() -> Self {
        Self { keys: Vec::new(), values: Vec::new() }
    }

    fn place(&mut self, key: K, make: impl FnOnce() -> V) -> usize {
        if let Some((_, place)) = self.keys.iter().find(|(known, _)| *known == key) {
            return *place;
        }
        let value = make();
        let place = self.values.iter().position(|known| *known == value).unwrap_or(self.values.len());
        if place == self.values.len() {
            self.values.push(value);
        }
        self.keys.push((key, place));
        place
    }

    fn value(&self, place: usize) -> Option<&V> {
        self.values.get(place)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rewriter(text: &str) -> Rewriter<'_> {
        Rewriter::new(Document::read(text).unwrap())
    }

    fn has(wire: &str, text: &str) -> bool {
        rewriter(wire).texts(1 << 20).0.iter().any(|one| **one == *text)
    }

    #[test]
    fn what_programs_were_seen_to_write_is_among_the_texts() {
        let nested = r#"[[1,[2]],{"a":[{"b":1},{}],"c":[]}]"#;
        for (wire, text) in [
            (nested, "[ [ 1, [ 2 ] ], {\n  \"a\" : [ {\n    \"b\" : 1\n  }, { } ],\n  \"c\" : [ ]\n} ]"),
            (
                nested,
                "[[1, [2]], {\n\t\t\"a\":\t[{\n\t\t\t\t\"b\":\t1\n\t\t\t}, {\n\t\t\t}],\n\t\t\"c\":\t[]\n\t}]",
            ),
            (r#"{"l":[],"o":{}}"#, "{\n    \"l\": [\n    ],\n    \"o\": {\n    }\n}"),
            (r#"{"b":1,"a":{"n":null}}"#, "{'b': 1, 'a': {'n': None}}"),
            (r#"{"b":1,"a":{"n":null}}"#, "{b=1, a={n=null}}"),
            (r#"{"b":1,"a":{"n":null}}"#, "{\"b\"=>1, \"a\"=>{\"n\"=>nil}}"),
            (r#"{"b":1,"a":{"n":null}}"#, "map[a:map[n:<nil>] b:1]"),
            (r#"{"b":1,"a":{"n":null}}"#, "[object Object]"),
            (r#"[[1,null],{"b":1}]"#, "1,,[object Object]"),
            (r#"{"b":"ü","a":1e-7}"#, "{\n   \"a\" : 1e-07,\n   \"b\" : \"\\u00fc\"\n}\n"),
            (r#"{"o":{},"n":null}"#, r#"{"o":[],"n":null}"#),
            (r#"{"o":{},"n":null}"#, r#"{"o":{}}"#),
            // JSON.stringify(o, Object.keys(o).sort()): the list is a filter at every level.
            (r#"{"id":1,"data":{"v":2,"id":3},"at":[{"x":1}]}"#, r#"{"at":[{}],"data":{"id":3},"id":1}"#),
        ] {
            assert!(has(wire, text), "{text}");
        }
    }

    #[test]
    fn each_text_is_there_once_and_stays_within_its_bytes() {
        let wire = r#"{"event":"a","temp":21.0,"name":"Büro a/b <c>","list":[1,2],"nothing":null}"#;
        let (texts, are_all) = rewriter(wire).texts(1 << 20);
        assert!(are_all);
        let different: HashSet<&Rc<str>> = texts.iter().collect();
        assert_eq!(different.len(), texts.len());
        assert!(texts.len() > 200, "{}", texts.len());
        let (few, are_all) = rewriter(wire).texts(1_000);
        assert!(!are_all);
        assert!(few.iter().map(|text| text.len()).sum::<usize>() <= 1_000 && !few.is_empty());
        assert_eq!(few[..], texts[..few.len()]);
    }

    #[test]
    fn every_order_of_members_is_there_once() {
        let texts = rewriter(r#"{"a":1,"b":{"c":2,"d":3}}"#).reordered(1 << 20);
        let compact: Vec<&Rc<str>> = texts.iter().filter(|text| !text.contains([' ', '\n', '\t'])).collect();
        assert_eq!(compact.len(), 4);
        assert!(texts.iter().any(|text| **text == *r#"{"b":{"d":3,"c":2},"a":1}"#));
        let many = format!("{{{}}}", (0..7).map(|n| format!("\"{n}\":0")).collect::<Vec<_>>().join(","));
        assert!(rewriter(&many).reordered(1 << 20).is_empty());
        assert!(rewriter("[1,2]").reordered(1 << 20).is_empty());
    }
}
