//! The table of serialisers, the likely ones first: the observed output of each, and how its user signs the sent text.

use super::compiled::{CJSON, DOTNET, GO, GSON, HASH_MAP, JACKSON, NEWTONSOFT, NLOHMANN, RUST, SWIFT};
use super::layouts as layout;
use super::numbers as number;
use super::scripts::{JAVASCRIPT, LUA, ORJSON, PERL, PHP, PYTHON, RAILS, RUBY, UJSON};
use super::spellings as spelling;
use super::style::{KEPT, Numbers, OR_LINE, Order, Serialiser, Shape, Spelling};
use super::texts::{GO_STR, JAVA_STR, JS_STR, PYTHON_STR, RUBY_STR};

/// The styles for texts that match none of them: their member order follows no rule.
pub const REORDERED: &[&Serialiser] = &[&LUA, &ANY_ORDER];
/// Programs that may write any order, including one that follows a rule.
pub const UNORDERED: &[&Serialiser] = &[&LUA, &PERL, &SWIFT];

pub const SERIALISERS: &[&Serialiser] = &[
    &JAVASCRIPT,
    &PYTHON,
    &PHP,
    &GO,
    &RUBY,
    &GSON,
    &JACKSON,
    &JQ,
    &JSONB,
    &UNCHANGED,
    &RAILS,
    &ORJSON,
    &UJSON,
    &DOTNET,
    &NEWTONSOFT,
    &RUST,
    &PERL,
    &NLOHMANN,
    &CJSON,
    &SWIFT,
    &LUA,
    &HASH_MAP,
    &PYTHON_STR,
    &JS_STR,
    &JAVA_STR,
    &RUBY_STR,
    &GO_STR,
];

const JQ: Serialiser = Serialiser {
    name: "jq",
    variant: "json-jq",
    cure: "Write its output to a file, sign the file, and send it with curl --data-binary @file.",
    layouts: &[
        (&layout::TWO, ""),
        (&layout::COMPACT, "-c"),
        (&layout::TAB, "--tab"),
        (&layout::FOUR, "--indent 4"),
    ],
    orders: &[(Order::Kept, ""), (Order::Sorted, "-S")],
    strings: &[(spelling::DELETE, ""), (spelling::PYTHON, "-a")],
    numbers: &[(number::JQ, ""), (Numbers::Decimal, "jq 1.7 or later"), (Numbers::AsSent, "jq 1.7 or later")],
    shapes: KEPT,
    endings: &[("\n", ""), ("", "its line break removed")],
};

const JSONB: Serialiser = Serialiser {
    name: "PostgreSQL's jsonb",
    variant: "json-jsonb",
    cure: "Keep payload::text in a variable, sign it, and send it; or use json, which keeps the text.",
    layouts: &[(&layout::SPACED, ""), (&layout::JSONB, "jsonb_pretty")],
    orders: &[(Order::ByLength, "")],
    strings: &[(spelling::JAVASCRIPT, "")],
    numbers: &[(Numbers::Plain, "")],
    shapes: KEPT,
    endings: OR_LINE,
};

const UNCHANGED: Serialiser = Serialiser {
    name: "a program that changes only the blanks or the order of keys",
    variant: "json-compact",
    cure: "Sign the exact bytes that are sent.",
    layouts: &[
        (&layout::COMPACT, ""),
        (&layout::SPACED, ""),
        (&layout::TWO, ""),
        (&layout::FOUR, ""),
        (&layout::TAB, ""),
        (&layout::COMMAS_SPACED, ""),
        (&layout::COLONS_SPACED, ""),
        (&layout::TWO_LISTS, ""),
        (&layout::THREE, ""),
        (&layout::TWO_CRLF, ""),
        (&layout::FOUR_CRLF, ""),
        (&layout::TAB_CRLF, ""),
    ],
    orders: &[(Order::AsSent, ""), (Order::Sorted, "")],
    strings: &[(Spelling::AsSent, ""), (spelling::JAVASCRIPT, ""), (spelling::ESCAPED, "")],
    numbers: &[(Numbers::AsSent, "")],
    shapes: &[(Shape::Kept, ""), (Shape::EmptyListsAsObjects, "")],
    endings: &[("", ""), ("\n", ""), ("\r\n", "")],
};

const ANY_ORDER: Serialiser = Serialiser {
    name: "a program that keeps keys in another order",
    variant: "json-reordered",
    cure: "Write the JSON once, sign those bytes, and send those bytes.",
    layouts: &[
        (&layout::COMPACT, ""),
        (&layout::SPACED, ""),
        (&layout::TWO, ""),
        (&layout::FOUR, ""),
        (&layout::TAB, ""),
    ],
    orders: &[(Order::Any, "")],
    strings: &[(spelling::JAVASCRIPT, ""), (spelling::PYTHON, ""), (spelling::PHP, ""), (spelling::GO, "")],
    numbers: &[(Numbers::AsSent, ""), (number::JAVASCRIPT, "")],
    shapes: KEPT,
    endings: OR_LINE,
};
