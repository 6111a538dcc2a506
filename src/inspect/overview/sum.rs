//! Sums of minutes.

use std::collections::BTreeMap;
use std::time::Duration;

use crate::domain::{Reason, Timestamp, Verdict};
use crate::store::{Minute, Store, StoreError};
use crate::telemetry::Counted;

/// Over how long an overview looks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Range {
    /// The last hour, minute by minute.
    Hour,
    /// The last day, in quarters of an hour.
    Day,
    /// The last seven days, in stretches of two hours.
    Week,
}

impl Range {
    /// Every range.
    pub const ALL: [Self; 3] = [Self::Hour, Self::Day, Self::Week];

    /// Its word in addresses.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Hour => "1h",
            Self::Day => "24h",
            Self::Week => "7d",
        }
    }

    /// The range of that word.
    #[must_use]
    pub fn from_word(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|range| range.as_str() == word)
    }

    /// Its length, and that of one slot, in minutes.
    #[must_use]
    pub const fn minutes(self) -> (i64, i64) {
        match self {
            Self::Hour => (60, 1),
            Self::Day => (24 * 60, 15),
            Self::Week => (7 * 24 * 60, 120),
        }
    }
}

/// What came in within one stretch of time.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Slot {
    /// When it begins.
    pub from: Timestamp,
    /// How many became what, in the order of `Verdict::ALL`.
    pub verdicts: [u64; Verdict::ALL.len()],
    /// All of them, with their times.
    pub counted: Counted,
}

/// What came to one source.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SourceSum {
    /// The source.
    pub source: String,
    /// How many became what.
    pub verdicts: [u64; Verdict::ALL.len()],
    /// All of them, with their times.
    pub counted: Counted,
    /// Why it refused, the most frequent first.
    pub reasons: Vec<(Reason, u64)>,
    /// The beginning of the last minute in which something came.
    pub last: Timestamp,
    /// The beginning of the first minute in which it refused something.
    pub refused_since: Option<Timestamp>,
}

impl SourceSum {
    /// How many it refused.
    #[must_use]
    pub fn refused(&self) -> u64 {
        refused(&self.verdicts)
    }
}

/// What came in over a range.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Overview {
    /// The stretches, the oldest first, empty ones too.
    pub slots: Vec<Slot>,
    /// How long each is.
    pub slot: Duration,
    /// How many became what, in the order of `Verdict::ALL`.
    pub verdicts: [u64; Verdict::ALL.len()],
    /// All of them, with their times.
    pub counted: Counted,
    /// Why it was refused, the most frequent first.
    pub reasons: Vec<(Reason, u64)>,
    /// By source, the busiest first.
    pub sources: Vec<SourceSum>,
}

impl Overview {
    /// The last `range` before `now`.
    ///
    /// # Errors
    /// `Unavailable`.
    pub async fn of(store: &Store, range: Range, now: Timestamp) -> Result<Self, StoreError> {
        let (length, slot) = range.minutes();
        // The slot that is not over yet is shown too.
        let end = now.as_secs().div_euclid(60).div_euclid(slot).saturating_add(1).saturating_mul(slot);
        let first = end.saturating_sub(length);
        let minutes = store.minutes(first, end).await?;
        Ok(Self::summed(&minutes, first, end, slot))
    }

    fn summed(minutes: &[Minute], first: i64, end: i64, slot: i64) -> Self {
        let at = |minute: i64| Timestamp::from_secs(minute.saturating_mul(60));
        let mut overview = Self {
            slots: (0..end.saturating_sub(first) / slot)
                .map(|number| Slot { from: at(first.saturating_add(number * slot)), ..Slot::default() })
                .collect(),
            slot: Duration::from_secs(u64::try_from(slot.saturating_mul(60)).unwrap_or(60)),
            ..Self::default()
        };
        let mut reasons = Reasons::new();
        let mut sources: BTreeMap<&str, (SourceSum, Reasons<'_>)> = BTreeMap::new();
        for minute in minutes {
            let number = usize::try_from(minute.minute.saturating_sub(first) / slot).unwrap_or(usize::MAX);
            if let Some(slot) = overview.slots.get_mut(number) {
                add(&mut slot.verdicts, &mut slot.counted, minute);
            }
            add(&mut overview.verdicts, &mut overview.counted, minute);
            let (sum, own) = sources.entry(&minute.source).or_default();
            add(&mut sum.verdicts, &mut sum.counted, minute);
            sum.last = sum.last.max(at(minute.minute));
            if minute.verdict == Verdict::Rejected {
                let from = at(minute.minute);
                sum.refused_since = Some(sum.refused_since.map_or(from, |since| since.min(from)));
            }
            if let Some(reason) = minute.reason {
                for counts in [&mut reasons, own] {
                    let count = &mut counts.entry(reason.as_str()).or_insert((reason, 0)).1;
                    *count = count.saturating_add(minute.counted.count);
                }
            }
        }
        overview.reasons = sorted(reasons);
        overview.sources = sources
            .into_iter()
            .map(|(name, (sum, own))| SourceSum { source: name.to_owned(), reasons: sorted(own), ..sum })
            .collect();
        overview.sources.sort_by_key(|sum| std::cmp::Reverse(sum.counted.count));
        overview
    }
}

/// Of those counts, what was refused.
#[must_use]
pub fn refused(verdicts: &[u64; Verdict::ALL.len()]) -> u64 {
    let known = Verdict::ALL.iter().zip(verdicts).find(|(known, _)| **known == Verdict::Rejected);
    known.map_or(0, |(_, count)| *count)
}

fn add(verdicts: &mut [u64; Verdict::ALL.len()], counted: &mut Counted, minute: &Minute) {
    for (known, count) in Verdict::ALL.into_iter().zip(verdicts) {
        if known == minute.verdict {
            *count = count.saturating_add(minute.counted.count);
        }
    }
    counted.join(&minute.counted);
}

/// How often each reason, by its word.
type Reasons<'w> = BTreeMap<&'w str, (Reason, u64)>;

fn sorted(counts: Reasons<'_>) -> Vec<(Reason, u64)> {
    let mut sorted: Vec<(Reason, u64)> = counts.into_values().collect();
    sorted.sort_by_key(|(_, count)| std::cmp::Reverse(*count));
    sorted
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn minutes_are_summed_by_slot_by_source_and_by_reason() {
        let one = |minute: i64, source: &str, verdict: Verdict, reason: Option<Reason>, count: u64| {
            let mut counted = Counted::default();
            (0..count).for_each(|_| counted.add(Duration::from_micros(900)));
            Minute { minute, source: source.into(), verdict, reason, counted }
        };
        let minutes = [
            one(100, "a", Verdict::Accepted, None, 3),
            one(101, "a", Verdict::Rejected, Some(Reason::NotJson), 2),
            one(114, "a", Verdict::Rejected, Some(Reason::Stale), 5),
            one(115, "b", Verdict::Captured, None, 1),
        ];
        let overview = Overview::summed(&minutes, 100, 130, 15);
        assert_eq!(overview.slots.len(), 2);
        assert_eq!(
            (overview.slots[0].verdicts, overview.slots[1].verdicts),
            ([3, 0, 7, 0, 0], [0, 0, 0, 1, 0])
        );
        assert_eq!(overview.slots[1].from, Timestamp::from_secs(115 * 60));
        assert_eq!(overview.reasons, [(Reason::Stale, 5), (Reason::NotJson, 2)]);
        assert_eq!(overview.sources[0].source, "a");
        assert_eq!(overview.sources[0].last, Timestamp::from_secs(114 * 60));
        assert_eq!(overview.sources[0].refused_since, Some(Timestamp::from_secs(101 * 60)));
        assert_eq!(
            (overview.counted.count, overview.counted.percentile(95)),
            (11, Some(Duration::from_micros(900)))
        );
    }
}
