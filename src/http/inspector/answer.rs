//! Values as answers write them.

use serde::{Serialize, Serializer};
use utoipa::openapi::RefOr;
use utoipa::openapi::schema::Schema;
use utoipa::{PartialSchema, ToSchema};

use super::request::{one_of, time};
use crate::domain::{
    DeviceState, MessageStatus, Reason, ReplaySignature, RunState, Scope, Timestamp, Verdict,
};

/// A time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Time(pub Timestamp);

impl From<Timestamp> for Time {
    fn from(at: Timestamp) -> Self {
        Self(at)
    }
}

impl Serialize for Time {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        to.collect_str(&self.0)
    }
}

impl PartialSchema for Time {
    fn schema() -> RefOr<Schema> {
        time()
    }
}

impl ToSchema for Time {}

/// A value that is answered as one word of a list.
macro_rules! word {
    ($(#[$doc:meta])* $name:ident, $type:ty, $words:expr) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub struct $name(pub $type);

        impl From<$type> for $name {
            fn from(value: $type) -> Self {
                Self(value)
            }
        }

        impl Serialize for $name {
            fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
                to.serialize_str(self.0.as_str())
            }
        }

        impl PartialSchema for $name {
            fn schema() -> RefOr<Schema> {
                one_of(&$words)
            }
        }

        impl ToSchema for $name {}
    };
}

word! {
    /// What was decided about a delivery.
    VerdictWord, Verdict, Verdict::ALL.map(Verdict::as_str)
}
word! {
    /// Why a delivery was rejected.
    ReasonWord, Reason, Reason::ALL.iter().map(|reason| reason.as_str()).collect::<Vec<_>>()
}
word! {
    /// The state of a message.
    MessageState, MessageStatus, MessageStatus::ALL.map(MessageStatus::as_str)
}
word! {
    /// The state of a device.
    DeviceWord, DeviceState, DeviceState::ALL.map(DeviceState::as_str)
}
word! {
    /// What becomes of a signature.
    SignatureWord, ReplaySignature, ReplaySignature::ALL.map(ReplaySignature::as_str)
}
word! {
    /// The state of a run.
    RunWord, RunState, RunState::ALL.map(RunState::as_str)
}
word! {
    /// What a token opens.
    ScopeWord, Scope, Scope::ALL.map(Scope::as_str)
}
