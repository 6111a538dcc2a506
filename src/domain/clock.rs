//! Instants as whole microseconds of UTC, and the clock that provides them.
//!
//! Times are integers everywhere, including in the store. Text is only for people, so neither zones nor formats can
//! change an order.

use std::fmt;
#[cfg(test)]
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

/// An instant: microseconds since 1970-01-01T00:00:00Z.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Timestamp(i64);

impl Timestamp {
    /// The end of the range.
    pub const MAX: Self = Self(i64::MAX);

    /// The instant that many microseconds after the Unix epoch.
    #[must_use]
    pub const fn from_micros(micros: i64) -> Self {
        Self(micros)
    }

    /// The instant that many whole seconds after the Unix epoch; saturates at the ends of the range.
    #[must_use]
    pub const fn from_secs(secs: i64) -> Self {
        Self(secs.saturating_mul(1_000_000))
    }

    /// Microseconds since the Unix epoch.
    #[must_use]
    pub const fn as_micros(self) -> i64 {
        self.0
    }

    /// Whole seconds since the Unix epoch, rounded down.
    #[must_use]
    pub const fn as_secs(self) -> i64 {
        self.0.div_euclid(1_000_000)
    }

    /// Reads an RFC 3339 time with any offset; `None` for anything else.
    #[must_use]
    pub fn parse_rfc3339(text: &str) -> Option<Self> {
        text.parse::<jiff::Timestamp>().ok().map(|time| Self(time.as_microsecond()))
    }

    /// This instant plus `duration`, at most the end of the range.
    #[must_use]
    pub fn plus(self, duration: Duration) -> Self {
        Self(self.0.saturating_add(micros(duration)))
    }

    /// This instant minus `duration`, at least the start of the range.
    #[must_use]
    pub fn minus(self, duration: Duration) -> Self {
        Self(self.0.saturating_sub(micros(duration)))
    }

    /// This instant moved by this many microseconds, backwards if negative; saturates.
    #[must_use]
    pub const fn moved(self, micros: i64) -> Self {
        Self(self.0.saturating_add(micros))
    }

    /// The difference between two instants, in either order.
    #[must_use]
    pub const fn abs_diff(self, other: Self) -> Duration {
        Duration::from_micros(self.0.abs_diff(other.0))
    }
}

fn micros(duration: Duration) -> i64 {
    i64::try_from(duration.as_micros()).unwrap_or(i64::MAX)
}

/// RFC 3339 in UTC with milliseconds, as TagoIO writes it: `2026-03-09T07:14:58.402Z`. Instants beyond the supported
/// years are clamped.
impl fmt::Display for Timestamp {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let end = if self.0 < 0 { jiff::Timestamp::MIN } else { jiff::Timestamp::MAX };
        let time = jiff::Timestamp::from_microsecond(self.0).unwrap_or(end);
        write!(out, "{time:.*}", out.precision().unwrap_or(3))
    }
}

/// The source of time: the system in the program, a manual clock in tests.
///
/// There are two readings, because the wall clock can be set: by hand, by NTP after a wrong start, or when a machine
/// wakes. Due times use `now`, which never jumps while the program runs. `wall` is for people and other machines.
pub trait Clock: Send + Sync + 'static {
    /// The current instant of the clock that never jumps: the wall time at the start plus the elapsed time.
    fn now(&self) -> Timestamp;

    /// The current instant of the wall clock.
    fn wall(&self) -> Timestamp;

    /// How far it was moved by hand, in microseconds: other machines' clocks do not follow that. Only in tests.
    fn advanced_us(&self) -> i64 {
        0
    }

    /// Both readings of one instant.
    fn both(&self) -> Now {
        Now { due: self.now(), wall: self.wall() }
    }

    /// What the wall clock will show at `due`, unless it is set again.
    fn shown(&self, due: Timestamp) -> Timestamp {
        due.moved(self.both().wall_ahead_us())
    }
}

/// One instant on both clocks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Now {
    /// The clock that never jumps, for due times.
    pub due: Timestamp,
    /// On the wall clock, for people.
    pub wall: Timestamp,
}

impl Now {
    /// An instant at which both clocks show the same time.
    #[cfg(test)]
    #[must_use]
    pub const fn at(now: Timestamp) -> Self {
        Self { due: now, wall: now }
    }

    /// How far the wall clock is ahead of the other one, in microseconds.
    #[must_use]
    pub const fn wall_ahead_us(self) -> i64 {
        self.wall.0.saturating_sub(self.due.0)
    }
}

/// A clock that only advances when told to.
#[cfg(test)]
#[derive(Debug)]
pub struct ManualClock {
    now: AtomicI64,
    wall_ahead_us: AtomicI64,
    start: i64,
}

#[cfg(test)]
impl ManualClock {
    /// A clock set to `start`.
    #[must_use]
    pub const fn at(start: Timestamp) -> Self {
        Self { now: AtomicI64::new(start.0), wall_ahead_us: AtomicI64::new(0), start: start.0 }
    }

    /// Advances the clock.
    pub fn advance(&self, duration: Duration) {
        self.now.fetch_add(micros(duration), Ordering::SeqCst);
    }

    /// Sets the wall clock forward, or back if `secs` is negative.
    pub fn set_wall(&self, secs: i64) {
        self.wall_ahead_us.fetch_add(secs.saturating_mul(1_000_000), Ordering::SeqCst);
    }
}

#[cfg(test)]
impl Clock for ManualClock {
    fn now(&self) -> Timestamp {
        Timestamp(self.now.load(Ordering::SeqCst))
    }

    fn wall(&self) -> Timestamp {
        self.now().moved(self.wall_ahead_us.load(Ordering::SeqCst))
    }

    fn advanced_us(&self) -> i64 {
        self.now.load(Ordering::SeqCst).saturating_sub(self.start)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn st_05_times_are_compared_as_instants_whatever_their_zone() {
        let zulu = Timestamp::parse_rfc3339("2026-03-09T07:14:58.402Z").unwrap();
        let berlin = Timestamp::parse_rfc3339("2026-03-09T08:14:58.402+01:00").unwrap();
        assert_eq!(zulu, berlin);
        assert_eq!(berlin.to_string(), "2026-03-09T07:14:58.402Z");
        assert_eq!(Timestamp::parse_rfc3339("2026-03-09"), None);
    }

    #[test]
    fn arithmetic_saturates_at_the_ends_of_the_range() {
        let end = Timestamp::from_micros(i64::MAX);
        assert_eq!(end.plus(Duration::MAX), end);
        assert_eq!(Timestamp::from_secs(i64::MAX), end);
        assert_eq!(end.abs_diff(Timestamp::from_micros(i64::MIN)), Duration::from_micros(u64::MAX));
        assert!(end.to_string().starts_with("9999-"), "{end}");
        assert!(Timestamp::from_micros(i64::MIN).to_string().starts_with("-009999-"));
    }

    #[test]
    fn a_step_of_the_wall_clock_moves_what_is_shown_and_not_what_is_due() {
        let clock = ManualClock::at(Timestamp::from_secs(1_000));
        let due = clock.now().plus(Duration::from_secs(2));
        clock.set_wall(-3_600);
        assert_eq!((clock.now(), clock.wall()), (Timestamp::from_secs(1_000), Timestamp::from_secs(-2_600)));
        assert_eq!(clock.shown(due), Timestamp::from_secs(-2_598));
        clock.advance(Duration::from_secs(2));
        assert_eq!((clock.now(), clock.shown(due)), (due, clock.wall()));
    }
}
