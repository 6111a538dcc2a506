//! The entities of deliveries, usually devices: when each was seen, how often, and how its clock behaves.

mod device;

use std::time::Duration;

use serde::{Deserialize, Serialize};

pub use self::device::{Device, DeviceState, is_worldwide};
use super::{DeliveryId, Timestamp};

/// Deliveries that follow each other within this time are one occasion: two events of one uplink are no rhythm.
const ONE_OCCASION_US: i64 = 2_000_000;
/// An occasion that lasts longer is a device that reports all the time.
const LONGEST_OCCASION_US: i64 = 60_000_000;
/// The number of intervals and lags remembered.
const REMEMBERED: usize = 50;
/// The least number of intervals that define a usual one.
const LEAST_GAPS: usize = 3;
/// The number of hourly counters.
const HOURS: usize = 24;
const HOUR_US: i64 = 3_600_000_000;
/// An event that lags more than this behind the usual lag is late.
const LATE_MS: i64 = 60_000;

/// A device time further ahead of the arrival than this means a wrong clock and is ignored.
const AHEAD_US: i64 = 24 * HOUR_US;

/// Whether a time is too far ahead of the arrival to be true.
#[must_use]
pub const fn is_of_the_future(event_at: Timestamp, received_at: Timestamp) -> bool {
    event_at.as_micros().saturating_sub(received_at.as_micros()) > AHEAD_US
}

/// One delivery of an entity.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Seen {
    /// The delivery.
    pub delivery: DeliveryId,
    /// When it was received.
    pub received_at: Timestamp,
    /// When the event happened, according to the delivery.
    pub event_at: Option<Timestamp>,
    /// The event type.
    pub event_type: Option<String>,
    /// The name of the entity in this delivery.
    pub name: Option<String>,
}

/// The remembered values that define what is usual.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Habits {
    /// The last intervals between occasions, in milliseconds.
    gaps: Vec<i64>,
    /// When the present occasion began, in microseconds since 1970; 0: that is not known.
    #[serde(default)]
    occasion: i64,
    /// The last delays between event and arrival, in milliseconds; negative if the device's clock is ahead of ours.
    lags: Vec<i64>,
    /// The hour of the last delivery, since 1970.
    hour: i64,
    /// Deliveries of the 24 hours up to that one, the oldest first.
    hours: Vec<u32>,
    /// Events dated more than a day ahead of their arrival.
    #[serde(default)]
    of_the_future: u64,
}

/// What is known about an entity.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entity {
    /// The source that receives its deliveries.
    pub source: String,
    /// Its id there.
    pub entity: String,
    /// Its name, if deliveries contain one.
    pub name: Option<String>,
    /// The name that somebody gave it.
    pub own_name: Option<String>,
    /// When it was first seen.
    pub first_seen: Timestamp,
    /// When it was last seen.
    pub last_seen: Timestamp,
    /// The last delivery.
    pub last_delivery: DeliveryId,
    /// The event type of the last delivery.
    pub last_event_type: Option<String>,
    /// The number of accepted deliveries.
    pub deliveries: u64,
    /// The newest event time in its deliveries.
    pub newest_event_at: Option<Timestamp>,
    /// Events that arrived after a later event.
    pub out_of_order: u64,
    /// Events that arrived more than a minute later than usual.
    pub late: u64,
    /// Since when it has been silent.
    pub silent_at: Option<Timestamp>,
    /// The values that define what is usual.
    pub habits: Habits,
}

impl Entity {
    /// An entity with its first delivery.
    #[must_use]
    pub fn first(source: String, entity: String, seen: &Seen) -> Self {
        let mut first = Self {
            source,
            entity,
            name: None,
            own_name: None,
            first_seen: seen.received_at,
            last_seen: seen.received_at,
            last_delivery: seen.delivery,
            last_event_type: None,
            deliveries: 0,
            newest_event_at: None,
            out_of_order: 0,
            late: 0,
            silent_at: None,
            habits: Habits::default(),
        };
        first.see(seen);
        first
    }

    /// Adds a delivery; the entity is no longer silent.
    pub fn see(&mut self, seen: &Seen) {
        self.habits.arrive(seen.received_at, Some(self.last_seen).filter(|_| self.deliveries > 0));
        // Removes a false time that an earlier release stored.
        self.newest_event_at = self.newest_event_at.filter(|at| !is_of_the_future(*at, seen.received_at));
        self.habits.lags.retain(|lag| *lag >= AHEAD_US.saturating_neg() / 1_000);
        let is_newest = seen.event_at.is_none_or(|at| self.newest_event_at.is_none_or(|newest| at >= newest));
        match seen.event_at {
            Some(at) if is_of_the_future(at, seen.received_at) => {
                self.habits.of_the_future = self.habits.of_the_future.saturating_add(1);
            }
            Some(at) => self.see_event_time(at, seen.received_at),
            None => {}
        }
        self.habits.count(seen.received_at);
        self.deliveries = self.deliveries.saturating_add(1);
        self.last_seen = self.last_seen.max(seen.received_at);
        self.last_delivery = seen.delivery;
        self.last_event_type.clone_from(&seen.event_type);
        // A late event may carry an outdated name.
        if seen.name.is_some() && (is_newest || self.name.is_none()) {
            self.name.clone_from(&seen.name);
        }
        self.silent_at = None;
    }

    fn see_event_time(&mut self, event_at: Timestamp, received_at: Timestamp) {
        if self.newest_event_at.is_some_and(|newest| event_at < newest) {
            self.out_of_order = self.out_of_order.saturating_add(1);
        }
        self.newest_event_at = self.newest_event_at.max(Some(event_at));
        let lag = received_at.as_micros().saturating_sub(event_at.as_micros()) / 1_000;
        let usual = self.lag_ms();
        if usual.is_some_and(|usual| lag.saturating_sub(usual) > LATE_MS) {
            self.late = self.late.saturating_add(1);
        }
        remember(&mut self.habits.lags, lag);
    }

    /// Events dated more than a day ahead of their arrival; they do not count in any other clock figure.
    #[must_use]
    pub const fn of_the_future(&self) -> u64 {
        self.habits.of_the_future
    }

    /// When it was last seen, by the clock that never jumps: delivery ids are created with it.
    #[must_use]
    pub fn heard_at(&self) -> Timestamp {
        self.last_delivery.made_at()
    }

    /// Its usual interval: the median of the last fifty; `None` with fewer than three.
    #[must_use]
    pub fn usual(&self) -> Option<Duration> {
        let gaps = &self.habits.gaps;
        let median = median(gaps).filter(|_| gaps.len() >= LEAST_GAPS)?;
        Some(Duration::from_millis(median.unsigned_abs()))
    }

    /// How many of the last events arrived more than a minute later than is usual for it, and of how many.
    #[must_use]
    pub fn late_lately(&self) -> (usize, usize) {
        let lags = &self.habits.lags;
        let usual = self.lag_ms().unwrap_or_default();
        (lags.iter().filter(|lag| lag.saturating_sub(usual) > LATE_MS).count(), lags.len())
    }

    /// The usual delay between event and arrival, in milliseconds; negative if the device's clock is ahead of ours.
    #[must_use]
    pub fn lag_ms(&self) -> Option<i64> {
        median(&self.habits.lags)
    }

    /// The spread of the last delays, in milliseconds.
    #[must_use]
    pub fn lag_spread_ms(&self) -> Option<i64> {
        let lags = &self.habits.lags;
        Some(lags.iter().max()?.saturating_sub(*lags.iter().min()?))
    }

    /// Deliveries of the last 24 hours, by whole hours.
    #[must_use]
    pub fn in_24h(&self, now: Timestamp) -> u64 {
        self.hours(now).into_iter().map(u64::from).sum()
    }

    /// Deliveries of each of the last 24 hours, the oldest first.
    #[must_use]
    pub fn hours(&self, now: Timestamp) -> Vec<u32> {
        let mut habits = self.habits.clone();
        habits.move_to(hour_of(now));
        habits.hours
    }
}

impl Habits {
    /// Remembers the interval since the last occasion: from its beginning to the beginning of this one.
    fn arrive(&mut self, at: Timestamp, last_seen: Option<Timestamp>) {
        let since = |from: i64| at.as_micros().saturating_sub(from).max(0);
        let Some(last) = last_seen.map(Timestamp::as_micros) else {
            self.occasion = at.as_micros();
            return;
        };
        let begun = if self.occasion > 0 { self.occasion } else { last };
        let is_long = last.saturating_sub(begun) > LONGEST_OCCASION_US;
        match since(last) {
            // Of a device that reports all the time every interval counts.
            gap if gap < ONE_OCCASION_US && is_long => remember(&mut self.gaps, gap / 1_000),
            gap if gap < ONE_OCCASION_US => self.occasion = begun,
            gap => {
                remember(&mut self.gaps, if is_long { gap } else { since(begun) } / 1_000);
                self.occasion = at.as_micros();
            }
        }
    }

    fn count(&mut self, at: Timestamp) {
        self.move_to(hour_of(at).max(self.hour));
        if let Some(last) = self.hours.last_mut() {
            *last = last.saturating_add(1);
        }
    }

    fn move_to(&mut self, hour: i64) {
        let passed = usize::try_from(hour.saturating_sub(self.hour)).unwrap_or(0).min(HOURS);
        self.hours.resize(HOURS, 0);
        self.hours.drain(..passed);
        self.hours.resize(HOURS, 0);
        self.hour = self.hour.max(hour);
    }
}

const fn hour_of(at: Timestamp) -> i64 {
    at.as_micros().div_euclid(HOUR_US)
}

fn remember(values: &mut Vec<i64>, value: i64) {
    values.push(value);
    let surplus = values.len().saturating_sub(REMEMBERED);
    values.drain(..surplus);
}

/// The median; the lower of the two middle values if their number is even.
fn median(values: &[i64]) -> Option<i64> {
    let mut sorted = values.to_vec();
    sorted.sort_unstable();
    sorted.get(sorted.len().saturating_sub(1) / 2).copied()
}

#[cfg(test)]
mod tests {
    use super::*;

    const START: i64 = 1_800_000_000;

    fn seen(secs: i64, event_secs: Option<i64>) -> Seen {
        let received_at = Timestamp::from_secs(START + secs);
        Seen {
            delivery: DeliveryId::new_at(received_at),
            received_at,
            event_at: event_secs.map(|secs| Timestamp::from_secs(START + secs)),
            event_type: Some("data.received".to_owned()),
            name: None,
        }
    }

    fn heard(times: &[(i64, Option<i64>)]) -> Entity {
        let (secs, event_secs) = times[0];
        let mut entity = Entity::first("s".to_owned(), "d".to_owned(), &seen(secs, event_secs));
        for (secs, event_secs) in &times[1..] {
            entity.see(&seen(*secs, *event_secs));
        }
        entity
    }

    #[test]
    fn the_usual_interval_is_the_median_of_the_last_fifty_and_needs_three() {
        assert_eq!(heard(&[(0, None), (60, None), (120, None)]).usual(), None);
        let with_a_pause = heard(&[(0, None), (60, None), (120, None), (9_000, None)]);
        assert_eq!(with_a_pause.usual(), Some(Duration::from_secs(60)));
        let mut slow: Vec<(i64, Option<i64>)> = (0..100).map(|n| (n * 10, None)).collect();
        slow.extend((1..=50).map(|n| (990 + n * 100, None)));
        assert_eq!(heard(&slow).usual(), Some(Duration::from_secs(100)), "what was before is forgotten");
    }

    #[test]
    fn deliveries_within_two_seconds_are_one_occasion_and_no_rhythm() {
        let millis = |millis: i64| {
            let received_at = Timestamp::from_micros(START * 1_000_000 + millis * 1_000);
            Seen { delivery: DeliveryId::new_at(received_at), received_at, ..seen(0, None) }
        };
        let heard = |times: &[i64]| {
            let mut entity = Entity::first("s".to_owned(), "d".to_owned(), &millis(times[0]));
            times[1..].iter().for_each(|time| entity.see(&millis(*time)));
            entity.usual()
        };
        let uplinks: Vec<i64> =
            (0..30).flat_map(|n| [n * 300_000, n * 300_000 + 84, n * 300_000 + 1_900]).collect();
        assert_eq!(heard(&uplinks), Some(Duration::from_secs(300)));
        assert_eq!(heard(&[0, 80, 160, 240, 320]), None, "one burst is no rhythm");
        let every_second: Vec<i64> = (0..180).map(|n| n * 1_000).collect();
        assert_eq!(heard(&every_second), Some(Duration::from_secs(1)), "who reports all the time has one");
        assert_eq!(
            heard(&[0, 2_000, 4_000, 6_000]),
            Some(Duration::from_secs(2)),
            "two seconds are two occasions"
        );
    }

    #[test]
    fn late_and_out_of_order_are_told_apart() {
        let entity =
            heard(&[(0, Some(-2)), (60, Some(58)), (120, Some(118)), (200, Some(90)), (210, Some(208))]);
        assert_eq!((entity.out_of_order, entity.late), (1, 1));
        assert_eq!(entity.lag_ms(), Some(2_000));
        let at_the_edge = heard(&[(0, Some(0)), (100, Some(40)), (200, Some(139))]);
        assert_eq!((at_the_edge.out_of_order, at_the_edge.late), (0, 1), "60 s are not late, 61 s are");
        let ahead = heard(&[(0, Some(300)), (60, Some(360))]);
        assert_eq!((ahead.lag_ms(), ahead.late, ahead.out_of_order), (Some(-300_000), 0, 0));
    }

    #[test]
    fn one_reading_of_the_future_changes_nothing_but_its_own_count() {
        let ten_years = 10 * 365 * 86_400;
        let mut times: Vec<(i64, Option<i64>)> = vec![(0, Some(-2)), (60, Some(60 + ten_years))];
        times.extend((2..14).map(|n| (n * 60, Some(n * 60 - 2))));
        let entity = heard(&times);
        assert_eq!((entity.out_of_order, entity.late, entity.of_the_future()), (0, 0, 1));
        assert_eq!(entity.newest_event_at, Some(Timestamp::from_secs(START + 13 * 60 - 2)));
        assert_eq!((entity.lag_ms(), entity.lag_spread_ms()), (Some(2_000), Some(0)));
        let mut poisoned = entity;
        poisoned.newest_event_at = Some(Timestamp::from_secs(START + ten_years));
        poisoned.habits.lags.push(-ten_years * 1_000);
        poisoned.see(&seen(900, Some(898)));
        assert_eq!(
            (poisoned.out_of_order, poisoned.lag_spread_ms()),
            (0, Some(0)),
            "an earlier release's is mended"
        );
        let ahead = heard(&[(0, Some(86_400)), (60, Some(86_461))]);
        assert_eq!(
            (ahead.of_the_future(), ahead.lag_ms()),
            (1, Some(-86_400_000)),
            "a day ahead is, more is not"
        );
    }

    #[test]
    fn a_late_event_does_not_rename_a_device_back() {
        let named = |secs: i64, event_secs: i64, name: &str| Seen {
            name: Some(name.to_owned()),
            ..seen(secs, Some(event_secs))
        };
        let mut entity = Entity::first("s".to_owned(), "d".to_owned(), &named(0, 0, "Old"));
        entity.see(&named(7_200, 7_200, "New"));
        entity.see(&named(7_260, 3_600, "Old"));
        assert_eq!(entity.name.as_deref(), Some("New"));
        entity.see(&Seen { name: Some("Newer".to_owned()), ..seen(7_300, None) });
        assert_eq!(entity.name.as_deref(), Some("Newer"));
    }

    #[test]
    fn deliveries_of_a_day_are_counted_by_the_hour() {
        let mut entity = heard(&[(0, None), (10, None), (3_600, None)]);
        let at = |secs| Timestamp::from_secs(START + secs);
        assert_eq!(entity.in_24h(at(3_600)), 3);
        assert_eq!(entity.in_24h(at(23 * 3_600)), 3);
        assert_eq!(entity.in_24h(at(24 * 3_600)), 1);
        assert_eq!(entity.in_24h(at(99 * 3_600)), 0);
        entity.see(&seen(3_599, None));
        assert_eq!(entity.last_seen, at(3_600), "a clock that went back changes nothing");
    }
}
