//! The numbers that both engines store for words. Statements name them, so that no reader has to know that 2 means
//! delivered.
//!
//! They stand in the text of a statement and are not bound to it: a planner uses a partial index, such as
//! `messages_due … WHERE status = 0`, only if it sees the number.

use crate::domain::{DeviceState, MessageStatus, SubscriptionOrigin, Verdict};
use crate::store::log::encoding::verdict_number;

/// The verdict of a delivery that was accepted.
pub const ACCEPTED: i64 = verdict_number(Verdict::Accepted);
/// The verdict of a delivery that was rejected.
pub const REJECTED: i64 = verdict_number(Verdict::Rejected);

/// A message that waits for its next attempt. It is parked if its subscription is not in force.
pub const PENDING: i64 = 0;
/// A message that is being sent.
pub const SENDING: i64 = 1;
/// A message that was delivered. This status and the higher ones are final.
pub const DELIVERED: i64 = 2;
/// A message that ran out of attempts.
pub const DEAD: i64 = 3;
/// A message that was cancelled.
pub const CANCELLED: i64 = 4;

/// The number of a message's status. Parked is not stored: it follows from the subscription's row, so that parking
/// changes one row, however many messages wait.
pub const fn status_number(status: MessageStatus) -> i64 {
    match status {
        MessageStatus::Pending | MessageStatus::Parked => PENDING,
        MessageStatus::Sending => SENDING,
        MessageStatus::Delivered => DELIVERED,
        MessageStatus::Dead => DEAD,
        MessageStatus::Cancelled => CANCELLED,
    }
}

/// The status with this number; `is_parked` says that the message's subscription is not in force.
pub fn status(number: i64, is_parked: bool) -> Option<MessageStatus> {
    if number == PENDING && is_parked {
        return Some(MessageStatus::Parked);
    }
    MessageStatus::ALL.into_iter().find(|status| status_number(*status) == number)
}

/// The number of a subscription's origin.
pub const fn origin_number(origin: SubscriptionOrigin) -> i64 {
    match origin {
        SubscriptionOrigin::Api => 0,
        SubscriptionOrigin::Config => 1,
    }
}

/// The origin with this number.
pub fn origin(number: i64) -> Option<SubscriptionOrigin> {
    [SubscriptionOrigin::Api, SubscriptionOrigin::Config]
        .into_iter()
        .find(|origin| origin_number(*origin) == number)
}

/// The clock of a device: it is right, as far as is known.
pub const CLOCK_RIGHT: i64 = 0;
/// The clock of a device: its events arrive late.
pub const LATE: i64 = 1;
/// The clock of a device: it is ahead.
pub const CLOCK_AHEAD: i64 = 2;

/// The number for the state of a device's clock.
pub const fn clock_number(trouble: Option<DeviceState>) -> i64 {
    match trouble {
        Some(DeviceState::ClockAhead) => CLOCK_AHEAD,
        Some(_) => LATE,
        None => CLOCK_RIGHT,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The numbers and words in the first line of a migration that contains `column`, with its comment.
    fn key<'s>(migration: &'s str, column: &str) -> Vec<(i64, &'s str)> {
        let line = migration.lines().find(|line| line.contains(column)).unwrap();
        let (_, comment) = line.split_once("-- ").unwrap();
        comment
            .split(", ")
            .map(|entry| {
                let (number, word) = entry.split_once(' ').unwrap();
                (number.trim_end_matches(':').parse().unwrap(), word)
            })
            .collect()
    }

    #[test]
    fn the_numbers_are_those_in_the_comments_of_the_migrations() {
        let deliveries = include_str!("sqlite/migrations/V1__deliveries.sql");
        let mut verdicts = key(deliveries, "verdict      INTEGER NOT NULL,");
        assert!(include_str!("sqlite/migrations/V23__handshakes.sql").starts_with("-- The verdict 4:"));
        verdicts.push((4, "handshake"));
        assert_eq!(verdicts, Verdict::ALL.map(|verdict| (verdict_number(verdict), verdict.as_str())));

        let sender = include_str!("sqlite/migrations/V3__sender.sql");
        let stored = MessageStatus::ALL.into_iter().filter(|status| *status != MessageStatus::Parked);
        let stored: Vec<_> = stored.map(|status| (status_number(status), status.as_str())).collect();
        assert_eq!(key(sender, "status          INTEGER NOT NULL,"), stored);
        let origins = [(SubscriptionOrigin::Api, "API"), (SubscriptionOrigin::Config, "configuration")];
        assert_eq!(key(sender, "origin "), origins.map(|(origin, word)| (origin_number(origin), word)));

        let devices = include_str!("sqlite/migrations/V27__devices.sql");
        let clocks = [(CLOCK_RIGHT, "none"), (LATE, "late"), (CLOCK_AHEAD, "clock ahead")];
        assert_eq!(key(devices, "ADD COLUMN trouble"), clocks);
    }

    #[test]
    fn a_waiting_message_is_parked_while_its_subscription_is_not_in_force() {
        assert_eq!(status(PENDING, false), Some(MessageStatus::Pending));
        assert_eq!(status(PENDING, true), Some(MessageStatus::Parked));
        assert_eq!(status(SENDING, true), Some(MessageStatus::Sending));
        assert_eq!(status(5, false), None);
    }
}
