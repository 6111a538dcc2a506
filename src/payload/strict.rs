//! Strict JSON: rejects everything that two readers could interpret differently.
//!
//! In addition to invalid JSON (RFC 8259), it rejects: duplicate keys, also spelled with escapes; nesting over 127;
//! numbers outside an IEEE double; lone surrogates; bytes that are not UTF-8. A byte order mark at the start is
//! skipped.

use std::cell::RefCell;
use std::fmt;

use serde::de::{DeserializeSeed, Deserializer, Error as _, MapAccess, SeqAccess, Visitor};
use serde_json::map::Entry;
use serde_json::value::RawValue;
use serde_json::{Map, Number, Value};

use crate::domain::Fault;
use crate::domain::json::{pointer, step, without_mark};

/// The number of characters of a key quoted in a fault.
const MAX_SHOWN: usize = 80;

/// The message of serde_json for a number outside a double.
const OUT_OF_RANGE: &str = "number out of range";

/// The message of serde_json for nesting over 127, and ours.
const TOO_DEEP: [&str; 2] = ["recursion limit exceeded", "more than 127 levels deep"];

/// Reads the single JSON value in `bytes`.
///
/// # Errors
/// What is wrong, with line and column; for a number outside a double also its place.
pub fn parse(bytes: &[u8]) -> Result<Value, Fault> {
    let bytes = without_mark(bytes);
    if bytes.trim_ascii().is_empty() {
        return Err(Fault::new("", "empty payload"));
    }
    let mut reader = serde_json::Deserializer::from_slice(bytes);
    let read = Strict(None).deserialize(&mut reader).and_then(|value| reader.end().map(|()| value));
    read.map_err(|fault| {
        let [theirs, ours] = TOO_DEEP;
        let what = fault.to_string().replacen(theirs, ours, 1);
        match what.starts_with(OUT_OF_RANGE).then(|| place_of_fault(bytes)) {
            Some(place) => Fault::new(place, format!("{what}; a number is at most about 1.8e308")),
            None => Fault::new("", what),
        }
    })
}

/// The place at which reading fails. This reads the bytes again, since keeping the place costs time.
fn place_of_fault(bytes: &[u8]) -> String {
    let names = RefCell::new(Vec::new());
    // It fails as before, and the names then give the place.
    let _ = Strict(Some(&names)).deserialize(&mut serde_json::Deserializer::from_slice(bytes));
    names.into_inner().iter().fold(String::new(), |above, name| pointer::child(&above, name))
}

/// The text of the value at `pointer`, exactly as written; for numbers beyond machine types.
pub fn raw_at<'a>(bytes: &'a [u8], pointer: &str) -> Option<&'a str> {
    let whole: &RawValue = serde_json::from_slice(without_mark(bytes)).ok()?;
    pointer::names(pointer).try_fold(whole, |value, name| step(value, &name)).map(RawValue::get)
}

/// Builds a `Value` and rejects duplicate keys. It also records the names on the current path, if requested.
#[derive(Clone, Copy)]
struct Strict<'n>(Option<&'n RefCell<Vec<String>>>);

impl Strict<'_> {
    fn enter(self, name: impl FnOnce() -> String) {
        if let Some(names) = self.0 {
            names.borrow_mut().push(name());
        }
    }

    fn leave(self) {
        if let Some(names) = self.0 {
            names.borrow_mut().pop();
        }
    }
}

impl<'de> DeserializeSeed<'de> for Strict<'_> {
    type Value = Value;

    fn deserialize<D: Deserializer<'de>>(self, from: D) -> Result<Value, D::Error> {
        from.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Strict<'_> {
    type Value = Value;

    fn expecting(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str("a JSON value")
    }

    fn visit_unit<E>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_bool<E>(self, value: bool) -> Result<Value, E> {
        Ok(Value::Bool(value))
    }

    fn visit_i64<E>(self, value: i64) -> Result<Value, E> {
        Ok(Value::Number(value.into()))
    }

    fn visit_u64<E>(self, value: u64) -> Result<Value, E> {
        Ok(Value::Number(value.into()))
    }

    fn visit_f64<E: serde::de::Error>(self, value: f64) -> Result<Value, E> {
        Number::from_f64(value).map(Value::Number).ok_or_else(|| E::custom(OUT_OF_RANGE))
    }

    fn visit_str<E>(self, value: &str) -> Result<Value, E> {
        Ok(Value::String(value.to_owned()))
    }

    fn visit_string<E>(self, value: String) -> Result<Value, E> {
        Ok(Value::String(value))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Value, A::Error> {
        let mut array = Vec::new();
        loop {
            self.enter(|| array.len().to_string());
            let Some(item) = items.next_element_seed(self)? else { break };
            array.push(item);
            self.leave();
        }
        self.leave();
        Ok(Value::Array(array))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<Value, A::Error> {
        let mut object = Map::new();
        while let Some(key) = members.next_key::<String>()? {
            match object.entry(key) {
                Entry::Occupied(twice) => {
                    let shown: String = twice.key().chars().take(MAX_SHOWN).collect();
                    return Err(A::Error::custom(format_args!("duplicate key {shown:?}")));
                }
                Entry::Vacant(member) => {
                    self.enter(|| member.key().clone());
                    member.insert(members.next_value_seed(self)?);
                    self.leave();
                }
            }
        }
        Ok(Value::Object(object))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn js_01_a_key_that_comes_twice_is_refused_however_it_is_spelled() {
        for twice in [r#"{"id":"a","id":"b"}"#, r#"{"a":{"b":1,"b":1}}"#, r#"{"id":1,"\u0069d":2}"#] {
            assert!(parse(twice.as_bytes()).unwrap_err().message.starts_with("duplicate key"), "{twice}");
        }
        assert!(parse(br#"{"a":{"id":1},"b":{"id":1}}"#).is_ok());
        let key = "k".repeat(1_000_000);
        let fault = parse(format!(r#"{{"{key}":1,"{key}":2}}"#).as_bytes()).unwrap_err();
        assert!(fault.message.len() < 200, "a fault quotes the start of a long key: {fault:?}");
    }

    #[test]
    fn js_02_nesting_ends_at_127_for_arrays_and_objects() {
        for (open, close) in [("[", "]"), (r#"{"a":"#, "}")] {
            let nested = |depth: usize| format!("{}1{}", open.repeat(depth), close.repeat(depth));
            assert!(parse(nested(127).as_bytes()).is_ok(), "{open} 127");
            for depth in [128, 129, 10_000, 500_000] {
                let fault = parse(nested(depth).as_bytes()).unwrap_err();
                assert!(fault.message.starts_with("more than 127 levels deep at line 1"), "{open} {depth}");
            }
        }
    }

    #[test]
    fn js_05_lone_surrogates_are_refused_and_pairs_are_read() {
        for lone in [r#"["\ud800"]"#, r#"{"\ud800":1}"#, r#"["\ud83c\ud83c"]"#, r#"["\udc00"]"#] {
            assert!(parse(lone.as_bytes()).is_err(), "{lone}");
        }
        assert_eq!(parse(br#"["\ud83c\udf21"]"#).unwrap(), serde_json::json!(["🌡"]));
    }

    #[test]
    fn js_11_an_escape_takes_four_digits_and_a_nul_is_kept() {
        assert_eq!(parse(br#"["\u000027"]"#).unwrap(), serde_json::json!(["\u{0}27"]));
    }

    #[test]
    fn a_byte_order_mark_is_skipped_and_emptiness_named() {
        assert!(parse(b"\xef\xbb\xbf{}").is_ok());
        assert!(parse(b"\xef\xbb\xbf\xef\xbb\xbf{}").is_err());
        for empty in [&b""[..], b" \n", b"\xef\xbb\xbf"] {
            assert_eq!(parse(empty).unwrap_err().message, "empty payload");
        }
    }

    #[test]
    fn numbers_outside_a_double_are_refused_and_big_integers_keep_their_text() {
        for (body, place) in [
            (&br#"{"event":"a","data":{"a":1,"value":1e400}}"#[..], "/data/value"),
            (br#"[[],[0,-1e999]]"#, "/1/1"),
            (br#"{"a/b":[{"c":1},{"c":1e400}],"#, "/a~1b/1/c"),
            (b"1e400", ""),
        ] {
            let fault = parse(body).unwrap_err();
            assert_eq!(fault.path, place);
            assert!(fault.message.contains("number out of range at line 1 column"), "{fault:?}");
        }
        let body = br#"{"data":{"list":[0,123456789012345678901234567890]},"a/b":1}"#;
        assert!(parse(body).is_ok());
        assert_eq!(raw_at(body, "/data/list/1"), Some("123456789012345678901234567890"));
        assert_eq!(raw_at(body, "/a~1b"), Some("1"));
        assert_eq!(raw_at(body, "/nothing"), None);
    }

    proptest::proptest! {
        #[test]
        fn any_bytes_are_read_or_refused_without_a_panic(bytes: Vec<u8>) {
            let strict = parse(&bytes).is_ok();
            // Every value we accept is also accepted by the plain reader.
            let plain = serde_json::from_slice::<Value>(without_mark(&bytes)).is_ok();
            proptest::prop_assert!(plain || !strict);
        }
    }
}
