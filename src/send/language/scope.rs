//! What templates and filters can read of an event: `event.id|type|timestamp|data`, in templates also `event.mark`.
//! They also read every top-level member of the payload by its name. Each value is exactly as written.

use serde_json::Value;
use serde_json::value::RawValue;

use crate::domain::json::{Path, members, without_mark};
use crate::domain::{MessageId, Timestamp};

/// A body that has no scope.
#[derive(Debug, thiserror::Error)]
#[error("the body is neither a JSON object nor TagoIO's array of points")]
pub struct ScopeFault;

/// The readable values of an event.
#[derive(Clone, Debug, Default)]
pub struct Scope {
    members: Vec<(String, Box<RawValue>)>,
    is_of_points: bool,
}

impl Scope {
    /// The scope of an event with this body. `received_at` is used if the event has no time.
    ///
    /// # Errors
    /// When the body is neither an object nor an array of points.
    pub fn new(
        id: Option<&str>,
        event_type: &str,
        received_at: Timestamp,
        body: &[u8],
    ) -> Result<Self, ScopeFault> {
        let body = without_mark(body);
        let whole: Box<RawValue> = serde_json::from_slice(body).map_err(|_| ScopeFault)?;
        let (mut found, is_of_points) = match members(&whole) {
            Some(members) => (members, false),
            None => (points(&whole).ok_or(ScopeFault)?, true),
        };
        let member = |name: &str| found.iter().find(|(known, _)| known == name).map(|(_, value)| value.get());
        let timestamp = member("timestamp")
            .filter(|timestamp| *timestamp != "null")
            .map_or_else(|| Value::from(received_at.to_string()).to_string(), str::to_owned);
        let data = member("data").unwrap_or(whole.get());
        let (id, event_type) = (Value::from(id), Value::from(event_type));
        let event = format!(r#"{{"id":{id},"type":{event_type},"timestamp":{timestamp},"data":{data}}}"#);
        let event = RawValue::from_string(event).map_err(|_| ScopeFault)?;
        // The payload's own `event` is a name; in templates, `event` is the whole event.
        found.retain(|(name, _)| name != "event");
        found.push(("event".to_owned(), event));
        Ok(Self { members: found, is_of_points })
    }

    /// Adds `event.mark` for one message.
    #[must_use]
    pub fn for_message(mut self, message: MessageId) -> Self {
        if let Some((_, event)) = self.members.iter_mut().find(|(name, _)| name == "event")
            && let Some(open) = event.get().strip_suffix('}')
            && let Ok(marked) = RawValue::from_string(format!(r#"{open},"mark":"{}"}}"#, message.mark()))
        {
            *event = marked;
        }
        self
    }

    /// Adds the entity of the delivery, used as the device of points without one.
    #[must_use]
    pub fn about(mut self, entity: Option<&str>) -> Self {
        if let Some(entity) = entity.filter(|_| self.is_of_points && self.member("device").is_none())
            && let Ok(device) = RawValue::from_string(format!(r#"{{"id":{}}}"#, Value::from(entity)))
        {
            self.members.push(("device".to_owned(), device));
        }
        self
    }

    /// The top-level member with that name.
    #[must_use]
    pub fn member(&self, name: &str) -> Option<&RawValue> {
        self.members.iter().find(|(known, _)| known == name).map(|(_, value)| &**value)
    }

    /// Every top-level member, as written.
    pub fn members(&self) -> impl Iterator<Item = (&str, &RawValue)> {
        self.members.iter().map(|(name, value)| (name.as_str(), &**value))
    }

    /// The value at `path`; `None` if it is missing.
    #[must_use]
    pub fn at(&self, path: &Path) -> Option<&RawValue> {
        path.below(self.member(path.root())?)
    }
}

/// TagoIO's array of points as an event: the common device, the newest time, and the points unchanged.
fn points(whole: &RawValue) -> Option<Vec<(String, Box<RawValue>)>> {
    let items: Vec<&RawValue> = serde_json::from_str(whole.get()).ok()?;
    let raw = |text: String| RawValue::from_string(text).ok();
    let text_at = |item: &RawValue, name: &str| {
        let found = Path::read(&format!("point.{name}"))?.below(item)?;
        serde_json::from_str::<String>(found.get()).ok()
    };
    let mut found = Vec::new();
    let devices: Vec<Option<String>> = items.iter().map(|item| text_at(item, "device")).collect();
    if let Some(Some(first)) = devices.first()
        && devices.iter().all(|device| device.as_deref() == Some(first))
    {
        found.push(("device".to_owned(), raw(format!(r#"{{"id":{}}}"#, Value::from(&**first)))?));
    }
    let times = items.iter().filter_map(|item| text_at(item, "time"));
    let newest = times.filter_map(|time| Timestamp::parse_rfc3339(&time).map(|at| (at, time))).max();
    if let Some((_, time)) = newest {
        found.push(("timestamp".to_owned(), raw(Value::from(time).to_string())?));
    }
    let mut data = format!(r#"{{"variables":{}"#, whole.get());
    if let [only] = items.as_slice() {
        for name in ["variable", "value"] {
            if let Some(value) = Path::read(&format!("point.{name}"))?.below(only) {
                data.push_str(&format!(r#","{name}":{}"#, value.get()));
            }
        }
    }
    data.push('}');
    found.push(("data".to_owned(), raw(data)?));
    Some(found)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(body: &str, path: &str) -> Option<String> {
        let scope = Scope::new(Some("e1"), "user.login", Timestamp::from_secs(0), body.as_bytes()).unwrap();
        scope.at(&Path::read(path).unwrap()).map(|found| found.get().to_owned())
    }

    #[test]
    fn s_02_the_event_is_an_object_and_the_payload_is_beside_it() {
        let body = r#"{"event":"user.login","timestamp":"2023-01-15T10:30:00Z","user":{"id":12345678901234567890123},"data":{"a":1.0}}"#;
        assert_eq!(at(body, "event.type").unwrap(), "\"user.login\"");
        assert_eq!(at(body, "event.id").unwrap(), "\"e1\"");
        assert_eq!(at(body, "event.timestamp").unwrap(), "\"2023-01-15T10:30:00Z\"");
        assert_eq!(at(body, "event.data").unwrap(), r#"{"a":1.0}"#);
        assert_eq!(at(body, "user.id").unwrap(), "12345678901234567890123");
        assert_eq!(at("{\"a\":1}", "event.data.a").unwrap(), "1");
        assert_eq!(at("{}", "event.timestamp").unwrap(), "\"1970-01-01T00:00:00.000Z\"");
    }

    #[test]
    fn a_message_is_named_by_its_mark() {
        let message = MessageId::new_at(Timestamp::from_secs(7));
        let scope = Scope::new(Some("e1"), "a", Timestamp::from_secs(0), b"{\"event\":\"a\"}").unwrap();
        let mark = Path::read("event.mark").unwrap();
        assert!(scope.at(&mark).is_none());
        let marked = scope.for_message(message);
        assert_eq!(marked.at(&mark).unwrap().get(), format!("\"{}\"", message.mark()));
        assert_eq!(marked.at(&Path::read("event.type").unwrap()).unwrap().get(), "\"a\"");
    }

    #[test]
    fn points_are_the_variables_of_one_device() {
        let one = r#"[{"variable":"t","value":0,"device":"d","time":"2026-03-09T07:14:58.402Z"}]"#;
        assert_eq!(at(one, "device.id").unwrap(), "\"d\"");
        assert_eq!(at(one, "data.value").unwrap(), "0");
        assert_eq!(at(one, "timestamp").unwrap(), "\"2026-03-09T07:14:58.402Z\"");
        let two = r#"[{"variable":"t","device":"d"},{"variable":"u","device":"e"}]"#;
        assert_eq!(at(two, "device.id"), None);
        assert_eq!(at(two, "data.value"), None);
        assert_eq!(at(two, "data.variables").unwrap(), two);
    }

    #[test]
    fn points_that_name_no_device_are_of_what_the_delivery_is_about() {
        let device = |body: &str, entity: Option<&str>| {
            let scope = Scope::new(None, "data.received", Timestamp::from_secs(0), body.as_bytes()).unwrap();
            scope.about(entity).at(&Path::read("device.id").unwrap()).map(|found| found.get().to_owned())
        };
        let bare = r#"[{"variable":"t"}]"#;
        assert_eq!(device(bare, Some("pump \"3\"")).as_deref(), Some(r#""pump \"3\"""#));
        assert_eq!(device(bare, None), None);
        let named = r#"[{"variable":"t","device":"d"}]"#;
        assert_eq!(device(named, Some("other")).as_deref(), Some("\"d\""));
        assert_eq!(device(r#"{"event":"a"}"#, Some("d")), None, "a payload in an envelope says what it says");
    }

    #[test]
    fn other_json_has_no_scope() {
        for body in ["1", "\"x\"", "null", "{"] {
            assert!(Scope::new(None, "a", Timestamp::from_secs(0), body.as_bytes()).is_err(), "{body}");
        }
    }
}
