//! The number formats of languages and libraries, as observed.

use super::style::{Digits, Float, High, Numbers, Whole};

/// ECMA-262, Number::toString.
const SCRIPT: Float = Float {
    whole: Whole::Float,
    digits: Digits::Shortest,
    low: -6,
    high: High::At(21),
    has_zero: (false, false),
    exponent: 'e',
    has_plus: true,
    width: 1,
    has_minus_zero: false,
};
const REPR: Float = Float {
    whole: Whole::Exact,
    low: -4,
    high: High::At(16),
    has_zero: (true, false),
    width: 2,
    has_minus_zero: true,
    ..SCRIPT
};
/// C's `%g`.
const PRINTF: Float =
    Float { digits: Digits::At(15), low: -4, high: High::At(15), width: 2, has_minus_zero: true, ..SCRIPT };
const DOUBLE: Float = Float {
    whole: Whole::Exact,
    low: -3,
    high: High::At(7),
    has_zero: (true, true),
    exponent: 'E',
    has_plus: false,
    has_minus_zero: true,
    ..SCRIPT
};
const ZEND: Float = Float {
    whole: Whole::Signed64,
    low: -4,
    high: High::At(17),
    has_zero: (false, true),
    has_minus_zero: true,
    ..SCRIPT
};

pub const JAVASCRIPT: Numbers = Numbers::Float(SCRIPT);
pub const GO: Numbers = Numbers::Float(Float { has_minus_zero: true, ..SCRIPT });
/// Go's `%v`.
pub const GO_PRINT: Numbers =
    Numbers::Float(Float { low: -4, high: High::At(6), width: 2, has_minus_zero: true, ..SCRIPT });
pub const PYTHON: Numbers = Numbers::Float(REPR);
pub const ORJSON: Numbers = Numbers::Float(Float { whole: Whole::Any64, low: -5, width: 1, ..REPR });
pub const UJSON: Numbers = Numbers::Float(Float { width: 1, ..REPR });
/// Rust's serde_json with ryu.
pub const RUST: Numbers =
    Numbers::Float(Float { whole: Whole::Any64, low: -5, width: 1, has_plus: false, ..REPR });
pub const PHP: Numbers = Numbers::Float(ZEND);
/// JSON_PRESERVE_ZERO_FRACTION.
pub const PHP_ZERO: Numbers = Numbers::Float(Float { has_zero: (true, true), ..ZEND });
pub const RUBY: Numbers = Numbers::Float(Float { high: High::At(15), has_zero: (true, true), ..REPR });
pub const JAVA: Numbers = Numbers::Float(DOUBLE);
/// Gson's maps: every number is a double.
pub const GSON: Numbers = Numbers::Float(Float { whole: Whole::Float, ..DOUBLE });
/// jq 1.6; later versions keep the digits.
pub const JQ: Numbers =
    Numbers::Float(Float { low: -4, high: High::AboveDigits(15), width: 2, has_minus_zero: true, ..SCRIPT });
pub const PERL: Numbers = Numbers::Float(Float { whole: Whole::Any64OrString, ..PRINTF });
pub const LUA: Numbers = Numbers::Float(Float { digits: Digits::At(14), high: High::At(14), ..PRINTF });
pub const CJSON: Numbers = Numbers::Float(Float { digits: Digits::FifteenOrSeventeen, ..PRINTF });
pub const NLOHMANN: Numbers = Numbers::Float(Float { whole: Whole::Any64, high: High::At(15), ..REPR });
/// .NET's shortest format, by its documentation.
pub const DOTNET: Numbers = Numbers::Float(Float {
    whole: Whole::Exact,
    low: -5,
    high: High::At(15),
    exponent: 'E',
    width: 2,
    has_minus_zero: true,
    ..SCRIPT
});
/// Newtonsoft.Json adds `.0`.
pub const NEWTONSOFT: Numbers = Numbers::Float(Float {
    whole: Whole::Exact,
    low: -5,
    high: High::At(15),
    has_zero: (true, false),
    exponent: 'E',
    width: 2,
    has_minus_zero: true,
    ..SCRIPT
});
