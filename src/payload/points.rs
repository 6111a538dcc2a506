//! TagoIO's own Actions post a bare array of data points, without envelope, name or id.
//!
//! Such an array is the event `data.received`; the set of its points' ids identifies a repeat.

use serde_json::Value;
use sha2::{Digest as _, Sha256};

use super::id::{EventId, read_id};
use crate::domain::Fault;

/// The event type of an array of points.
pub const EVENT_TYPE: &str = "data.received";

/// The most faults that are listed; a batch of 8,000 invalid points would otherwise list 8,000.
const MAX_FAULTS: usize = 100;

/// The contents of an array of points.
#[derive(Debug, PartialEq, Eq)]
pub struct Points {
    /// The number of points, at least one.
    pub count: usize,
    /// The device of all points; `None` if there are several or none is named.
    pub device: Option<String>,
    /// Whether any point names a device.
    pub names_devices: bool,
    /// SHA-256 over the sorted set of their ids; `None` if a point has no id.
    pub ids_digest: Option<[u8; 32]>,
    /// SHA-256 over the sorted set of their groups, times, variables and values; `None` if a point has no group or no
    /// time. Points that TagoIO posts through a fallback device have different ids, but the same values.
    pub values_digest: Option<[u8; 32]>,
    /// `true` if TagoIO once gave up sending these: they come from a fallback device.
    pub given_up_once: bool,
    /// The URL that TagoIO could not send these to.
    pub given_up_url: Option<String>,
}

/// Reads an array of points, or lists its faults.
pub fn read(items: &[Value]) -> Result<Points, Vec<Fault>> {
    if items.is_empty() {
        return Err(vec![Fault::new("", "object expected, an empty array seen")]);
    }
    let faults: Vec<Fault> =
        items.iter().enumerate().filter_map(|(index, item)| fault(index, item)).take(MAX_FAULTS).collect();
    if !faults.is_empty() {
        return Err(faults);
    }
    Ok(Points {
        count: items.len(),
        device: common_device(items),
        names_devices: items.iter().any(|point| point.get("device").is_some_and(|device| !device.is_null())),
        ids_digest: ids_digest(items),
        values_digest: values_digest(items),
        given_up_once: items.iter().any(|point| {
            point
                .pointer("/metadata/_http_error")
                .or_else(|| point.pointer("/metadata/_http_attempts"))
                .is_some()
        }),
        given_up_url: items.iter().find_map(|point| {
            point.pointer("/metadata/_http_url").and_then(Value::as_str).map(str::to_owned)
        }),
    })
}

fn fault(index: usize, item: &Value) -> Option<Fault> {
    let Value::Object(point) = item else {
        return Some(Fault::new(format!("/{index}"), "a data point (object with a variable) expected"));
    };
    match point.get("variable") {
        Some(Value::String(_)) => None,
        Some(Value::Null) | None => Some(Fault::new(
            format!("/{index}/variable"),
            format!("Missing required field: {index}.variable"),
        )),
        Some(_) => Some(Fault::new(format!("/{index}/variable"), "string expected")),
    }
}

fn common_device(items: &[Value]) -> Option<String> {
    let device = |item: &Value| item.get("device").and_then(Value::as_str).map(str::to_owned);
    let first = device(items.first()?)?;
    items.iter().all(|item| device(item).as_ref() == Some(&first)).then_some(first)
}

fn ids_digest(items: &[Value]) -> Option<[u8; 32]> {
    let mut ids = Vec::with_capacity(items.len());
    for item in items {
        match read_id(item.get("id"), || None) {
            Ok(EventId::Is(id)) => ids.push(id),
            _ => return None,
        }
    }
    Some(digest_of_set(ids))
}

fn values_digest(items: &[Value]) -> Option<[u8; 32]> {
    let text = |item: &Value, name: &str| {
        item.get(name).and_then(Value::as_str).filter(|text| !text.is_empty()).map(str::to_owned)
    };
    let said = |item: &Value| {
        let parts = [text(item, "group")?, text(item, "time")?, text(item, "variable")?];
        let value = item.get("value").unwrap_or(&Value::Null);
        serde_json::to_string(&(parts, value)).ok()
    };
    items.iter().map(said).collect::<Option<Vec<String>>>().map(digest_of_set)
}

fn digest_of_set(mut texts: Vec<String>) -> [u8; 32] {
    texts.sort_unstable();
    texts.dedup();
    let mut digest = Sha256::new();
    for text in texts {
        // A length before each text distinguishes ["ab","c"] from ["a","bc"].
        digest.update(u64::try_from(text.len()).unwrap_or(u64::MAX).to_be_bytes());
        digest.update(text.as_bytes());
    }
    digest.finalize().into()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn points(value: Value) -> Result<Points, Vec<Fault>> {
        read(value.as_array().unwrap())
    }

    #[test]
    fn the_set_of_ids_decides_not_their_order_or_what_else_is_said() {
        let first = points(json!([{"id":"a","variable":"t","value":0},{"id":"b","variable":"h"}])).unwrap();
        let again = points(json!([{"id":"b","variable":"h","metadata":{"_http_attempts":10}},
            {"id":"a","variable":"t"},{"id":"a","variable":"t"}]))
        .unwrap();
        assert_eq!(first.ids_digest, again.ids_digest);
        assert!(first.ids_digest.is_some() && !first.given_up_once && again.given_up_once);
        let other = points(json!([{"id":"ab","variable":"t"}])).unwrap();
        assert_ne!(first.ids_digest, other.ids_digest);
        assert_eq!(points(json!([{"id":"a","variable":"t"},{"variable":"t"}])).unwrap().ids_digest, None);
    }

    #[test]
    fn points_under_other_ids_say_the_same_where_group_time_variable_and_value_are_the_same() {
        let digest = |value: Value| points(value).unwrap().values_digest;
        let at = "2026-03-09T07:14:58.402Z";
        let first = digest(json!([{"id":"a","variable":"t","value":1,"group":"g","time":at},
            {"id":"b","variable":"h","value":"x","group":"g","time":at}]));
        let fallback =
            digest(json!([{"id":"d","variable":"h","value":"x","group":"g","time":at,"device":"other"},
            {"id":"c","variable":"t","value":1,"group":"g","time":at,"created_at":"later"}]));
        assert!(first.is_some());
        assert_eq!(first, fallback);
        for other in [
            json!([{"id":"a","variable":"t","value":2,"group":"g","time":at}]),
            json!([{"id":"a","variable":"t","value":"1","group":"g","time":at}]),
            json!([{"id":"a","variable":"t","value":1,"group":"g2","time":at}]),
        ] {
            assert_ne!(
                digest(other),
                digest(json!([{"id":"a","variable":"t","value":1,"group":"g","time":at}]))
            );
        }
        assert_eq!(digest(json!([{"id":"a","variable":"t","value":1,"time":at}])), None, "without a group");
        assert_eq!(digest(json!([{"id":"a","variable":"t","value":1,"group":"","time":at}])), None);
        assert_eq!(digest(json!([{"id":"a","variable":"t","value":1,"group":"g"}])), None, "without a time");
    }

    #[test]
    fn every_item_must_be_an_object_with_a_variable() {
        let faults = points(json!([{"variable":"t"}, 1, {}, {"variable":7}])).unwrap_err();
        let places: Vec<&str> = faults.iter().map(|fault| fault.path.as_str()).collect();
        assert_eq!(places, ["/1", "/2/variable", "/3/variable"]);
        assert!(points(json!([])).is_err());
    }

    #[test]
    fn points_of_several_devices_have_no_device() {
        assert_eq!(points(json!([{"variable":"t","device":"d"}])).unwrap().device.as_deref(), Some("d"));
        assert_eq!(
            points(json!([{"variable":"t","device":"d"},{"variable":"t","device":"e"}])).unwrap().device,
            None
        );
        assert_eq!(points(json!([{"variable":"t","device":"d"},{"variable":"t"}])).unwrap().device, None);
    }
}
