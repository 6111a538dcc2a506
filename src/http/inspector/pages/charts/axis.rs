//! Axes: values up, times along, both with round ticks.

use std::time::Duration;

use super::numbers::{drawn, ratio};
use crate::domain::Timestamp;

/// Room above the highest value, in pixels.
const ABOVE: f64 = 8.0;
/// The widths of a time between two ticks, in seconds.
const STEPS_S: [i64; 25] = [
    1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1_800, 3_600, 7_200, 10_800, 14_400, 21_600, 43_200, 86_400,
    172_800, 604_800, 1_209_600, 2_592_000, 7_776_000, 31_536_000,
];
const DAY_S: i64 = 86_400;
const MONTH_S: i64 = 2_592_000;
/// The most times along the axis, and of those with seconds, whose labels are wider.
const MOST_TICKS: i64 = 8;
const MOST_SECONDS: i64 = 5;
/// The shortest axis; with less, there would be no round time on it.
const SHORTEST: Duration = Duration::from_secs(10);
const MONTHS: [&str; 12] =
    ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];

/// A mark on an axis.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Tick {
    /// Where it is: a percentage along, or pixels from the top.
    pub at: String,
    /// Its words.
    pub label: String,
    /// Whether a narrow chart leaves its words out.
    pub is_minor: bool,
    /// Which end of the words is at the mark: `start`, `middle` or `end`.
    pub anchor: &'static str,
}

/// The times along a chart.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TimeAxis {
    /// Its left end.
    pub from: Timestamp,
    /// Its right end.
    pub until: Timestamp,
}

impl TimeAxis {
    /// From one time to another. Around a moment or a shorter time, ten seconds.
    #[must_use]
    pub fn new(from: Timestamp, until: Timestamp) -> Self {
        let until = until.max(from);
        let room = SHORTEST.saturating_sub(until.abs_diff(from)) / 2;
        Self { from: from.minus(room), until: until.plus(room) }
    }

    /// How far along a time is, from 0 to 1.
    #[must_use]
    pub fn share(&self, at: Timestamp) -> f64 {
        let (from, until) = (self.from.as_micros(), self.until.as_micros());
        ratio(at.as_micros().saturating_sub(from), until.saturating_sub(from))
    }

    /// Both ends in milliseconds, as the cursor needs them.
    #[must_use]
    pub const fn ends_ms(&self) -> (i64, i64) {
        (self.from.as_micros().div_euclid(1_000), self.until.as_micros().div_euclid(1_000))
    }

    /// Round times, in UTC.
    #[must_use]
    pub fn ticks(&self) -> Vec<Tick> {
        let (from, until) = (self.from.as_secs(), self.until.as_secs());
        let span = until.saturating_sub(from).max(1);
        let fits = |step: &i64| span / *step < if *step < 60 { MOST_SECONDS } else { MOST_TICKS };
        let step = STEPS_S.into_iter().find(fits).unwrap_or_else(|| span.div_euclid(MOST_TICKS).max(1));
        let first = from.div_euclid(step).saturating_mul(step);
        (0..=MOST_TICKS)
            .map(|number| first.saturating_add(number.saturating_mul(step)))
            .skip_while(|at| Timestamp::from_secs(*at) < self.from)
            .take_while(|at| *at <= until)
            .enumerate()
            .map(|(number, secs)| {
                let at = Timestamp::from_secs(secs);
                let share = self.share(at);
                let anchor = match share {
                    _ if share < 0.03 => "start",
                    _ if share > 0.97 => "end",
                    _ => "middle",
                };
                let is_minor = !number.is_multiple_of(2) && (step >= 60 || span / step > 2);
                Tick { at: percent(share), label: time_label(at, step), is_minor, anchor }
            })
            .collect()
    }
}

/// A part of the width, as an attribute has it.
pub fn percent(share: f64) -> String {
    format!("{:.3}%", share * 100.0)
}

/// A time for an axis; the distance of its ticks is in seconds.
fn time_label(at: Timestamp, step: i64) -> String {
    let text = at.to_string();
    let part = |range: std::ops::Range<usize>| text.get(range).unwrap_or_default();
    let month = part(5..7).parse::<usize>().ok().and_then(|month| MONTHS.get(month.checked_sub(1)?));
    let month = month.copied().unwrap_or_default();
    if step >= MONTH_S {
        return format!("{month} {}", part(0..4));
    }
    if step >= DAY_S || at.as_secs().rem_euclid(DAY_S) == 0 {
        return format!("{} {month}", part(8..10).trim_start_matches('0'));
    }
    part(11..if step < 60 { 19 } else { 16 }).to_owned()
}

/// The values up a chart.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct ValueAxis {
    /// The value at its foot.
    pub low: f64,
    /// The value at its top.
    pub high: f64,
    step: f64,
    height: f64,
}

impl ValueAxis {
    /// From a round value at or below `low` to one at or above `high`, with a height in pixels.
    #[must_use]
    pub fn of(low: f64, high: f64, height: u32) -> Self {
        let height = f64::from(height);
        let (low, high) = if low < high { (low, high) } else { around(low) };
        let step = round_step(low, high, height);
        let foot = ((low / step).floor() * step).max(f64::MIN);
        let top = ((high / step).ceil() * step).min(f64::MAX);
        Self { low: foot, high: top, step, height }
    }

    /// From nothing to a count.
    #[must_use]
    pub fn counts(most: u64, height: u32) -> Self {
        let step = round_step(0.0, drawn(most.max(1)), f64::from(height)).max(1.0);
        let high = (drawn(most.max(1)) / step).ceil() * step;
        Self { low: 0.0, high, step, height: f64::from(height) }
    }

    /// How high a value is, from 0 to 1. Of what is endless, the middle.
    #[must_use]
    pub fn share(&self, value: f64) -> f64 {
        // Halves first: the whole span of two doubles may be endless.
        let share = (value / 2.0 - self.low / 2.0) / (self.high / 2.0 - self.low / 2.0);
        if share.is_finite() { share.clamp(0.0, 1.0) } else { 0.5 }
    }

    /// Pixels from the top to a value.
    #[must_use]
    pub fn y(&self, value: f64) -> f64 {
        self.height - self.share(value) * (self.height - ABOVE)
    }

    /// The round values, the lowest first.
    #[must_use]
    pub fn ticks(&self, label: impl Fn(f64) -> String) -> Vec<Tick> {
        let mut ticks = Vec::new();
        let mut value = self.low;
        while value <= self.high + self.step / 2.0 && ticks.len() < 12 {
            let near_zero = if value.abs() < self.step / 1e6 { 0.0 } else { value };
            let at = format!("{:.1}", self.y(near_zero));
            ticks.push(Tick { at, label: label(near_zero), is_minor: false, anchor: "end" });
            value += self.step;
        }
        ticks
    }

    /// A value with the digits that tell two ticks apart.
    #[must_use]
    pub fn label(&self, value: f64) -> String {
        let (size, widest) = (self.step, self.low.abs().max(self.high.abs()));
        if size < 1e-6 || widest >= 1e15 {
            return format!("{value:.1e}");
        }
        let (size, value, unit) = match widest {
            _ if widest >= 1e10 => (size / 1e9, value / 1e9, "G"),
            _ if widest >= 1e7 => (size / 1e6, value / 1e6, "M"),
            _ if widest >= 1e4 => (size / 1e3, value / 1e3, "k"),
            _ => (size, value, ""),
        };
        let unit = if value == 0.0 { "" } else { unit };
        let digits = [1.0, 0.1, 0.01, 0.001, 1e-4, 1e-5].iter().position(|least| size >= least * 0.999);
        format!("{value:.*}{unit}", if value == 0.0 { 0 } else { digits.unwrap_or(6) })
    }
}

/// Room around a single value.
fn around(value: f64) -> (f64, f64) {
    let room = if value == 0.0 { 1.0 } else { (value / 10.0).abs() };
    if value.abs() < f64::MAX / 4.0 { (value - room, value + room) } else { (value.min(0.0), value.max(0.0)) }
}

/// 1, 2 or 5 times a power of ten, so that ticks are about forty pixels apart.
fn round_step(low: f64, high: f64, height: f64) -> f64 {
    let most = (height / 40.0).floor().clamp(1.0, 8.0);
    let raw = (high / most - low / most).clamp(f64::MIN_POSITIVE, f64::MAX / 10.0);
    let power = 10_f64.powf(raw.log10().floor());
    let step = [1.0, 2.0, 5.0, 10.0].map(|part| part * power).into_iter().find(|step| *step >= raw * 0.999);
    step.filter(|step| step.is_normal()).unwrap_or(raw)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn labels(ticks: &[Tick]) -> Vec<&str> {
        ticks.iter().map(|tick| tick.label.as_str()).collect()
    }

    fn times(from: &str, until: &str) -> Vec<String> {
        let at = |text: &str| Timestamp::parse_rfc3339(text).unwrap();
        let axis = TimeAxis::new(at(from), at(until));
        axis.ticks().into_iter().map(|tick| tick.label).collect()
    }

    #[test]
    fn values_have_round_ticks_from_below_the_least_to_above_the_greatest() {
        let axis = ValueAxis::of(391.0, 1_412.0, 160);
        assert_eq!(labels(&axis.ticks(|value| axis.label(value))), ["0", "500", "1000", "1500"]);
        let axis = ValueAxis::of(-0.2, 0.31, 160);
        assert_eq!(labels(&axis.ticks(|value| axis.label(value))), ["-0.2", "0", "0.2", "0.4"]);
        let axis = ValueAxis::counts(3, 160);
        assert_eq!(labels(&axis.ticks(|value| axis.label(value))), ["0", "1", "2", "3"]);
        let axis = ValueAxis::counts(48_000, 160);
        assert_eq!(labels(&axis.ticks(|value| axis.label(value))), ["0", "20k", "40k", "60k"]);
        assert_eq!((axis.y(0.0), axis.y(60_000.0)), (160.0, ABOVE));
    }

    #[test]
    fn no_value_breaks_an_axis() {
        for (low, high) in [
            (5.0, 5.0),
            (0.0, 0.0),
            (f64::MIN, f64::MAX),
            (f64::MAX, f64::MAX),
            (1e-300, 2e-300),
            (1e15, 1e15 + 1.0),
        ] {
            let axis = ValueAxis::of(low, high, 160);
            let ticks = axis.ticks(|value| axis.label(value));
            assert!((1..=12).contains(&ticks.len()), "{low} {high}: {ticks:?}");
            for value in [low, high] {
                assert!((0.0..=160.0).contains(&axis.y(value)), "{low} {high}: {}", axis.y(value));
            }
        }
    }

    #[test]
    fn times_have_round_ticks_and_midnight_says_its_day() {
        assert_eq!(
            times("2026-11-28T13:07:00Z", "2026-11-28T14:07:00Z"),
            ["13:10", "13:20", "13:30", "13:40", "13:50", "14:00"]
        );
        assert_eq!(
            times("2026-11-27T13:00:00Z", "2026-11-28T13:00:00Z"),
            ["16:00", "20:00", "28 Nov", "04:00", "08:00", "12:00"].map(str::to_owned).to_vec()
        );
        assert_eq!(times("2026-11-01T00:00:00Z", "2026-11-08T00:00:00Z").first().unwrap(), "1 Nov");
        let seconds = ["13:00:00", "13:00:05", "13:00:10"];
        assert_eq!(times("2026-11-28T13:00:00Z", "2026-11-28T13:00:10Z"), seconds);
        assert_eq!(times("2026-11-28T13:00:04.9Z", "2026-11-28T13:00:05.2Z"), ["13:00:05", "13:00:10"]);
        assert_eq!(
            times("2026-11-28T13:00:05Z", "2026-11-28T13:00:05Z"),
            seconds,
            "a moment has ten seconds"
        );
        let wide = |from: &str, until: &str| {
            let at = |text: &str| Timestamp::parse_rfc3339(text).unwrap();
            let ticks = TimeAxis::new(at(from), at(until)).ticks();
            ticks.into_iter().filter(|tick| !tick.is_minor).map(|tick| tick.label).collect::<Vec<_>>()
        };
        assert_eq!(
            wide("2026-11-28T07:18:46Z", "2026-11-28T07:20:00Z"),
            ["07:19:00", "07:19:30", "07:20:00"],
            "a phone has room for three labels with seconds"
        );
        let axis = TimeAxis::new(Timestamp::from_micros(i64::MIN), Timestamp::MAX);
        assert!(axis.ticks().len() <= 9 && axis.share(Timestamp::from_secs(0)) <= 1.0);
    }
}
