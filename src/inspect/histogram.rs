//! How many deliveries a search finds, and when they came.
//!
//! The receiver's counts per minute answer searches by time, source, verdict and reason. Anything else is
//! counted among the newest matches, within a budget: a page does not wait for a million rows.

use std::time::Duration;

use super::overview::Slot;
use super::search::{Span, timeless};
use crate::domain::{Condition, DeliveryFilter, Query, Timestamp, Verdict};
use crate::store::{Matches, SlotCount, Store, StoreError};

/// The most matches that are counted one by one.
const MOST: usize = 10_000;
/// How long that may take.
const BUDGET: Duration = Duration::from_millis(80);
/// The most stretches of a histogram.
const MOST_SLOTS: i64 = 90;
/// How long a stretch may be, in seconds.
const STEPS: [i64; 22] = [
    1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1_800, 3_600, 7_200, 10_800, 21_600, 43_200, 86_400,
    172_800, 604_800, 2_592_000, 31_536_000,
];
/// The ranges tried for a search without a time: the first with a delivery is used.
const USUAL: [i64; 3] = [3_600, 86_400, 604_800];
/// How long counts of minutes are kept.
const MINUTES_KEPT: i64 = 8 * 86_400;
const MINUTE: i64 = 60;

/// How many were found.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Count {
    /// The number.
    pub number: u64,
    /// Whether there may be more.
    pub is_at_least: bool,
}

/// When deliveries came, by stretches of equal length.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Histogram {
    /// The stretches, the oldest first, empty ones too.
    pub slots: Vec<Slot>,
    /// How long each is, in seconds.
    pub step: i64,
    /// Only the newest are in it: there are more than were counted.
    pub is_partial: bool,
}

/// What a search finds.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Survey {
    /// How many.
    pub count: Count,
    /// When they came.
    pub histogram: Histogram,
}

impl Survey {
    /// What `filter` finds. `sources` are the names under which the receiver counts.
    ///
    /// # Errors
    /// `Unavailable`, `TooLong`.
    pub async fn of(
        store: &Store,
        filter: &DeliveryFilter,
        sources: &[String],
        now: Timestamp,
    ) -> Result<Self, StoreError> {
        let query = filter.query();
        let rest = timeless(&query);
        let span = Span::of(&query, now);
        let counted = is_counted(&rest, sources);
        let is_any_time = span == Span::default();
        let kept = match one_verdict(&rest).filter(|_| is_any_time && counted) {
            Some(verdict) => Kept::Total(store.total(verdict).await?),
            None => Kept::Matches(store.matches(filter, MOST, BUDGET).await?),
        };
        let count = match &kept {
            Kept::Total(number) => Count { number: *number, is_at_least: false },
            Kept::Matches(matches) => Count {
                number: u64::try_from(matches.seen.len()).unwrap_or(u64::MAX),
                is_at_least: !matches.is_all,
            },
        };
        let minutes = Minutes { store, query: &rest };
        let histogram = match (&kept, counted) {
            (Kept::Total(_), _) => minutes.usual(now).await?,
            (Kept::Matches(_), true) if minutes_tell(span, now) => minutes.within(span, now).await?,
            (Kept::Matches(matches), _) => Histogram::among(matches, span, now),
        };
        Ok(Self { count, histogram })
    }
}

/// The answer of the store.
enum Kept {
    Total(u64),
    Matches(Matches),
}

/// The counts of minutes that match a query.
struct Minutes<'m> {
    store: &'m Store,
    query: &'m Query,
}

impl Minutes<'_> {
    /// The last hour; where nothing came, the last day or week.
    async fn usual(&self, now: Timestamp) -> Result<Histogram, StoreError> {
        let mut first = None;
        for secs in USUAL {
            let from = Some(now.moved(secs.saturating_mul(-1_000_000)));
            let found = self.within(Span { from, to: None }, now).await?;
            if !found.is_empty() {
                return Ok(found);
            }
            first.get_or_insert(found);
        }
        Ok(first.unwrap_or_default())
    }

    async fn within(&self, span: Span, now: Timestamp) -> Result<Histogram, StoreError> {
        let mut histogram = Histogram::empty(span, now, MINUTE);
        let Some(first) = histogram.slots.first().map(|slot| slot.from.as_secs()) else {
            return Ok(histogram);
        };
        let length = i64::try_from(histogram.slots.len()).unwrap_or(i64::MAX).saturating_mul(histogram.step);
        let (first, end) = (first.div_euclid(MINUTE), first.saturating_add(length).div_euclid(MINUTE));
        for counted in self.store.slot_counts(first, end, histogram.step / MINUTE).await? {
            let slot = usize::try_from(counted.slot).ok().and_then(|slot| histogram.slots.get_mut(slot));
            if let Some(slot) = slot.filter(|_| holds(self.query, &counted)) {
                add(slot, counted.verdict, counted.count);
            }
        }
        Ok(histogram)
    }
}

impl Histogram {
    /// Whether nothing came.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.slots.iter().all(|slot| slot.verdicts.iter().all(|count| *count == 0))
    }

    /// The moment after its last stretch.
    #[must_use]
    pub fn end(&self) -> Timestamp {
        let last = self.slots.last().map(|slot| slot.from).unwrap_or_default();
        last.moved(self.step.saturating_mul(1_000_000))
    }

    fn among(matches: &Matches, span: Span, now: Timestamp) -> Self {
        let oldest = matches.seen.iter().map(|(at, _)| *at).min();
        let newest = matches.seen.iter().map(|(at, _)| *at).max();
        let to = span.to.unwrap_or(now);
        let usual = USUAL.into_iter().map(|secs| to.moved(secs.saturating_mul(-1_000_000)));
        let from = match (span.from, oldest, newest) {
            // Before the first delivery there is nothing to show.
            (Some(from), Some(oldest), _) if matches.is_all => from.max(oldest),
            (Some(from), ..) => from,
            (None, Some(oldest), Some(newest)) => {
                usual.into_iter().find(|from| newest >= *from).unwrap_or(oldest)
            }
            (None, ..) => to.moved(-3_600_000_000),
        };
        let mut histogram = Self::empty(Span { from: Some(from), to: Some(to) }, now, 1);
        let Some(first) = histogram.slots.first().map(|slot| slot.from.as_secs()) else { return histogram };
        for (at, verdict) in &matches.seen {
            let place = at.as_secs().saturating_sub(first).div_euclid(histogram.step.max(1));
            let slot = usize::try_from(place).ok().and_then(|place| histogram.slots.get_mut(place));
            if let Some(slot) = slot {
                add(slot, *verdict, 1);
            }
        }
        histogram.is_partial = !matches.is_all && oldest.is_none_or(|oldest| oldest > from);
        histogram
    }

    /// Empty stretches over `span`, each at least `least` seconds long.
    fn empty(span: Span, now: Timestamp, least: i64) -> Self {
        let to = span.to.unwrap_or(now).as_micros();
        let from = span.from.map_or(to.saturating_sub(3_600_000_000), Timestamp::as_micros);
        let length = to.saturating_sub(from).max(0).saturating_add(999_999) / 1_000_000;
        let fits = |step: &i64| *step >= least && length / *step <= MOST_SLOTS;
        let longest = STEPS.last().copied().unwrap_or(MINUTE);
        let step = STEPS.into_iter().find(fits).unwrap_or(longest);
        let first = from.div_euclid(1_000_000).div_euclid(step);
        // The stretch that is not over yet is shown too.
        let end = to.saturating_sub(1).div_euclid(1_000_000).div_euclid(step).saturating_add(1);
        let end = end.min(first.saturating_add(MOST_SLOTS).saturating_add(2));
        let slot =
            |number: i64| Slot { from: Timestamp::from_secs(number.saturating_mul(step)), ..Slot::default() };
        Self { slots: (first..end).map(slot).collect(), step, is_partial: false }
    }
}

fn add(slot: &mut Slot, verdict: Verdict, count: u64) {
    for (known, sum) in Verdict::ALL.into_iter().zip(&mut slot.verdicts) {
        if known == verdict {
            *sum = sum.saturating_add(count);
        }
    }
}

/// The verdict that a query asks for and nothing else; `Some(None)` if it asks for nothing.
fn one_verdict(query: &Query) -> Option<Option<Verdict>> {
    match query {
        query if query.is_everything() => Some(None),
        Query::Is(Condition::Verdict(verdict)) => Some(Some(*verdict)),
        Query::All(all) => match all.as_slice() {
            [only] => one_verdict(only),
            _ => None,
        },
        _ => None,
    }
}

/// Whether the minutes of that time are kept, and short enough for it.
fn minutes_tell(span: Span, now: Timestamp) -> bool {
    let to = span.to.unwrap_or(now).as_secs();
    let from = span.from.map_or(to.saturating_sub(3_600), Timestamp::as_secs);
    from >= now.as_secs().saturating_sub(MINUTES_KEPT) && to.saturating_sub(from) >= 15 * MINUTE
}

/// Whether the counts of minutes answer a query.
fn is_counted(query: &Query, sources: &[String]) -> bool {
    match query {
        Query::All(queries) | Query::Any(queries) => queries.iter().all(|one| is_counted(one, sources)),
        Query::Not(inner) => is_counted(inner, sources),
        Query::Is(Condition::Verdict(_) | Condition::Reason(_)) => true,
        Query::Is(Condition::Source(pattern)) => {
            pattern.as_exact().is_some_and(|name| sources.iter().any(|known| known == name))
        }
        Query::Is(_) => false,
    }
}

fn holds(query: &Query, counted: &SlotCount) -> bool {
    match query {
        Query::All(all) => all.iter().all(|one| holds(one, counted)),
        Query::Any(any) => any.iter().any(|one| holds(one, counted)),
        Query::Not(inner) => !holds(inner, counted),
        Query::Is(Condition::Verdict(verdict)) => counted.verdict == *verdict,
        Query::Is(Condition::Reason(reason)) => counted.reason == Some(*reason),
        Query::Is(Condition::Source(pattern)) => pattern.as_exact() == Some(counted.source.as_str()),
        Query::Is(_) => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::Reason;
    use crate::inspect::search::parse;

    const NOW: i64 = 1_800_000_030;

    fn at(secs: i64) -> Timestamp {
        Timestamp::from_secs(secs)
    }

    #[test]
    fn stretches_are_whole_and_never_too_many() {
        for (length, step, slots) in
            [(60, 1, 60), (900, 10, 90), (3_600, 60, 61), (86_400, 1_800, 49), (604_800, 7_200, 85)]
        {
            let span = Span { from: Some(at(NOW - length)), to: None };
            let histogram = Histogram::empty(span, at(NOW), 1);
            assert_eq!((histogram.step, histogram.slots.len()), (step, slots), "{length}");
            assert!(histogram.slots[0].from <= at(NOW - length) && histogram.end() >= at(NOW));
        }
        let wide = Histogram::empty(Span { from: Some(Timestamp::default()), to: None }, at(NOW), 1);
        assert!(wide.slots.len() <= 92, "{}", wide.slots.len());
        let backwards = Span { from: Some(at(NOW)), to: Some(at(NOW - 10)) };
        assert!(Histogram::empty(backwards, at(NOW), 1).slots.is_empty());
    }

    #[test]
    fn matches_are_counted_where_they_came_and_the_time_is_chosen_to_show_them() {
        let seen = vec![(at(NOW - 5), Verdict::Accepted), (at(NOW - 100), Verdict::Rejected)];
        let matches = Matches { seen, is_all: true };
        let hour = Histogram::among(&matches, Span::default(), at(NOW));
        assert_eq!((hour.step, hour.is_partial), (60, false));
        let counts: Vec<_> = hour.slots.iter().filter(|slot| slot.verdicts != [0; 5]).collect();
        assert_eq!(counts.len(), 2);
        assert_eq!(counts[0].verdicts, [0, 0, 1, 0, 0]);
        let old = Matches { seen: vec![(at(NOW - 90_000), Verdict::Captured)], is_all: true };
        assert_eq!(Histogram::among(&old, Span::default(), at(NOW)).step, 7_200);
        let cut = Matches { seen: vec![(at(NOW - 5), Verdict::Accepted)], is_all: false };
        let since = Span { from: Some(at(NOW - 600)), to: None };
        assert!(Histogram::among(&cut, since, at(NOW)).is_partial);
        assert!(Histogram::among(&Matches::default(), Span::default(), at(NOW)).is_empty());
    }

    #[test]
    fn only_what_the_receiver_counts_is_answered_by_its_counts() {
        let sources = ["tagorun".to_owned()];
        for (text, expected) in [
            ("", true),
            ("verdict:rejected", true),
            ("NOT reason:stale source:tagorun", true),
            ("verdict:rejected OR verdict:duplicate", true),
            ("source:nobody", false),
            ("source:tago*", false),
            ("verdict:rejected x", false),
            ("status:401", false),
        ] {
            assert_eq!(is_counted(&parse(text).unwrap(), &sources), expected, "{text}");
        }
        let counted = SlotCount {
            slot: 0,
            source: "tagorun".into(),
            verdict: Verdict::Rejected,
            reason: Some(Reason::Stale),
            count: 1,
        };
        for (text, expected) in [
            ("", true),
            ("verdict:rejected reason:stale source:tagorun", true),
            ("NOT reason:stale", false),
            ("verdict:accepted,rejected", true),
            ("verdict:accepted", false),
        ] {
            assert_eq!(holds(&parse(text).unwrap(), &counted), expected, "{text}");
        }
    }
}
