//! What retention looks at before each step: a few small tables, never the deliveries themselves.

use std::collections::{BTreeMap, BTreeSet};

use crate::domain::{Timestamp, Verdict};
use crate::store::log::encoding::verdict_number;
use crate::store::log::postgres::days::{day, day_of_partition, first_instant};
use crate::store::postgres::{Transaction, column, params};
use crate::store::upkeep::cutoff;
use crate::store::upkeep::rules::{Total, is_expired};
use crate::store::{Retention, StoreError};

/// A partition without deliveries is removed when its day ended this long ago: a node with a clock that is behind may
/// still need it.
const EMPTY_DAY_KEPT: std::time::Duration = std::time::Duration::from_secs(86_400);

/// Rows and bytes of a day and a verdict.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Share {
    /// The day, see `days::day`.
    pub day: i64,
    /// The number of the verdict.
    pub verdict: i64,
    /// How many deliveries.
    pub rows: i64,
    /// Their weight.
    pub bytes: i64,
}

/// What the log contains.
#[derive(Debug, Default)]
pub struct State {
    /// Of all deliveries.
    all: Vec<Share>,
    /// Of those that are pinned.
    pinned: Vec<Share>,
    /// The days that have a partition.
    partitions: BTreeSet<i64>,
}

impl State {
    /// Reads it.
    ///
    /// # Errors
    /// `Unavailable`.
    pub async fn read(from: &Transaction) -> Result<Self, StoreError> {
        let all = shares(
            from,
            r"
            SELECT day, verdict, sum(rows)::bigint AS rows, sum(bytes)::bigint AS bytes
            FROM delivery_totals
            GROUP BY day, verdict
            ",
        );
        let pinned = shares(
            from,
            r"
            SELECT
                floor(d.received_at / 86400000000.0)::bigint AS day, d.verdict,
                count(*) AS rows, sum(d.row_bytes)::bigint AS bytes
            FROM delivery_marks m
            JOIN deliveries d USING (seq)
            WHERE m.is_pinned
            GROUP BY 1, 2
            ",
        );
        let (all, pinned, partitions) = tokio::try_join!(all, pinned, partitions(from))?;
        Ok(Self { all, pinned, partitions })
    }

    /// Rows and bytes of a verdict that retention can remove.
    pub fn total(&self, verdict: Verdict) -> Total {
        let verdict = verdict_number(verdict);
        let sum = |shares: &[Share], of: fn(&Share) -> i64| -> i64 {
            shares.iter().filter(|share| share.verdict == verdict).map(of).sum()
        };
        let free = |of: fn(&Share) -> i64| sum(&self.all, of).saturating_sub(sum(&self.pinned, of));
        Total {
            rows: u64::try_from(free(|share| share.rows)).unwrap_or(0),
            bytes: u64::try_from(free(|share| share.bytes)).unwrap_or(0),
        }
    }

    /// Bytes of all deliveries, pinned ones too.
    pub fn used(&self) -> u64 {
        u64::try_from(self.all.iter().map(|share| share.bytes).sum::<i64>()).unwrap_or(0)
    }

    /// Deliveries of a day.
    pub fn rows_of(&self, day: i64) -> u64 {
        let rows: i64 = self.all.iter().filter(|share| share.day == day).map(|share| share.rows).sum();
        u64::try_from(rows).unwrap_or(0)
    }

    /// The first day in which a delivery of this verdict, received before `cutoff`, can be removed by itself. Days of
    /// `skipped` are removed as a whole.
    pub fn first_day(&self, verdict: Verdict, cutoff: i64, skipped: &BTreeSet<i64>) -> Option<i64> {
        let verdict = verdict_number(verdict);
        let mut rows: BTreeMap<i64, i64> = BTreeMap::new();
        let pinned = self.pinned.iter().map(|share| (share, -share.rows));
        for (share, count) in self.all.iter().map(|share| (share, share.rows)).chain(pinned) {
            if share.verdict == verdict && first_instant(share.day) < cutoff && !skipped.contains(&share.day)
            {
                let sum = rows.entry(share.day).or_default();
                *sum = sum.saturating_add(count);
            }
        }
        rows.into_iter().find(|(_, count)| *count > 0).map(|(day, _)| day)
    }

    /// The days whose every delivery is expired and not pinned: their partitions can be dropped.
    pub fn expired_days(&self, retention: &Retention, now: Timestamp) -> BTreeSet<i64> {
        let last_empty = day(Timestamp::from_micros(cutoff(now, EMPTY_DAY_KEPT)));
        let is_expired = |day: &i64| {
            let end = first_instant(day.saturating_add(1));
            let kept = kept_verdicts(end, retention, now);
            let mut shares = self.all.iter().filter(|share| share.day == *day && share.rows > 0).peekable();
            let is_pinned = self.pinned.iter().any(|share| share.day == *day);
            if shares.peek().is_none() {
                return *day < last_empty;
            }
            !is_pinned && shares.all(|share| !kept.contains(&share.verdict))
        };
        self.partitions.iter().copied().filter(is_expired).collect()
    }
}

/// The verdicts of which deliveries received before `end` may still be kept.
pub fn kept_verdicts(end: i64, retention: &Retention, now: Timestamp) -> Vec<i64> {
    let kept = Verdict::ALL.into_iter().filter(|verdict| !is_expired(*verdict, end, retention, now));
    kept.map(verdict_number).collect()
}

async fn shares(from: &Transaction, sql: &str) -> Result<Vec<Share>, StoreError> {
    let rows = from.rows(sql, &[]).await?;
    rows.iter()
        .map(|row| {
            Ok(Share {
                day: column(row, "day")?,
                verdict: column(row, "verdict")?,
                rows: column(row, "rows")?,
                bytes: column(row, "bytes")?,
            })
        })
        .collect()
}

async fn partitions(from: &Transaction) -> Result<BTreeSet<i64>, StoreError> {
    let rows = from
        .rows(
            r"
            SELECT relname::text AS name
            FROM pg_inherits
            JOIN pg_class ON pg_class.oid = inhrelid
            WHERE inhparent = $1::text::regclass
            ",
            &params!["deliveries"],
        )
        .await?;
    let names = rows.iter().map(|row| column::<String>(row, "name")).collect::<Result<Vec<_>, _>>()?;
    Ok(names.iter().filter_map(|name| day_of_partition(name)).collect())
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    const DAY: Duration = Duration::from_secs(86_400);

    fn retention() -> Retention {
        Retention {
            keep_deliveries: 30 * DAY,
            keep_rejected: 7 * DAY,
            keep_captured: 10,
            keep_event_ids: DAY,
            keep_messages: DAY,
            keep_dead_letters: DAY,
            max_size: 1,
            max_refused: 1,
        }
    }

    fn share(day: i64, verdict: Verdict) -> Share {
        Share { day, verdict: verdict_number(verdict), rows: 2, bytes: 10 }
    }

    #[test]
    fn a_day_is_expired_when_everything_in_it_is_and_nothing_is_pinned() {
        let state = State {
            all: vec![
                share(100, Verdict::Accepted),
                share(101, Verdict::Accepted),
                share(101, Verdict::Captured),
                share(102, Verdict::Duplicate),
                share(120, Verdict::Rejected),
                share(121, Verdict::Rejected),
                share(121, Verdict::Accepted),
                share(124, Verdict::Rejected),
            ],
            pinned: vec![share(102, Verdict::Duplicate)],
            partitions: (98..=133).collect(),
        };
        let expired = |secs: i64| state.expired_days(&retention(), Timestamp::from_secs(secs));
        let now = 132 * 86_400;
        // 98 and 99 are empty, as are all others until the day before yesterday.
        let empty = [98, 99].into_iter().chain(103..=119).chain([122, 123]).chain(125..=130);
        let expected: BTreeSet<i64> = empty.chain([100, 120, 124]).collect();
        assert_eq!(expired(now), expected);
        assert!(!expired(now - 1).contains(&124), "its end is not seven days ago yet");
        assert!(!expired(131 * 86_400 - 1).contains(&100));
    }

    #[test]
    fn pinned_deliveries_count_as_used_and_are_not_removed() {
        let state = State {
            all: vec![share(1, Verdict::Accepted), share(2, Verdict::Accepted), share(3, Verdict::Rejected)],
            pinned: vec![Share { rows: 1, bytes: 4, ..share(1, Verdict::Accepted) }],
            partitions: BTreeSet::new(),
        };
        assert_eq!((state.used(), state.total(Verdict::Accepted)), (30, Total { rows: 3, bytes: 16 }));
        let first = |skipped: &[i64]| {
            state.first_day(Verdict::Accepted, i64::MAX, &skipped.iter().copied().collect())
        };
        assert_eq!((first(&[]), first(&[1]), first(&[1, 2])), (Some(1), Some(2), None));
        assert_eq!(state.first_day(Verdict::Accepted, first_instant(1), &BTreeSet::new()), None);
    }
}
