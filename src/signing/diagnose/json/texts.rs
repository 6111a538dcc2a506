//! How languages print objects when JSON was not requested.

use super::layouts as layout;
use super::numbers as number;
use super::style::{KEPT, NO_ENDING, Numbers, OR_LINE, Order, Serialiser, Spelling};

const NOT_JSON: &str = "Let it write JSON once, sign those bytes, and send those bytes.";

pub const PYTHON_STR: Serialiser = Serialiser {
    name: "Python's str() of a dict",
    variant: "text-python",
    cure: "Use body = json.dumps(…).encode() instead of str(), sign body, and send data=body.",
    layouts: &[(&layout::PYTHON_STR, "")],
    orders: &[(Order::Kept, ""), (Order::Sorted, "sorted keys")],
    strings: &[(Spelling::Python, "")],
    numbers: &[(number::PYTHON, "")],
    shapes: KEPT,
    endings: OR_LINE,
};

pub const JS_STR: Serialiser = Serialiser {
    name: "JavaScript's String() of an object",
    variant: "text-javascript",
    cure: "Use JSON.stringify, keep its result, sign it, and send it.",
    layouts: &[(&layout::JS_STR, "")],
    orders: &[(Order::Kept, "")],
    strings: &[(Spelling::Bare, "")],
    numbers: &[(number::JAVASCRIPT, "")],
    shapes: KEPT,
    endings: NO_ENDING,
};

pub const JAVA_STR: Serialiser = Serialiser {
    name: "Java's toString() of a Map",
    variant: "text-java",
    cure: NOT_JSON,
    layouts: &[(&layout::JAVA_STR, "")],
    orders: &[(Order::Kept, ""), (Order::HashMap, "HashMap"), (Order::SortedUtf16, "TreeMap")],
    strings: &[(Spelling::Bare, "")],
    numbers: &[(number::JAVA, ""), (number::GSON, "Gson"), (Numbers::AsSent, "")],
    shapes: KEPT,
    endings: NO_ENDING,
};

pub const RUBY_STR: Serialiser = Serialiser {
    name: "Ruby's to_s of a Hash",
    variant: "text-ruby",
    cure: "Use body = JSON.generate(…) instead of to_s, sign body, and send body.",
    layouts: &[(&layout::RUBY_STR, ""), (&layout::RUBY_NEW, "Ruby 3.4 or later")],
    orders: &[(Order::Kept, "")],
    strings: &[(Spelling::Ruby, "")],
    numbers: &[(number::RUBY, "")],
    shapes: KEPT,
    endings: NO_ENDING,
};

pub const GO_STR: Serialiser = Serialiser {
    name: "Go's fmt.Sprint of a map",
    variant: "text-go",
    cure: "Use json.Marshal instead, sign its []byte, and send it with bytes.NewReader.",
    layouts: &[(&layout::GO_STR, "")],
    orders: &[(Order::Sorted, "")],
    strings: &[(Spelling::Bare, "")],
    numbers: &[(number::GO_PRINT, ""), (Numbers::AsSent, "json.Number")],
    shapes: KEPT,
    endings: NO_ENDING,
};
