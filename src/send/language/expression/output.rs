//! The value of an expression as JSON.

use std::sync::LazyLock;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use cel::Env;
use cel::common::types::{
    CelBool, CelBytes, CelDouble, CelInt, CelList, CelMap, CelNull, CelOptional, CelString, CelType, CelUInt,
};
use cel::common::value::{CowVal, Val};

use super::json::{Json, Missing, key_text};
use super::number::JsonNumber;

/// The most bytes of JSON output.
const MAX_OUTPUT: usize = 4 * 1024 * 1024;

/// Appends a value; a missing value inside a list or an object is written as `null`, as in JavaScript.
///
/// # Errors
/// Why JSON cannot represent it, or that it is too long.
pub fn write(value: &dyn Val, out: &mut String) -> Result<(), String> {
    if out.len() > MAX_OUTPUT {
        return Err(format!("makes more than {MAX_OUTPUT} bytes"));
    }
    if let Some(json) = value.downcast_ref::<Json>() {
        out.push_str(json.text());
    } else if let Some(number) = value.downcast_ref::<JsonNumber>() {
        out.push_str(&number.text());
    } else if let Some(text) = value.downcast_ref::<CelString>() {
        out.push_str(&quoted(text.inner()));
    } else if let Some(truth) = value.downcast_ref::<CelBool>() {
        out.push_str(&truth.inner().to_string());
    } else if let Some(int) = value.downcast_ref::<CelInt>() {
        out.push_str(&int.inner().to_string());
    } else if let Some(uint) = value.downcast_ref::<CelUInt>() {
        out.push_str(&uint.inner().to_string());
    } else if let Some(double) = value.downcast_ref::<CelDouble>() {
        let number = JsonNumber::from_double(*double.inner());
        if !number.is_finite() {
            return Err("makes a number that JSON cannot have".to_owned());
        }
        out.push_str(&number.text());
    } else if value.downcast_ref::<CelNull>().is_some() || value.downcast_ref::<Missing>().is_some() {
        out.push_str("null");
    } else {
        return write_other(value, out);
    }
    Ok(())
}

fn write_other(value: &dyn Val, out: &mut String) -> Result<(), String> {
    if let Some(list) = value.downcast_ref::<CelList>() {
        return write_list(list, out);
    }
    if let Some(map) = value.downcast_ref::<CelMap>() {
        return write_map(map, out);
    }
    if let Some(optional) = value.downcast_ref::<CelOptional>() {
        return match optional.option() {
            Some(value) => write(value, out),
            None => {
                out.push_str("null");
                Ok(())
            }
        };
    }
    if let Some(bytes) = value.downcast_ref::<CelBytes>() {
        out.push_str(&quoted(&STANDARD.encode(bytes.inner())));
        return Ok(());
    }
    if let Some(named) = value.downcast_ref::<CelType>() {
        out.push_str(&quoted(named.name()));
        return Ok(());
    }
    // A time or a duration: formatted by CEL's own string().
    static CEL: LazyLock<Env> = LazyLock::new(Env::stdlib);
    let text = CEL
        .find_overload("string", &[CowVal::Borrowed(value)])
        .and_then(|string| string(vec![CowVal::Borrowed(value)]).ok())
        .and_then(|text| text.downcast_ref::<CelString>().map(|text| quoted(text.inner())));
    out.push_str(&text.ok_or("makes a value that JSON cannot have")?);
    Ok(())
}

fn quoted(text: &str) -> String {
    serde_json::Value::from(text).to_string()
}

fn write_list(list: &CelList<'_>, out: &mut String) -> Result<(), String> {
    out.push('[');
    for (at, item) in list.inner().iter().enumerate() {
        if at > 0 {
            out.push(',');
        }
        write(item.as_ref(), out)?;
    }
    out.push(']');
    Ok(())
}

/// In key order, since the library keeps no order.
fn write_map(map: &CelMap<'_>, out: &mut String) -> Result<(), String> {
    let mut members: Vec<(String, &dyn Val)> = Vec::new();
    for (key, value) in map.inner() {
        members.push((key_text(key.inner()), &**value));
    }
    members.sort_by(|(one, _), (other, _)| one.cmp(other));
    out.push('{');
    for (at, (key, value)) in members.into_iter().enumerate() {
        if at > 0 {
            out.push(',');
        }
        out.push_str(&quoted(&key));
        out.push(':');
        write(value, out)?;
    }
    out.push('}');
    Ok(())
}
