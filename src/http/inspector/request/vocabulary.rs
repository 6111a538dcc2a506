//! The domain's values as requests write them.

use ipnet::IpNet;
use utoipa::openapi::RefOr;
use utoipa::openapi::schema::{ObjectBuilder, Schema, Type};

use super::words::{As, Range, Word, one_of, text, time};
use crate::domain::{
    DeliveryId, DeviceState, MessageId, MessageStatus, Query, Reason, ReplayId, ReplaySignature, Scope,
    Timestamp, Verdict,
};
use crate::inspect::overview::Range as OverviewRange;
use crate::inspect::search;
use crate::store::EntityOrder;

/// The maximum number of ids in a filter.
const MOST_IDS: usize = 200;

/// A value of a fixed list: its words, and how they are read.
macro_rules! word {
    ($type:ty, $words:expr, $read:expr) => {
        impl Word for $type {
            fn expected() -> String {
                format!("one of {}", $words.join(", "))
            }

            fn read(text: &str) -> Result<Self, Option<String>> {
                $read(text).ok_or(None)
            }

            fn schema() -> RefOr<Schema> {
                one_of(&$words)
            }
        }
    };
}

word!(Verdict, Verdict::ALL.map(Verdict::as_str), Verdict::from_word);
word!(Reason, Reason::ALL.iter().map(|one| one.as_str()).collect::<Vec<_>>(), Reason::from_word);
word!(MessageStatus, MessageStatus::ALL.map(MessageStatus::as_str), MessageStatus::from_word);
word!(DeviceState, DeviceState::ALL.map(DeviceState::as_str), DeviceState::from_word);
word!(OverviewRange, ["1h", "24h", "7d"], OverviewRange::from_word);
word!(ReplaySignature, ["fresh", "original", "none"], ReplaySignature::from_word);
word!(Scope, Scope::ALL.map(Scope::as_str), Scope::from_word);
word!(EntityOrder, ["recent", "silence", "trouble"], |text| match text {
    "recent" => Some(EntityOrder::Recent),
    "silence" => Some(EntityOrder::Silence),
    "trouble" => Some(EntityOrder::Trouble),
    _ => None,
});

impl Word for Timestamp {
    fn expected() -> String {
        "an RFC 3339 time such as 2026-03-09T07:14:58Z".to_owned()
    }

    fn read(text: &str) -> Result<Self, Option<String>> {
        // A + that is not percent-encoded is read as a blank in a query.
        Self::parse_rfc3339(text).or_else(|| Self::parse_rfc3339(&text.replace(' ', "+"))).ok_or(None)
    }

    fn schema() -> RefOr<Schema> {
        time()
    }
}

/// An id of ours.
macro_rules! id {
    ($type:ty, $what:literal) => {
        impl Word for $type {
            fn expected() -> String {
                $what.to_owned()
            }

            fn read(text: &str) -> Result<Self, Option<String>> {
                text.parse().map_err(|_| None)
            }
        }
    };
}

id!(ReplayId, "the id of a run or a replay");
id!(MessageId, "the id of a message");

/// Ids of deliveries with commas between them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ids(pub Vec<DeliveryId>);

impl Word for Ids {
    const IS_LIST: bool = true;

    fn expected() -> String {
        format!("1 to {MOST_IDS} delivery ids with commas between them")
    }

    fn read(text: &str) -> Result<Self, Option<String>> {
        let ids: Option<Vec<DeliveryId>> = text.split(',').map(|id| id.trim().parse().ok()).collect();
        ids.filter(|ids| ids.len() <= MOST_IDS).map(Self).ok_or(None)
    }
}

/// A status of HTTP.
impl Word for u16 {
    const IS_LOOSE: bool = true;

    fn expected() -> String {
        "a status from 100 to 599".to_owned()
    }

    fn read(text: &str) -> Result<Self, Option<String>> {
        text.parse().ok().filter(|status| (100..=599).contains(status)).ok_or(None)
    }

    fn schema() -> RefOr<Schema> {
        ObjectBuilder::new().schema_type(Type::Integer).minimum(Some(100)).maximum(Some(599)).into()
    }
}

impl Word for bool {
    const IS_LOOSE: bool = true;

    fn expected() -> String {
        "true or false".to_owned()
    }

    fn read(text: &str) -> Result<Self, Option<String>> {
        text.parse().map_err(|_| None)
    }

    fn schema() -> RefOr<Schema> {
        ObjectBuilder::new().schema_type(Type::Boolean).into()
    }
}

impl Word for IpNet {
    fn expected() -> String {
        "an address or a CIDR range".to_owned()
    }

    fn read(text: &str) -> Result<Self, Option<String>> {
        search::address_range(text).ok_or(None)
    }
}

impl Word for String {
    const IS_LOOSE: bool = true;

    fn expected() -> String {
        "a string or a number".to_owned()
    }

    fn read(text: &str) -> Result<Self, Option<String>> {
        Ok(text.to_owned())
    }

    fn schema() -> RefOr<Schema> {
        ObjectBuilder::new().schema_type(Type::String).into()
    }
}

/// A search, with its text.
#[derive(Clone, Debug, PartialEq)]
pub struct Searched {
    /// As it was written.
    pub text: String,
    /// As it is meant.
    pub query: Query,
}

impl Word for Searched {
    fn expected() -> String {
        "a search, as text".to_owned()
    }

    fn read(written: &str) -> Result<Self, Option<String>> {
        let query = search::parse(written).map_err(|fault| Some(fault.to_string()))?;
        Ok(Self { text: written.to_owned(), query })
    }

    fn schema() -> RefOr<Schema> {
        text("A search as in the search box.")
    }
}

/// Where the next page begins.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cursor(pub i64);

impl Word for Cursor {
    fn expected() -> String {
        "the next of an earlier response".to_owned()
    }

    fn read(text: &str) -> Result<Self, Option<String>> {
        text.parse().ok().filter(|seq| *seq > 0).map(Self).ok_or(None)
    }
}

/// `Ids` as a request writes it: a name that schemas can be made from.
pub type IdsParam = As<Ids>;
/// `String` as a request writes it: a name that schemas can be made from.
pub type TextParam = As<String>;
/// `Verdict` as a request writes it: a name that schemas can be made from.
pub type VerdictParam = As<Verdict>;
/// `Reason` as a request writes it: a name that schemas can be made from.
pub type ReasonParam = As<Reason>;
/// `u16` as a request writes it: a name that schemas can be made from.
pub type StatusParam = As<u16>;
/// `IpNet` as a request writes it: a name that schemas can be made from.
pub type NetParam = As<IpNet>;
/// `bool` as a request writes it: a name that schemas can be made from.
pub type FlagParam = As<bool>;
/// `Searched` as a request writes it: a name that schemas can be made from.
pub type SearchParam = As<Searched>;
/// `Timestamp` as a request writes it: a name that schemas can be made from.
pub type TimeParam = As<Timestamp>;
/// `Cursor` as a request writes it: a name that schemas can be made from.
pub type CursorParam = As<Cursor>;
/// `MessageStatus` as a request writes it: a name that schemas can be made from.
pub type MessageStatusParam = As<MessageStatus>;
/// `DeviceState` as a request writes it: a name that schemas can be made from.
pub type DeviceStateParam = As<DeviceState>;
/// `EntityOrder` as a request writes it: a name that schemas can be made from.
pub type DeviceOrderParam = As<EntityOrder>;
/// `ReplayId` as a request writes it: a name that schemas can be made from.
pub type ReplayIdParam = As<ReplayId>;
/// `ReplaySignature` as a request writes it: a name that schemas can be made from.
pub type SignatureParam = As<ReplaySignature>;
/// A number from 1 to 500.
pub type Limit = Range<1, 500>;
/// A number from 1 to 100.
pub type Limit100 = Range<1, 100>;
/// A number from 1 to 200.
pub type Limit200 = Range<1, 200>;
/// A number from 1 to 100_000.
pub type Limit100k = Range<1, 100_000>;
/// A number from 1 to 32.
pub type Parallel = Range<1, 32>;
/// A number from 0 to 100_000.
pub type Caret = Range<0, 100_000>;
/// A number from 0 to 1_000_000.
pub type Offset = Range<0, 1_000_000>;
/// `Scope` as a request writes it: a name that schemas can be made from.
pub type ScopeParam = As<Scope>;
