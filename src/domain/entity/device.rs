//! A device: what one or more sources say of the same thing, and what state it is in.

use std::time::Duration;

use super::Entity;
use crate::domain::Timestamp;

/// A device whose clock is ahead by more is in trouble.
const AHEAD_MS: i64 = 5_000;
/// A device is late with this many late events among the last fifty.
const LATE_EVENTS: usize = 3;
/// A device is quiet after this many usual intervals without an event, but not before a minute.
const QUIET: u32 = 3;
const QUIET_LEAST: Duration = Duration::from_secs(60);
/// An id with this many hexadecimal digits means the same thing in every source: TagoIO's ids, EUIs, IMEIs, UUIDs.
const WORLDWIDE: usize = 12;

/// What a device is like, the worst first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum DeviceState {
    /// Its source's `silence_after` has passed, and that was published.
    Silent,
    /// Its clock is ahead of ours.
    ClockAhead,
    /// Many of its last events arrived late.
    Late,
    /// It has not reported for several of its usual intervals.
    Quiet,
    /// It reports as usual.
    Regular,
    /// What is usual is not known yet.
    New,
}

impl DeviceState {
    /// Every state.
    pub const ALL: [Self; 6] =
        [Self::Silent, Self::ClockAhead, Self::Late, Self::Quiet, Self::Regular, Self::New];

    /// Its word.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Silent => "silent",
            Self::ClockAhead => "clock_ahead",
            Self::Late => "late",
            Self::Quiet => "quiet",
            Self::Regular => "regular",
            Self::New => "new",
        }
    }

    /// The state of that word.
    #[must_use]
    pub fn from_word(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|state| state.as_str() == word)
    }
}

impl Entity {
    /// What trouble its clock is in, whatever the time: `ClockAhead`, `Late`, or none.
    #[must_use]
    pub fn clock_trouble(&self) -> Option<DeviceState> {
        if self.lag_ms().is_some_and(|lag| lag < -AHEAD_MS) {
            return Some(DeviceState::ClockAhead);
        }
        (self.late_lately().0 >= LATE_EVENTS).then_some(DeviceState::Late)
    }

    /// From when on it is quiet, unless it reports; `None` where its usual interval is not known.
    #[must_use]
    pub fn quiet_at(&self) -> Option<Timestamp> {
        self.usual().map(|usual| self.last_seen.plus(usual.saturating_mul(QUIET).max(QUIET_LEAST)))
    }

    /// What it is like.
    #[must_use]
    pub fn state(&self, now: Timestamp) -> DeviceState {
        if self.silent_at.is_some() {
            return DeviceState::Silent;
        }
        self.clock_trouble().unwrap_or(match self.quiet_at() {
            None => DeviceState::New,
            Some(quiet) if quiet < now => DeviceState::Quiet,
            Some(_) => DeviceState::Regular,
        })
    }
}

/// Whether an id names the same thing wherever it is seen.
#[must_use]
pub fn is_worldwide(id: &str) -> bool {
    let digits = id.bytes().filter(|byte| !matches!(byte, b'-' | b':' | b'.')).count();
    digits >= WORLDWIDE
        && id.bytes().all(|byte| byte.is_ascii_hexdigit() || matches!(byte, b'-' | b':' | b'.'))
}

/// What the sources say of one thing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Device {
    /// What its page is of.
    pub key: Entity,
    /// What other sources say of it.
    pub others: Vec<Entity>,
}

impl Device {
    /// Everything that is said of it.
    pub fn members(&self) -> impl Iterator<Item = &Entity> {
        std::iter::once(&self.key).chain(&self.others)
    }

    /// The member that was seen last.
    #[must_use]
    pub fn latest(&self) -> &Entity {
        self.members().max_by_key(|one| (one.last_seen, &one.source)).unwrap_or(&self.key)
    }

    /// When it was last seen.
    #[must_use]
    pub fn last_seen(&self) -> Timestamp {
        self.latest().last_seen
    }

    /// The name that somebody gave it, else the one that it is sent with, else one that another source knows.
    #[must_use]
    pub fn name(&self) -> Option<&str> {
        let own = self.members().find_map(|one| one.own_name.as_deref());
        own.or_else(|| self.members().find_map(|one| one.name.as_deref()))
    }

    /// Its name, with the end of its id where it has one; else its id.
    #[must_use]
    pub fn shown_name(&self) -> String {
        match self.name() {
            Some(name) => name.to_owned(),
            None => self.key.entity.clone(),
        }
    }

    /// What it is like: silent and quiet only where every source waits; a wrong clock at any source counts.
    #[must_use]
    pub fn state(&self, now: Timestamp) -> DeviceState {
        let latest = self.latest().state(now);
        if latest == DeviceState::Silent {
            return latest;
        }
        self.members().filter_map(Entity::clock_trouble).min().unwrap_or(latest)
    }

    /// The member that represents it in a list.
    #[must_use]
    pub fn representative(&self, now: Timestamp) -> &Entity {
        let state = self.state(now);
        let is_clock = matches!(state, DeviceState::ClockAhead | DeviceState::Late);
        let of_clock =
            self.members().filter(|one| is_clock && one.state(now) == state).min_by_key(|one| &one.source);
        of_clock.unwrap_or_else(|| self.latest())
    }

    /// Its usual interval: the shortest that a source knows.
    #[must_use]
    pub fn usual(&self) -> Option<Duration> {
        self.members().filter_map(Entity::usual).min()
    }

    /// By how much its clock is ahead.
    #[must_use]
    pub fn clock_ahead(&self) -> Option<Duration> {
        let lag = self.members().filter_map(Entity::lag_ms).min().filter(|lag| *lag < 0)?;
        Some(Duration::from_millis(lag.unsigned_abs()))
    }

    /// Of how many of its last events, how many arrived late.
    #[must_use]
    pub fn late_lately(&self) -> (usize, usize) {
        self.members().map(Entity::late_lately).max_by_key(|(late, _)| *late).unwrap_or_default()
    }

    /// Deliveries of the last 24 hours.
    #[must_use]
    pub fn in_24h(&self, now: Timestamp) -> u64 {
        self.members().map(|one| one.in_24h(now)).fold(0, u64::saturating_add)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::{DeliveryId, Seen};

    fn entity(source: &str, times: &[(i64, Option<i64>)]) -> Entity {
        let at = |secs: i64| Timestamp::from_secs(1_800_000_000 + secs);
        let seen = |(secs, event): &(i64, Option<i64>)| Seen {
            delivery: DeliveryId::new_at(at(*secs)),
            received_at: at(*secs),
            event_at: event.map(at),
            event_type: None,
            name: None,
        };
        let mut entity = Entity::first(source.into(), "66f16881c903480009ff1042".into(), &seen(&times[0]));
        times[1..].iter().for_each(|time| entity.see(&seen(time)));
        entity
    }

    fn every(minutes: i64, event: impl Fn(i64) -> Option<i64>) -> Vec<(i64, Option<i64>)> {
        (0..minutes).map(|n| (n * 60, event(n * 60))).collect()
    }

    #[test]
    fn a_state_names_the_worst() {
        let now = Timestamp::from_secs(1_800_000_000 + 600);
        let state = |times: &[(i64, Option<i64>)]| entity("a", times).state(now);
        assert_eq!(state(&every(10, |_| None)), DeviceState::Regular);
        assert_eq!(state(&every(6, |_| None)), DeviceState::Quiet);
        assert_eq!(state(&every(2, |_| None)), DeviceState::New);
        assert_eq!(state(&every(10, |at| Some(at + 139))), DeviceState::ClockAhead);
        assert_eq!(
            state(&every(10, |at| Some(at + 2))),
            DeviceState::Regular,
            "a little ahead is no trouble"
        );
        let late = |at: i64| Some(if at % 180 == 120 { at - 300 } else { at });
        assert_eq!(state(&every(10, late)), DeviceState::Late);
        assert_eq!(entity("a", &every(10, late)).late_lately(), (3, 10));
        let mut silent = entity("a", &every(10, |at| Some(at + 139)));
        silent.silent_at = Some(now);
        assert_eq!(silent.state(now), DeviceState::Silent);
    }

    #[test]
    fn two_sources_are_one_device_that_reports_while_one_of_them_does() {
        let now = Timestamp::from_secs(1_800_000_000 + 600);
        let (mut one, mut other) =
            (entity("tagorun", &every(4, |_| None)), entity("tagoio", &every(10, |_| None)));
        one.name = Some("Boiler".into());
        one.silent_at = Some(now);
        let device = Device { key: other.clone(), others: vec![one.clone()] };
        assert_eq!((device.state(now), device.name()), (DeviceState::Regular, Some("Boiler")));
        assert_eq!(device.representative(now).source, "tagoio");
        other.own_name = Some("Boiler 2".into());
        let device = Device { key: one, others: vec![other] };
        assert_eq!(
            (device.shown_name().as_str(), device.last_seen()),
            ("Boiler 2", device.others[0].last_seen)
        );
    }

    #[test]
    fn only_ids_that_are_the_same_everywhere_join() {
        for id in ["66f16881c903480009ff1042", "70B3D57ED0001234", "00:1B:44:11:3A:B7", "356938035643809"] {
            assert!(is_worldwide(id), "{id}");
        }
        for id in ["1", "boiler", "pump-0000000000001x", "12345678901", ""] {
            assert!(!is_worldwide(id), "{id}");
        }
    }
}
