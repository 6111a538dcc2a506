//! States as a strip: a stretch for each time that a value lasted, with its words where there is room.

use super::axis::{Tick, TimeAxis, percent};
use super::lines::{Gap, gap, longest_step};
use super::read_out;
use crate::domain::{Timestamp, plain};
use crate::inspect::entities::States;

/// What a last value gets that has only just come, as a part of the width.
const LAST: f64 = 0.012;
/// How many values have a look of their own.
const LOOKS: usize = 4;
/// Shorter stretches than the strip can show are not drawn.
const NARROWEST: f64 = 0.003;
/// The part of the width that a letter needs on a phone.
const LETTER: f64 = 0.026;

/// A stretch of one value.
pub struct Stretch {
    /// Where it begins.
    pub x: String,
    /// How long it is.
    pub width: String,
    /// Its look.
    pub look: usize,
    /// Its words; empty if they do not fit.
    pub label: String,
    /// Where they begin.
    pub label_x: String,
    /// What it is.
    pub title: String,
}

/// The strip of one field or variable.
pub struct Strip {
    /// The variable, or where the field is.
    pub name: String,
    /// The last value.
    pub last: String,
    /// How many values.
    pub count: usize,
    /// How often the value changed.
    pub changes: usize,
    /// Each value with its look, in the order in which they first came.
    pub keys: Vec<(String, usize)>,
    /// How many more values there are.
    pub more: usize,
    /// The stretches.
    pub stretches: Vec<Stretch>,
    /// Where nothing came.
    pub gaps: Vec<Gap>,
    /// The times.
    pub x: Vec<Tick>,
    /// For the cursor.
    pub points: String,
    /// Its ends, in milliseconds.
    pub ends_ms: (i64, i64),
}

impl Strip {
    /// The strip of some states; `None` if there are no values.
    #[must_use]
    pub fn of(states: &States, times: &TimeAxis) -> Option<Self> {
        let last = states.last()?;
        let distinct = states.distinct();
        let look =
            |value: &str| distinct.iter().take(LOOKS).position(|known| *known == value).unwrap_or(LOOKS);
        let runs = runs(states);
        let mut kept: Vec<(f64, f64, &Run<'_>)> = Vec::new();
        for run in &runs {
            let (from, until) = (times.share(run.from), times.share(run.until));
            let until = if run.from == run.until { (from + LAST).min(1.0) } else { until };
            if kept.last().is_none_or(|(before, ..)| from - before >= NARROWEST) {
                kept.push((from, until, run));
            } else if let Some((_, end, _)) = kept.last_mut() {
                *end = until.max(*end);
            }
        }
        let stretches = kept.iter().map(|(from, until, run)| {
            let from = from.min(1.0 - LAST);
            let width = (until - from).max(LAST / 2.0);
            let value = shown(run.value);
            let letters = f64::from(u32::try_from(value.chars().count()).unwrap_or(u32::MAX));
            Stretch {
                x: percent(from),
                width: percent(width),
                look: look(run.value),
                title: format!("{value}, from {}", run.from),
                label: if width > letters * LETTER { value } else { String::new() },
                label_x: percent(from + 0.006),
            }
        });
        Some(Self {
            name: plain(&states.name),
            last: shown(last),
            count: states.points.len(),
            changes: states.runs().len().saturating_sub(1),
            keys: distinct.iter().take(LOOKS).map(|value| (shown(value), look(value))).collect(),
            more: distinct.len().saturating_sub(LOOKS),
            stretches: stretches.collect(),
            gaps: runs
                .iter()
                .zip(runs.iter().skip(1))
                .filter(|(before, _)| before.ends_in_gap)
                .filter_map(|(before, after)| gap(times, before.until, after.from))
                .collect(),
            x: times.ticks(),
            points: read_out(runs.iter().map(|run| (run.from, shown(run.value)))),
            ends_ms: times.ends_ms(),
        })
    }
}

/// One value over a time.
struct Run<'s> {
    from: Timestamp,
    until: Timestamp,
    value: &'s str,
    /// Whether nothing came after it for long.
    ends_in_gap: bool,
}

/// Each value with the time over which it lasted: until the next one came, or until nothing came for long.
fn runs(states: &States) -> Vec<Run<'_>> {
    let times: Vec<Timestamp> = states.points.iter().map(|(at, _)| *at).collect();
    let longest = longest_step(&times);
    let mut runs: Vec<Run<'_>> = Vec::new();
    for (at, value) in &states.points {
        if let Some(last) = runs.last_mut() {
            last.ends_in_gap = longest.is_some_and(|longest| at.abs_diff(last.until) > longest);
            if !last.ends_in_gap {
                last.until = *at;
            }
            if last.value == value && !last.ends_in_gap {
                continue;
            }
        }
        runs.push(Run { from: *at, until: *at, value, ends_in_gap: false });
    }
    runs
}

fn shown(value: &str) -> String {
    if value.is_empty() { "(empty text)".to_owned() } else { plain(value) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn strip(values: &[(i64, &str)]) -> Strip {
        let points: Vec<_> =
            values.iter().map(|(secs, value)| (Timestamp::from_secs(*secs), (*value).to_owned())).collect();
        let times = TimeAxis::new(points[0].0, points[points.len() - 1].0);
        Strip::of(&States { name: "door".to_owned(), points }, &times).unwrap()
    }

    #[test]
    fn a_stretch_lasts_until_the_value_changes_and_the_last_one_is_seen() {
        let strip = strip(&[(0, "open"), (50, "open"), (100, "closed"), (200, "open")]);
        let stretches: Vec<(&str, &str, usize, &str)> = strip
            .stretches
            .iter()
            .map(|one| (one.x.as_str(), one.width.as_str(), one.look, one.label.as_str()))
            .collect();
        assert_eq!(
            stretches,
            [
                ("0.000%", "50.000%", 0, "open"),
                ("50.000%", "50.000%", 1, "closed"),
                ("98.800%", "1.200%", 0, "")
            ]
        );
        assert_eq!((strip.count, strip.changes, strip.last.as_str()), (4, 2, "open"));
    }

    #[test]
    fn a_state_does_not_last_over_a_time_without_values() {
        let mut values: Vec<(i64, &str)> = (0..5).map(|n| (n * 10, "on")).collect();
        values.extend((0..5).map(|n| (400 + n * 10, "on")));
        let strip = strip(&values);
        assert_eq!((strip.stretches.len(), strip.gaps.len(), strip.changes), (2, 1, 0));
    }

    #[test]
    fn one_value_is_seen_and_many_stay_within_the_strip() {
        let one = strip(&[(7, "")]);
        assert_eq!((one.stretches.len(), one.last.as_str()), (1, "(empty text)"));
        let names: Vec<String> = (0..9_000).map(|n| format!("v{n}")).collect();
        let many: Vec<(i64, &str)> = (0..).zip(names.iter().map(String::as_str)).collect();
        let many = strip(&many);
        assert!(many.stretches.len() <= 340 && many.stretches.iter().all(|one| one.look <= LOOKS));
        assert_eq!((many.keys.len(), many.more), (LOOKS, 9_000 - LOOKS));
    }
}
