//! How the outbox's values are encoded in columns, whichever the engine.

use crate::domain::{MessageStatus, SubscriptionOrigin};

/// The number of a message that waits, parked or not.
pub const WAITS: i64 = 0;

/// The number of a status in the store; `Parked` is only ever read.
pub const fn status_number(status: MessageStatus) -> i64 {
    match status {
        MessageStatus::Pending => WAITS,
        MessageStatus::Sending => 1,
        MessageStatus::Delivered => 2,
        MessageStatus::Dead => 3,
        MessageStatus::Cancelled => 4,
        MessageStatus::Parked => 5,
    }
}

/// The status with this number.
pub fn status(number: i64) -> Option<MessageStatus> {
    MessageStatus::ALL.into_iter().find(|status| status_number(*status) == number)
}

/// The number of an origin in the store.
pub const fn origin_number(origin: SubscriptionOrigin) -> i64 {
    match origin {
        SubscriptionOrigin::Api => 0,
        SubscriptionOrigin::Config => 1,
    }
}

/// The origin with this number.
pub const fn origin(number: i64) -> Option<SubscriptionOrigin> {
    match number {
        0 => Some(SubscriptionOrigin::Api),
        1 => Some(SubscriptionOrigin::Config),
        _ => None,
    }
}
