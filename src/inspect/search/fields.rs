//! The fields of the search box, and how their values are read.

use std::net::IpAddr;

use ipnet::IpNet;

use super::numbers::{bytes, duration, range};
use crate::domain::{Condition, Moment, Pattern, Query, Reason, Timestamp, Verdict, nearest};

/// A field of the search box.
#[derive(Clone, Copy, Debug)]
pub struct Field {
    /// Its name and the other names it is known by.
    pub names: &'static [&'static str],
    /// An example of a value.
    pub example: &'static str,
    /// Its meaning.
    pub about: &'static str,
    read: Read,
}

/// Reads a value; the fault says what is taken.
type Read = fn(Value<'_>) -> Result<Query, Expected>;

/// The values that a field takes, and the one that was probably meant.
struct Expected {
    /// `a size is expected: >10KB`.
    words: String,
    meant: Option<String>,
}

impl From<&str> for Expected {
    fn from(words: &str) -> Self {
        Self { words: words.to_owned(), meant: None }
    }
}

/// Why a field cannot be read, and the correction that was probably meant.
pub struct Wrong {
    pub message: String,
    pub meant: Option<(Place, String)>,
    /// The values that are possible there.
    pub expected: Option<String>,
}

/// A part of `name:value`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Place {
    Name,
    Value,
}

/// A value as it was typed.
#[derive(Clone, Copy)]
struct Value<'v> {
    text: &'v str,
    is_quoted: bool,
}

/// Every field.
pub const FIELDS: &[Field] = &[
    Field { names: &["verdict"], example: "verdict:rejected", about: "verdict", read: verdict },
    Field { names: &["reason"], example: "reason:signature_*", about: "rejection reason", read: reason },
    Field {
        names: &["cause"],
        example: "cause:json-*",
        about: "cause of the rejection, as found in the background",
        read: |value| pattern(value, Condition::Cause),
    },
    Field {
        names: &["source"],
        example: "source:tagorun",
        about: "source",
        read: |value| pattern(value, Condition::Source),
    },
    Field {
        names: &["type", "event", "event_type"],
        example: "type:data.*",
        about: "event type, as in the catalogue or as sent",
        read: |value| pattern(value, Condition::EventType),
    },
    Field {
        names: &["id", "event_id"],
        example: "id:evt_1",
        about: "event id; of rejected deliveries the unverified one too",
        read: |value| either(value, [Condition::EventId, Condition::UnverifiedId]),
    },
    Field {
        names: &["device", "entity", "about"],
        example: "device:66f1*",
        about: "device, by id; of rejected deliveries the unverified one too",
        read: |value| either(value, [Condition::Entity, Condition::UnverifiedDevice]),
    },
    Field {
        names: &["user"],
        example: "user:u1",
        about: "user, by the id in the body (/user/id)",
        read: |value| either(value, [Condition::Entity, Condition::User]),
    },
    Field {
        names: &["method"],
        example: "method:PUT",
        about: "HTTP method",
        read: |value| pattern(value, Condition::Method),
    },
    Field {
        names: &["path"],
        example: "path:*tagorun?a=1*",
        about: "path and query",
        read: |value| pattern(value, Condition::Path),
    },
    Field {
        names: &["status"],
        example: "status:>=400",
        about: "response status: 404, 4xx, 400..499",
        read: status,
    },
    Field { names: &["size"], example: "size:>10KB", about: "body size", read: size },
    Field { names: &["took", "duration"], example: "took:>100ms", about: "response time", read: took },
    Field {
        names: &["ip", "client_ip"],
        example: "ip:203.0.113.0/24",
        about: "client address or range",
        read: address,
    },
    Field {
        names: &["after", "from"],
        example: "after:-2h",
        about: "received since: an age, a day or a time",
        read: |value| Ok(Query::Is(Condition::From(moment(value)?))),
    },
    Field {
        names: &["before", "to"],
        example: "before:2026-03-09",
        about: "received before: an age, a day or a time",
        read: |value| Ok(Query::Is(Condition::To(moment(value)?))),
    },
    Field { names: &["pinned"], example: "pinned:true", about: "pinned or not", read: pinned },
    Field {
        names: &["tag"],
        example: "tag:to-fix",
        about: "tag",
        read: |value| pattern(value, Condition::Tag),
    },
    Field {
        names: &["note"],
        example: "note:\"ask Ana\"",
        about: "text in the note",
        read: |value| Ok(Query::Is(Condition::Note(not_empty(value)?))),
    },
    Field {
        names: &["body"],
        example: "body:\"co2\"",
        about: "text in the body",
        read: |value| Ok(Query::Is(Condition::Body(not_empty(value)?))),
    },
    Field {
        names: &["text"],
        example: "text:\"AND\"",
        about: "text anywhere",
        read: |value| Ok(Query::Is(Condition::Anywhere(not_empty(value)?))),
    },
];

/// The field of a name.
pub fn named(name: &str) -> Option<&'static Field> {
    FIELDS.iter().find(|field| field.names.contains(&name))
}

/// What `name:value` asks.
pub fn read(name: &str, text: &str, is_quoted: bool) -> Result<Query, Wrong> {
    let value = Value { text, is_quoted };
    let wrong = |message| Wrong { message, meant: None, expected: None };
    if let Some(header) = name.strip_prefix("header.") {
        let is_any = !is_quoted && text == "*";
        let text = match is_any {
            true => None,
            false => Some(not_empty(value).map_err(|expected| wrong(expected.words))?),
        };
        return Ok(Query::Is(Condition::Header { name: header.to_owned(), text }));
    }
    let Some(field) = named(name) else { return Err(unknown(name)) };
    if text.is_empty() {
        return Err(wrong(format!("“{name}:” needs a value, such as {}", field.example)));
    }
    (field.read)(value).map_err(|expected| Wrong {
        message: format!("“{name}:{text}” is not valid"),
        meant: expected.meant.filter(|_| !is_quoted).map(|meant| (Place::Value, meant)),
        expected: Some(expected.words),
    })
}

fn unknown(name: &str) -> Wrong {
    let all = FIELDS.iter().flat_map(|field| field.names.iter().copied());
    if let Some(near) = nearest(name, all) {
        return Wrong {
            message: format!("Unknown field “{name}”"),
            meant: Some((Place::Name, near.to_owned())),
            expected: None,
        };
    }
    let names: Vec<&str> = FIELDS.iter().filter_map(|field| field.names.first().copied()).collect();
    let names = names.join(", ");
    let message = format!(
        "Unknown field “{name}”. Fields are {names} and header.NAME. Put text that contains a colon in quotes"
    );
    Wrong { message, meant: None, expected: None }
}

fn not_empty(value: Value<'_>) -> Result<String, Expected> {
    // A star at an end changes nothing: the text may be anywhere.
    let text = if value.is_quoted { value.text } else { value.text.trim_matches('*') };
    if text.is_empty() { Err("text is expected".into()) } else { Ok(text.to_owned()) }
}

fn pattern(value: Value<'_>, condition: fn(Pattern) -> Condition) -> Result<Query, Expected> {
    let pattern = if value.is_quoted {
        Pattern::exactly(value.text)
    } else {
        Pattern::parse(&value.text.replace('…', "*"))
    };
    Ok(Query::Is(condition(pattern)))
}

/// A pattern that may fit in either place.
fn either(value: Value<'_>, places: [fn(Pattern) -> Condition; 2]) -> Result<Query, Expected> {
    places.into_iter().map(|place| pattern(value, place)).collect::<Result<_, _>>().map(Query::Any)
}

/// Each of the listed words, which may have a star at their end.
fn one_of<T: Copy>(
    value: Value<'_>,
    all: &[T],
    word: impl Fn(T) -> &'static str,
    condition: impl Fn(T) -> Condition,
    others: &[(&str, &'static str)],
) -> Result<Query, Expected> {
    let mut any = Vec::new();
    for asked in value.text.split(',') {
        let is_asked = |known: &str| match asked.strip_suffix('*') {
            Some(start) => known.starts_with(start),
            None => known == asked,
        };
        let found: Vec<T> = all.iter().copied().filter(|known| is_asked(word(*known))).collect();
        if found.is_empty() {
            let known: Vec<&str> = all.iter().map(|known| word(*known)).collect();
            let other = others.iter().find(|(other, _)| *other == asked).map(|(_, known)| *known);
            let near = other.or_else(|| nearest(asked, known.iter().copied()));
            let with = |near| {
                value.text.split(',').map(|one| if one == asked { near } else { one }).collect::<Vec<_>>()
            };
            return Err(Expected {
                words: format!("expected one of {}", known.join(", ")),
                meant: near.map(|near| with(near).join(",")),
            });
        }
        any.extend(found.into_iter().map(|known| Query::Is(condition(known))));
    }
    Ok(if any.len() == 1 { any.remove(0) } else { Query::Any(any) })
}

fn pinned(value: Value<'_>) -> Result<Query, Expected> {
    match value.text {
        "true" | "yes" => Ok(Query::Is(Condition::Pinned(true))),
        "false" | "no" => Ok(Query::Is(Condition::Pinned(false))),
        other => Err(Expected {
            words: "expected true or false".to_owned(),
            meant: nearest(other, ["true", "false"].into_iter()).map(str::to_owned),
        }),
    }
}

/// Other words that people have for verdicts.
const OTHER_VERDICTS: [(&str, &str); 12] = [
    ("refused", "rejected"),
    ("denied", "rejected"),
    ("failed", "rejected"),
    ("failure", "rejected"),
    ("error", "rejected"),
    ("invalid", "rejected"),
    ("ok", "accepted"),
    ("passed", "accepted"),
    ("processed", "accepted"),
    ("success", "accepted"),
    ("repeat", "duplicate"),
    ("test", "captured"),
];

fn verdict(value: Value<'_>) -> Result<Query, Expected> {
    one_of(value, &Verdict::ALL, Verdict::as_str, Condition::Verdict, &OTHER_VERDICTS)
}

fn reason(value: Value<'_>) -> Result<Query, Expected> {
    one_of(value, Reason::ALL, Reason::as_str, Condition::Reason, &[])
}

fn status(value: Value<'_>) -> Result<Query, Expected> {
    let class = |text: &str| {
        let hundreds =
            text.strip_suffix("xx")?.parse::<u16>().ok().filter(|class| (1..=5).contains(class))?;
        let first = hundreds.checked_mul(100)?;
        Some(first..=first.saturating_add(99))
    };
    let range = match class(value.text) {
        Some(range) => Some(range),
        None => range(value.text, |text| text.parse::<u16>().ok().map(u64::from)).and_then(|range| {
            let end = u16::try_from(*range.end()).unwrap_or(u16::MAX);
            Some(u16::try_from(*range.start()).ok()?..=end)
        }),
    };
    range
        .map(|range| Query::Is(Condition::Status(range)))
        .ok_or_else(|| "a status is expected: 404, 4xx, >=400 or 400..499".into())
}

fn size(value: Value<'_>) -> Result<Query, Expected> {
    range(value.text, bytes)
        .map(|range| Query::Is(Condition::Size(range)))
        .ok_or_else(|| "a size is expected: >10KB, <1MiB, 0 or 1000..2000".into())
}

fn took(value: Value<'_>) -> Result<Query, Expected> {
    let micros = |text: &str| duration(text).and_then(|took| u64::try_from(took.as_micros()).ok());
    range(value.text, micros)
        .map(|range| Query::Is(Condition::Duration(range)))
        .ok_or_else(|| "a time is expected: >100ms, <1s or 10ms..50ms".into())
}

fn address(value: Value<'_>) -> Result<Query, Expected> {
    address_range(value.text)
        .map(|range| Query::Is(Condition::ClientIp(range)))
        .ok_or_else(|| "an address or a CIDR range is expected: 203.0.113.9 or 203.0.113.0/24".into())
}

/// An address or a range; mapped IPv6 is read as IPv4, host bits are masked.
#[must_use]
pub fn address_range(text: &str) -> Option<IpNet> {
    if let Ok(address) = text.parse::<IpAddr>() {
        return Some(IpNet::from(address.to_canonical()));
    }
    let range = text.parse::<IpNet>().ok()?.trunc();
    match range {
        IpNet::V6(v6) if v6.prefix_len() >= 96 => match v6.network().to_ipv4_mapped() {
            Some(v4) => IpNet::new(v4.into(), v6.prefix_len().saturating_sub(96)).ok(),
            None => Some(range),
        },
        _ => Some(range),
    }
}

fn moment(value: Value<'_>) -> Result<Moment, Expected> {
    let text = value.text;
    if let Some(ago) = duration(text.strip_prefix('-').unwrap_or(text)) {
        return Ok(Moment::Ago(ago));
    }
    let day = format!("{text}T00:00:00Z");
    Timestamp::parse_rfc3339(text)
        .or_else(|| Timestamp::parse_rfc3339(&day))
        .map(Moment::At)
        .ok_or_else(|| "a time is expected: -2h, -30m, 2026-03-09 or 2026-03-09T07:14:58Z (UTC)".into())
}
