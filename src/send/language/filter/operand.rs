//! Values that conditions compare by meaning, not by formatting. 1 equals 1.0 at any depth, members have no order, and
//! every digit counts.

use std::collections::BTreeMap;

use serde_json::value::RawValue;

use crate::domain::json::Number;

/// A JSON value to compare with.
#[derive(Clone, Debug, PartialEq)]
pub enum Operand {
    Null,
    Bool(bool),
    Number(Number),
    Text(String),
    List(Vec<Self>),
    Object(BTreeMap<String, Self>),
    /// A number with an exponent beyond any machine type: equal only to the same text.
    Beyond(String),
}

impl Operand {
    /// Reads a value.
    #[must_use]
    pub fn read(raw: &RawValue) -> Self {
        let text = raw.get();
        match text.as_bytes().first() {
            Some(b'"') => Self::Text(serde_json::from_str(text).unwrap_or_default()),
            Some(b'[') => {
                let items: Vec<&RawValue> = serde_json::from_str(text).unwrap_or_default();
                Self::List(items.into_iter().map(Self::read).collect())
            }
            Some(b'{') => {
                let members: BTreeMap<String, &RawValue> = serde_json::from_str(text).unwrap_or_default();
                Self::Object(members.into_iter().map(|(key, value)| (key, Self::read(value))).collect())
            }
            Some(b't') => Self::Bool(true),
            Some(b'f') => Self::Bool(false),
            Some(b'n') | None => Self::Null,
            Some(_) => Number::read(text).map_or_else(|| Self::Beyond(text.to_owned()), Self::Number),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(json: &str) -> Operand {
        Operand::read(&serde_json::from_str::<Box<RawValue>>(json).unwrap())
    }

    #[test]
    fn values_are_equal_at_any_depth_however_they_are_written() {
        for (one, other) in [
            ("[1,2]", "[1.0,2]"),
            (r#"{"a":1,"b":[1e2]}"#, r#"{ "b":[100], "\u0061":1.0 }"#),
            ("[\"é\"]", "[\"\\u00e9\"]"),
            ("1e99999999999999999999", "1e99999999999999999999"),
        ] {
            assert_eq!(read(one), read(other), "{one} {other}");
        }
        for (one, other) in [
            ("[1,2]", "[2,1]"),
            ("[89550100000012345678]", "[89550100000012345679]"),
            ("{}", "[]"),
            ("null", "0"),
            ("null", "1e99999999999999999999"),
            ("\"1\"", "1"),
        ] {
            assert_ne!(read(one), read(other), "{one} {other}");
        }
    }
}
