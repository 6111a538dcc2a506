//! How programs write JSON: the types of the serialiser table.

/// A program that writes JSON. Each list starts with its default, followed by its other options.
pub struct Serialiser {
    /// Its name in sentences: `Go's json.Marshal`.
    pub name: &'static str,
    /// The variant name if no other program writes the same text.
    pub variant: &'static str,
    /// How its user signs the sent text.
    pub cure: &'static str,
    /// Blanks and line breaks.
    pub layouts: Options<&'static Layout>,
    /// The order of members.
    pub orders: Options<Order>,
    /// The string format.
    pub strings: Options<Spelling>,
    /// The number format.
    pub numbers: Options<Numbers>,
    /// The treatment of empty values and nulls.
    pub shapes: Options<Shape>,
    /// The text after the document.
    pub endings: Options<&'static str>,
}

/// Each option with its description: what the user writes to select it.
pub type Options<T> = &'static [(T, &'static str)];

pub const NO_ENDING: Options<&str> = &[("", "")];
pub const OR_LINE: Options<&str> = &[("", ""), ("\n", "a line break added")];
pub const KEPT: Options<Shape> = &[(Shape::Kept, "")];

/// One style of a serialiser.
#[derive(Clone, Copy, Debug)]
pub struct Style {
    pub layout: &'static Layout,
    pub order: Order,
    pub strings: Spelling,
    pub numbers: Numbers,
    pub shape: Shape,
    pub ending: &'static str,
}

/// The separators between values.
#[derive(Debug, PartialEq, Eq)]
pub struct Layout {
    /// After an item with a successor; if items have their own lines, the line break follows it.
    pub comma: &'static str,
    pub colon: &'static str,
    /// The indentation per level and the line break, if members have their own lines.
    pub lines: Option<(&'static str, &'static str)>,
    pub lists: Lists,
    pub empty: Empty,
    pub words: &'static Words,
}

/// How lists are written if members have their own lines.
#[derive(Debug, PartialEq, Eq)]
pub enum Lists {
    /// Like members.
    Lines,
    /// On one line between these signs, and whether the contents count as one level deeper.
    OneLine { open: &'static str, comma: &'static str, close: &'static str, is_level: bool },
}

/// How an empty list or object is written.
#[derive(Debug, PartialEq, Eq)]
pub enum Empty {
    Closed,
    WithBlank,
    /// The closing bracket on its own line: for objects, and after this text also for lists.
    OnLines {
        lists: Option<&'static str>,
    },
}

/// The words and brackets, which differ outside JSON.
#[derive(Debug, PartialEq, Eq)]
pub struct Words {
    pub yes: &'static str,
    pub no: &'static str,
    pub null: &'static str,
    pub list: (&'static str, &'static str),
    pub object: (&'static str, &'static str),
    /// Whether the members of an object are not printed.
    pub is_opaque: bool,
}

/// The order of an object's members.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Order {
    /// As sent, including duplicate names.
    AsSent,
    /// As sent; for a duplicate name, the last value.
    Kept,
    /// Integers first, by size, as JavaScript keeps them; then as sent.
    IntegersFirst,
    /// By bytes.
    Sorted,
    /// By UTF-16 code units (RFC 8785).
    SortedUtf16,
    /// Integers first, then by UTF-16 code units: sorted by JavaScript.
    SortedIntegersFirst,
    /// By length, then by bytes: PostgreSQL's jsonb.
    ByLength,
    /// As in Java's HashMap.
    HashMap,
    /// An order that follows no rule.
    Any,
}

/// How strings are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Spelling {
    /// As sent.
    AsSent,
    Json(Letters),
    /// Python's repr.
    Python,
    /// Ruby's inspect.
    Ruby,
    /// Without quotes.
    Bare,
}

/// The optional escapes in a JSON string.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Letters {
    /// ASCII letters written like `\u003c`, and whether their digits are upper case.
    pub html: (&'static str, bool),
    pub beyond: Beyond,
    /// Whether the digits of all other escapes are upper case.
    pub has_capitals: bool,
    /// Whether `/` is written as `\/`.
    pub slash: bool,
    /// Whether U+007F is written as `\u007f`.
    pub delete: bool,
    /// The control characters with a short escape, by the letter of that escape.
    pub short: &'static str,
}

/// Letters beyond ASCII.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Beyond {
    Plain,
    /// U+2028 and U+2029 as escapes, which older JavaScript required.
    LineSeparators,
    Escaped,
}

/// How numbers are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Numbers {
    /// As sent.
    AsSent,
    /// All digits, without an exponent.
    Plain,
    /// All digits, in the format of the General Decimal Arithmetic.
    Decimal,
    Float(Float),
}

/// A number that passed through a 64-bit float.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Float {
    pub whole: Whole,
    pub digits: Digits,
    /// The smallest power of ten written without an exponent, and the first larger one that needs an exponent.
    pub low: i32,
    pub high: High,
    /// Whether a whole float ends in `.0`, without and with an exponent.
    pub has_zero: (bool, bool),
    pub exponent: char,
    pub has_plus: bool,
    /// The minimum number of exponent digits.
    pub width: usize,
    /// Whether -0 keeps its sign.
    pub has_minus_zero: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum High {
    At(i32),
    /// This many powers above the number of digits.
    AboveDigits(i32),
}

/// Numbers without fraction and exponent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Whole {
    Float,
    Exact,
    /// Floats if they do not fit into a signed 64-bit integer.
    Signed64,
    /// Floats if they do not fit into a signed or unsigned 64-bit integer.
    Any64,
    /// Strings if they do not fit into a signed or unsigned 64-bit integer.
    Any64OrString,
}

/// The number of digits of a float.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Digits {
    /// The fewest digits that identify the float.
    Shortest,
    At(usize),
    /// Fifteen if they are precise enough, else seventeen.
    FifteenOrSeventeen,
}

/// The treatment of empty values and nulls.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Shape {
    Kept,
    /// Empty objects, and those with the names 0, 1, 2 …, become lists.
    PhpArrays,
    /// Empty lists become objects.
    EmptyListsAsObjects,
    /// Null members are omitted.
    WithoutNulls,
    /// Only names of the top level are kept, at every level.
    TopNames,
}
