//! The members of an object and the items of an array, exactly as written.

use std::collections::BTreeMap;
use std::fmt;
use std::marker::PhantomData;

use serde::Deserialize;
use serde::de::{DeserializeSeed, Deserializer, Error as _, IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde_json::Value;
use serde_json::value::RawValue;

use super::kind::seen;

/// The members of an object in order, including duplicate names.
pub struct Members<V>(pub Vec<(String, V)>);

impl<'de, V: Deserialize<'de>> Deserialize<'de> for Members<V> {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        from.deserialize_map(All(PhantomData))
    }
}

/// The members of an object in order; `None` if `value` is not an object.
#[must_use]
pub fn members(value: &RawValue) -> Option<Vec<(String, Box<RawValue>)>> {
    serde_json::from_str::<Members<_>>(value.get()).ok().map(|members| members.0)
}

/// The members of an object by name.
///
/// # Errors
/// When the text is not a JSON object, or a name occurs twice.
pub fn unique_members(json: &str) -> Result<BTreeMap<String, Box<RawValue>>, serde_json::Error> {
    let mut unique = BTreeMap::new();
    for (name, value) in serde_json::from_str::<Members<_>>(json)?.0 {
        if unique.contains_key(&name) {
            return Err(serde_json::Error::custom(format_args!("{name:?} appears twice")));
        }
        unique.insert(name, value);
    }
    Ok(unique)
}

/// What `json` is, that `unique_members` refused with `fault`: `not a JSON object: an array`.
#[must_use]
pub fn not_an_object(json: &str, fault: &serde_json::Error) -> String {
    let what = match serde_json::from_str::<Value>(json) {
        _ if json.trim().is_empty() => "it is empty".to_owned(),
        Ok(value) if !value.is_object() => seen(&value).to_owned(),
        Err(_) if fault.is_eof() => {
            format!("it ends too early, at line {}, column {}", fault.line(), fault.column())
        }
        _ => fault.to_string(),
    };
    format!("not a JSON object: {what}")
}

/// The member `name` of an object; the last one if it occurs twice.
fn member<'a>(object: &'a RawValue, name: &str) -> Option<&'a RawValue> {
    serde_json::Deserializer::from_str(object.get()).deserialize_map(Member(name)).ok()?
}

/// The item `at` of an array.
fn item(array: &RawValue, at: usize) -> Option<&RawValue> {
    serde_json::Deserializer::from_str(array.get()).deserialize_seq(Item(at)).ok()?
}

/// The member with that name, or for an array the item with that index.
#[must_use]
pub fn step<'a>(value: &'a RawValue, name: &str) -> Option<&'a RawValue> {
    match value.get().as_bytes().first()? {
        b'{' => member(value, name),
        b'[' => {
            let is_index = name == "0" || !name.starts_with(['0', '+']);
            item(value, name.parse().ok().filter(|_| is_index)?)
        }
        _ => None,
    }
}

/// Collects every member.
struct All<V>(PhantomData<V>);

impl<'de, V: Deserialize<'de>> Visitor<'de> for All<V> {
    type Value = Members<V>;

    fn expecting(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Members<V>, A::Error> {
        let mut members = Vec::new();
        while let Some(member) = map.next_entry()? {
            members.push(member);
        }
        Ok(Members(members))
    }
}

/// Finds one member of an object and skips the others.
struct Member<'k>(&'k str);

impl<'de> Visitor<'de> for Member<'_> {
    type Value = Option<&'de RawValue>;

    fn expecting(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<Self::Value, A::Error> {
        let mut found = None;
        while let Some(is_it) = members.next_key_seed(Is(self.0))? {
            if is_it {
                found = Some(members.next_value()?);
            } else {
                members.next_value::<IgnoredAny>()?;
            }
        }
        Ok(found)
    }
}

/// Compares a key without storing it.
struct Is<'k>(&'k str);

impl<'de> DeserializeSeed<'de> for Is<'_> {
    type Value = bool;

    fn deserialize<D: Deserializer<'de>>(self, from: D) -> Result<bool, D::Error> {
        from.deserialize_str(self)
    }
}

impl Visitor<'_> for Is<'_> {
    type Value = bool;

    fn expecting(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str("a key")
    }

    fn visit_str<E>(self, key: &str) -> Result<bool, E> {
        Ok(key == self.0)
    }
}

/// Finds one item of an array.
struct Item(usize);

impl<'de> Visitor<'de> for Item {
    type Value = Option<&'de RawValue>;

    fn expecting(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str("an array")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Self::Value, A::Error> {
        let mut found = None;
        let mut at = 0_usize;
        while let Some(item) = items.next_element::<&RawValue>()? {
            if at == self.0 {
                found = Some(item);
            }
            at = at.saturating_add(1);
        }
        Ok(found)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn members_keep_their_order_and_their_text_and_a_repeated_name_is_told() {
        let object: &RawValue = serde_json::from_str(r#"{"b": 1.0, "a":[1e2 ,"x"], "b":{}}"#).unwrap();
        let all: Vec<(String, String)> = members(object)
            .unwrap()
            .into_iter()
            .map(|(name, value)| (name, value.get().to_owned()))
            .collect();
        let written = |name: &str, value: &str| (name.to_owned(), value.to_owned());
        assert_eq!(all, [written("b", "1.0"), written("a", "[1e2 ,\"x\"]"), written("b", "{}")]);
        assert_eq!(member(object, "b").unwrap().get(), "{}", "the last one counts, as for other readers");
        assert!(unique_members(object.get()).unwrap_err().to_string().contains("\"b\" appears twice"));
        assert_eq!(unique_members("{\"a\":1}").unwrap()["a"].get(), "1");
        for (json, what) in [
            ("[1]", "an array"),
            ("\"a\"", "a string"),
            ("-1", "a number"),
            ("null", "null"),
            (" ", "it is empty"),
            ("{\"a\":", "it ends too early, at line 1, column 5"),
            ("{a}", "key must be a string at line 1 column 2"),
        ] {
            let fault = unique_members(json).unwrap_err();
            assert_eq!(not_an_object(json, &fault), format!("not a JSON object: {what}"));
        }
        assert!(members(serde_json::from_str("[1]").unwrap()).is_none());
    }
}
