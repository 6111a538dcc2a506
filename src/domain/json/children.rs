//! The members of an object or the items of an array, as written, without deeper levels.

use std::ops::Range;

use super::lexer::{Kind, Lexer, Token};

/// A member or an item.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Child {
    /// Its key with the quotes, for a member.
    pub key: Option<Token>,
    /// The byte range of its value.
    pub value: Range<usize>,
}

/// The children of the object or array at or after the byte `at`, starting with number `offset`, at most `limit`; and
/// their total number. Invalid JSON ends the list.
#[must_use]
pub fn children(bytes: &[u8], at: usize, offset: usize, limit: usize) -> (Vec<Child>, usize) {
    let mut tokens = Lexer::new(bytes, at);
    let is_object = match tokens.next().map(|token| token.kind) {
        Some(Kind::ObjectStart) => true,
        Some(Kind::ArrayStart) => false,
        _ => return (Vec::new(), 0),
    };
    let mut found = Vec::new();
    let mut count = 0_usize;
    let mut depth = 0_usize;
    let mut key = None;
    let mut start = None;
    let mut end = 0;
    for token in tokens {
        let ends = matches!(token.kind, Kind::ObjectEnd | Kind::ArrayEnd);
        if depth == 0 && (token.kind == Kind::Comma || ends) {
            if let Some(start) = start.take() {
                if count >= offset && found.len() < limit {
                    found.push(Child { key: key.take(), value: start..end });
                }
                count = count.saturating_add(1);
            }
            key = None;
            if ends {
                break;
            }
            continue;
        }
        match token.kind {
            Kind::ObjectStart | Kind::ArrayStart => depth = depth.saturating_add(1),
            Kind::ObjectEnd | Kind::ArrayEnd => depth = depth.saturating_sub(1),
            _ => {}
        }
        let is_key = is_object && depth == 0 && key.is_none() && token.kind == Kind::String;
        if is_key {
            key = Some(token);
        } else if !(is_object && depth == 0 && token.kind == Kind::Colon) {
            start = start.or(Some(token.start));
            end = token.end;
        }
    }
    (found, count)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn members_and_items_are_cut_out_whole() {
        let text = br#" {"a":[1,{"b":2}], "c" : "x,}" ,"d":1.0}"#;
        let (found, count) = children(text, 0, 0, 10);
        let shown: Vec<(&[u8], &[u8])> =
            found.iter().map(|child| (child.key.unwrap().of(text), &text[child.value.clone()])).collect();
        assert_eq!(count, 3);
        assert_eq!(
            shown,
            [(&br#""a""#[..], &br#"[1,{"b":2}]"#[..]), (br#""c""#, br#""x,}""#), (br#""d""#, b"1.0")]
        );
        let (found, count) = children(b"[[],{},3,4]", 0, 1, 2);
        assert_eq!((found.len(), count), (2, 4));
        assert_eq!(&b"[[],{},3,4]"[found[1].value.clone()], b"3");
        assert_eq!(children(b"7", 0, 0, 9), (vec![], 0));
        assert_eq!(children(b"[]", 0, 0, 9), (vec![], 0));
    }
}
