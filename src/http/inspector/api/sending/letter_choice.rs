//! Selects dead letters by the parameters of a request or by the members of its body.

use serde_json::{Map, Value};

use crate::domain::{MessageId, Timestamp};
use crate::http::inspector::json_body::{bad, fault, flag};
use crate::http::inspector::params::Params;
use crate::http::inspector::problem::{FieldFault, Problem};
use crate::store::DeadLetterFilter;

/// The parameters that select dead letters.
pub const FILTERS: [&str; 7] =
    ["subscription_id", "event_id", "event_type", "error", "error_is", "from", "to"];
/// The maximum number of ids in a request.
const MOST_IDS: usize = 1_000;
/// An example of a time.
const TIME: &str = "a time as 2026-03-09T08:00:00Z";

/// The filter in the parameters of a request.
pub fn of_params(params: &mut Params) -> DeadLetterFilter {
    DeadLetterFilter {
        ids: Vec::new(),
        subscription: params.text("subscription_id"),
        event_id: params.text("event_id"),
        event_type: params.text("event_type"),
        error: params.text("error"),
        error_is: params.text("error_is"),
        from: params.parsed("from", TIME, Timestamp::parse_rfc3339),
        to: params.parsed("to", TIME, Timestamp::parse_rfc3339),
    }
}

/// The dead letters that a body selects.
pub struct Chosen {
    /// The filter.
    pub filter: DeadLetterFilter,
    /// Whether to only count them.
    pub dry_run: bool,
    /// Whether the body selects some, or explicitly all.
    pub is_meant: bool,
}

impl Chosen {
    /// The allowed members of a body.
    #[must_use]
    pub fn keys() -> Vec<&'static str> {
        FILTERS.into_iter().chain(["ids", "all", "filter", "dry_run"]).collect()
    }

    /// Reads the members of a body.
    ///
    /// # Errors
    /// 400 with every fault.
    pub fn read(mut members: Map<String, Value>) -> Result<Self, Problem> {
        let mut faults: Vec<FieldFault> = Vec::new();
        let dry_run = flag(&members, "dry_run", &mut faults);
        let all = flag(&members, "all", &mut faults);
        let nested = match members.remove("filter") {
            Some(Value::Object(filter)) => filter,
            None | Some(Value::Null) => Map::new(),
            Some(_) => {
                faults.push(fault("/filter", "an object"));
                Map::new()
            }
        };
        let unknown = nested.keys().filter(|key| !FILTERS.contains(&key.as_str()));
        faults.extend(unknown.map(|key| {
            fault(&format!("/{key}"), &format!("unknown key; there are: {}", FILTERS.join(", ")))
        }));
        members.extend(nested);
        let filter = filter(&members, &mut faults);
        let is_meant = all || filter != DeadLetterFilter::default();
        if faults.is_empty() { Ok(Self { filter, dry_run, is_meant }) } else { Err(bad(faults)) }
    }
}

fn filter(members: &Map<String, Value>, faults: &mut Vec<FieldFault>) -> DeadLetterFilter {
    let mut text = |key: &str| match members.get(key) {
        None | Some(Value::Null) => None,
        Some(Value::String(text)) => Some(text.clone()),
        Some(_) => {
            faults.push(fault(&format!("/{key}"), "must be a string"));
            None
        }
    };
    let (from, to) = (text("from"), text("to"));
    let filter = DeadLetterFilter {
        ids: Vec::new(),
        subscription: text("subscription_id"),
        event_id: text("event_id"),
        event_type: text("event_type"),
        error: text("error"),
        error_is: text("error_is"),
        from: from.as_deref().and_then(Timestamp::parse_rfc3339),
        to: to.as_deref().and_then(Timestamp::parse_rfc3339),
    };
    for (key, given, read) in [("from", &from, filter.from), ("to", &to, filter.to)] {
        if given.is_some() && read.is_none() {
            faults.push(fault(&format!("/{key}"), TIME));
        }
    }
    DeadLetterFilter { ids: ids(members.get("ids"), faults), ..filter }
}

fn ids(value: Option<&Value>, faults: &mut Vec<FieldFault>) -> Vec<MessageId> {
    let read: Option<Vec<MessageId>> = match value {
        None | Some(Value::Null) => return Vec::new(),
        Some(Value::Array(items)) if (1..=MOST_IDS).contains(&items.len()) => {
            items.iter().map(|item| item.as_str()?.parse().ok()).collect()
        }
        Some(_) => None,
    };
    read.unwrap_or_else(|| {
        faults.push(fault("/ids", &format!("a list of 1 to {MOST_IDS} message ids")));
        Vec::new()
    })
}
