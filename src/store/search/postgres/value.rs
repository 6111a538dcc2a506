//! A value in the conditions of a query.

use crate::store::postgres::{Param, Typed};

/// A value of a parameter.
pub enum Value {
    Number(i64),
    Text(String),
    Bytes(Vec<u8>),
    Ids(Vec<Vec<u8>>),
}

impl Typed for Value {
    fn param(&self) -> Param<'_> {
        match self {
            Self::Number(number) => number.param(),
            Self::Text(text) => text.param(),
            Self::Bytes(bytes) => bytes.param(),
            Self::Ids(ids) => ids.param(),
        }
    }
}
