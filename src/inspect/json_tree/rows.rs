//! A tree as rows in the order of the bytes, so that nothing is walked twice, however deep it is.

use crate::domain::Piece;
use crate::domain::json::Text;

/// A tree, or the part of one that was asked for.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Tree {
    /// The rows.
    pub rows: Vec<Row>,
    /// JSON pointer (RFC 6901) of what the rows begin with; empty: the whole.
    pub pointer: String,
}

/// A row.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Row {
    /// An object or an array begins; what is in it follows, up to its `Close`.
    Open {
        /// Its place.
        node: Node,
        /// Whether it is an object.
        is_object: bool,
        /// How many members or items it has.
        count: usize,
    },
    /// The innermost one ends.
    Close,
    /// A value without parts, or one whose parts are too deep.
    Leaf {
        /// Its place.
        node: Node,
        /// What it is.
        leaf: Leaf,
    },
    /// Some members or items are not here.
    More {
        /// In words.
        what: String,
        /// The first byte of the object or array that has them.
        at: usize,
        /// The first of those that are not here.
        offset: usize,
    },
    /// Here it stops being JSON.
    Broken {
        /// Why.
        message: String,
        /// The byte where.
        at: usize,
        /// The next few letters, unchanged.
        rest: Vec<Piece>,
    },
}

/// The place of a value.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Node {
    /// Its key, where it is a member.
    pub key: Option<Text>,
    /// Its number, where it is an item.
    pub index: Option<usize>,
    /// Its JSON pointer, or the start of one that is too long.
    pub pointer: String,
    /// Whether that is all of it.
    pub has_place: bool,
    /// Its path as templates and filters have it, where they can name it.
    pub path: Option<String>,
    /// The fault that a check found in it.
    pub faults: Vec<String>,
    /// What is odd about it.
    pub notes: Vec<String>,
    /// Whether it is a secret by its name.
    pub is_masked: bool,
    /// The number of values above it in the rows shown.
    pub depth: usize,
}

/// A value as it is shown.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Leaf {
    /// `string`, `number`, `literal`, `deep` or `other`.
    pub kind: &'static str,
    /// The value, readable.
    pub pieces: Vec<Piece>,
    /// The bytes unchanged, if they are text and short enough to be copied.
    pub written: Option<String>,
    /// Whether it is written otherwise than it reads.
    pub has_escapes: bool,
    /// Bytes that are not shown.
    pub left_out: usize,
    /// The first byte of it.
    pub at: usize,
}
