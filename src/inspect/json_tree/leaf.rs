//! A value without parts, as it is shown, and what other readers of JSON would make of it.

use super::rows::{Leaf, Node};
use crate::domain::json::{Kind, Token, read_string};
use crate::domain::pieces;

/// The longest string that is shown, in bytes.
pub const MAX_STRING: usize = 4_000;
/// The largest integer that every reader of JSON keeps (RFC 8259, 6).
const MAX_SAFE: u64 = 9_007_199_254_740_991;

/// The value that `token` is; what is odd about it is noted at `node`.
pub fn leaf(bytes: &[u8], token: Token, node: &mut Node) -> Leaf {
    let written = token.of(bytes);
    let copied = std::str::from_utf8(written).ok().filter(|text| text.len() <= MAX_STRING);
    let mut leaf =
        Leaf { written: copied.map(str::to_owned), at: token.start, kind: "string", ..Leaf::default() };
    if token.kind == Kind::String {
        let text = read_string(written, MAX_STRING);
        node.notes.extend(text.notes.iter().map(ToString::to_string));
        leaf.has_escapes = text.has_escapes;
        leaf.left_out = text.left_out;
        leaf.pieces = text.pieces;
        return leaf;
    }
    let shown = written.get(..MAX_STRING).unwrap_or(written);
    leaf.left_out = written.len().saturating_sub(shown.len());
    leaf.pieces = pieces(&String::from_utf8_lossy(shown));
    leaf.kind = match written {
        b"true" | b"false" | b"null" => "literal",
        _ if is_number(written) => "number",
        _ => "other",
    };
    if leaf.kind == "other" {
        node.notes.push("no JSON: neither a number nor true, false or null".to_owned());
    }
    node.notes.extend(number_note(written).filter(|_| leaf.kind == "number").map(str::to_owned));
    leaf
}

/// The grammar of RFC 8259, 6.
fn is_number(word: &[u8]) -> bool {
    fn digits(word: &[u8]) -> Option<&[u8]> {
        let end = word.iter().position(|byte| !byte.is_ascii_digit()).unwrap_or(word.len());
        word.get(end..).filter(|_| end > 0)
    }
    let rest = word.strip_prefix(b"-").unwrap_or(word);
    let Some(after) = (match rest {
        [b'0', after @ ..] => Some(after),
        _ => digits(rest),
    }) else {
        return false;
    };
    let after = match after {
        [b'.', fraction @ ..] => match digits(fraction) {
            Some(after) => after,
            None => return false,
        },
        _ => after,
    };
    match after {
        [] => true,
        [b'e' | b'E', b'+' | b'-', exponent @ ..] | [b'e' | b'E', exponent @ ..] => {
            digits(exponent).is_some_and(<[u8]>::is_empty)
        }
        _ => false,
    }
}

/// What other readers lose of a number.
fn number_note(word: &[u8]) -> Option<&'static str> {
    let digits: Vec<u8> =
        word.iter().copied().take_while(|byte| !b"eE".contains(byte)).filter(u8::is_ascii_digit).collect();
    let is_integer = word.iter().all(|byte| byte.is_ascii_digit() || *byte == b'-');
    if is_integer {
        let value: Option<u64> = std::str::from_utf8(&digits).ok().and_then(|text| text.parse().ok());
        return value
            .is_none_or(|value| value > MAX_SAFE)
            .then_some("larger than what JavaScript and many others can hold exactly (2^53 − 1)");
    }
    let significant = digits.iter().skip_while(|digit| **digit == b'0').count();
    (significant > 17).then_some("more digits than a double can hold")
}
