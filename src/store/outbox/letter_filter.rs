//! A filter on dead letters as SQL, whichever the engine.

use crate::domain::Timestamp;
use crate::store::DeadLetterFilter;

/// How an engine writes what engines write differently.
pub struct Dialect {
    /// The sign before the number of a value.
    pub sign: char,
    /// Begins a search in the error.
    pub find: &'static str,
    /// The condition that the message is one of the ids in the first value.
    pub of_ids: &'static str,
}

/// A value of a condition.
pub enum Value<'f> {
    /// Ids of messages.
    Ids(Vec<&'f [u8]>),
    /// A text.
    Text(&'f str),
    /// A time in microseconds.
    Time(i64),
}

/// The condition of a filter on a letter `d` and its message `m`, and its values. Only what is asked for is in it.
pub fn condition<'f>(filter: &'f DeadLetterFilter, dialect: &Dialect) -> (String, Vec<Value<'f>>) {
    let (mut sql, mut values) = ("TRUE".to_owned(), Vec::new());
    if !filter.ids.is_empty() {
        sql = dialect.of_ids.to_owned();
        values.push(Value::Ids(filter.ids.iter().map(|id| id.as_bytes().as_slice()).collect()));
    }
    let mut add = |before: &str, value: Option<Value<'f>>, after: &str| {
        let Some(value) = value else { return };
        values.push(value);
        sql = format!("{sql} AND {before}{}{}{after}", dialect.sign, values.len());
    };
    let text = |text: &'f Option<String>| text.as_deref().map(Value::Text);
    let time = |time: Option<Timestamp>| time.map(|time| Value::Time(time.as_micros()));
    add("d.subscription_id = ", text(&filter.subscription), "");
    add("m.event_id = ", text(&filter.event_id), "");
    add("m.event_type = ", text(&filter.event_type), "");
    add("d.failed_at >= ", time(filter.from), "");
    add("d.failed_at < ", time(filter.to), "");
    add(dialect.find, text(&filter.error), ") > 0");
    add("d.error = ", text(&filter.error_is), "");
    (sql, values)
}
