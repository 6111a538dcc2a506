//! The blanks, line breaks and brackets of languages and libraries.

use super::style::{Empty, Layout, Lists, Words};

pub const JSON: Words =
    Words { yes: "true", no: "false", null: "null", list: ("[", "]"), object: ("{", "}"), is_opaque: false };

pub const COMPACT: Layout =
    Layout { comma: ",", colon: ":", lines: None, lists: Lists::Lines, empty: Empty::Closed, words: &JSON };
/// `, ` and `: `.
pub const SPACED: Layout = Layout { comma: ", ", colon: ": ", ..COMPACT };
pub const COMMAS_SPACED: Layout = Layout { comma: ", ", ..COMPACT };
pub const COLONS_SPACED: Layout = Layout { colon: ": ", ..COMPACT };

pub const TWO: Layout = Layout { colon: ": ", lines: Some(("  ", "\n")), ..COMPACT };
pub const FOUR: Layout = Layout { lines: Some(("    ", "\n")), ..TWO };
pub const TAB: Layout = Layout { lines: Some(("\t", "\n")), ..TWO };
pub const THREE: Layout = Layout { lines: Some(("   ", "\n")), ..TWO };
pub const ONE: Layout = Layout { lines: Some((" ", "\n")), ..TWO };
pub const TWO_CRLF: Layout = Layout { lines: Some(("  ", "\r\n")), ..TWO };
pub const FOUR_CRLF: Layout = Layout { lines: Some(("    ", "\r\n")), ..TWO };
pub const TAB_CRLF: Layout = Layout { lines: Some(("\t", "\r\n")), ..TWO };
/// Files written by people: lists on one line.
pub const TWO_LISTS: Layout =
    Layout { lists: Lists::OneLine { open: "[", comma: ", ", close: "]", is_level: true }, ..TWO };
/// Python 2: a blank after each comma.
pub const TWO_BLANK: Layout = Layout { comma: ", ", ..TWO };
pub const FOUR_BLANK: Layout = Layout { comma: ", ", ..FOUR };
/// Perl's `pretty`.
pub const PERL: Layout = Layout { colon: " : ", ..THREE };
/// Jackson's DefaultPrettyPrinter.
pub const JACKSON: Layout = Layout {
    colon: " : ",
    lists: Lists::OneLine { open: "[ ", comma: ", ", close: " ]", is_level: false },
    empty: Empty::WithBlank,
    ..TWO
};
/// Swift's `.prettyPrinted`, by its documentation.
pub const SWIFT: Layout = Layout { colon: " : ", ..TWO };
/// cJSON_Print.
pub const CJSON: Layout = Layout {
    colon: ":\t",
    lines: Some(("\t", "\n")),
    lists: Lists::OneLine { open: "[", comma: ", ", close: "]", is_level: true },
    empty: Empty::OnLines { lists: None },
    ..COMPACT
};
/// PostgreSQL's jsonb_pretty.
pub const JSONB: Layout = Layout { empty: Empty::OnLines { lists: Some("") }, ..FOUR };
/// Ruby's pretty_generate, in older versions.
pub const RUBY: Layout = Layout { empty: Empty::OnLines { lists: Some("\n") }, ..TWO };

/// Output that is not JSON.
pub const PYTHON_STR: Layout =
    Layout { words: &Words { yes: "True", no: "False", null: "None", ..JSON }, ..SPACED };
pub const RUBY_STR: Layout = Layout { colon: "=>", words: &Words { null: "nil", ..JSON }, ..SPACED };
/// Ruby 3.4 and later.
pub const RUBY_NEW: Layout = Layout { colon: " => ", words: &Words { null: "nil", ..JSON }, ..SPACED };
pub const JAVA_STR: Layout = Layout { colon: "=", ..SPACED };
pub const GO_STR: Layout =
    Layout { comma: " ", words: &Words { null: "<nil>", object: ("map[", "]"), ..JSON }, ..COMPACT };
pub const JS_STR: Layout = Layout {
    words: &Words { null: "", list: ("", ""), object: ("[object", " Object]"), is_opaque: true, ..JSON },
    ..COMPACT
};
