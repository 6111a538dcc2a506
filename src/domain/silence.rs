//! When an entity that reported regularly counts as silent.

use std::time::Duration;

use super::Timestamp;

/// The shortest silence based on the usual interval: a device that sends in bursts is not silent between two of them.
const LEAST: Duration = Duration::from_secs(60);

/// The time without a delivery after which an entity of a source is silent.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum SilenceAfter {
    /// Never.
    #[default]
    Off,
    /// This many tenths of its usual interval, at least a minute.
    Tenths(u32),
    /// A fixed time.
    Time(Duration),
}

impl SilenceAfter {
    /// How long an entity with that usual interval may be silent; `None` if silence is off, or there is no usual
    /// interval.
    #[must_use]
    pub fn allowed(self, usual: Option<Duration>) -> Option<Duration> {
        match self {
            Self::Off => None,
            Self::Time(time) => Some(time),
            Self::Tenths(tenths) => usual.map(|usual| (usual.saturating_mul(tenths) / 10).max(LEAST)),
        }
    }

    /// When an entity last seen at `heard_at` becomes silent.
    #[must_use]
    pub fn due(self, heard_at: Timestamp, usual: Option<Duration>) -> Option<Timestamp> {
        self.allowed(usual).map(|allowed| heard_at.plus(allowed))
    }

    /// A number that identifies the rule: milliseconds, or tenths as a negative number.
    #[must_use]
    pub fn number(self) -> i64 {
        match self {
            Self::Off => 0,
            Self::Tenths(tenths) => i64::from(tenths).saturating_neg(),
            Self::Time(time) => i64::try_from(time.as_millis()).unwrap_or(i64::MAX),
        }
    }
}

/// `off`, `3x`, `30m`: the form used in the configuration.
impl std::fmt::Display for SilenceAfter {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Off => out.write_str("off"),
            Self::Tenths(tenths) if tenths % 10 == 0 => write!(out, "{}x", tenths / 10),
            Self::Tenths(tenths) => write!(out, "{}.{}x", tenths / 10, tenths % 10),
            Self::Time(time) => match (time.as_secs(), time.subsec_millis()) {
                (secs, 0) if secs % 3_600 == 0 => write!(out, "{}h", secs / 3_600),
                (secs, 0) if secs % 60 == 0 => write!(out, "{}m", secs / 60),
                (secs, 0) => write!(out, "{secs}s"),
                _ => write!(out, "{}ms", time.as_millis()),
            },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_usual_is_multiplied_and_never_less_than_a_minute() {
        let usual = |secs| Some(Duration::from_secs(secs));
        let rule = SilenceAfter::Tenths(25);
        assert_eq!(rule.allowed(usual(600)), usual(1_500));
        assert_eq!(rule.allowed(usual(2)), usual(60));
        assert_eq!(rule.allowed(None), None);
        assert_eq!(SilenceAfter::Time(Duration::from_secs(5)).allowed(None), usual(5));
        assert_eq!(SilenceAfter::Off.allowed(usual(5)), None);
        assert_eq!([rule.to_string(), SilenceAfter::Tenths(30).to_string()], ["2.5x", "3x"]);
        assert_eq!(SilenceAfter::Time(Duration::from_secs(5_400)).to_string(), "90m");
    }
}
