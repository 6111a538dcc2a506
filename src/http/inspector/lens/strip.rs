//! States as a strip: a stretch for each time that a value lasted.

use super::sparkline::ratio;
use crate::domain::plain;
use crate::inspect::entities::States;

/// The strip's width, in its own units.
const WIDTH: f64 = 320.0;
/// What a last value gets that has only just come.
const LAST: f64 = 6.0;
/// Values that have a colour of their own.
const COLOURS: usize = 4;
/// Shorter stretches than the strip can show are not drawn.
const NARROWEST: f64 = 1.0;

/// A stretch of one value.
pub struct Stretch {
    /// Where it begins.
    pub x: String,
    /// How long it is.
    pub width: String,
    /// Its colour.
    pub colour: usize,
}

/// A value with its colour.
pub struct Key {
    /// The value.
    pub value: String,
    /// Its colour.
    pub colour: usize,
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
    /// The values, in the order in which they first came.
    pub keys: Vec<Key>,
    /// How many more values there are.
    pub more: usize,
    /// The stretches.
    pub stretches: Vec<Stretch>,
}

impl Strip {
    /// The strip of some states; `None` where there is no value.
    pub fn of(states: &States) -> Option<Self> {
        let (first, last) = (states.points.first()?.0.as_micros(), states.points.last()?.0.as_micros());
        let span = last.saturating_sub(first);
        let distinct = states.distinct();
        let colour =
            |value: &str| distinct.iter().take(COLOURS).position(|known| *known == value).unwrap_or(COLOURS);
        let runs = states.runs();
        let place = |at: i64| ratio(at.saturating_sub(first), span) * (WIDTH - LAST);
        let mut starts: Vec<(f64, usize)> = Vec::new();
        for (at, value) in &runs {
            let x = if span == 0 { 0.0 } else { place(at.as_micros()) };
            let is_narrow = starts.last().is_some_and(|(before, _)| x - before < NARROWEST);
            if is_narrow {
                starts.pop();
            }
            starts.push((x, colour(value)));
        }
        let ends = starts.iter().skip(1).map(|(x, _)| *x).chain([WIDTH]);
        let stretches = starts.iter().zip(ends).map(|((x, colour), end)| Stretch {
            x: format!("{x:.1}"),
            width: format!("{:.1}", (end - x).max(0.0)),
            colour: *colour,
        });
        Some(Self {
            name: plain(&states.name),
            last: shown(states.last()?),
            count: states.points.len(),
            changes: runs.len().saturating_sub(1),
            keys: distinct
                .iter()
                .take(COLOURS)
                .map(|value| Key { value: shown(value), colour: colour(value) })
                .collect(),
            more: distinct.len().saturating_sub(COLOURS),
            stretches: stretches.collect(),
        })
    }
}

fn shown(value: &str) -> String {
    if value.is_empty() { "(empty text)".to_owned() } else { plain(value) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::Timestamp;

    fn strip(values: &[(i64, &str)]) -> Strip {
        let points = values.iter().map(|(secs, value)| (Timestamp::from_secs(*secs), (*value).to_owned()));
        Strip::of(&States { name: "door".to_owned(), points: points.collect() }).unwrap()
    }

    #[test]
    fn a_stretch_lasts_until_the_value_changes_and_the_last_one_is_seen() {
        let strip = strip(&[(0, "open"), (50, "open"), (100, "closed"), (200, "open")]);
        let stretches: Vec<(&str, &str, usize)> =
            strip.stretches.iter().map(|one| (one.x.as_str(), one.width.as_str(), one.colour)).collect();
        assert_eq!(stretches, [("0.0", "157.0", 0), ("157.0", "157.0", 1), ("314.0", "6.0", 0)]);
        assert_eq!((strip.count, strip.changes, strip.last.as_str()), (4, 2, "open"));
    }

    #[test]
    fn one_value_fills_the_strip_and_many_stay_within_it() {
        let one = strip(&[(7, "")]);
        assert_eq!((one.stretches[0].width.as_str(), one.last.as_str()), ("320.0", "(empty text)"));
        let names: Vec<String> = (0..9_000).map(|n| format!("v{n}")).collect();
        let many: Vec<(i64, &str)> = (0..).zip(names.iter().map(String::as_str)).collect();
        let many = strip(&many);
        assert!(many.stretches.len() <= 320 && many.stretches.iter().all(|one| one.colour <= COLOURS));
        assert_eq!((many.keys.len(), many.more), (COLOURS, 9_000 - COLOURS));
    }
}
