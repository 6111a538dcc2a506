//! How a program writes JSON: what the table of serialisers is made of.

/// A program that writes JSON, its default way first in each list, and the other ways it is told to write.
pub struct Serialiser {
    /// What people call it: `Go's json.Marshal`.
    pub name: &'static str,
    /// The name of the finding where nothing else writes the same.
    pub variant: &'static str,
    /// How its user signs what is sent.
    pub cure: &'static str,
    /// Blanks and line breaks.
    pub layouts: Options<&'static Layout>,
    /// The order of members.
    pub orders: Options<Order>,
    /// Strings.
    pub strings: Options<Spelling>,
    /// Numbers.
    pub numbers: Options<Numbers>,
    /// What happens to empty values and nulls.
    pub shapes: Options<Shape>,
    /// What follows the document.
    pub endings: Options<&'static str>,
}

/// Each way, and the words for it: what its user writes to get it.
pub type Options<T> = &'static [(T, &'static str)];

pub const NO_ENDING: Options<&str> = &[("", "")];
pub const OR_LINE: Options<&str> = &[("", ""), ("\n", "a line break added")];
pub const KEPT: Options<Shape> = &[(Shape::Kept, "")];

/// One way of a serialiser.
#[derive(Clone, Copy, Debug)]
pub struct Style {
    pub layout: &'static Layout,
    pub order: Order,
    pub strings: Spelling,
    pub numbers: Numbers,
    pub shape: Shape,
    pub ending: &'static str,
}

/// The signs between values.
#[derive(Debug, PartialEq, Eq)]
pub struct Layout {
    /// After an item that is followed by another; on lines of their own, the line break comes after it.
    pub comma: &'static str,
    pub colon: &'static str,
    /// A level's indent and the line break, where members have lines of their own.
    pub lines: Option<(&'static str, &'static str)>,
    pub lists: Lists,
    pub empty: Empty,
    pub words: &'static Words,
}

/// How lists are written where members have lines of their own.
#[derive(Debug, PartialEq, Eq)]
pub enum Lists {
    /// As members are.
    Lines,
    /// Between these signs on one line; whether what is inside counts as a level deeper.
    OneLine { open: &'static str, comma: &'static str, close: &'static str, is_level: bool },
}

/// How an empty list or object is written.
#[derive(Debug, PartialEq, Eq)]
pub enum Empty {
    Closed,
    WithBlank,
    /// The closing bracket on its own line: of objects, and of lists too after this text.
    OnLines {
        lists: Option<&'static str>,
    },
}

/// The words and brackets, which only JSON has in common.
#[derive(Debug, PartialEq, Eq)]
pub struct Words {
    pub yes: &'static str,
    pub no: &'static str,
    pub null: &'static str,
    pub list: (&'static str, &'static str),
    pub object: (&'static str, &'static str),
    /// Whether an object's members are not shown.
    pub is_opaque: bool,
}

/// The order of an object's members.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Order {
    /// As it was sent, names that come twice included.
    AsSent,
    /// As it was sent; of a name that comes twice, the last value.
    Kept,
    /// Integers first, by size, as JavaScript keeps them; then as sent.
    IntegersFirst,
    /// By bytes.
    Sorted,
    /// By UTF-16 units (RFC 8785).
    SortedUtf16,
    /// Integers first, then by UTF-16 units: sorted by JavaScript.
    SortedIntegersFirst,
    /// By length, then by bytes: PostgreSQL's jsonb.
    ByLength,
    /// As Java's HashMap keeps it.
    HashMap,
    /// An order that no rule gives.
    Any,
}

/// How strings are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Spelling {
    /// As they were sent.
    AsSent,
    Json(Letters),
    /// Python's repr.
    Python,
    /// Ruby's inspect.
    Ruby,
    /// Without quotes.
    Bare,
}

/// What a JSON string escapes besides what it must.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Letters {
    /// Letters of ASCII as `\u003c`, and whether their digits are capitals.
    pub html: (&'static str, bool),
    pub beyond: Beyond,
    /// Whether the digits of all other escapes are capitals.
    pub has_capitals: bool,
    /// Whether `/` is `\/`.
    pub slash: bool,
    /// Whether U+007F is `\u007f`.
    pub delete: bool,
    /// The control characters with a short escape, by its letter.
    pub short: &'static str,
}

/// Letters beyond ASCII.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Beyond {
    Plain,
    /// U+2028 and U+2029 as escapes, which JavaScript once did not read.
    LineSeparators,
    Escaped,
}

/// How numbers are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Numbers {
    /// As they were sent.
    AsSent,
    /// All digits, without an exponent.
    Plain,
    /// All digits, as the General Decimal Arithmetic writes them.
    Decimal,
    Float(Float),
}

/// A number that was a 64-bit float in between.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Float {
    pub whole: Whole,
    pub digits: Digits,
    /// The smallest power of ten that is written without an exponent, and the first that is not.
    pub low: i32,
    pub high: High,
    /// Whether a whole float has `.0`, without and with an exponent.
    pub has_zero: (bool, bool),
    pub exponent: char,
    pub has_plus: bool,
    /// The least digits of an exponent.
    pub width: usize,
    /// Whether -0 keeps its sign.
    pub has_minus_zero: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum High {
    At(i32),
    /// So many powers above its number of digits.
    AboveDigits(i32),
}

/// Numbers without fraction and exponent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Whole {
    Float,
    Exact,
    /// Floats where they do not fit into 64 bits with a sign.
    Signed64,
    /// Floats where they do not fit into 64 bits, with or without a sign.
    Any64,
    /// Strings where they do not fit into 64 bits, with or without a sign.
    Any64OrString,
}

/// How many digits a float has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Digits {
    /// As few as tell it from the next float.
    Shortest,
    At(usize),
    /// Fifteen where they come near enough, else seventeen.
    FifteenOrSeventeen,
}

/// What happens to empty values and nulls.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Shape {
    Kept,
    /// Empty objects, and those whose names are 0, 1, 2 …, are lists.
    PhpArrays,
    /// Empty lists are objects.
    EmptyListsAsObjects,
    /// Members that are null are left out.
    WithoutNulls,
}
