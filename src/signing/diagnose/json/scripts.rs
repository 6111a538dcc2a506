//! How scripting languages write JSON.

use super::layouts as layout;
use super::numbers as number;
use super::spellings as spelling;
use super::style::{KEPT, Numbers, OR_LINE, Order, Serialiser, Shape};

pub const JAVASCRIPT: Serialiser = Serialiser {
    name: "JavaScript's JSON.stringify",
    variant: "json-stringify",
    cure: "Keep its result in a variable, sign that text, and send that text as the body.",
    layouts: &[
        (&layout::COMPACT, ""),
        (&layout::TWO, "an indent of 2"),
        (&layout::FOUR, "an indent of 4"),
        (&layout::TAB, "a tab as indent"),
    ],
    orders: &[
        (Order::IntegersFirst, ""),
        (Order::SortedIntegersFirst, "sorted keys"),
        (Order::SortedUtf16, "keys sorted by RFC 8785 (JCS)"),
        (Order::Kept, "a library that keeps the order of keys"),
    ],
    strings: &[(spelling::JAVASCRIPT, "")],
    numbers: &[(number::JAVASCRIPT, "")],
    shapes: &[
        (Shape::Kept, ""),
        (Shape::WithoutNulls, "nulls left out"),
        (
            Shape::TopNames,
            "Object.keys(…).sort() as its second argument, which drops every other name in nested objects",
        ),
    ],
    endings: OR_LINE,
};

pub const PYTHON: Serialiser = Serialiser {
    name: "Python's json.dumps",
    variant: "json-python",
    cure: "Keep body = json.dumps(…).encode(), sign body, and send data=body instead of json=….",
    layouts: &[
        (&layout::SPACED, ""),
        (&layout::COMPACT, "separators=(\",\", \":\")"),
        (&layout::TWO, "indent=2"),
        (&layout::FOUR, "indent=4"),
        (&layout::TAB, "indent=\"\\t\""),
        (&layout::ONE, "indent=1"),
        (&layout::TWO_BLANK, "indent=2 in Python 2"),
        (&layout::FOUR_BLANK, "indent=4 in Python 2"),
    ],
    orders: &[(Order::Kept, ""), (Order::Sorted, "sort_keys=True")],
    strings: &[
        (spelling::PYTHON, ""),
        (spelling::JAVASCRIPT, "ensure_ascii=False"),
        (spelling::LINE_SEPARATORS, "simplejson and ensure_ascii=False"),
        (spelling::PYTHON_HTML, "simplejson's JSONEncoderForHTML"),
    ],
    numbers: &[(number::PYTHON, ""), (Numbers::AsSent, "Decimal numbers")],
    shapes: KEPT,
    endings: OR_LINE,
};

pub const PHP: Serialiser = Serialiser {
    name: "PHP's json_encode",
    variant: "json-php",
    cure: "Keep $body = json_encode(…), sign $body, and send $body.",
    layouts: &[(&layout::COMPACT, ""), (&layout::FOUR, "JSON_PRETTY_PRINT")],
    orders: &[(Order::Kept, ""), (Order::Sorted, "ksort")],
    strings: &[
        (spelling::PHP, ""),
        (spelling::LINE_SEPARATORS, "JSON_UNESCAPED_SLASHES | JSON_UNESCAPED_UNICODE"),
        (spelling::ESCAPED, "JSON_UNESCAPED_SLASHES"),
        (spelling::PHP_UNICODE, "JSON_UNESCAPED_UNICODE"),
        (spelling::PHP_HEX, "the JSON_HEX_ flags, as Symfony sets them"),
        (spelling::PHP_HEX_SLASHES, "the JSON_HEX_ flags and JSON_UNESCAPED_SLASHES"),
        (spelling::PHP_HEX_UNICODE, "the JSON_HEX_ flags and JSON_UNESCAPED_UNICODE"),
        (spelling::PHP_HEX_BOTH, "the JSON_HEX_ flags, JSON_UNESCAPED_SLASHES and JSON_UNESCAPED_UNICODE"),
        (spelling::JAVASCRIPT, "JSON_UNESCAPED_SLASHES, _UNICODE and _LINE_TERMINATORS"),
        (spelling::SLASHES, "JSON_UNESCAPED_UNICODE and _LINE_TERMINATORS"),
    ],
    numbers: &[(number::PHP, ""), (number::PHP_ZERO, "JSON_PRESERVE_ZERO_FRACTION")],
    shapes: &[(Shape::PhpArrays, ""), (Shape::Kept, "objects kept as objects")],
    endings: OR_LINE,
};

pub const RUBY: Serialiser = Serialiser {
    name: "Ruby's JSON.generate",
    variant: "json-ruby",
    cure: "Keep body = JSON.generate(…), sign body, and send body.",
    layouts: &[(&layout::COMPACT, ""), (&layout::TWO, "pretty_generate"), (&layout::RUBY, "pretty_generate")],
    orders: &[(Order::Kept, ""), (Order::Sorted, "sorted keys")],
    strings: &[
        (spelling::JAVASCRIPT, ""),
        (spelling::ESCAPED, "ascii_only"),
        (spelling::PHP_UNICODE, "script_safe"),
    ],
    numbers: &[(number::RUBY, "")],
    shapes: KEPT,
    endings: &[("", ""), ("\n", "puts, which adds a line break")],
};

pub const RAILS: Serialiser =
    Serialiser { name: "Rails' to_json", variant: "json-rails", strings: &[(spelling::RAILS, "")], ..RUBY };

pub const ORJSON: Serialiser = Serialiser {
    name: "Python's orjson",
    variant: "json-orjson",
    cure: "Keep body = orjson.dumps(…), sign body, and send data=body instead of json=….",
    layouts: &[(&layout::COMPACT, ""), (&layout::TWO, "OPT_INDENT_2")],
    orders: &[(Order::Kept, ""), (Order::Sorted, "OPT_SORT_KEYS")],
    strings: &[(spelling::JAVASCRIPT, "")],
    numbers: &[(number::ORJSON, ""), (number::RUST, "an older version")],
    shapes: KEPT,
    endings: &[("", ""), ("\n", "OPT_APPEND_NEWLINE")],
};

pub const UJSON: Serialiser = Serialiser {
    name: "Python's ujson",
    variant: "json-ujson",
    cure: "Keep body = ujson.dumps(…), sign body, and send data=body instead of json=….",
    layouts: &[(&layout::COMPACT, ""), (&layout::TWO, "indent=2"), (&layout::FOUR, "indent=4")],
    orders: &[(Order::Kept, ""), (Order::Sorted, "sort_keys=True")],
    strings: &[
        (spelling::PHP, ""),
        (spelling::ESCAPED, "escape_forward_slashes=False"),
        (spelling::SLASHES, "ensure_ascii=False"),
        (spelling::JAVASCRIPT, "ensure_ascii=False and escape_forward_slashes=False"),
    ],
    numbers: &[(number::UJSON, "")],
    shapes: KEPT,
    endings: OR_LINE,
};

pub const PERL: Serialiser = Serialiser {
    name: "Perl's JSON modules",
    variant: "json-perl",
    cure: "Keep $body = encode_json(…), sign $body, and send $body.",
    layouts: &[(&layout::COMPACT, ""), (&layout::PERL, "pretty")],
    orders: &[
        (Order::Sorted, "canonical"),
        (Order::Kept, "keys in the order of the payload"),
        (Order::Any, "without canonical"),
    ],
    strings: &[(spelling::JAVASCRIPT, ""), (spelling::ESCAPED, "ascii"), (spelling::PYTHON, "ascii")],
    numbers: &[(number::PERL, ""), (Numbers::AsSent, "allow_bignum")],
    shapes: KEPT,
    endings: OR_LINE,
};

pub const LUA: Serialiser = Serialiser {
    name: "Lua's cjson",
    variant: "json-lua",
    cure: "Keep the string of cjson.encode, sign it, and send it.",
    layouts: &[(&layout::COMPACT, "")],
    orders: &[(Order::Kept, ""), (Order::Any, "keys in another order")],
    strings: &[(spelling::LUA, "")],
    numbers: &[(number::LUA, "")],
    shapes: &[(Shape::EmptyListsAsObjects, ""), (Shape::Kept, "empty_array")],
    endings: OR_LINE,
};
