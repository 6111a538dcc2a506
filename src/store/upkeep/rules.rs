//! What retention removes, and in which order. Both engines follow these rules.

use crate::domain::{Timestamp, Verdict};
use crate::store::Retention;
use crate::store::upkeep::cutoff;

/// Rows and bytes of one verdict, without those that are pinned.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Total {
    /// Their number.
    pub rows: u64,
    /// Their weight.
    pub bytes: u64,
}

/// How many of the oldest rows must be removed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Surplus {
    /// Those that were received before this instant, in microseconds.
    OlderThan(i64),
    /// This many.
    Rows(u64),
    /// At least this many bytes of them.
    Bytes(u64),
}

impl Surplus {
    /// Whether a row goes, after older ones of that number and weight.
    pub const fn covers(self, received_at: i64, before: Total) -> bool {
        match self {
            Self::OlderThan(cutoff) => received_at < cutoff,
            Self::Rows(rows) => before.rows < rows,
            Self::Bytes(bytes) => before.bytes < bytes,
        }
    }

    /// Whether no row can be covered.
    pub const fn is_none(self) -> bool {
        matches!(self, Self::Rows(0) | Self::Bytes(0))
    }
}

/// Whose oldest rows a rule removes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Whose {
    /// Those of one verdict.
    One(Verdict),
    /// Those of the accepted and the duplicate deliveries, which share one rule: the older one is removed first.
    Accepted,
}

/// The rules, in their order: by age and number, then by the budgets of captured and rejected deliveries. Above
/// `max_size`, captured deliveries are removed before rejected ones, and those before the others.
///
/// `used` is what counts against `max_size`, `now` the instant from which ages are computed.
pub fn surpluses(
    total: impl Fn(Verdict) -> Total,
    used: u64,
    retention: &Retention,
    now: Timestamp,
) -> Vec<(Whose, Surplus)> {
    use Verdict::{Accepted, Captured, Duplicate, Handshake, Rejected};
    let too_many = |verdict| Surplus::Rows(total(verdict).rows.saturating_sub(retention.keep_captured));
    let kept = cutoff(now, retention.keep_deliveries);
    let mut surpluses = vec![
        (Whose::One(Captured), too_many(Captured)),
        // Anyone can send handshakes, so their number is limited like that of captures.
        (Whose::One(Handshake), too_many(Handshake)),
        (Whose::One(Handshake), Surplus::OlderThan(kept)),
        (Whose::One(Rejected), Surplus::OlderThan(cutoff(now, retention.keep_rejected))),
        (Whose::One(Accepted), Surplus::OlderThan(kept)),
        (Whose::One(Duplicate), Surplus::OlderThan(kept)),
    ];
    for verdict in [Captured, Handshake, Rejected] {
        let over = total(verdict).bytes.saturating_sub(retention.max_refused);
        surpluses.push((Whose::One(verdict), Surplus::Bytes(over)));
    }
    let over = used.saturating_sub(retention.max_size);
    let bounded = [Whose::One(Captured), Whose::One(Handshake), Whose::One(Rejected), Whose::Accepted];
    surpluses.extend(bounded.map(|whose| (whose, Surplus::Bytes(over))));
    surpluses.retain(|(_, surplus)| !surplus.is_none());
    surpluses
}

/// Whether retention removes a delivery of this verdict, received before `end`, for its age alone.
pub fn is_expired(verdict: Verdict, end: i64, retention: &Retention, now: Timestamp) -> bool {
    match verdict {
        Verdict::Captured => false,
        Verdict::Rejected => end <= cutoff(now, retention.keep_rejected),
        Verdict::Accepted | Verdict::Duplicate | Verdict::Handshake => {
            end <= cutoff(now, retention.keep_deliveries)
        }
    }
}
