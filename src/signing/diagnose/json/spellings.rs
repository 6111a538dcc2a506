//! The string formats of languages and libraries, as observed.

use super::style::{Beyond, Letters, Spelling};

const PLAIN: Letters = Letters {
    html: ("", false),
    beyond: Beyond::Plain,
    has_capitals: false,
    slash: false,
    delete: false,
    short: "bfnrt",
};
const ASCII: Letters = Letters { beyond: Beyond::Escaped, ..PLAIN };
const SEPARATORS: Letters = Letters { beyond: Beyond::LineSeparators, ..PLAIN };
/// `<`, `>`, `&`, and Go's short escapes before 1.22.
const HTML: Letters = Letters { html: ("<>&", false), ..SEPARATORS };
const HEX: (&str, bool) = ("<>&'\"", true);

/// ECMA-262, QuoteJSONString; also most others.
pub const JAVASCRIPT: Spelling = Spelling::Json(PLAIN);
/// U+2028 and U+2029 escaped.
pub const LINE_SEPARATORS: Spelling = Spelling::Json(SEPARATORS);
/// Before 1.22; later versions write \b and \f.
pub const GO: Spelling = Spelling::Json(Letters { short: "nrt", ..HTML });
pub const GO_NEW: Spelling = Spelling::Json(HTML);
/// SetEscapeHTML(false), before 1.22.
pub const GO_PLAIN: Spelling = Spelling::Json(Letters { short: "nrt", ..SEPARATORS });
pub const RAILS: Spelling = GO_NEW;
pub const GSON: Spelling = Spelling::Json(Letters { html: ("<>&='", false), ..SEPARATORS });
pub const PYTHON: Spelling = Spelling::Json(Letters { delete: true, ..ASCII });
/// simplejson's JSONEncoderForHTML.
pub const PYTHON_HTML: Spelling = Spelling::Json(Letters { html: ("<>&", false), delete: true, ..ASCII });
/// Letters beyond ASCII escaped, U+007F not.
pub const ESCAPED: Spelling = Spelling::Json(ASCII);
pub const PHP: Spelling = Spelling::Json(Letters { slash: true, ..ASCII });
pub const PHP_HEX: Spelling = Spelling::Json(Letters { html: HEX, slash: true, ..ASCII });
pub const PHP_HEX_SLASHES: Spelling = Spelling::Json(Letters { html: HEX, ..ASCII });
pub const PHP_UNICODE: Spelling = Spelling::Json(Letters { slash: true, ..SEPARATORS });
pub const PHP_HEX_UNICODE: Spelling = Spelling::Json(Letters { html: HEX, slash: true, ..SEPARATORS });
pub const PHP_HEX_BOTH: Spelling = Spelling::Json(Letters { html: HEX, ..SEPARATORS });
/// Slashes escaped and letters plain: Swift (by its documentation) and json-simple.
pub const SLASHES: Spelling = Spelling::Json(Letters { slash: true, ..PLAIN });
pub const LUA: Spelling = Spelling::Json(Letters { slash: true, delete: true, ..PLAIN });
/// jq.
pub const DELETE: Spelling = Spelling::Json(Letters { delete: true, ..PLAIN });
/// Jackson's ESCAPE_NON_ASCII.
pub const CAPITALS: Spelling = Spelling::Json(Letters { has_capitals: true, ..ASCII });
/// Jackson's control characters have upper-case digits.
pub const JACKSON: Spelling = Spelling::Json(Letters { has_capitals: true, ..PLAIN });
/// System.Text.Json by its documentation.
pub const DOTNET: Spelling =
    Spelling::Json(Letters { html: ("<>&'\"+`", true), has_capitals: true, delete: true, ..ASCII });
