//! A JSON document without loss. Its strings and other tokens are numbered, so that each is written once per style.

use super::style::{Order, Shape};
use crate::domain::json::Tree;

/// A document.
pub struct Document<'t> {
    pub root: Node,
    /// The strings: the text between the quotes, and its decoded value if a Rust string can represent it.
    pub strings: Vec<(&'t str, Option<String>)>,
    /// Numbers and words.
    pub tokens: Vec<&'t str>,
}

/// A value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Node {
    String(usize),
    Token(usize),
    List(Vec<Self>),
    Object(Vec<(usize, Self)>),
}

impl<'t> Document<'t> {
    pub fn read(text: &'t str) -> Option<Self> {
        let tree = Tree::read(text.trim_start_matches('\u{feff}'))?;
        let mut document = Self { root: Node::List(Vec::new()), strings: Vec::new(), tokens: Vec::new() };
        document.root = document.node(&tree);
        Some(document)
    }

    fn node(&mut self, tree: &Tree<'t>) -> Node {
        match tree {
            Tree::Token(token) => {
                self.tokens.push(token);
                Node::Token(self.tokens.len().saturating_sub(1))
            }
            Tree::Text(text) => Node::String(self.string(text)),
            Tree::List(items) => Node::List(items.iter().map(|item| self.node(item)).collect()),
            Tree::Object(members) => Node::Object(
                members.iter().map(|(name, value)| (self.string(name), self.node(value))).collect(),
            ),
        }
    }

    fn string(&mut self, sent: &'t str) -> usize {
        let plain = serde_json::from_str(&format!("\"{sent}\"")).ok();
        self.strings.push((sent, plain));
        self.strings.len().saturating_sub(1)
    }

    /// The decoded value of the string, or its original text if it cannot be decoded.
    fn says(&self, string: usize) -> &str {
        self.strings.get(string).map_or("", |(sent, plain)| plain.as_deref().unwrap_or(sent))
    }

    fn is_null(&self, node: &Node) -> bool {
        matches!(node, Node::Token(token) if self.tokens.get(*token) == Some(&"null"))
    }

    /// The document with its members in that order and shape.
    pub fn arranged(&self, order: Order, shape: Shape) -> Node {
        self.arrange(&self.root, order, shape)
    }

    fn arrange(&self, node: &Node, order: Order, shape: Shape) -> Node {
        match node {
            Node::List(items) if items.is_empty() && shape == Shape::EmptyListsAsObjects => {
                Node::Object(Vec::new())
            }
            Node::List(items) => {
                Node::List(items.iter().map(|item| self.arrange(item, order, shape)).collect())
            }
            Node::Object(members) => {
                let mut members: Vec<&(usize, Node)> = self.unique(members, order);
                match shape {
                    Shape::WithoutNulls => members.retain(|(_, value)| !self.is_null(value)),
                    Shape::TopNames => members.retain(|(name, _)| self.is_top_name(*name)),
                    _ => {}
                }
                self.sort(&mut members, order);
                let is_php_list = shape == Shape::PhpArrays
                    && members.iter().enumerate().all(|(at, (name, _))| self.says(*name) == at.to_string());
                let value = |node: &Node| self.arrange(node, order, shape);
                if is_php_list {
                    return Node::List(members.iter().map(|(_, node)| value(node)).collect());
                }
                Node::Object(members.iter().map(|(name, node)| (*name, value(node))).collect())
            }
            other => other.clone(),
        }
    }

    fn is_top_name(&self, name: usize) -> bool {
        /// With more names than that, a list of them is a filter that nobody writes.
        const MOST: usize = 256;
        let Node::Object(top) = &self.root else { return false };
        top.len() > MOST || top.iter().any(|(known, _)| self.says(*known) == self.says(name))
    }

    /// Of a name that comes twice the last value, at its first place.
    fn unique<'m>(&self, members: &'m [(usize, Node)], order: Order) -> Vec<&'m (usize, Node)> {
        if order == Order::AsSent {
            return members.iter().collect();
        }
        let mut places = std::collections::HashMap::new();
        let mut kept: Vec<&(usize, Node)> = Vec::new();
        for member in members {
            let place = *places.entry(self.says(member.0)).or_insert(kept.len());
            match kept.get_mut(place) {
                Some(kept) => *kept = member,
                None => kept.push(member),
            }
        }
        kept
    }

    fn sort(&self, members: &mut [&(usize, Node)], order: Order) {
        let says = |member: &&(usize, Node)| self.says(member.0).to_owned();
        let units = |member: &&(usize, Node)| says(member).encode_utf16().collect::<Vec<u16>>();
        let integer = |member: &&(usize, Node)| array_index(self.says(member.0)).unwrap_or(u64::MAX);
        match order {
            Order::AsSent | Order::Kept | Order::Any => {}
            Order::IntegersFirst => members.sort_by_key(integer),
            Order::Sorted => members.sort_by_key(says),
            Order::SortedUtf16 => members.sort_by_key(units),
            Order::SortedIntegersFirst => {
                members.sort_by_key(|member| (integer(member), units(member)));
            }
            Order::ByLength => members.sort_by_key(|member| (says(member).len(), says(member))),
            Order::HashMap => {
                let buckets = buckets(members.len());
                members.sort_by_key(|member| bucket(self.says(member.0), buckets));
            }
        }
    }
}

/// A name that JavaScript treats as an integer.
fn array_index(name: &str) -> Option<u64> {
    let number: u32 = name.parse().ok()?;
    (number != u32::MAX && number.to_string() == name).then_some(u64::from(number))
}

/// The size of a Java HashMap that grew to this many entries.
fn buckets(entries: usize) -> u32 {
    let mut buckets = 16_u32;
    while usize::try_from(buckets).is_ok_and(|size| entries > size / 4 * 3) && buckets < 1 << 30 {
        buckets <<= 1;
    }
    buckets
}

/// The bucket of a String in a Java HashMap.
fn bucket(name: &str, buckets: u32) -> u32 {
    let hash =
        name.encode_utf16().fold(0_u32, |hash, unit| hash.wrapping_mul(31).wrapping_add(u32::from(unit)));
    (hash ^ (hash >> 16)) & buckets.wrapping_sub(1)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(text: &str, order: Order) -> String {
        let document = Document::read(text).unwrap();
        let Node::Object(members) = document.arranged(order, Shape::Kept) else { panic!("{text}") };
        members.iter().map(|(name, _)| document.says(*name).to_owned()).collect::<Vec<_>>().join(" ")
    }

    #[test]
    fn members_are_in_the_order_of_each_program() {
        let text = r#"{"b":1,"10":2,"aa":3,"9":4,"\ud83d\ude00":5,"\uff61":6,"b":7}"#;
        assert_eq!(names(text, Order::AsSent), "b 10 aa 9 😀 ｡ b");
        assert_eq!(names(text, Order::Kept), "b 10 aa 9 😀 ｡");
        assert_eq!(names(text, Order::IntegersFirst), "9 10 b aa 😀 ｡");
        assert_eq!(names(text, Order::Sorted), "10 9 aa b ｡ 😀");
        assert_eq!(names(text, Order::SortedUtf16), "10 9 aa b 😀 ｡");
        assert_eq!(names(text, Order::SortedIntegersFirst), "9 10 aa b 😀 ｡");
        assert_eq!(names(text, Order::ByLength), "9 b 10 aa ｡ 😀");
        // The order observed in Java's HashMap<String, …>.
        let words = r#"{"zebra":1,"event":2,"id":3,"timestamp":4,"user":5,"data":6}"#;
        assert_eq!(names(words, Order::HashMap), "zebra data id event user timestamp");
    }

    #[test]
    fn shapes_are_those_of_each_language() {
        let shaped = |text: &str, shape| Document::read(text).unwrap().arranged(Order::Kept, shape);
        assert_eq!(shaped("{}", Shape::PhpArrays), Node::List(Vec::new()));
        assert!(
            matches!(shaped(r#"{"0":1,"1":2}"#, Shape::PhpArrays), Node::List(items) if items.len() == 2)
        );
        assert!(matches!(shaped(r#"{"1":1,"0":2}"#, Shape::PhpArrays), Node::Object(_)));
        assert_eq!(shaped("[]", Shape::EmptyListsAsObjects), Node::Object(Vec::new()));
        assert_eq!(shaped(r#"{"a":null}"#, Shape::WithoutNulls), Node::Object(Vec::new()));
        assert!(matches!(shaped("[null]", Shape::WithoutNulls), Node::List(items) if items.len() == 1));
    }
}
