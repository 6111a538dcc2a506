//! How compiled languages write JSON.

use super::layouts as layout;
use super::numbers as number;
use super::spellings as spelling;
use super::style::{KEPT, NO_ENDING, Numbers, OR_LINE, Order, Serialiser, Shape};

pub const GO: Serialiser = Serialiser {
    name: "Go's encoding/json",
    variant: "json-go",
    cure: "Marshal once, sign that []byte, and send it with bytes.NewReader.",
    layouts: &[
        (&layout::COMPACT, ""),
        (&layout::TWO, "MarshalIndent and 2 spaces"),
        (&layout::TAB, "MarshalIndent and a tab"),
        (&layout::FOUR, "MarshalIndent and 4 spaces"),
    ],
    orders: &[(Order::Sorted, ""), (Order::Kept, "a struct or json.RawMessage")],
    strings: &[
        (spelling::GO, ""),
        (spelling::GO_NEW, "Go 1.22 or later"),
        (spelling::GO_PLAIN, "SetEscapeHTML(false)"),
        (spelling::LINE_SEPARATORS, "SetEscapeHTML(false), Go 1.22 or later"),
    ],
    numbers: &[(number::GO, ""), (Numbers::AsSent, "UseNumber or json.RawMessage")],
    shapes: &[(Shape::Kept, ""), (Shape::WithoutNulls, "omitempty")],
    endings: &[("", ""), ("\n", "Encoder.Encode, which adds a line break")],
};

pub const GSON: Serialiser = Serialiser {
    name: "Java's Gson",
    variant: "json-gson",
    cure: "Keep the String that toJson returns, sign its UTF-8 bytes, and send the same bytes.",
    layouts: &[(&layout::COMPACT, ""), (&layout::TWO, "setPrettyPrinting")],
    orders: &[(Order::Kept, "")],
    strings: &[
        (spelling::GSON, ""),
        (spelling::LINE_SEPARATORS, "disableHtmlEscaping"),
        (spelling::JAVASCRIPT, "JsonElement.toString"),
    ],
    numbers: &[(Numbers::AsSent, ""), (number::GSON, "numbers read as double"), (number::JAVA, "a class")],
    shapes: &[(Shape::WithoutNulls, ""), (Shape::Kept, "serializeNulls")],
    endings: OR_LINE,
};

pub const JACKSON: Serialiser = Serialiser {
    name: "Java's Jackson",
    variant: "json-jackson",
    cure: "Keep the bytes of writeValueAsBytes, sign them, and send them.",
    layouts: &[(&layout::COMPACT, ""), (&layout::JACKSON, "its pretty printer")],
    orders: &[(Order::Kept, ""), (Order::SortedUtf16, "ORDER_MAP_ENTRIES_BY_KEYS")],
    strings: &[(spelling::JACKSON, ""), (spelling::CAPITALS, "ESCAPE_NON_ASCII")],
    numbers: &[(number::JAVA, ""), (Numbers::Decimal, "BigDecimal")],
    shapes: &[(Shape::Kept, ""), (Shape::WithoutNulls, "NON_NULL")],
    endings: OR_LINE,
};

pub const HASH_MAP: Serialiser = Serialiser {
    name: "a Java library that keeps members in a HashMap",
    variant: "json-hashmap",
    cure: "Write the JSON once, sign those bytes, and send those bytes.",
    layouts: &[(&layout::COMPACT, ""), (&layout::JACKSON, "Jackson's pretty printer")],
    orders: &[(Order::HashMap, "")],
    strings: &[(spelling::JAVASCRIPT, ""), (spelling::SLASHES, "json-simple"), (spelling::GSON, "Gson")],
    numbers: &[(number::JAVA, ""), (Numbers::AsSent, ""), (number::JAVASCRIPT, "org.json")],
    shapes: &[(Shape::Kept, ""), (Shape::WithoutNulls, "nulls left out")],
    endings: NO_ENDING,
};

pub const DOTNET: Serialiser = Serialiser {
    name: ".NET's System.Text.Json",
    variant: "json-dotnet",
    cure: "Keep the array of SerializeToUtf8Bytes, sign it, and send it as ByteArrayContent.",
    layouts: &[
        (&layout::COMPACT, ""),
        (&layout::TWO, "WriteIndented"),
        (&layout::TWO_CRLF, "WriteIndented on Windows"),
    ],
    orders: &[(Order::Kept, "")],
    strings: &[(spelling::DOTNET, ""), (spelling::JACKSON, "UnsafeRelaxedJsonEscaping")],
    numbers: &[(Numbers::AsSent, ""), (number::DOTNET, "double")],
    shapes: &[(Shape::Kept, ""), (Shape::WithoutNulls, "WhenWritingNull")],
    endings: OR_LINE,
};

pub const NEWTONSOFT: Serialiser = Serialiser {
    name: ".NET's Newtonsoft.Json",
    variant: "json-newtonsoft",
    cure: "Keep the string of SerializeObject, sign its UTF-8 bytes, and send them as ByteArrayContent.",
    strings: &[(spelling::JAVASCRIPT, ""), (spelling::ESCAPED, "EscapeNonAscii")],
    numbers: &[(number::NEWTONSOFT, "")],
    shapes: &[(Shape::Kept, ""), (Shape::WithoutNulls, "NullValueHandling.Ignore")],
    layouts: &[
        (&layout::COMPACT, ""),
        (&layout::TWO, "Formatting.Indented"),
        (&layout::TWO_CRLF, "Formatting.Indented on Windows"),
    ],
    ..DOTNET
};

pub const RUST: Serialiser = Serialiser {
    name: "Rust's serde_json",
    variant: "json-serde",
    cure: "Keep the Vec of to_vec, sign it, and send it as the body.",
    layouts: &[(&layout::COMPACT, ""), (&layout::TWO, "to_string_pretty")],
    orders: &[(Order::Sorted, ""), (Order::Kept, "a struct or preserve_order")],
    strings: &[(spelling::JAVASCRIPT, "")],
    numbers: &[(number::RUST, "")],
    shapes: &[(Shape::Kept, ""), (Shape::WithoutNulls, "skip_serializing_if")],
    endings: OR_LINE,
};

pub const NLOHMANN: Serialiser = Serialiser {
    name: "C++'s nlohmann::json",
    variant: "json-nlohmann",
    cure: "Keep the string of dump(), sign it, and send it.",
    layouts: &[(&layout::COMPACT, ""), (&layout::FOUR, "dump(4)"), (&layout::TWO, "dump(2)")],
    orders: &[(Order::Sorted, ""), (Order::Kept, "ordered_json")],
    strings: &[(spelling::JAVASCRIPT, ""), (spelling::PYTHON, "ensure_ascii")],
    numbers: &[(number::NLOHMANN, "")],
    shapes: KEPT,
    endings: OR_LINE,
};

pub const CJSON: Serialiser = Serialiser {
    name: "C's cJSON",
    variant: "json-cjson",
    cure: "Keep the string of cJSON_Print, sign it, and send it.",
    layouts: &[(&layout::CJSON, ""), (&layout::COMPACT, "cJSON_PrintUnformatted")],
    orders: &[(Order::Kept, "")],
    strings: &[(spelling::JAVASCRIPT, "")],
    numbers: &[(number::CJSON, "")],
    shapes: KEPT,
    endings: OR_LINE,
};

pub const SWIFT: Serialiser = Serialiser {
    name: "Swift's JSONEncoder",
    variant: "json-swift",
    cure: "Keep the Data of encode(), sign it, and send it as httpBody.",
    layouts: &[(&layout::COMPACT, ""), (&layout::SWIFT, ".prettyPrinted")],
    orders: &[(Order::Sorted, ".sortedKeys"), (Order::Kept, ""), (Order::Any, "without .sortedKeys")],
    strings: &[(spelling::SLASHES, ""), (spelling::JAVASCRIPT, ".withoutEscapingSlashes")],
    numbers: &[(number::JAVASCRIPT, "")],
    shapes: &[(Shape::Kept, ""), (Shape::WithoutNulls, "optionals left out")],
    endings: NO_ENDING,
};
