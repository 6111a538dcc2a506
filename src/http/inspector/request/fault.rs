//! What is wrong with a value.

use std::fmt;

use serde::de::{self, Expected, Unexpected};

/// Why a value cannot be read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Mismatch {
    /// What was expected in its place.
    Expected(String),
    /// What is wrong with it.
    Wrong(String),
}

impl Mismatch {
    fn of(expected: &dyn Expected) -> Self {
        Self::Expected(match expected.to_string().as_str() {
            "a boolean" => "true or false".to_owned(),
            other => other.to_owned(),
        })
    }
}

impl fmt::Display for Mismatch {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (Self::Expected(what) | Self::Wrong(what)) = self;
        out.write_str(what)
    }
}

impl std::error::Error for Mismatch {}

impl de::Error for Mismatch {
    fn custom<T: fmt::Display>(what: T) -> Self {
        Self::Wrong(what.to_string())
    }

    fn invalid_type(_: Unexpected<'_>, expected: &dyn Expected) -> Self {
        Self::of(expected)
    }

    fn invalid_value(_: Unexpected<'_>, expected: &dyn Expected) -> Self {
        Self::of(expected)
    }

    fn invalid_length(_: usize, expected: &dyn Expected) -> Self {
        Self::of(expected)
    }
}
