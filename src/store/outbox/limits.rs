//! Limits of the outbox, whichever the engine.

use std::time::Duration;

use crate::domain::Timestamp;
use crate::store::{Lane, LaneBatch};

/// Beyond this number, messages are not counted individually.
pub const COUNTED: i64 = 100_000;
/// The health checks stored per endpoint.
pub const KEPT_CHECKS: i64 = 100;
/// The most due messages of an ordered lane read in one claim.
pub const LOOKED_AT: usize = 500;
/// How long a message of an ordered lane that was put off stays unread if nothing wakes it.
pub const PUT_OFF: Duration = Duration::from_secs(60);
/// How long a message waits if its subscription exists but cannot be used now. An operator may fix it in that time.
pub const OUT_OF_FORCE: Duration = Duration::from_secs(60);
/// Smaller differences do not count as a clock change, in microseconds.
pub const NO_STEP_US: u64 = 1_000_000;
/// The most bytes of bodies that a lane gets in one claim, except for the last body.
const LANE_BYTES: usize = 16 * 1024 * 1024;
/// The most messages in one claim, except for a last batch. On SQLite, incoming deliveries wait for the claim.
const MOST_CLAIMED: usize = 512;
/// The most bytes of bodies in one claim, except for the last lane.
const MOST_BYTES: usize = 64 * 1024 * 1024;

/// Whether a claim with this many messages, and bytes of events, asks no other lane.
pub const fn is_enough(messages: usize, bytes: usize) -> bool {
    messages >= MOST_CLAIMED || bytes >= MOST_BYTES
}

/// The most messages that a lane gets in a claim that has `claimed` already. A batch is not split.
pub fn room(lane: &Lane, claimed: usize) -> usize {
    let room = if lane.batch.is_some() { MOST_CLAIMED } else { MOST_CLAIMED.saturating_sub(claimed) };
    usize::try_from(lane.limit).unwrap_or(usize::MAX).min(room)
}

/// The most bytes of bodies that a lane gets in one claim, except for the last body.
pub fn most_bytes(lane: &Lane) -> usize {
    lane.batch.map_or(LANE_BYTES, |batch| batch.bytes.min(LANE_BYTES))
}

/// When a lane with batches may be claimed; `None` means now. Of its due messages, up to a batch: their number, the bytes
/// of their events, and since when the oldest is due.
pub fn batch_ready_at(
    batch: LaneBatch,
    (messages, bytes, oldest): (i64, i64, Option<i64>),
    now: Timestamp,
) -> Option<Timestamp> {
    let flush_at = Timestamp::from_micros(oldest?).plus(batch.flush);
    let is_full =
        messages >= i64::from(batch.size) || bytes >= i64::try_from(batch.bytes).unwrap_or(i64::MAX);
    (!is_full && flush_at > now).then_some(flush_at)
}
