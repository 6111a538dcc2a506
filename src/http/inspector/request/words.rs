//! Values that are written as text, and numbers within limits.

use std::fmt;
use std::marker::PhantomData;

use serde::de::{self, Deserialize, Deserializer, SeqAccess, Visitor};
use utoipa::openapi::schema::{ObjectBuilder, Schema, SchemaFormat, SchemaType, Type};
use utoipa::openapi::{KnownFormat, RefOr};
use utoipa::{PartialSchema, ToSchema};

/// A value that is written as text.
pub trait Word: Sized {
    /// What is expected, for a fault.
    fn expected() -> String;

    /// Reads it.
    ///
    /// # Errors
    /// What is wrong with it, if more can be said than what was expected.
    fn read(text: &str) -> Result<Self, Option<String>>;

    /// Whether numbers and booleans are read like their texts.
    const IS_LOOSE: bool = false;

    /// Whether a list of texts is read like one text with commas.
    const IS_LIST: bool = false;

    /// Its schema.
    fn schema() -> RefOr<Schema> {
        text(&Self::expected())
    }
}

/// A text that is described.
pub fn text(description: &str) -> RefOr<Schema> {
    ObjectBuilder::new().schema_type(Type::String).description(Some(description)).into()
}

/// One of these words.
pub fn one_of(words: &[&str]) -> RefOr<Schema> {
    ObjectBuilder::new().schema_type(Type::String).enum_values(Some(words.iter().copied())).into()
}

/// A time.
pub fn time() -> RefOr<Schema> {
    let format = SchemaFormat::KnownFormat(KnownFormat::DateTime);
    ObjectBuilder::new().schema_type(Type::String).format(Some(format)).into()
}

/// A number, or a text.
pub fn number_or_text() -> RefOr<Schema> {
    let kinds = SchemaType::Array(vec![Type::Number, Type::String]);
    ObjectBuilder::new().schema_type(kinds).into()
}

/// A value that is read from its text.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct As<T>(pub T);

struct Reads<T>(PhantomData<T>);

impl<T: Word> Reads<T> {
    fn loosely<E: de::Error>(self, text: &str) -> Result<As<T>, E> {
        if T::IS_LOOSE {
            self.visit_str(text)
        } else {
            Err(E::invalid_type(de::Unexpected::Str(text), &self))
        }
    }
}

impl<'de, T: Word> Visitor<'de> for Reads<T> {
    type Value = As<T>;

    fn expecting(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(&T::expected())
    }

    fn visit_str<E: de::Error>(self, text: &str) -> Result<As<T>, E> {
        T::read(text)
            .map(As)
            .map_err(|why| why.map_or_else(|| E::invalid_value(de::Unexpected::Str(text), &self), E::custom))
    }

    fn visit_u64<E: de::Error>(self, number: u64) -> Result<As<T>, E> {
        self.loosely(&number.to_string())
    }

    fn visit_i64<E: de::Error>(self, number: i64) -> Result<As<T>, E> {
        self.loosely(&number.to_string())
    }

    fn visit_f64<E: de::Error>(self, number: f64) -> Result<As<T>, E> {
        self.loosely(&number.to_string())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<As<T>, A::Error> {
        let mut texts = Vec::new();
        let wrong = || de::Error::invalid_type(de::Unexpected::Seq, &self);
        while let Some(text) = items.next_element::<String>().map_err(|_| wrong())? {
            texts.push(text);
        }
        if !T::IS_LIST {
            return Err(wrong());
        }
        self.visit_str(&texts.join(","))
    }

    fn visit_bool<E: de::Error>(self, flag: bool) -> Result<As<T>, E> {
        self.loosely(&flag.to_string())
    }
}

impl<'de, T: Word> Deserialize<'de> for As<T> {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        from.deserialize_str(Reads(PhantomData))
    }
}

impl<T: Word> PartialSchema for As<T> {
    fn schema() -> RefOr<Schema> {
        T::schema()
    }
}

impl<T: Word> ToSchema for As<T> {}

/// A number from `LOW` to `HIGH`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Range<const LOW: u64, const HIGH: u64>(pub u64);

impl<const LOW: u64, const HIGH: u64> Range<LOW, HIGH> {
    /// The number.
    #[must_use]
    pub fn size(self) -> usize {
        usize::try_from(self.0).unwrap_or(usize::MAX)
    }
}

impl<const LOW: u64, const HIGH: u64> Visitor<'_> for Range<LOW, HIGH> {
    type Value = Self;

    fn expecting(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "a number from {LOW} to {HIGH}")
    }

    fn visit_u64<E: de::Error>(self, number: u64) -> Result<Self, E> {
        if (LOW..=HIGH).contains(&number) {
            return Ok(Self(number));
        }
        Err(E::invalid_value(de::Unexpected::Unsigned(number), &self))
    }
}

impl<'de, const LOW: u64, const HIGH: u64> Deserialize<'de> for Range<LOW, HIGH> {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        from.deserialize_u64(Self(LOW))
    }
}

impl<const LOW: u64, const HIGH: u64> PartialSchema for Range<LOW, HIGH> {
    fn schema() -> RefOr<Schema> {
        let number = ObjectBuilder::new().schema_type(SchemaType::Type(Type::Integer));
        number.minimum(Some(LOW)).maximum(Some(HIGH)).into()
    }
}

impl<const LOW: u64, const HIGH: u64> ToSchema for Range<LOW, HIGH> {}
