//! A value of a request as serde reads it: JSON, or the text of a parameter or of a form's field.

use std::cell::RefCell;

use serde::de::value::{MapDeserializer, SeqDeserializer};
use serde::de::{self, Deserialize, Deserializer, IntoDeserializer, Visitor};
use serde::forward_to_deserialize_any;
use serde_json::Value;
use serde_json::value::RawValue;

use super::fault::Mismatch;

/// The name under which `AsWritten` asks for the text of a JSON value.
const AS_WRITTEN: &str = "tagohook::AsWritten";

/// A JSON value exactly as it was written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AsWritten(pub String);

impl<'de> Deserialize<'de> for AsWritten {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        struct Text;
        impl Visitor<'_> for Text {
            type Value = AsWritten;

            fn expecting(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                out.write_str("a JSON value")
            }

            fn visit_str<E: de::Error>(self, text: &str) -> Result<AsWritten, E> {
                Ok(AsWritten(text.to_owned()))
            }
        }
        from.deserialize_newtype_struct(AS_WRITTEN, Text)
    }
}

/// A member of a request.
#[derive(Clone, Debug)]
pub enum Member {
    /// A member of a JSON object.
    Json(Box<RawValue>),
    /// A parameter of a query.
    Text(String),
    /// A field of a form.
    Field(String),
}

impl<'de> Deserializer<'de> for &Member {
    type Error = Mismatch;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Mismatch> {
        match self {
            Member::Json(raw) => parsed(raw).deserialize_any(visitor),
            Member::Text(text) | Member::Field(text) => visitor.visit_string(text.clone()),
        }
    }

    fn deserialize_bool<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Mismatch> {
        match self {
            Member::Field(text) if matches!(text.as_str(), "yes" | "on") => visitor.visit_bool(true),
            Member::Text(text) | Member::Field(text) => match text.parse() {
                Ok(flag) => visitor.visit_bool(flag),
                Err(_) => visitor.visit_str(text),
            },
            Member::Json(_) => self.deserialize_any(visitor),
        }
    }

    fn deserialize_u64<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Mismatch> {
        match self {
            Member::Text(text) | Member::Field(text) => match text.trim().parse() {
                Ok(number) => visitor.visit_u64(number),
                Err(_) => visitor.visit_str(text),
            },
            Member::Json(_) => self.deserialize_any(visitor),
        }
    }

    fn deserialize_i64<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Mismatch> {
        match self {
            Member::Text(text) | Member::Field(text) => match text.trim().parse() {
                Ok(number) => visitor.visit_i64(number),
                Err(_) => visitor.visit_str(text),
            },
            Member::Json(_) => self.deserialize_any(visitor),
        }
    }

    /// Of a form: a text with commas.
    fn deserialize_seq<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Mismatch> {
        let Member::Field(text) = self else { return self.deserialize_any(visitor) };
        let items = text.split(',').map(str::trim).filter(|item| !item.is_empty());
        visitor.visit_seq(SeqDeserializer::new(items))
    }

    /// Of a form: lines as `name: value`.
    fn deserialize_map<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Mismatch> {
        let Member::Field(text) = self else { return self.deserialize_any(visitor) };
        let lines = text.lines().filter(|line| !line.trim().is_empty());
        let pairs = lines.map(|line| {
            let (name, value) = line.split_once(':').unwrap_or((line, ""));
            (name.trim(), value.trim())
        });
        visitor.visit_map(MapDeserializer::new(pairs))
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Mismatch> {
        match self {
            Member::Json(raw) if raw.get() == "null" => visitor.visit_none(),
            _ => visitor.visit_some(self),
        }
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(
        self,
        name: &'static str,
        visitor: V,
    ) -> Result<V::Value, Mismatch> {
        match self {
            Member::Json(raw) if name == AS_WRITTEN => visitor.visit_string(raw.get().to_owned()),
            Member::Text(text) | Member::Field(text) if name == AS_WRITTEN => {
                visitor.visit_string(Value::from(text.as_str()).to_string())
            }
            _ => visitor.visit_newtype_struct(self),
        }
    }

    forward_to_deserialize_any! {
        i8 i16 i32 i128 u8 u16 u32 u128 f32 f64 char str string bytes byte_buf unit unit_struct
        tuple tuple_struct struct enum identifier ignored_any
    }
}

fn parsed(raw: &RawValue) -> Json {
    Json(serde_json::from_str(raw.get()).unwrap_or_default())
}

impl<'de> IntoDeserializer<'de, Mismatch> for &Member {
    type Deserializer = Self;

    fn into_deserializer(self) -> Self {
        self
    }
}

/// A JSON value whose mismatches say only what was expected.
struct Json(Value);

impl IntoDeserializer<'_, Mismatch> for Json {
    type Deserializer = Self;

    fn into_deserializer(self) -> Self {
        self
    }
}

impl<'de> Deserializer<'de> for Json {
    type Error = Mismatch;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Mismatch> {
        match self.0 {
            Value::Null => visitor.visit_unit(),
            Value::Bool(flag) => visitor.visit_bool(flag),
            Value::String(text) => visitor.visit_string(text),
            Value::Array(items) => visitor.visit_seq(SeqDeserializer::new(items.into_iter().map(Json))),
            Value::Object(members) => {
                let members = members.into_iter().map(|(name, value)| (name, Json(value)));
                visitor.visit_map(MapDeserializer::new(members))
            }
            Value::Number(number) => match (number.as_u64(), number.as_i64(), number.as_f64()) {
                (Some(number), ..) => visitor.visit_u64(number),
                (_, Some(number), _) => visitor.visit_i64(number),
                (.., number) => visitor.visit_f64(number.unwrap_or(f64::NAN)),
            },
        }
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Mismatch> {
        if self.0.is_null() { visitor.visit_none() } else { visitor.visit_some(self) }
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(
        self,
        name: &'static str,
        visitor: V,
    ) -> Result<V::Value, Mismatch> {
        if name == AS_WRITTEN {
            return visitor.visit_string(self.0.to_string());
        }
        visitor.visit_newtype_struct(self)
    }

    forward_to_deserialize_any! {
        bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char str string bytes byte_buf unit unit_struct seq
        tuple tuple_struct map struct enum identifier ignored_any
    }
}

/// The members of a struct; which of them could not be read is in `failed`.
pub struct Struct<'a> {
    /// The members that are there.
    pub members: &'a [(String, Member)],
    /// The member that is being read.
    pub at: &'a RefCell<Option<String>>,
}

impl<'de> Deserializer<'de> for Struct<'_> {
    type Error = Mismatch;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Mismatch> {
        let members = self.members.iter().map(|(name, member)| {
            *self.at.borrow_mut() = Some(name.clone());
            (name.as_str(), member)
        });
        visitor.visit_map(MapDeserializer::new(members))
    }

    forward_to_deserialize_any! {
        bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char str string bytes byte_buf unit unit_struct seq
        option newtype_struct tuple tuple_struct map struct enum identifier ignored_any
    }
}

/// Learns the names of a struct's fields, and reads nothing.
pub struct Names<'a>(pub &'a RefCell<&'static [&'static str]>);

impl<'de> Deserializer<'de> for Names<'_> {
    type Error = Mismatch;

    fn deserialize_any<V: Visitor<'de>>(self, _: V) -> Result<V::Value, Mismatch> {
        Err(Mismatch::Wrong(String::new()))
    }

    fn deserialize_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        fields: &'static [&'static str],
        _: V,
    ) -> Result<V::Value, Mismatch> {
        *self.0.borrow_mut() = fields;
        Err(Mismatch::Wrong(String::new()))
    }

    forward_to_deserialize_any! {
        bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char str string bytes byte_buf unit unit_struct seq
        option newtype_struct tuple tuple_struct map enum identifier ignored_any
    }
}
