//! Lists of message ids.

use std::fmt;

use serde::de::{self, Deserialize, Deserializer, SeqAccess, Visitor};

use crate::domain::MessageId;

/// The maximum number of ids in a request.
const MOST_IDS: usize = 1_000;

/// 1 to 1,000 message ids.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct MessageIds(pub Vec<MessageId>);

/// The same as they were written: who reads them says which are none.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct WrittenIds(pub Vec<String>);

struct Reads;

impl<'de> Visitor<'de> for Reads {
    type Value = Vec<String>;

    fn expecting(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "a list of 1 to {MOST_IDS} message ids")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Vec<String>, A::Error> {
        let wrong = || de::Error::invalid_type(de::Unexpected::Seq, &Self);
        let mut ids = Vec::new();
        while let Some(id) = items.next_element::<String>().map_err(|_| wrong())? {
            ids.push(id);
        }
        if (1..=MOST_IDS).contains(&ids.len()) { Ok(ids) } else { Err(wrong()) }
    }
}

impl<'de> Deserialize<'de> for WrittenIds {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        from.deserialize_seq(Reads).map(Self)
    }
}

impl<'de> Deserialize<'de> for MessageIds {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        let ids = from.deserialize_seq(Reads)?;
        let read: Option<Vec<MessageId>> = ids.iter().map(|id| id.parse().ok()).collect();
        read.map(Self).ok_or_else(|| de::Error::invalid_type(de::Unexpected::Seq, &Reads))
    }
}
