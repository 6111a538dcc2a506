//! Values as parameters and columns.
//!
//! PostgreSQL's text cannot hold NUL, and ids or names from a payload may. A NUL is written as two characters that begin
//! with one that no text should contain, and read back as NUL.

use std::borrow::Cow;

use tokio_postgres::Row;
use tokio_postgres::types::{FromSql, ToSql, Type};

use crate::store::StoreError;

/// A parameter with its type.
pub type Param<'p> = (Box<dyn ToSql + Sync + Send + 'p>, Type);

/// The first character of an escape in a text.
const ESCAPE: char = '\u{10ffff}';

/// A value that can be a parameter.
pub trait Typed {
    /// The parameter.
    fn param(&self) -> Param<'_>;
}

/// The parameters of a statement, in their order.
macro_rules! params {
    ($($value:expr),* $(,)?) => { [$($crate::store::postgres::Typed::param(&$value)),*] };
}
pub(in crate::store) use params;

macro_rules! typed {
    ($($rust:ty => $one:ident, $many:ident;)*) => { $(
        impl Typed for $rust {
            fn param(&self) -> Param<'_> {
                (Box::new(self), Type::$one)
            }
        }

        impl Typed for Option<$rust> {
            fn param(&self) -> Param<'_> {
                (Box::new(self), Type::$one)
            }
        }

        impl Typed for Vec<$rust> {
            fn param(&self) -> Param<'_> {
                (Box::new(self), Type::$many)
            }
        }

        impl Typed for Vec<Option<$rust>> {
            fn param(&self) -> Param<'_> {
                (Box::new(self), Type::$many)
            }
        }
    )* };
}

typed! {
    i64 => INT8, INT8_ARRAY;
    i32 => INT4, INT4_ARRAY;
    f64 => FLOAT8, FLOAT8_ARRAY;
    bool => BOOL, BOOL_ARRAY;
    Vec<u8> => BYTEA, BYTEA_ARRAY;
}

impl<T: Typed + ?Sized> Typed for &T {
    fn param(&self) -> Param<'_> {
        (**self).param()
    }
}

impl Typed for [u8] {
    fn param(&self) -> Param<'_> {
        (Box::new(self), Type::BYTEA)
    }
}

impl Typed for [i64] {
    fn param(&self) -> Param<'_> {
        (Box::new(self), Type::INT8_ARRAY)
    }
}

impl<const N: usize> Typed for [u8; N] {
    fn param(&self) -> Param<'_> {
        (Box::new(self.as_slice()), Type::BYTEA)
    }
}

impl<const N: usize> Typed for Option<[u8; N]> {
    fn param(&self) -> Param<'_> {
        (Box::new(self.as_ref().map(<[u8; N]>::as_slice)), Type::BYTEA)
    }
}

impl Typed for Option<&[u8]> {
    fn param(&self) -> Param<'_> {
        (Box::new(*self), Type::BYTEA)
    }
}

impl Typed for Vec<&[u8]> {
    fn param(&self) -> Param<'_> {
        (Box::new(self), Type::BYTEA_ARRAY)
    }
}

impl Typed for str {
    fn param(&self) -> Param<'_> {
        (Box::new(escaped(self)), Type::TEXT)
    }
}

impl Typed for String {
    fn param(&self) -> Param<'_> {
        self.as_str().param()
    }
}

impl Typed for Option<&str> {
    fn param(&self) -> Param<'_> {
        (Box::new(self.map(escaped)), Type::TEXT)
    }
}

impl Typed for Option<String> {
    fn param(&self) -> Param<'_> {
        (Box::new(self.as_deref().map(escaped)), Type::TEXT)
    }
}

impl Typed for Vec<String> {
    fn param(&self) -> Param<'_> {
        (Box::new(self.iter().map(|text| escaped(text)).collect::<Vec<_>>()), Type::TEXT_ARRAY)
    }
}

impl Typed for Vec<&str> {
    fn param(&self) -> Param<'_> {
        (Box::new(self.iter().map(|text| escaped(text)).collect::<Vec<_>>()), Type::TEXT_ARRAY)
    }
}

impl Typed for Vec<Option<&str>> {
    fn param(&self) -> Param<'_> {
        (Box::new(self.iter().map(|text| text.map(escaped)).collect::<Vec<_>>()), Type::TEXT_ARRAY)
    }
}

impl Typed for Vec<Option<String>> {
    fn param(&self) -> Param<'_> {
        let texts = self.iter().map(|text| text.as_deref().map(escaped)).collect::<Vec<_>>();
        (Box::new(texts), Type::TEXT_ARRAY)
    }
}

/// A value that can be read from a column.
pub trait Column: Sized {
    /// The value of the column `name`.
    fn read(row: &Row, name: &str) -> Result<Self, tokio_postgres::Error>;
}

/// Reads the column `name`.
///
/// # Errors
/// `Unavailable` if the column is missing or has another type.
pub fn column<T: Column>(row: &Row, name: &str) -> Result<T, StoreError> {
    T::read(row, name).map_err(StoreError::from)
}

macro_rules! columns {
    ($($rust:ty),*) => { $(
        impl Column for $rust {
            fn read(row: &Row, name: &str) -> Result<Self, tokio_postgres::Error> {
                row.try_get(name)
            }
        }

        impl Column for Option<$rust> {
            fn read(row: &Row, name: &str) -> Result<Self, tokio_postgres::Error> {
                row.try_get(name)
            }
        }
    )* };
}

columns!(i64, i32, f64, bool, Vec<u8>, Vec<i64>, Vec<Vec<u8>>);

impl Column for String {
    fn read(row: &Row, name: &str) -> Result<Self, tokio_postgres::Error> {
        row.try_get::<_, &str>(name).map(unescaped)
    }
}

impl Column for Option<String> {
    fn read(row: &Row, name: &str) -> Result<Self, tokio_postgres::Error> {
        Ok(row.try_get::<_, Option<&str>>(name)?.map(unescaped))
    }
}

impl Column for Option<Vec<String>> {
    fn read(row: &Row, name: &str) -> Result<Self, tokio_postgres::Error> {
        let texts = row.try_get::<_, Option<Vec<&str>>>(name)?;
        Ok(texts.map(|texts| texts.into_iter().map(unescaped).collect()))
    }
}

impl Column for Option<Vec<Option<String>>> {
    fn read(row: &Row, name: &str) -> Result<Self, tokio_postgres::Error> {
        let texts = row.try_get::<_, Option<Vec<Option<&str>>>>(name)?;
        Ok(texts.map(|texts| texts.into_iter().map(|text| text.map(unescaped)).collect()))
    }
}

/// Bytes of a fixed length.
struct Fixed<const N: usize>([u8; N]);

impl<'a, const N: usize> FromSql<'a> for Fixed<N> {
    fn from_sql(_: &Type, raw: &'a [u8]) -> Result<Self, Box<dyn std::error::Error + Sync + Send>> {
        Ok(Self(raw.try_into()?))
    }

    fn accepts(kind: &Type) -> bool {
        *kind == Type::BYTEA
    }
}

impl<const N: usize> Column for [u8; N] {
    fn read(row: &Row, name: &str) -> Result<Self, tokio_postgres::Error> {
        row.try_get::<_, Fixed<N>>(name).map(|fixed| fixed.0)
    }
}

impl<const N: usize> Column for Option<[u8; N]> {
    fn read(row: &Row, name: &str) -> Result<Self, tokio_postgres::Error> {
        Ok(row.try_get::<_, Option<Fixed<N>>>(name)?.map(|fixed| fixed.0))
    }
}

pub(super) fn escaped(text: &str) -> Cow<'_, str> {
    if !text.contains(['\0', ESCAPE]) {
        return Cow::Borrowed(text);
    }
    let mut safe = String::with_capacity(text.len().saturating_add(8));
    for letter in text.chars() {
        match letter {
            '\0' => safe.extend([ESCAPE, '0']),
            ESCAPE => safe.extend([ESCAPE, '1']),
            other => safe.push(other),
        }
    }
    Cow::Owned(safe)
}

fn unescaped(text: &str) -> String {
    if !text.contains(ESCAPE) {
        return text.to_owned();
    }
    let mut read = String::with_capacity(text.len());
    let mut letters = text.chars();
    while let Some(letter) = letters.next() {
        match (letter, letter == ESCAPE) {
            (_, true) => match letters.next() {
                Some('0') => read.push('\0'),
                Some('1') => read.push(ESCAPE),
                other => read.extend([ESCAPE].into_iter().chain(other)),
            },
            (other, false) => read.push(other),
        }
    }
    read
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_text_comes_back_and_none_holds_a_nul() {
        for text in ["", "plain", "a\0b", "\0", "\u{10ffff}", "\u{10ffff}0", "\0\u{10ffff}1\0"] {
            assert!(!escaped(text).contains('\0'));
            assert_eq!(unescaped(&escaped(text)), text);
        }
    }
}
